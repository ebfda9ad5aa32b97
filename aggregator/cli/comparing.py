"""`url-key`, `compare`, `split`, `merge` and `dedup`: what makes items one, and overruling it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import (
    OK,
    SOME_FAILED,
    LateConsole,
    escape,
    fail,
    print_json,
    stderr,
    stdout,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from aggregator.model.copies import CopyDecision, CopyThresholds
    from aggregator.model.settings import DedupSettings
    from aggregator.pipeline.upkeep.regroup import Regrouping
    from aggregator.store.database import Database

_MOST_BYTES = 4 * 1024 * 1024  # of a text to compare

SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="AGGREGATOR_CONFIG",
        help="Use the “dedup” settings of this configuration; without it, the defaults.",
    ),
]


def url_key(
    url: Annotated[
        list[str] | None, typer.Argument(help="URLs; without any, lines of standard input.")
    ] = None,
    json: JsonOption = False,
    config: SettingsOption = None,
) -> None:
    """Print the key of each URL, a line for each: URLs with one key are one page.

    A line is empty for what is no web address; the exit code is then 1.
    """
    from aggregator.urls.key import url_key as key_of

    with told():
        extra = _dedup(config).tracking_parameters
    missed = False
    for line in url or (row.rstrip("\r\n") for row in sys.stdin):
        found = key_of(line.strip(), extra_parameters=extra)
        missed = missed or found is None
        if json:
            print_json({"url": line} | (asdict(found) if found else {"key": None}))
        else:
            sys.stdout.write(f"{found.key if found else ''}\n")
    raise typer.Exit(SOME_FAILED if missed else OK)


def compare(
    file: Annotated[
        list[Path] | None, typer.Argument(help="Two files of plain text; “-” is standard input.")
    ] = None,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help='Read lines {"a": {"title", "text"}, "b": {…}} from standard input, print a JSON '
            "line for each.",
        ),
    ] = False,
    json: JsonOption = False,
    config: SettingsOption = None,
) -> None:
    """Say whether two texts are the same text, how much they share, and why."""
    with told():
        limits = _dedup(config).copies
    if jsonl:
        if file:
            fail("--jsonl reads standard input and takes no files")
        raise typer.Exit(SOME_FAILED if _compare_lines(sys.stdin, limits) else OK)
    if len(file or ()) != 2:
        fail("give two files, or --jsonl")
    a, b = (_text(path) for path in file or ())
    decision = _decide(a, b, limits)
    if json:
        print_json(_decision_json(decision))
    else:
        _print_decision(decision)
    raise typer.Exit(OK)


def split(
    item: Annotated[str, typer.Argument(help="Number, id or link of an item.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take an item out of its group of copies, or its last update out of it, for good."""
    from aggregator.pipeline.showing import decisions

    def work(connection: Connection) -> str:
        number = decisions.number_of(connection, item)
        return decisions.split(connection, number, _now(), _dedup(config).copies)

    stdout.print(escape(_write(config, work)))


def merge(
    item: Annotated[list[str], typer.Argument(help="Numbers, ids or links of two items or more.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make items copies of each other, whatever their texts are; undoes a split."""
    from aggregator.pipeline.showing import decisions

    if len(item) < 2:
        fail("a merge needs two items at least")

    def work(connection: Connection) -> str:
        numbers = [decisions.number_of(connection, one) for one in item]
        return decisions.merge(connection, numbers, _now())

    stdout.print(escape(_write(config, work)))


def dedup(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change (nothing is stored).")
    ] = False,
    days: Annotated[
        int, typer.Option(help="Group the items of so many days.", min=1, max=3650)
    ] = 7,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="With --dry-run: a changed threshold, as “containment=0.7”; may be repeated.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Group the items of the last days anew, by the configured thresholds.

    What was split or merged by hand stays. With --dry-run it is only shown what that would change;
    --set then tries thresholds that are not in the configuration yet.
    """
    from datetime import timedelta

    from aggregator.pipeline.upkeep import regroup

    if set_ and not dry_run:
        fail("--set goes with --dry-run; what is to hold stands in the configuration")
    with told():
        limits = _with(_dedup(config).copies, set_ or ())
        with _database(config) as database:
            now = _now()
            since = now - timedelta(days=days)
            if dry_run or not yes:
                with _progress() as read:
                    found = regroup.look(database, limits, since, read)
                if dry_run:
                    _print_regrouping(found, "would be", json=json)
                    return
                if found.changed:
                    _print_regrouping(found, "would be", on=stderr if json else stdout)
                    typer.confirm("Group these items so?", abort=True, err=json)
            with _progress() as read:
                done = regroup.apply(database, limits, since, now, read)
            _print_regrouping(done, "are", json=json)


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Say on a terminal how many items were read."""
    with stderr.console.status("grouping the items anew …") as status:
        yield lambda count: status.update(f"grouping the items anew … {count:,}")


def _with(limits: CopyThresholds, changes: Iterable[str]) -> CopyThresholds:
    """The thresholds with `name=value` changes."""
    for change in changes:
        name, _, value = change.partition("=")
        old = getattr(limits, name, None) if name in limits.__slots__ else None
        if not isinstance(old, int | float):
            fail(f"{name!r} is no threshold that --set can change; docs list them: dedup.copies")
        try:
            changed: dict[str, Any] = {name: type(old)(value)}
            limits = replace(limits, **changed)
        except ValueError:
            fail(f"{name} is a number, not {value!r}")
    return limits


def _print_regrouping(
    found: Regrouping, verb: str, *, json: bool = False, on: LateConsole = stdout
) -> None:
    if json:
        for one in found.changed:
            print_json(
                {
                    "change": one.kind,
                    "items": [one.a.number, one.b.number],
                    "titles": [one.a.title, one.b.title],
                    "sources": [one.a.source_id, one.b.source_id],
                }
                | _decision_json(one.decision)
            )
        return
    for one in found.changed:
        word = "one text" if one.kind == "joined" else "two texts"
        on.print(f"{verb} {word}: {escape(one.decision.reason)}")
        for side in (one.a, one.b):
            on.print(f"  {side.number}  {escape(side.source_title)}: {escape(side.title or '')}")
    on.print(
        f"{found.items} items of these days, {len(found.changed)} pairs changed"
        if found.changed
        else f"{found.items} items of these days, nothing changed"
    )


def _dedup(config: Path | None) -> DedupSettings:
    if config is None:
        from aggregator.model.settings import DedupSettings

        return DedupSettings()
    from aggregator.config.load import load_settings

    return load_settings(config).dedup


def _now() -> Any:
    from aggregator.telemetry.clock import SystemClock

    return SystemClock().now()


def _write(config: Path, work: Callable[[Connection], str]) -> str:
    with told(), _database(config) as database, database.write() as connection:
        return work(connection)


@contextmanager
def _database(config: Path) -> Iterator[Database]:
    from aggregator.config.load import load_settings
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate

    database = Database(load_settings(config).storage.url.reveal())
    try:
        migrate(database)
        yield database
    finally:
        database.close()


def _text(path: Path) -> str:
    try:
        data = sys.stdin.buffer.read(_MOST_BYTES) if str(path) == "-" else _bytes(path)
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}")
    return data.decode("utf-8", "replace")


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _decide(
    a: str, b: str, limits: CopyThresholds, titles: tuple[str | None, str | None] = (None, None)
) -> CopyDecision:
    from aggregator.identity.texts.copies import comparable
    from aggregator.identity.texts.copies import compare as decide

    none: frozenset[int] = frozenset()  # no source, so nothing is known to be repeated by it
    return decide(comparable(a, none), comparable(b, none), limits, titles=titles)


def _compare_lines(lines: Iterable[str], limits: CopyThresholds) -> bool:
    """One answer for each line, in order; returns whether some could not be read."""
    from json import JSONDecodeError, loads

    failed = False
    for line in lines:
        if not line.strip():
            continue
        try:
            pair = loads(line)
            a, b = (_side(pair, name) for name in ("a", "b"))
            titles = (_title(pair, "a"), _title(pair, "b"))
        except (JSONDecodeError, TypeError, KeyError) as error:
            failed = True
            print_json({"error": f"not a pair: {error}"})
            continue
        print_json(_decision_json(_decide(a, b, limits, titles)))
    return failed


def _side(pair: Mapping[str, Any], name: str) -> str:
    text = pair[name]["text"]
    if not isinstance(text, str):
        raise TypeError(f"the text of {name!r} is no string")
    return text


def _title(pair: Mapping[str, Any], name: str) -> str | None:
    title = pair[name].get("title")
    return title if isinstance(title, str) else None


def _decision_json(decision: CopyDecision) -> dict[str, Any]:
    return {
        "same": decision.same,
        "score": round(decision.score, 4),
        "reason": decision.reason,
        "evidence": asdict(decision.evidence),
    }


def _print_decision(decision: CopyDecision) -> None:
    from aggregator.pipeline.showing.decisions import evidence_lines

    stdout.print("[bold]the same text[/]" if decision.same else "[bold]not the same text[/]")
    stdout.print(escape(decision.reason))
    for label, value in evidence_lines(decision):
        stdout.print(f"  {label}: {escape(value)}")

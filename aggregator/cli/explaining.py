"""`aggregator plan`, `aggregator why` and `aggregator moves`: what is decided, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import escape, fail, iso, print_json, stdout, told

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aggregator.model.item import PollRecord
    from aggregator.model.settings import Settings
    from aggregator.pipeline.showing.explain import Outlook, SourceReasons

T = TypeVar("T")
_POLLS = 10


def plan(
    limit: Annotated[int, typer.Option(help="How many polls to list.", min=1)] = 30,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List the next polls with their reasons, and the requests an hour they add up to."""
    from aggregator.pipeline.showing.explain import outlook

    now = datetime.now(UTC)
    with told():
        settings = _settings(config)
        found = _read(settings, lambda c: outlook(c, settings, limit, now))
    if json:
        print_json(_outlook_json(found))
        return
    _print_outlook(found, now)


def why(
    what: Annotated[
        str,
        typer.Argument(
            help="The id of a source; or the number, id or link of an item.", metavar="SOURCE|ITEM"
        ),
    ],
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Explain a source: its last polls, the next one with every floor, what was noted.

    Or an item: where it is from, and why it is, or is not, one with others.
    """
    from aggregator.pipeline.showing.explain import reasons

    now = datetime.now(UTC)
    with told():
        settings = _settings(config)
        source = next((one for one in settings.sources if one.id == what), None)
        if source is None:
            from aggregator.cli.item_reasons import print_item
            from aggregator.pipeline.showing import decisions

            limits = settings.dedup.copies
            print_item(_read(settings, lambda c: decisions.reasons(c, what, limits)), json=json)
            return
        found = _read(settings, lambda c: reasons(c, settings, source, now, _POLLS))
    if found is None:
        fail(f"{what} was never polled: start the service, or “aggregator poll {what}”")
    if json:
        print_json(_reasons_json(found))
        return
    _print_reasons(found, now)


def moves(json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List feeds that moved for good, as a patch of the configuration. Nothing is written."""
    from aggregator.pipeline.polling import redirects as moved
    from aggregator.store.sources.states import feed_states

    with told():
        settings = _settings(config)
        found = moved.moves(settings.sources, _read(settings, feed_states))
    if json:
        for one in found:
            print_json({"source": one.source_id, "from": one.old, "to": one.new, "why": one.why})
        return
    if not found:
        stdout.print("no feed has moved")
        return
    for one in found:
        typer.echo(f"# {one.source_id}: {one.why}")
        typer.echo(f"#   {one.old}\n#   {one.new}")
    files = [Path(name) for name in settings.files] or [config]
    typer.echo(
        moved.patch(found, [(str(f), f.read_text(encoding="utf-8")) for f in files]), nl=False
    )


def _settings(config: Path) -> Settings:
    from aggregator.config.load import load_settings

    return load_settings(config)


def _read(settings: Settings, work: Callable[[Connection], T]) -> T:
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate

    database = Database(settings.storage.url.reveal())
    try:
        migrate(database)
        with database.read() as connection:
            return work(connection)
    finally:
        database.close()


def _outlook_json(found: Outlook) -> dict[str, Any]:
    return {
        "polls": [
            {"source": one.source_id, "at": iso(one.at), "reason": one.reason, "detail": one.detail}
            for one in found.polls
        ],
        "sources": found.sources,
        "requests_per_hour": round(found.per_hour, 2),
        "price_seconds": round(found.price.total_seconds()),
        "slowdown": round(found.slowdown, 3),
        "blocked": [
            {"host": host, "until": iso(until), "reason": reason}
            for host, until, reason in found.blocked
        ],
        "own_outage_since": iso(found.outage_since) if found.outage_since else None,
    }


def _print_outlook(found: Outlook, now: datetime) -> None:
    from rich.table import Table

    from aggregator.model.meanings import meaning
    from aggregator.model.poll import PlanReason

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when", "in", "source", "why"):
        table.add_column(name, overflow="fold", no_wrap=name in ("when", "in"))
    for one in found.polls:
        table.add_row(
            iso(one.at), _distance(one.at, now), escape(one.source_id),
            escape(_why(one.reason, one.detail)),
        )  # fmt: skip
    if found.polls:
        stdout.print(table)
    minutes = found.price.total_seconds() / 60
    slow = (
        f", slowed down {found.slowdown:.2f} times by the hourly cap" if found.slowdown > 1 else ""
    )
    stdout.print(
        f"\n{found.sources} sources, {found.per_hour:.1f} requests an hour planned; a source with "
        f"four items a day is polled every {minutes:g} min{slow}"
    )
    for host, until, reason in found.blocked:
        why = meaning(reason, PlanReason)
        stdout.print(f"{escape(host)} is left alone until {iso(until)}: {escape(why)}")
    if found.outage_since:
        stdout.print(f"our own network seems to be down since {iso(found.outage_since)}")


def _why(reason: str | None, detail: str | None) -> str:
    """Why a poll is planned for its time: what decided, and the figures behind it."""
    from aggregator.pipeline.showing import phrases

    said = phrases.plan(reason)
    return f"{said[:-1]}: {detail}." if detail else said


def _distance(at: datetime, now: datetime) -> str:
    seconds = (at - now).total_seconds()
    if seconds <= 0:
        return "due"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _poll_json(one: PollRecord) -> dict[str, Any]:
    timing = one.timing
    return {
        "at": iso(one.at),
        "outcome": one.outcome,
        "status": one.status,
        "error": one.error,
        "wire_bytes": one.wire_bytes,
        "decoded_bytes": one.decoded_bytes,
        "dns_ms": timing.dns,
        "connect_ms": timing.connect,
        "first_byte_ms": timing.first_byte,
        "total_ms": timing.total,
        "entries": one.entries,
        "new": one.new_items,
        "changed": one.changed_items,
        "next": iso(one.next_at) if one.next_at else None,
        "reason": one.reason,
        "detail": one.reason_detail,
    }


def _reasons_json(found: SourceReasons) -> dict[str, Any]:
    state, plan = found.state, found.plan
    return {
        "source": found.source_id,
        "host": found.host,
        "next": iso(state.next_poll_at) if state.next_poll_at else None,
        "reason": state.next_reason,
        "detail": state.next_detail,
        "failures": state.failures,
        "items_a_day": round(plan.rate, 3) if plan and plan.rate is not None else None,
        "wish_seconds": round(plan.wish.total_seconds()) if plan and plan.wish else None,
        "floors": [
            {"name": floor.name, "until": iso(floor.until), "hard": floor.hard}
            for floor in (plan.floors if plan else ())
        ],
        "notes": list(found.notes),
        "polls": [_poll_json(one) for one in found.polls],
    }


def _print_reasons(found: SourceReasons, now: datetime) -> None:
    from aggregator.pipeline.showing import phrases

    state, plan = found.state, found.plan
    stdout.print(f"[bold]{escape(found.source_id)}[/] on {escape(found.host)}")
    if state.next_poll_at:
        stdout.print(
            f"next poll {iso(state.next_poll_at)} ({_distance(state.next_poll_at, now)}). "
            f"{escape(_why(state.next_reason, state.next_detail))}"
        )
    if plan is not None:
        if plan.rate is not None:
            stdout.print(f"it brings {plan.rate:.2f} items a day")
        if plan.wish is not None:
            stdout.print(
                f"by itself it would be polled every {plan.wish.total_seconds() / 60:.0f} min"
            )
        for floor in plan.floors:
            stdout.print(f"  {escape(phrases.floor(floor))}")
    if state.failures:
        stdout.print(f"[red]{state.failures} failures in a row[/]: {escape(state.error or '')}")
    for note in found.notes:
        stdout.print(f"  {escape(note)}")
    _print_polls(found.polls)


def _print_polls(polls: tuple[PollRecord, ...]) -> None:
    from rich.table import Table

    from aggregator.model.http import FetchError
    from aggregator.model.meanings import meaning
    from aggregator.model.poll import PlanReason
    from aggregator.model.states import ParseFault, PollWord

    if not polls:
        stdout.print("no poll is on record")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    numbers = ("status", "bytes", "dns", "connect", "first byte", "total ms", "new", "changed")
    for name in ("polled", "outcome", *numbers, "then"):
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for one in polls:
        timing = one.timing
        times = (timing.dns, timing.connect, timing.first_byte, timing.total)
        table.add_row(
            iso(one.at), escape(meaning(one.outcome, PollWord, FetchError, ParseFault)),
            str(one.status or ""), str(one.wire_bytes or ""),
            *("" if ms is None else f"{ms:.0f}" for ms in times),
            str(one.new_items or ""), str(one.changed_items or ""),
            escape(meaning(one.reason, PlanReason)),
        )  # fmt: skip
    stdout.print(table)

"""`aggregator poll` and `aggregator status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import (
    OK,
    SOME_FAILED,
    escape,
    fail,
    iso,
    print_json,
    stderr,
    stdout,
    table,
    told,
)

if TYPE_CHECKING:
    from datetime import datetime

    from aggregator.model.item import PollRecord
    from aggregator.model.pages import SourceOverview, Undelivered
    from aggregator.model.settings import Settings, SourceSettings

_PATIENCE = timedelta(minutes=2)


def poll(
    source: Annotated[list[str] | None, typer.Argument(help="Ids of sources.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every enabled source, due or not.")] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Poll sources once, now: those named, all, or by default those that are due.

    Requests stay conditional, and what a host asked for (Retry-After, the gap between requests)
    holds. A running service may go on beside it.
    """
    import asyncio

    from aggregator.config.load import load_settings

    with told():
        settings = load_settings(config)
        wanted = chosen(settings, source or [])
        records = asyncio.run(_poll(settings, wanted, everything=all_ or bool(source), quiet=json))
    for record in records:
        if json:
            print_json(_record_json(record))
    if not json:
        _print_records(records)
    raise typer.Exit(OK if all(_is_fine(record) for record in records) else SOME_FAILED)


def chosen(settings: Settings, names: Sequence[str]) -> list[SourceSettings]:
    """The named sources, or all that are enabled; ends the command where one is not known."""
    known = {one.id: one for one in settings.sources}
    unknown = [name for name in names if name not in known]
    if unknown:
        import difflib

        close = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        fail(f"there is no source {unknown[0]!r} in the configuration{hint}")
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    return [one for one in settings.sources if one.enabled]


async def _poll(
    settings: Settings, chosen: Sequence[SourceSettings], *, everything: bool, quiet: bool
) -> list[PollRecord]:
    from aggregator.opening import open_parts
    from aggregator.pipeline.polling.refresh import refresh

    async with open_parts(settings, patience=_PATIENCE) as parts:
        if quiet:
            return await refresh(parts, chosen, only_due=not everything)
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn("polling"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=stderr.console, transient=True) as progress:
            bar = progress.add_task("polling", total=len(chosen))
            return await refresh(
                parts, chosen, only_due=not everything, done=lambda: progress.advance(bar)
            )


def _is_fine(record: PollRecord) -> bool:
    from aggregator.model.states import PollWord

    fine = (PollWord.NEW, PollWord.UNCHANGED, PollWord.NOT_MODIFIED, PollWord.NO_CONTENT)
    return record.outcome in (*fine, PollWord.SKIPPED)


def _record_json(record: PollRecord) -> dict[str, Any]:
    return {
        "source": record.source_id,
        "at": iso(record.at),
        "outcome": record.outcome,
        "status": record.status,
        "entries": record.entries,
        "new": record.new_items,
        "changed": record.changed_items,
        "bytes": record.wire_bytes,
        "error": record.error,
        "next": iso(record.next_at) if record.next_at else None,
        "reason": record.reason,
        "detail": record.reason_detail,
    }


def _print_records(records: Sequence[PollRecord]) -> None:
    from aggregator.model.http import FetchError
    from aggregator.model.meanings import meaning
    from aggregator.model.poll import PlanReason
    from aggregator.model.states import ParseFault, PollWord

    if not records:
        stdout.print("nothing is due")
        return
    columns = ("source", "outcome", "status", "new", "changed", "next", "why")
    rows = table(*columns, numbers=("status", "new", "changed"))
    for record in records:
        colour = "green" if _is_fine(record) else "red"
        rows.add_row(
            escape(record.source_id),
            f"[{colour}]{meaning(record.outcome, PollWord, FetchError, ParseFault)}[/]",
            str(record.status or ""),
            str(record.new_items or ""),
            str(record.changed_items or ""),
            iso(record.next_at) if record.next_at else "",
            escape(record.error or meaning(record.reason, PlanReason)),
        )
    stdout.print(rows)


def status(json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List every source with its state: last and next poll, items, and what is wrong.

    Exit code 1 when a source is failing, when our own network seems to be down, when storage
    cannot be written, or when the clock is earlier than what is stored.
    """
    import asyncio

    from aggregator.config.load import load_settings

    with told():
        found, trouble, unmet = asyncio.run(_status(load_settings(config)))
    lines, outage_since = found
    if json:
        for line in lines:
            print_json(_status_json(line))
        for one in unmet:
            print_json(_undelivered_json(one))
    else:
        _print_status(lines)
        if outage_since:
            stdout.print(
                f"our own network seems to be down since {iso(outage_since)}: "
                "no source's failure counts until a server answers"
            )
        for one in unmet:
            stdout.print(escape(_undelivered_line(one)))
    failing = any(line.health in ("failing", "gone") for line in lines)
    if trouble is not None:
        fail(f"{trouble}; polling waits until then", SOME_FAILED)
    raise typer.Exit(SOME_FAILED if failing or outage_since else OK)


async def _status(
    settings: Settings,
) -> tuple[tuple[Sequence[SourceOverview], datetime | None], str | None, Sequence[Undelivered]]:
    """The sources and since when our own network is down; why polling waits altogether.

    Last those who did not take their last delivery.
    """
    from aggregator.model.errors import StorageTrouble
    from aggregator.pipeline.budgets import outage
    from aggregator.pipeline.showing import sources
    from aggregator.pipeline.showing.status import undelivered
    from aggregator.schedule.clock import doubt
    from aggregator.store import transfer
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate
    from aggregator.store.sources import clock
    from aggregator.telemetry.clock import SystemClock

    database = Database(settings.storage.url.reveal())
    try:
        migrate(database)
        trouble: str | None = None
        try:
            await transfer.probe(database, iso(SystemClock().now()))
        except StorageTrouble as error:
            trouble = str(error)
        if trouble is None and not settings.polling.trust_clock:
            said = doubt(SystemClock().now(), await database.run_read(clock.newest))
            trouble = said and f"{said}: set the clock, or “polling.trust_clock: yes”"
        lines = await database.run_read(sources.every, settings)
        unmet = await database.run_read(undelivered, settings)
        return (lines, await database.run_read(outage.since)), trouble, unmet
    finally:
        database.close()


def _undelivered_line(one: Undelivered) -> str:
    """What is wrong with a delivery; its address may be a secret, so its host stands for it."""
    from aggregator.model.meanings import TELLING, TOLD
    from aggregator.model.states import PushState

    parked = one.state is PushState.PARKED
    then = TELLING[one.state] if parked else f"tried again at {iso(one.next_at)}"
    return (
        f"{TOLD[one.kind]} for “{one.view_title}” at {one.host} takes nothing "
        f"({one.detail or 'no reason given'}): {then}"
    )


def _undelivered_json(one: Undelivered) -> dict[str, Any]:
    return {
        "delivery": str(one.kind),
        "view": one.view_id,
        "host": one.host,
        "state": str(one.state),
        "tries": one.tries,
        "detail": one.detail,
        "next_try": iso(one.next_at),
        "last_taken": iso(one.delivered_at) if one.delivered_at else None,
    }


def _status_json(line: SourceOverview) -> dict[str, Any]:
    return {
        "source": line.id,
        "title": line.title,
        "state": str(line.health),
        "items": line.items,
        "last_poll": iso(line.last_polled_at) if line.last_polled_at else None,
        "last_success": iso(line.last_success_at) if line.last_success_at else None,
        "next_poll": iso(line.next_poll_at) if line.next_poll_at else None,
        "reason": line.next_reason,
        "detail": line.next_detail,
        "failures": line.failures,
        "status": line.status,
        "error": line.error,
    }


def _print_status(lines: Sequence[SourceOverview]) -> None:
    from aggregator.model.meanings import HEALTH, meaning
    from aggregator.model.poll import PlanReason

    if not lines:
        stdout.print("no source is configured")
        return
    colours = {
        "ok": "green",
        "failing": "red",
        "gone": "red",
        "waiting": "yellow",
        "offline": "yellow",
    }
    columns = ("source", "state", "items", "last poll", "next poll", "why")
    rows = table(*columns, numbers=("items",))
    for line in lines:
        colour = colours.get(line.health, "dim")
        rows.add_row(
            escape(line.id),
            f"[{colour}]{HEALTH[line.health]}[/]",
            str(line.items),
            iso(line.last_polled_at) if line.last_polled_at else "never",
            iso(line.next_poll_at) if line.next_poll_at else "",
            escape(line.error or meaning(line.next_reason, PlanReason)),
        )
    stdout.print(rows)

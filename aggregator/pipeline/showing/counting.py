"""Numbers that pages show: counted up to a bound at a request, exactly by a job.

The job's numbers are as old as its last run. They are shown only where they are larger than what a
request counts, so a small store is always counted exactly.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from aggregator.model.settings import Settings, ViewSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.views import showing_now
from aggregator.store import hours, tally
from aggregator.store.items import items
from aggregator.store.tally import Counted
from aggregator.store.views import leads, selections

FIRST = timedelta(hours=48)  # that are counted where none were before


async def count(parts: Parts) -> None:
    """Count exactly what no request counts, and keep the numbers for the pages."""
    settings, database, now = parts.settings, parts.database, parts.clock.now()
    views = {view.id: await database.run_read(_exactly, view, settings) for view in settings.views}
    sources = await database.run_read(items.items_by_source)
    whole = {
        name: await database.run_read(items.total, private=private)
        for name, private in (("all", True), ("public", False))
    }

    def keep(connection: Connection) -> None:
        tally.keep(connection, Counted.VIEW, views, now)
        tally.keep(connection, Counted.SOURCE, sources, now)
        tally.keep(connection, Counted.ITEMS, whole, now)

    await database.run_write(keep)


async def count_hours(parts: Parts) -> None:
    """Count what happened in the last hours, and how large the database is."""
    now, database = parts.clock.now(), parts.database
    last = await database.run_read(hours.last_counted)
    oldest = now - parts.settings.storage.keep_poll_log
    since = max(now - FIRST, oldest) if last is None else max(oldest, min(last, now) - hours.HOUR)

    counted = await database.run_read(hours.count_since, since)

    def keep(connection: Connection) -> None:
        hours.keep(connection, counted, now)
        hours.forget(connection, oldest)
        hours.keep_size(connection, database.size(connection) // 1024, now)

    await database.run_write(keep)


def of_view(connection: Connection, view: ViewSettings, settings: Settings) -> int:
    """How many entries a view has; `MoreThan` where nobody has counted as many yet."""
    counted = tally.kept(connection, Counted.VIEW, view.id)
    shown = showing_now(connection, view, settings)
    return counted or (0 if shown is None else leads.some(connection, shown))


def _exactly(connection: Connection, view: ViewSettings, settings: Settings) -> int:
    shown = showing_now(connection, view, settings)
    return 0 if shown is None else leads.count(connection, shown)


def of_source(connection: Connection, source_id: str) -> int:
    """How many entries a source has brought."""
    return tally.kept(connection, Counted.SOURCE, source_id) or selections.of_source(
        connection, source_id
    )


def of_all(connection: Connection, *, private: bool) -> int:
    """How many items there are; without `private` only public ones."""
    name = "all" if private else "public"
    return tally.kept(connection, Counted.ITEMS, name) or items.some(connection, private=private)

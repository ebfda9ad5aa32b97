"""How sources are doing, for pages that list many: as many rows as a page takes, and counts."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from aggregator.model.pages import SourceHealth
from aggregator.model.states import PollWord
from aggregator.store import schema as t

# What needs a person comes first.
URGENCY = (
    SourceHealth.FAILING,
    SourceHealth.OFFLINE,
    SourceHealth.GONE,
    SourceHealth.WAITING,
    SourceHealth.OK,
    SourceHealth.DISABLED,
)


def states(connection: Connection, *, private: bool) -> dict[SourceHealth, int]:
    """How many configured sources are in each state; without `private` of public ones."""
    health = _health()
    rows = connection.execute(
        select(health.label("health"), func.count())
        .join(t.source, t.source.c.id == t.feed.c.source_id)
        .where(_listed(private=private))
        .group_by("health")
    )
    return {SourceHealth(row[0]): row[1] for row in rows}


def hidden(connection: Connection) -> int:
    """How many configured sources are private."""
    s = t.source.c
    query = select(func.count()).where(s.removed_at.is_(None), s.private)
    return connection.scalar(query) or 0


def most_urgent(connection: Connection, limit: int, *, private: bool) -> list[str]:
    """The ids of the sources that need a person first, then by title."""
    s, f = t.source.c, t.feed.c
    health = _health()
    rank = case({one.value: number for number, one in enumerate(URGENCY)}, value=health)
    title = func.lower(func.coalesce(s.title, f.title, s.id))
    query = _sources(private=private).order_by(rank, title, s.id).limit(limit)
    return list(connection.scalars(query))


def after(
    connection: Connection,
    source_id: str,
    limit: int,
    *,
    private: bool,
    states: Collection[SourceHealth] = (),
) -> list[str]:
    """The ids of the sources after one, in order; of these states alone where some are given."""
    s = t.source.c
    query = _sources(private=private).where(s.id > source_id)
    if states:
        query = query.where(_health().in_([one.value for one in states]))
    return list(connection.scalars(query.order_by(s.id).limit(limit)))


def _sources(*, private: bool) -> Select[tuple[str]]:
    joined = select(t.source.c.id).join(t.feed, t.feed.c.source_id == t.source.c.id)
    return joined.where(_listed(private=private))


def _listed(*, private: bool) -> ColumnElement[bool]:
    s = t.source.c
    shown = s.removed_at.is_(None)
    return shown if private else and_(shown, s.private.is_(False))


def _health() -> ColumnElement[str]:
    """The state of a source, as `pipeline.showing.sources.health` has it for one."""
    f = t.feed.c
    return case(
        (f.active.is_(False), SourceHealth.DISABLED.value),
        (f.last_polled_at.is_(None), SourceHealth.WAITING.value),
        (f.extra["dead"].as_boolean().is_(True), SourceHealth.GONE.value),
        (f.outcome == PollWord.OUTAGE, SourceHealth.OFFLINE.value),
        (f.failures > 0, SourceHealth.FAILING.value),
        else_=SourceHealth.OK.value,
    )

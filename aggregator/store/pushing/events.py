"""What became of sources and of ourselves: rows whose number is a cursor, and how each was last."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select

from aggregator.model.states import HealthKind
from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert


@dataclass(frozen=True, slots=True)
class HealthEvent:
    """A source broke, recovered, moved …, or something of ours did (without a source)."""

    at: datetime
    kind: HealthKind
    source_id: str | None = None
    detail: str = ""
    since: datetime | None = None
    number: int = 0  # none yet


def put(
    connection: Connection,
    events: Collection[HealthEvent],
    states: Mapping[str, str],
    now: datetime,
) -> None:
    """Keep events, and the states that they are about, in one transaction."""
    for one in events:
        connection.execute(
            t.health_event.insert().values(
                at=one.at, kind=one.kind.value, source_id=one.source_id, detail=one.detail,
                since=one.since,
            )
        )  # fmt: skip
    rows = [{"name": name, "state": state, "since": now} for name, state in states.items()]
    upsert(connection, t.health_state, rows, update=True)


def states(connection: Connection, names: Collection[str]) -> dict[str, tuple[str, datetime]]:
    """By name, the state that was told last, and since when."""
    s = t.health_state.c
    found: dict[str, tuple[str, datetime]] = {}
    for some in batches(names):
        rows = connection.execute(select(s.name, s.state, s.since).where(s.name.in_(some)))
        found |= {row.name: (row.state, row.since) for row in rows}
    return found


def polled_since(connection: Connection, since: datetime | None) -> list[str]:
    """The ids of the sources that were polled since a time; None: of all."""
    f = t.feed.c
    query = select(f.source_id)
    if since is not None:
        query = query.where(f.last_polled_at >= since)
    return list(connection.scalars(query.order_by(f.source_id)))


def after(connection: Connection, cursor: int, upto: int | None, limit: int) -> list[int]:
    """The numbers of the events after a cursor, up to another where one is given."""
    e = t.health_event.c
    query = select(e.id).where(e.id > cursor)
    if upto is not None:
        query = query.where(e.id <= upto)
    return list(connection.scalars(query.order_by(e.id).limit(limit)))


def latest(connection: Connection) -> int:
    """The number of the last event; 0 where there was none."""
    return connection.scalar(select(func.max(t.health_event.c.id))) or 0


def newest(
    connection: Connection, limit: int, hidden: Collection[str], numbers: Collection[int] = ()
) -> list[HealthEvent]:
    """The newest events, or those of these numbers, the latest first; none of hidden sources."""
    e = t.health_event.c
    query = select(e.at, e.kind, e.source_id, e.detail, e.since, e.id)
    if numbers:
        query = query.where(e.id.in_(sorted(numbers)))
    if hidden:
        query = query.where(or_(e.source_id.is_(None), e.source_id.not_in(sorted(hidden))))
    rows = connection.execute(query.order_by(e.id.desc()).limit(limit))
    return [
        HealthEvent(row.at, HealthKind(row.kind), row.source_id, row.detail, row.since, row.id)
        for row in rows
    ]


def tidy(connection: Connection, oldest: datetime) -> None:
    """Forget old events."""
    connection.execute(delete(t.health_event).where(t.health_event.c.at < oldest))

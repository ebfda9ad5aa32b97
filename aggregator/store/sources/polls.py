"""The log of polls."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    delete,
    func,
    select,
)

from aggregator.model.http import Timing
from aggregator.model.item import PollRecord
from aggregator.model.pages import PollMark
from aggregator.store import schema as t

# Made once: making a statement takes longer than running it.
_LOG = t.poll_log.insert()
_MARKS = (
    select(t.poll_log.c.at, t.poll_log.c.error, t.poll_log.c.new_items)
    .where(t.poll_log.c.source_id == bindparam("source"))
    .order_by(t.poll_log.c.at.desc(), t.poll_log.c.id.desc())
    .limit(bindparam("most"))
)


def polls_of(connection: Connection, source_id: str, limit: int) -> list[PollRecord]:
    """The last polls of a source, newest first."""
    p = t.poll_log.c
    rows = connection.execute(
        select(t.poll_log)
        .where(p.source_id == source_id)
        .order_by(p.at.desc(), p.id.desc())
        .limit(limit)
    )
    return [_record(row) for row in rows]


def polls_in_brief(
    connection: Connection, source_id: str, since: datetime
) -> list[tuple[datetime, bool, int]]:
    """`(when, whether it failed, new items)` of a source's polls since a time."""
    p = t.poll_log.c
    rows = connection.execute(
        select(p.at, p.error, p.new_items).where(p.source_id == source_id, p.at >= since)
    )
    return [(row.at, row.error is not None, row.new_items) for row in rows]


def last_marks(
    connection: Connection, source_ids: Iterable[str], limit: int
) -> dict[str, tuple[PollMark, ...]]:
    """What came of the last polls of each source, oldest first."""
    found: dict[str, tuple[PollMark, ...]] = {}
    for source_id in source_ids:
        rows = connection.execute(_MARKS, {"source": source_id, "most": limit}).all()
        found[source_id] = tuple(
            PollMark(row.at, row.error is not None, row.new_items) for row in reversed(rows)
        )
    return found


def _record(row: Row[Any]) -> PollRecord:
    return PollRecord(
        source_id=row.source_id,
        at=row.at,
        status=row.status,
        outcome=row.outcome,
        error=row.error,
        wire_bytes=row.wire_bytes,
        decoded_bytes=row.decoded_bytes,
        timing=Timing(row.dns_ms, row.connect_ms, row.first_byte_ms, row.total_ms),
        entries=row.entries,
        new_items=row.new_items,
        changed_items=row.changed_items,
        next_at=row.next_at,
        reason=row.reason,
        reason_detail=row.detail,
    )


def recent_attempts(connection: Connection, since: datetime) -> list[tuple[datetime, str, str]]:
    """`(time, host, outcome)` of every poll since a time: what the outage rule looks at."""
    rows = connection.execute(
        select(t.poll_log.c.at, t.feed.c.host, t.poll_log.c.outcome)
        .join(t.feed, t.feed.c.source_id == t.poll_log.c.source_id)
        .where(t.poll_log.c.at >= since)
    )
    return [(row.at, row.host, row.outcome) for row in rows]


def failed_since(
    connection: Connection, since: datetime, outcomes: Collection[str]
) -> list[tuple[str, str]]:
    """`(source, host)` of the polls since a time that ended in one of these ways."""
    p = t.poll_log.c
    rows = connection.execute(
        select(p.source_id, t.feed.c.host)
        .distinct()
        .join(t.feed, t.feed.c.source_id == p.source_id)
        .where(p.at >= since, p.outcome.in_(outcomes))
    )
    return [(row.source_id, row.host) for row in rows]


def polls_since(connection: Connection, since: datetime, most: int) -> int:
    """How many requests were made for polls since a time; counts no further than `most`."""
    p = t.poll_log.c
    some = (
        select(p.id)
        .where(p.at >= since, p.outcome.not_in(("outage", "push")))
        .limit(most)
        .subquery()
    )
    return connection.scalar(select(func.count()).select_from(some)) or 0


def drop_old_polls(connection: Connection, before: datetime) -> int:
    """Forget poll records older than `before`."""
    return connection.execute(delete(t.poll_log).where(t.poll_log.c.at < before)).rowcount


def log_poll(connection: Connection, record: PollRecord) -> None:
    """Keep the record of a poll."""
    timing = record.timing
    connection.execute(
        _LOG,
        {
            "source_id": record.source_id,
            "at": record.at,
            "status": record.status,
            "outcome": record.outcome,
            "error": record.error,
            "wire_bytes": record.wire_bytes,
            "decoded_bytes": record.decoded_bytes,
            "dns_ms": timing.dns,
            "connect_ms": timing.connect,
            "first_byte_ms": timing.first_byte,
            "total_ms": timing.total,
            "entries": record.entries,
            "new_items": record.new_items,
            "changed_items": record.changed_items,
            "next_at": record.next_at,
            "reason": record.reason,
            "detail": record.reason_detail,
        },
    )

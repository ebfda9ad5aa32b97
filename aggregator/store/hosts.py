"""Host budgets as rows: one request at a time and a gap between requests, for every process."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select, update

from aggregator.store import schema as t
from aggregator.store.sources import upsert


def take_slot(
    connection: Connection, host: str, owner: str, now: datetime, lease: timedelta
) -> tuple[bool, datetime, str]:
    """Try to take a host's only slot.

    Returns `(taken, when to try again, why not)`; a lease that ended belongs to nobody.
    """
    h = t.host.c
    free = or_(h.lease_until.is_(None), h.lease_until <= now)
    rested = or_(h.next_at.is_(None), h.next_at <= now)
    open_ = or_(h.blocked_until.is_(None), h.blocked_until <= now)
    upsert(connection, t.host, [{"host": host}], update=False)
    done = connection.execute(
        update(t.host)
        .where(h.host == host, free, rested, open_)
        .values(owner=owner, lease_until=now + lease)
    )
    if done.rowcount == 1:
        return True, now, ""
    row = connection.execute(select(t.host).where(h.host == host)).one()
    if row.blocked_until and row.blocked_until > now:
        return False, row.blocked_until, row.blocked_reason or "blocked"
    if row.next_at and row.next_at > now:
        return False, row.next_at, "gap"
    return False, row.lease_until or now, "busy"


def give_slot(connection: Connection, host: str, owner: str, next_at: datetime) -> None:
    """Give a slot back; nobody contacts the host before `next_at`."""
    connection.execute(
        update(t.host)
        .where(t.host.c.host == host, t.host.c.owner == owner)
        .values(owner=None, lease_until=None, next_at=next_at)
    )


def block_host(connection: Connection, host: str, until: datetime, reason: str) -> None:
    """Contact a host no more before `until` (429, 503, breaker); never shortens a block."""
    upsert(connection, t.host, [{"host": host}], update=False)
    h = t.host.c
    connection.execute(
        update(t.host)
        .where(h.host == host, or_(h.blocked_until.is_(None), h.blocked_until < until))
        .values(blocked_until=until, blocked_reason=reason)
    )


def blocked(connection: Connection, host: str, now: datetime) -> tuple[datetime, str] | None:
    """Until when and why a host is not to be contacted; None when it may be."""
    row = connection.execute(
        select(t.host.c.blocked_until, t.host.c.blocked_reason).where(t.host.c.host == host)
    ).first()
    if row is None or row.blocked_until is None or row.blocked_until <= now:
        return None
    return row.blocked_until, row.blocked_reason or "blocked"

"""Host budgets as rows, so that workers, the CLI and restarts share them.

A request needs a slot: few in flight for a host and for an address, a gap between two starts, and
no block of the host. A slot whose lease ended belongs to nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, text, update

from aggregator.model.meanings import meaning
from aggregator.model.poll import PlanReason
from aggregator.schedule.hosts import HostHealth
from aggregator.store import schema as t
from aggregator.store.rows import upsert
from aggregator.store.sources.claims import is_big

PER_ADDRESS = 4  # in flight at one address: many small sites share a machine
FEED_FRESH = timedelta(seconds=30)  # a feed due for longer is nobody's; pages need not wait for it


def take_slot(
    connection: Connection,
    host: str,
    owner: str,
    now: datetime,
    lease: timedelta,
    *,
    address: str | None = None,
    gap: timedelta = timedelta(0),
    page_gap: timedelta | None = None,
) -> tuple[bool, datetime, str]:
    """Try to take a slot for one request.

    `gap` is the time before the host's next request may start. `page_gap` is given for article
    pages and robots.txt: the time before the next of those; they also let due feeds go first.

    Returns `(taken, when to try again, why not)`; why is `busy`, `address`, `gap`, `feeds first`
    or the reason of a block.
    """
    upsert(connection, t.host, [{"host": host}], update=False)
    row = connection.execute(select(t.host).where(t.host.c.host == host).with_for_update()).one()
    if row.blocked_until and row.blocked_until > now:
        return False, row.blocked_until, row.blocked_reason or "blocked"
    rests = (row.next_at, row.article_next_at if page_gap else None)
    rested = max((at for at in rests if at is not None), default=now)
    if rested > now:
        return False, rested, "gap"
    alone = HostHealth.from_json(row.health).trips > 0  # an open breaker: one probe at a time
    refusal = _no_room(connection, host, address, now, alone=alone)
    if refusal is None and page_gap and _feed_is_due(connection, host, now):
        refusal = now + timedelta(milliseconds=500), "feeds first"
    if refusal is not None:
        return False, *refusal
    slot = {"owner": owner, "host": host, "address": address, "lease_until": now + lease}
    upsert(connection, t.host_slot, [slot], update=True)
    starts = {"next_at": now + gap}
    if page_gap:
        starts["article_next_at"] = now + page_gap
    connection.execute(update(t.host).where(t.host.c.host == host).values(**starts))
    return True, now, ""


def _no_room(
    connection: Connection, host: str, address: str | None, now: datetime, *, alone: bool
) -> tuple[datetime, str] | None:
    s = t.host_slot.c
    connection.execute(delete(t.host_slot).where(s.host == host, s.lease_until <= now))
    ends = list(connection.scalars(select(s.lease_until).where(s.host == host)))
    if ends and (alone or len(ends) >= 2 or not connection.scalar(select(is_big(host)))):
        return min(ends), "busy"
    if address is None:
        return None
    if connection.dialect.name == "postgresql":  # slots of two hosts at one address: one at a time
        lock = text("SELECT pg_advisory_xact_lock(hashtext(:address))")
        connection.execute(lock, {"address": address})
    connection.execute(delete(t.host_slot).where(s.address == address, s.lease_until <= now))
    at_address = list(connection.scalars(select(s.lease_until).where(s.address == address)))
    return (min(at_address), "address") if len(at_address) >= PER_ADDRESS else None


def _feed_is_due(connection: Connection, host: str, now: datetime) -> bool:
    f = t.feed.c
    waiting = select(f.source_id).where(
        f.host == host,
        f.active,
        f.next_poll_at <= now,
        f.next_poll_at > now - FEED_FRESH,
        or_(f.lease_until.is_(None), f.lease_until <= now),
    )
    return bool(connection.scalar(select(waiting.exists())))


def give_slot(connection: Connection, host: str, owner: str, next_at: datetime) -> None:
    """Give a slot back; nobody contacts the host before `next_at`."""
    connection.execute(delete(t.host_slot).where(t.host_slot.c.owner == owner))
    h = t.host.c
    connection.execute(
        update(t.host)
        .where(h.host == host, or_(h.next_at.is_(None), h.next_at < next_at))
        .values(next_at=next_at)
    )


def block_host(connection: Connection, host: str, until: datetime, reason: str) -> None:
    """Contact a host no more before `until` (429, 503, breaker); never shortens a block.

    Feeds of the host that would come up earlier wait until then, so that no claim has to look at
    them again and again.
    """
    upsert(connection, t.host, [{"host": host}], update=False)
    h, f = t.host.c, t.feed.c
    connection.execute(
        update(t.host)
        .where(h.host == host, or_(h.blocked_until.is_(None), h.blocked_until < until))
        .values(blocked_until=until, blocked_reason=reason)
    )
    connection.execute(
        update(t.feed)
        .where(f.host == host, f.active, f.next_poll_at < until, f.lease_owner.is_(None))
        .values(
            next_poll_at=until,
            next_reason=PlanReason.HOST,
            next_detail=f"its host is left alone until then: {meaning(reason, PlanReason)}",
        )
    )


def blocked(connection: Connection, host: str, now: datetime) -> tuple[datetime, str] | None:
    """Until when and why a host is not to be contacted; None when it may be."""
    row = connection.execute(
        select(t.host.c.blocked_until, t.host.c.blocked_reason).where(t.host.c.host == host)
    ).first()
    if row is None or row.blocked_until is None or row.blocked_until <= now:
        return None
    return row.blocked_until, row.blocked_reason or "blocked"


def health(connection: Connection, host: str, *, lock: bool = False) -> str | None:
    """What `schedule.hosts` remembers of a host, as its JSON; `lock` in a transaction that
    changes it."""
    query = select(t.host.c.health).where(t.host.c.host == host)
    return connection.scalar(query.with_for_update() if lock else query)


def put_health(connection: Connection, host: str, state: str) -> None:
    """Keep what `schedule.hosts` remembers of a host."""
    upsert(connection, t.host, [{"host": host}], update=False)
    connection.execute(update(t.host).where(t.host.c.host == host).values(health=state))


def unblock_host(connection: Connection, host: str, reason: str, now: datetime) -> int:
    """Lift a block of this reason: the host answered. Returns how many of its feeds may go again.

    Their next polls stay where the block put them.
    """
    h = t.host.c
    done = connection.execute(
        update(t.host)
        .where(h.host == host, h.blocked_reason == reason, h.blocked_until > now)
        .values(blocked_until=None, blocked_reason=None)
    )
    return done.rowcount


def overview(connection: Connection, now: datetime) -> list[Row[tuple[str, datetime, str]]]:
    """Hosts that are not to be contacted now: `(host, blocked_until, blocked_reason)`."""
    h = t.host.c
    return list(
        connection.execute(
            select(h.host, h.blocked_until, h.blocked_reason)
            .where(and_(h.blocked_until.is_not(None), h.blocked_until > now))
            .order_by(h.blocked_until)
        )
    )


def in_flight(connection: Connection, now: datetime) -> int:
    """How many requests are in flight now, of all processes."""
    query = select(func.count()).where(t.host_slot.c.lease_until > now)
    return connection.scalar(query) or 0

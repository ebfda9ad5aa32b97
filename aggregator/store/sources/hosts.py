"""Host budgets as rows, so that workers, the CLI and restarts share them.

A request needs a slot: few in flight for a host and for an address, a gap between two starts, and
no block of the host. A slot whose lease ended belongs to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    text,
    update,
)

from aggregator.model.meanings import meaning
from aggregator.model.poll import PlanReason
from aggregator.model.states import Held
from aggregator.schedule.hosts import HostHealth
from aggregator.store import schema as t
from aggregator.store.rows import upsert
from aggregator.store.sources.claims import is_big

# Made once: making a statement takes longer than running it.
_HOST = select(t.host).where(t.host.c.host == bindparam("name"))
_HOST_LOCKED = _HOST.with_for_update()
_BLOCKED = select(t.host.c.blocked_until, t.host.c.blocked_reason).where(
    t.host.c.host == bindparam("name")
)
_HEALTH = select(t.host.c.health).where(t.host.c.host == bindparam("name"))
_HEALTH_LOCKED = _HEALTH.with_for_update()
_SLOTS = select(t.host_slot.c.host, t.host_slot.c.address, t.host_slot.c.lease_until).where(
    or_(t.host_slot.c.host == bindparam("name"), t.host_slot.c.address == bindparam("at"))
)
_ENDED = delete(t.host_slot).where(
    or_(t.host_slot.c.host == bindparam("name"), t.host_slot.c.address == bindparam("at")),
    t.host_slot.c.lease_until <= bindparam("moment"),
)
_BIG = select(is_big(bindparam("name")))
_STARTS = update(t.host).where(t.host.c.host == bindparam("name"))
_START = _STARTS.values(next_at=bindparam("next"))
_PAGE_START = _STARTS.values(next_at=bindparam("next"), article_next_at=bindparam("page"))
_GIVE = delete(t.host_slot).where(t.host_slot.c.owner == bindparam("holder"))
_REST = (
    update(t.host)
    .where(
        t.host.c.host == bindparam("name"),
        or_(t.host.c.next_at.is_(None), t.host.c.next_at < bindparam("next")),
    )
    .values(next_at=bindparam("next"))
)
PER_ADDRESS = 4  # in flight at one address: many small sites share a machine
_ADDRESS_LOCK = text("SELECT pg_advisory_xact_lock(hashtext(:address))")
FEED_FRESH = timedelta(seconds=30)  # a feed due for longer is nobody's; pages need not wait for it


@dataclass(frozen=True, slots=True)
class Refusal:
    """When to ask for a slot again, and why none is given now. `detail` tells of a block."""

    again_at: datetime
    why: Held
    detail: str = ""


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
) -> Refusal | None:
    """Try to take a slot for one request.

    `gap` is the time before the host's next request may start. `page_gap` is given for article
    pages and robots.txt: the time before the next of those; they also let due feeds go first.

    Returns None when it is taken, else when to try again and why.
    """
    row = connection.execute(_HOST_LOCKED, {"name": host}).first()
    if row is None:
        upsert(connection, t.host, [{"host": host}], update=False)
        row = connection.execute(_HOST_LOCKED, {"name": host}).one()
    if row.blocked_until and row.blocked_until > now:
        return Refusal(row.blocked_until, Held.BLOCKED, row.blocked_reason or "")
    rests = (row.next_at, row.article_next_at if page_gap else None)
    rested = max((at for at in rests if at is not None), default=now)
    if rested > now:
        return Refusal(rested, Held.GAP)
    alone = HostHealth.from_json(row.health).trips > 0  # an open breaker: one probe at a time
    refusal = _no_room(connection, host, address, now, alone=alone)
    if refusal is None and page_gap and _feed_is_due(connection, host, now):
        refusal = Refusal(now + timedelta(milliseconds=500), Held.FEEDS_FIRST)
    if refusal is not None:
        return refusal
    slot = {"owner": owner, "host": host, "address": address, "lease_until": now + lease}
    upsert(connection, t.host_slot, [slot], update=True)
    starts = {"name": host, "next": now + gap}
    if page_gap:
        connection.execute(_PAGE_START, starts | {"page": now + page_gap})
    else:
        connection.execute(_START, starts)
    return None


def _no_room(
    connection: Connection, host: str, address: str | None, now: datetime, *, alone: bool
) -> Refusal | None:
    if address is not None and connection.dialect.name == "postgresql":
        # Slots of two hosts at one address: one at a time.
        connection.execute(_ADDRESS_LOCK, {"address": address})
    rows = connection.execute(_SLOTS, {"name": host, "at": address}).all()
    if any(row.lease_until <= now for row in rows):
        connection.execute(_ENDED, {"name": host, "at": address, "moment": now})
        rows = [row for row in rows if row.lease_until > now]
    ends = [row.lease_until for row in rows if row.host == host]
    if ends and (alone or len(ends) >= 2 or not connection.scalar(_BIG, {"name": host})):
        return Refusal(min(ends), Held.BUSY)
    at_address = [row.lease_until for row in rows if address and row.address == address]
    return Refusal(min(at_address), Held.ADDRESS) if len(at_address) >= PER_ADDRESS else None


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
    connection.execute(_GIVE, {"holder": owner})
    connection.execute(_REST, {"name": host, "next": next_at})


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


def blocked(connection: Connection, host: str, now: datetime) -> Refusal | None:
    """The block of a host that is not to be contacted; None when it may be."""
    row = connection.execute(_BLOCKED, {"name": host}).first()
    if row is None or row.blocked_until is None or row.blocked_until <= now:
        return None
    return Refusal(row.blocked_until, Held.BLOCKED, row.blocked_reason or "")


def health(connection: Connection, host: str, *, lock: bool = False) -> str | None:
    """What `schedule.hosts` remembers of a host, as its JSON; `lock` in a transaction that
    changes it."""
    return connection.scalar(_HEALTH_LOCKED if lock else _HEALTH, {"name": host})


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

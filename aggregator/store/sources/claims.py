"""Who polls which source when: due sources are leased, given back, postponed and spread."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from aggregator.model.poll import PlanReason
from aggregator.schedule.dispatch import Due, fair_order, resume_at
from aggregator.store import schema as t

BIG_HOST = 20  # feeds from which a host may have two requests in flight
# What is true of the row of `feed` that a lease is on, while it is in force; values from `leased`.
LEASED = (
    t.feed.c.source_id == bindparam("leased_source"),
    t.feed.c.lease_owner == bindparam("leased_by"),
    t.feed.c.lease_until == bindparam("leased_until"),
)
# Made once: making a statement takes longer than running it.
_HELD = select(t.feed.c.source_id).where(*LEASED).with_for_update()
_CLAIM_ONE = (
    update(t.feed)
    .where(
        t.feed.c.source_id == bindparam("source"),
        or_(t.feed.c.lease_until.is_(None), t.feed.c.lease_until <= bindparam("moment")),
    )
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"))
)
PATIENCE = timedelta(seconds=3)  # of whoever waits for a host's turn
_PAGE_FACTOR = 8  # due rows read for each one wanted
_ROUNDS = 8  # each finds other hosts behind a backlog


@dataclass(frozen=True, slots=True)
class Claim:
    """Leave to poll a source until the lease ends: who has it, and until when.

    The two together name one lease, also where one owner claims a source again after a lease ran
    out. Whoever writes what a poll found asks `holds` in the same transaction.
    """

    source_id: str
    owner: str
    until: datetime


def claim_due(
    connection: Connection,
    now: datetime,
    limit: int,
    owner: str,
    lease: timedelta,
    *,
    one_a_host: bool = True,
) -> list[Claim]:
    """Lease up to `limit` due sources, at most one a host, none of a host that must wait.

    With `one_a_host` off (no host budgets) hosts take turns (`schedule.dispatch`).

    Longest overdue first. A host with a long backlog is passed over once it has its turn, so
    others that became due later start in the same claim. Runs in a write transaction;
    PostgreSQL's workers skip locked rows.
    """
    page = limit * _PAGE_FACTOR
    found: dict[str, Due] = {}  # by source
    passed = _waiting_hosts(connection, now)
    for _ in range(_ROUNDS):
        rows = connection.execute(_due(connection, now, passed, page)).all()
        turns = fair_order(
            [Due(row.source_id, row.host or row.source_id, row.next_poll_at) for row in rows], page
        )
        for due in turns:
            if len(found) < limit and not (one_a_host and due.host in passed):
                found[due.source_id] = due
                if one_a_host:
                    passed.add(due.host)
        if len(rows) < page or len(found) >= limit or not one_a_host:
            break
    until = now + lease
    if found:
        connection.execute(
            update(t.feed)
            .where(t.feed.c.source_id.in_(found))
            .values(lease_owner=owner, lease_until=until)
        )
    return [Claim(source_id, owner, until) for source_id in found]


def due_hosts(
    connection: Connection, now: datetime, limit: int, most: int, passed: Collection[str]
) -> dict[str, int]:
    """Hosts that may be asked now and have due sources: of each how many, at most `most`.

    Longest overdue first, `limit` sources in all, none of the hosts in `passed`. The rows stay
    locked until the transaction ends, and those that another process has locked are skipped.
    """
    left_out = _waiting_hosts(connection, now) | set(passed)
    found: dict[str, int] = {}
    page = limit * _PAGE_FACTOR
    for _ in range(_ROUNDS):
        rows = connection.execute(_due(connection, now, left_out, page)).all()
        for row in rows:
            host = row.host or row.source_id
            if found.get(host, 0) < most and sum(found.values()) < limit:
                found[host] = found.get(host, 0) + 1
        left_out |= found.keys()
        if len(rows) < page or sum(found.values()) >= limit:
            break
    return found


def claim_host(
    connection: Connection, host: str, now: datetime, limit: int, owner: str, lease: timedelta
) -> list[Claim]:
    """Lease up to `limit` due sources of a host, the longest overdue first; none while it rests.

    A host whose next turn comes within `PATIENCE` does not rest: whoever polls waits for it.
    """
    h, f = t.host.c, t.feed.c
    resting = or_(h.blocked_until > now, h.next_at > now + PATIENCE)
    if connection.scalar(select(h.host).where(h.host == host, resting)) is not None:
        return []
    query = (
        select(f.source_id)
        .where(
            or_(f.host == host, and_(f.host == "", f.source_id == host)),
            f.active,
            f.next_poll_at <= now,
            or_(f.lease_until.is_(None), f.lease_until <= now),
        )
        .order_by(f.next_poll_at)
        .limit(limit)
    )
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    names = list(connection.scalars(query))
    until = now + lease
    if names:
        values = {"lease_owner": owner, "lease_until": until}
        connection.execute(update(t.feed).where(f.source_id.in_(names)).values(**values))
    return [Claim(name, owner, until) for name in names]


def holds(connection: Connection, claim: Claim) -> bool:
    """Whether a lease is still in force; nobody else takes it before this transaction ends."""
    return connection.execute(_HELD, leased(claim)).first() is not None


def leased(claim: Claim) -> dict[str, Any]:
    """The values of `LEASED`."""
    return {
        "leased_source": claim.source_id,
        "leased_by": claim.owner,
        "leased_until": claim.until,
    }


def _waiting_hosts(connection: Connection, now: datetime) -> set[str]:
    """Hosts that may not be asked now: blocked, resting, or busy enough. They are few."""
    h, s = t.host.c, t.host_slot.c
    waiting = set(connection.scalars(select(h.host).where(h.blocked_until > now)))
    waiting.update(connection.scalars(select(h.host).where(h.next_at > now)))
    held = connection.execute(
        select(s.host, func.count()).where(s.lease_until > now).group_by(s.host)
    )
    for host, count in held:
        if count > 1 or not connection.scalar(select(is_big(host))):
            waiting.add(host)
    return waiting


def _due(
    connection: Connection, now: datetime, passed: Collection[str], limit: int
) -> Select[tuple[str, str, datetime]]:
    """The longest overdue sources, those of some hosts left out.

    The hosts are named rather than joined: PostgreSQL plans the joins of a fresh table badly, and
    one busy host with ten thousand overdue feeds then costs seconds (`bench.tick`).
    """
    f = t.feed.c
    due = (
        select(f.source_id, f.host, f.next_poll_at)
        .where(
            f.active,
            f.next_poll_at <= now,
            or_(f.lease_until.is_(None), f.lease_until <= now),
        )
        .order_by(f.next_poll_at)
        .limit(limit)
    )
    if passed:
        due = due.where(f.host.not_in(sorted(passed)))
    if connection.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    return due


def is_big(host: Any) -> ColumnElement[bool]:
    """Whether a host (a name or a column) has so many feeds that two requests may be in flight."""
    other = t.feed.alias()
    many = select(other.c.source_id).where(other.c.host == host, other.c.active)
    return many.offset(BIG_HOST - 1).limit(1).exists()


def claim_one(
    connection: Connection, source_id: str, now: datetime, owner: str, lease: timedelta
) -> Claim | None:
    """Lease one source whether due or not; None when another holds it (or it is not there)."""
    until = now + lease
    values = {"source": source_id, "moment": now, "owner": owner, "until": until}
    done = connection.execute(_CLAIM_ONE, values)
    return Claim(source_id, owner, now + lease) if done.rowcount == 1 else None


def release_owned(connection: Connection, owner_prefix: str) -> int:
    """Give back every lease of an instance that was ended; returns how many."""
    f = t.feed.c
    done = connection.execute(
        update(t.feed)
        .where(f.lease_owner.startswith(owner_prefix, autoescape=True))
        .values(lease_owner=None, lease_until=None)
    )
    connection.execute(
        delete(t.host_slot).where(t.host_slot.c.owner.startswith(owner_prefix, autoescape=True))
    )
    connection.execute(
        update(t.page)
        .where(t.page.c.lease_owner.startswith(owner_prefix, autoescape=True))
        .values(lease_owner=None, lease_until=None)
    )
    return done.rowcount


def release(connection: Connection, claim: Claim) -> None:
    """Give back a lease without having polled."""
    connection.execute(
        update(t.feed).where(*LEASED).values(lease_owner=None, lease_until=None), leased(claim)
    )


def postpone(connection: Connection, claim: Claim, at: datetime, reason: str, detail: str) -> None:
    """Move the next poll without a poll having happened, and give the lease back.

    Where the lease is another's by now, that one's poll plans the next.
    """
    connection.execute(
        update(t.feed)
        .where(*LEASED)
        .values(
            next_poll_at=at,
            next_reason=reason,
            next_detail=detail,
            lease_owner=None,
            lease_until=None,
        ),
        leased(claim),
    )


def make_due(connection: Connection, source_id: str, now: datetime, reason: PlanReason) -> None:
    """Let a source be due now, whatever was planned; one that is being polled is left alone."""
    f = t.feed.c
    connection.execute(
        update(t.feed)
        .where(f.source_id == source_id, f.active, f.next_poll_at > now)
        .where(or_(f.lease_until.is_(None), f.lease_until <= now))
        .values(next_poll_at=now, next_reason=reason, next_detail=None)
    )


def overdue(connection: Connection, before: datetime, limit: int) -> list[tuple[str, datetime]]:
    """Sources that were polled before and are due since before a time: `(source, due)`."""
    f = t.feed.c
    rows = connection.execute(
        select(f.source_id, f.next_poll_at)
        .where(f.active, f.next_poll_at < before, f.last_polled_at.is_not(None))
        .order_by(f.next_poll_at)
        .limit(limit)
    )
    return [(row.source_id, row.next_poll_at) for row in rows]


def spread_overdue(
    connection: Connection, now: datetime, late: timedelta, window: timedelta
) -> int:
    """Let what is overdue by more than `late` go within `window`; returns how many sources.

    After we were away everything is due at once and nobody is to notice: the window is a second
    a source, at most `window`.
    """
    rows = overdue(connection, now - late, 20_000)
    span = min(window, timedelta(seconds=len(rows)))
    f = t.feed.c
    values = [
        {"name": source_id, "at": resume_at(source_id, due, now, span)} for source_id, due in rows
    ]
    if values:
        connection.execute(
            update(t.feed)
            .where(f.source_id == bindparam("name"))
            .values(next_poll_at=bindparam("at")),
            values,
        )
    return len(values)


def waiting(connection: Connection, now: datetime, most: int) -> tuple[int, datetime | None]:
    """How many sources are due and not being polled, at most `most`, and since when the first."""
    f = t.feed.c
    due = (
        select(f.next_poll_at)
        .where(
            f.active,
            f.next_poll_at <= now,
            or_(f.lease_until.is_(None), f.lease_until <= now),
        )
        .order_by(f.next_poll_at)
        .limit(most)
        .subquery()
    )
    query = select(func.count(), func.min(due.c.next_poll_at)).select_from(due)
    number, since = connection.execute(query).one()
    return number, since


def next_due(
    connection: Connection, limit: int
) -> list[tuple[str, datetime, str | None, str | None]]:
    """The next polls in order: `(source, at, reason, detail)`."""
    f = t.feed.c
    rows = connection.execute(
        select(f.source_id, f.next_poll_at, f.next_reason, f.next_detail)
        .where(and_(f.active, f.next_poll_at.is_not(None)))
        .order_by(f.next_poll_at)
        .limit(limit)
    )
    return [(r.source_id, r.next_poll_at, r.next_reason, r.next_detail) for r in rows]

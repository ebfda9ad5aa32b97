"""Times that a wrong clock left in the future are brought back: what silences, and what is shown.

Everything is found by what cannot be: a poll that was made later than now, a lease, gap, block or
plan further ahead than it can ever be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from aggregator.model.poll import PlanReason
from aggregator.schedule.clock import (
    SLACK,
    Furthest,
    health_brought_back,
    is_settled,
    kept_distance,
    policy_brought_back,
)
from aggregator.schedule.hosts import HostHealth
from aggregator.schedule.state import PolicyState
from aggregator.store import facts
from aggregator.store import schema as t
from aggregator.store.changed import show_all_anew

STEPPED = "clock stepped at"
_HOSTS_WORD = (PlanReason.HOST,)  # plans that wait for a host
_LONGEST_WAIT = timedelta(days=1, hours=1)  # of such a plan beyond its host's block
_HOLE = timedelta(hours=25)  # no source is left alone for longer while it is polled
_MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Brought:
    """How many times of each kind were brought back; `leases` with the gaps of hosts."""

    plans: int = 0
    leases: int = 0
    hosts: int = 0
    items: int = 0
    others: int = 0

    def __bool__(self) -> bool:
        """Whether there was any."""
        return bool(self.plans or self.leases or self.hosts or self.items or self.others)


def newest(connection: Connection) -> datetime | None:
    """The latest time at which something was done, as it is stored."""
    times = (
        connection.scalar(select(func.max(t.feed.c.last_polled_at))),
        connection.scalar(select(func.max(t.poll_log.c.at))),
        connection.scalar(select(func.max(t.item.c.first_seen))),
    )
    return max((at for at in times if at is not None), default=None)


def is_log_torn(connection: Connection, now: datetime) -> bool:
    """Whether the log of polls says that later times were written by a clock that jumped ahead.

    So it is where the polls up to now were followed by none for longer than a source is left
    alone, or by none that is later than now. Where all polls are later it says nothing.
    """
    at = t.poll_log.c.at
    last = connection.scalar(select(func.max(at)).where(at <= now + SLACK))
    later = connection.scalar(select(func.min(at)).where(at > now + SLACK))
    return last is not None and (later is None or later - last > _HOLE)


def told_before(connection: Connection, limit: int) -> list[tuple[str, str]]:
    """Sources that answered, each with its host, whoever answered last first."""
    f = t.feed.c
    query = (
        select(f.source_id, f.host)
        .where(f.active, f.last_success_at.is_not(None))
        .order_by(f.failures, f.last_success_at.desc(), f.source_id)
        .limit(limit)
    )
    return [(row.source_id, row.host) for row in connection.execute(query)]


def free(connection: Connection, now: datetime, furthest: Furthest) -> int:
    """End what may hold a request for seconds or minutes only, and is said to last longer.

    Holds of a clock that was ahead and of one that is behind: neither is waited for.
    """
    return _leases(connection, now, furthest) + _gaps(connection, now, furthest)


def note_step(connection: Connection, now: datetime) -> None:
    """Remember that the clock was set."""
    facts.set_fact(connection, STEPPED, now.isoformat())


def settled(connection: Connection, now: datetime) -> bool:
    """Whether no step of the clock was noticed within the last hour."""
    return settled_since(facts.fact(connection, STEPPED), now)


def settled_since(noted: str | None, now: datetime) -> bool:
    """The same of the fact `STEPPED`."""
    return is_settled(datetime.fromisoformat(noted) if noted else None, now)


def keep_distances(connection: Connection, now: datetime, by: timedelta, furthest: Furthest) -> int:
    """Move plans with a clock that was set back by `by` (negative) while we ran.

    What was due in ten minutes is due in ten minutes. Returns how many plans were moved.
    """
    f = t.feed.c
    note_step(connection, now)
    _gaps(connection, now, furthest)
    _blocks(connection, now, _polled_ahead(connection, now))
    rows = connection.execute(
        select(f.source_id, f.next_poll_at, f.last_polled_at, f.policy).where(
            f.active, f.last_polled_at > now + SLACK, f.next_poll_at.is_not(None)
        )
    ).all()
    for row in rows:
        policy = policy_brought_back(PolicyState.from_json(row.policy), now)
        connection.execute(
            update(t.feed)
            .where(f.source_id == row.source_id)
            .values(
                next_poll_at=row.next_poll_at + by,
                last_polled_at=min(row.last_polled_at + by, now),
                policy=policy.to_json() if row.policy else None,
            )
        )
    return len(rows)


def bring_back(connection: Connection, now: datetime, furthest: Furthest) -> Brought:
    """Bring every time back that is further ahead than it can be.

    Sources planned by the wrong clock are due now, one a second in their order; a Retry-After
    keeps its length. Items keep their order and stand at now. Runs in a write transaction, costs
    a look when there is nothing.
    """
    brought = Brought()
    seen = newest(connection)
    stands = connection.scalar(select(func.max(t.item.c.sort_at)))
    # Whoever wrote a later time left one of these, too: all items are looked through for no other.
    late = any(at is not None and at > now + SLACK for at in (seen, stands))
    brought.leases = free(connection, now, furthest)
    made = _polled_ahead(connection, now)
    brought.hosts = _blocks(connection, now, made)
    brought.plans = _plans(connection, now, furthest)
    if late:
        brought.items = _items(connection, now)
        _ends(connection, now)
    brought.others = _others(connection, now, furthest)
    if brought:
        note_step(connection, now)
    return brought


def leases_too_long(connection: Connection, now: datetime, furthest: Furthest) -> int:
    """How many sources and pages are held for longer than a lease can ever last."""
    latest, late = now + furthest.lease + SLACK, now + furthest.page_lease + SLACK
    asked = (
        select(func.count()).select_from(t.feed).where(t.feed.c.lease_until > latest),
        select(func.count()).select_from(t.page).where(t.page.c.lease_until > late),
    )
    return sum(connection.scalar(query) or 0 for query in asked)


def _leases(connection: Connection, now: datetime, furthest: Furthest) -> int:
    f, s, p = t.feed.c, t.host_slot.c, t.page.c
    latest = now + furthest.lease + SLACK
    free = {"lease_owner": None, "lease_until": None}
    done = connection.execute(update(t.feed).where(f.lease_until > latest).values(free)).rowcount
    done += connection.execute(delete(t.host_slot).where(s.lease_until > latest)).rowcount
    late = now + furthest.page_lease + SLACK
    done += connection.execute(update(t.page).where(p.lease_until > late).values(free)).rowcount
    return done


def _polled_ahead(connection: Connection, now: datetime) -> Mapping[str, datetime]:
    """Hosts of which a source was polled later than now, with the latest such time."""
    f = t.feed.c
    query = (
        select(f.host, func.max(f.last_polled_at))
        .where(f.last_polled_at > now + SLACK)
        .group_by(f.host)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _gaps(connection: Connection, now: datetime, furthest: Furthest) -> int:
    h = t.host.c
    done = 0
    for column, gap in ((h.next_at, furthest.gap), (h.article_next_at, furthest.page_gap)):
        late = update(t.host).where(column > now + gap + SLACK).values({column.name: now})
        done += connection.execute(late).rowcount
    return done


def _blocks(connection: Connection, now: datetime, made: Mapping[str, datetime]) -> int:
    h = t.host.c
    done = 0
    blocked = select(h.host, h.blocked_until, h.health).where(
        or_(h.blocked_until > now, h.health.is_not(None))
    )
    for row in connection.execute(blocked).all():
        at = made.get(row.host)
        until = row.blocked_until
        if until is not None and until > now:
            kept = kept_distance(until.timestamp(), at.timestamp() if at else None, now.timestamp())
            until = None if kept is None else _moment(kept, now)
        health = HostHealth.from_json(row.health)
        better = health_brought_back(health, now, at)
        if until == row.blocked_until and better == health:
            continue
        values = {"blocked_until": until, "health": better.to_json() if row.health else None}
        connection.execute(update(t.host).where(h.host == row.host).values(values))
        done += 1
    return done


def _moment(stamp: float, now: datetime) -> datetime:
    return now + timedelta(seconds=stamp - now.timestamp())


def _plans(connection: Connection, now: datetime, furthest: Furthest) -> int:
    f, h = t.feed.c, t.host.c
    rows = connection.execute(
        select(f.source_id, f.next_poll_at, f.last_polled_at, f.next_reason, f.policy,
               h.blocked_until)
        .join(t.host, h.host == f.host, isouter=True)
        .where(
            f.active,
            or_(
                f.last_polled_at > now + SLACK,
                f.next_poll_at > now + furthest.plan,
                and_(
                    f.next_poll_at > now + _LONGEST_WAIT,
                    or_(f.next_reason.in_(_HOSTS_WORD), f.last_polled_at.is_(None)),
                ),
            ),
        )
        .order_by(f.next_poll_at, f.source_id)
    ).all()  # fmt: skip
    changes: list[dict[str, Any]] = []
    for row in rows:
        ahead = row.last_polled_at is not None and row.last_polled_at > now + SLACK
        clear_at = max(row.blocked_until or now, now)
        slow = row.source_id in furthest.slow or row.next_reason == PlanReason.ARCHIVE
        bound = furthest.slow_plan if slow else furthest.plan
        waiting = row.next_reason in _HOSTS_WORD or row.last_polled_at is None
        if waiting and not ahead and row.next_poll_at <= clear_at + _LONGEST_WAIT:
            continue
        if not waiting and not ahead and row.next_poll_at <= now + bound:
            continue
        policy = policy_brought_back(PolicyState.from_json(row.policy), now)
        at = max(now + timedelta(seconds=len(changes)), clear_at)
        floor = policy.trouble.floor_until
        if floor is not None:
            at = max(at, _moment(floor, now))
        changes.append(
            {
                "name": row.source_id,
                "at": at,
                "polled": min(row.last_polled_at, now) if row.last_polled_at else None,
                "learned": policy.to_json() if row.policy else None,
            }
        )
    if changes:
        connection.execute(
            update(t.feed)
            .where(f.source_id == bindparam("name"))
            .values(
                next_poll_at=bindparam("at"),
                next_reason=PlanReason.CLOCK,
                next_detail="planned by a clock that was wrong",
                last_polled_at=bindparam("polled"),
                policy=bindparam("learned"),
            ),
            changes,
        )
        for column in (f.last_success_at, f.document_at):
            connection.execute(
                update(t.feed).where(column > now + SLACK).values({column.name: now})
            )
    return len(changes)


def _items(connection: Connection, now: datetime) -> int:
    """Items and entries that stand later than now, in their order; views are shown anew."""
    i, e, v, r = t.item.c, t.entry.c, t.view.c, t.rendered.c
    rows = connection.execute(
        select(i.id, i.sort_at, i.first_seen, i.changed_at, i.updated)
        .where(
            or_(
                *(c > now + SLACK for c in (i.sort_at, i.first_seen, i.changed_at, i.updated)),
            )
        )
        .order_by(i.sort_at, i.id)
    ).all()
    places = {row.id: now - (len(rows) - n) * _MICROSECOND for n, row in enumerate(rows)}
    changes = [
        {
            "number": row.id,
            "place": min(row.sort_at, places[row.id]),
            "first": min(row.first_seen, places[row.id]),
            "changed": min(row.changed_at, places[row.id]),
            "edited": min(row.updated, places[row.id]),
        }
        for row in rows
    ]
    if changes:
        connection.execute(
            update(t.item)
            .where(i.id == bindparam("number"))
            .values(
                sort_at=bindparam("place"),
                first_seen=bindparam("first"),
                changed_at=bindparam("changed"),
                updated=bindparam("edited"),
            ),
            changes,
        )
        late = or_(e.sort_at > now + SLACK, e.first_seen > now + SLACK, e.last_seen > now + SLACK)
        entries = connection.execute(
            select(e.id, e.item_id, e.sort_at, e.first_seen, e.last_seen).where(late)
        ).all()
        for row in entries:
            place = places.get(row.item_id, now)
            connection.execute(
                update(t.entry)
                .where(e.id == row.id)
                .values(
                    sort_at=min(row.sort_at, place),
                    first_seen=min(row.first_seen, place),
                    last_seen=min(row.last_seen, now),
                )
            )
        news, terms = t.push_news, t.item_terms
        connection.execute(update(news).where(news.c.updated > now + SLACK).values(updated=now))
        connection.execute(update(terms).where(terms.c.at > now + SLACK).values(at=now))
    views = list(connection.scalars(select(v.id).where(v.changed_at > now + SLACK)))
    changed = t.view_change
    late_changes = update(changed).where(changed.c.at > now + SLACK).values(at=now)
    moved = connection.execute(late_changes).rowcount
    stale = delete(t.rendered).where(r.last_modified > now + SLACK)
    if changes or views or moved or connection.execute(stale).rowcount:
        connection.execute(stale)
        connection.execute(update(t.view).where(v.id.in_(views)).values(changed_at=now))
        show_all_anew(connection, now)
    return len(changes) + len(views)


def _ends(connection: Connection, now: datetime) -> None:
    """When items were withdrawn, forgotten or revised."""
    for column in (t.item.c.withdrawn_at, t.item.c.purged_at, t.revision.c.at):
        late = update(column.table).where(column > now + SLACK).values({column.name: now})
        connection.execute(late)


def _others(connection: Connection, now: datetime, furthest: Furthest) -> int:
    r, s, b, p, g = (
        t.robots.c, t.subscription.c, t.follow_budget.c, t.poll_log.c, t.page.c
    )  # fmt: skip
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    statements = (
        update(t.robots)
        .where(or_(r.expires_at > now + furthest.robots + SLACK, r.fetched_at > now + SLACK))
        .values(expires_at=now, fetched_at=now),
        update(t.subscription)
        .where(or_(s.due_at > now + furthest.push + SLACK, s.asked_at > now + SLACK))
        .values(due_at=now, asked_at=now),
        delete(t.follow_budget).where(b.day > tomorrow),
        update(t.page).where(g.next_at > now + furthest.block + SLACK).values(next_at=now),
    )
    done = sum(connection.execute(statement).rowcount for statement in statements)
    last = connection.scalar(select(func.max(p.at)))
    if last is not None and last > now + SLACK:
        # All by the same time, so that those of the last hour stay the last hour's (the cap).
        ahead = (last - now) // _MICROSECOND
        rows = connection.execute(select(p.id, p.at).where(p.at > now)).all()
        connection.execute(
            update(t.poll_log).where(p.id == bindparam("number")).values(at=bindparam("when")),
            [{"number": row.id, "when": row.at - ahead * _MICROSECOND} for row in rows],
        )
        done += len(rows)
    return done

"""Sources and what is remembered of their feeds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from aggregator.model.http import Validators
from aggregator.model.item import FeedState
from aggregator.model.noticed import Noticed
from aggregator.model.poll import PlanReason
from aggregator.schedule.outage import Standing
from aggregator.store import schema as t
from aggregator.store.rows import batches
from aggregator.store.sources.claims import LEASED, Claim, leased

_KEPT = (
    "host", "etag", "last_modified", "validators_url", "body_hash", "effective_url", "title",
    "link", "feed_id", "identity_policy", "policy", "failures", "last_polled_at",
    "last_success_at", "document_at", "next_poll_at", "next_reason", "next_detail", "outcome",
    "status", "error", "items_seen", "move_target", "move_seen", "extra",
)  # fmt: skip
# Made once: making a statement takes longer than running it.
_PUT = (
    update(t.feed)
    .where(*LEASED)
    .values(lease_owner=None, lease_until=None, **{name: bindparam(name) for name in _KEPT})
)
_STATE = select(t.feed).where(t.feed.c.source_id == bindparam("source"))
_STATES = select(t.feed).where(t.feed.c.source_id.in_(bindparam("sources", expanding=True)))
_IN_FORCE = (
    select(t.source.c.url_hash, t.source.c.private)
    .where(t.source.c.id == bindparam("source"))
    .with_for_update(read=True)
)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A configured source as the database knows it."""

    id: str
    url: str | None
    url_hash: str
    config_hash: str
    title: str | None
    tags: tuple[str, ...]
    private: bool
    host: str
    active: bool


def config_hashes(connection: Connection) -> dict[str, tuple[str, str, bool, bool]]:
    """`(config hash, url hash, removed, private)` of every source ever configured."""
    columns = t.source.c
    rows = connection.execute(
        select(
            columns.id, columns.config_hash, columns.url_hash, columns.removed_at, columns.private
        )
    )
    return {r.id: (r.config_hash, r.url_hash, r.removed_at is not None, r.private) for r in rows}


def address_in_force(connection: Connection, source_id: str) -> tuple[str, bool] | None:
    """`(url hash, private)` of a source; nobody changes them before this transaction ends."""
    row = connection.execute(_IN_FORCE, {"source": source_id}).first()
    return None if row is None else (row.url_hash, row.private)


def put_source(connection: Connection, row: SourceRow, now: datetime, *, url_changed: bool) -> None:
    """Insert or update one source; a changed URL clears what was learned from the old address."""
    existing = connection.execute(select(t.source.c.id).where(t.source.c.id == row.id)).first()
    values = {
        "url": row.url,
        "url_hash": row.url_hash,
        "config_hash": row.config_hash,
        "title": row.title,
        "tags": list(row.tags),
        "private": row.private,
        "removed_at": None,
    }
    if existing is None:
        connection.execute(t.source.insert().values(id=row.id, added_at=now, **values))
        connection.execute(
            t.feed.insert().values(
                source_id=row.id,
                active=row.active,
                host=row.host,
                next_poll_at=now,
                next_reason=PlanReason.NEW,
                next_detail="a new source is polled at once",
            )
        )
        return
    connection.execute(t.source.update().where(t.source.c.id == row.id).values(**values))
    changes: dict[str, Any] = {"active": row.active, "host": row.host}
    if url_changed:
        changes |= dict.fromkeys(
            (
                "etag",
                "last_modified",
                "validators_url",
                "body_hash",
                "effective_url",
                "move_target",
                "error",
                "outcome",
                "status",
            ),
        )
        changes |= {
            "move_seen": [],
            "failures": 0,
            "next_poll_at": now,
            "next_reason": PlanReason.ADDRESS,
            "next_detail": "its address or access was changed",
        }
    connection.execute(t.feed.update().where(t.feed.c.source_id == row.id).values(**changes))


def remove_sources(connection: Connection, ids: Iterable[str], now: datetime) -> None:
    """Stop polling sources that are no longer configured; their items stay."""
    gone = list(ids)
    for some in batches(gone):
        connection.execute(t.source.update().where(t.source.c.id.in_(some)).values(removed_at=now))
        connection.execute(t.feed.update().where(t.feed.c.source_id.in_(some)).values(active=False))


def make_private(connection: Connection, source_id: str) -> None:
    """Move what a source leads out of the public scope, and its queue of pages: it became private.

    What it held in a former private time goes before the same key of its public time.
    """
    moved = select(t.item.c.id).where(t.item.c.source_id == source_id, t.item.c.scope == "")
    k, p = t.url_key.c, t.page.c
    keys = select(k.key).where(k.scope == source_id)
    connection.execute(
        delete(t.url_key).where(k.scope == "", k.item_id.in_(moved), k.key.in_(keys))
    )
    connection.execute(
        t.url_key.update().where(k.scope == "", k.item_id.in_(moved)).values(scope=source_id)
    )
    read = select(p.key).where(p.scope == source_id)
    ours = and_(p.scope == "", p.source_id == source_id)
    connection.execute(delete(t.page).where(ours, p.key.in_(read)))
    connection.execute(t.page.update().where(ours).values(scope=source_id))
    connection.execute(
        t.item.update()
        .where(t.item.c.source_id == source_id, t.item.c.scope == "")
        .values(scope=source_id)
    )


def kept_private(connection: Connection, source_id: str) -> int:
    """How many items of a source are private, whatever it is now."""
    i = t.item.c
    query = select(func.count()).where(i.source_id == source_id, i.scope == source_id)
    return connection.scalar(query) or 0


def make_public(connection: Connection, source_id: str) -> list[int]:
    """Move what a source brought in its private time into the public scope; which items it was.

    A key that a public item holds stays that item's.
    """
    i, k = t.item.c, t.url_key.c
    ours = select(i.id).where(i.source_id == source_id, i.scope == source_id)
    numbers = list(connection.scalars(ours))
    public = select(k.key).where(k.scope == "")
    mine = and_(k.scope == source_id, k.item_id.in_(ours))
    connection.execute(delete(t.url_key).where(mine, k.key.in_(public)))
    connection.execute(t.url_key.update().where(mine).values(scope=""))
    connection.execute(
        t.item.update().where(i.source_id == source_id, i.scope == source_id).values(scope="")
    )
    return numbers


def polled_at(connection: Connection, url: str, other_than: str) -> str | None:
    """Another source that is polled at this address: configured there, or moved there before."""
    f, c = t.feed.c, t.source.c
    at = or_(f.effective_url == url, and_(f.effective_url.is_(None), c.url == url))
    rows = connection.execute(
        select(c.id, f.extra)
        .join(t.feed, f.source_id == c.id)
        .where(at, c.id != other_than, f.active, c.removed_at.is_(None))
        .order_by(c.url != url, c.id)
    )
    return next((row.id for row in rows if Noticed.from_json(row.extra).duplicate_of is None), None)


def feed_state(connection: Connection, source_id: str) -> FeedState | None:
    """What is remembered of a source's feed."""
    row = connection.execute(_STATE, {"source": source_id}).first()
    return None if row is None else _state(row)


def states_of(connection: Connection, ids: Collection[str]) -> dict[str, FeedState]:
    """What is remembered of the feeds of these sources."""
    found: dict[str, FeedState] = {}
    for some in batches(ids):
        rows = connection.execute(_STATES, {"sources": some})
        found |= {row.source_id: _state(row) for row in rows}
    return found


def feed_states(connection: Connection, active_only: bool = False) -> list[FeedState]:
    """All feeds' states, by source id."""
    query = select(t.feed).order_by(t.feed.c.source_id)
    if active_only:
        query = query.where(t.feed.c.active)
    return [_state(row) for row in connection.execute(query)]


def feed_states_of(connection: Connection, ids: Collection[str]) -> dict[str, FeedState]:
    """The states of some feeds by source id."""
    found: dict[str, FeedState] = {}
    for some in batches(ids):
        rows = connection.execute(select(t.feed).where(t.feed.c.source_id.in_(some)))
        found |= {row.source_id: _state(row) for row in rows}
    return found


def _state(row: Row[Any]) -> FeedState:
    return FeedState(
        source_id=row.source_id,
        url=row.effective_url or "",
        effective_url=row.effective_url,
        validators=Validators(row.etag, row.last_modified, row.validators_url),
        body_hash=row.body_hash,
        title=row.title,
        link=row.link,
        feed_id=row.feed_id,
        identity_policy=row.identity_policy,
        policy=row.policy,
        failures=row.failures,
        last_polled_at=row.last_polled_at,
        last_success_at=row.last_success_at,
        document_at=row.document_at,
        next_poll_at=row.next_poll_at,
        next_reason=row.next_reason,
        next_detail=row.next_detail,
        outcome=row.outcome,
        status=row.status,
        error=row.error,
        items_seen=row.items_seen,
        move_target=row.move_target,
        move_seen=tuple(row.move_seen or ()),
        noticed=Noticed.from_json(row.extra),
    )


def put_state(connection: Connection, state: FeedState, claim: Claim, host: str) -> None:
    """Write a feed's state after a poll and give its lease back.

    `host` is whose budget the next poll belongs to: the source may have moved or come back.

    Raises:
        LookupError: the lease is no longer this poll's: what its successor holds stays.
    """
    done = connection.execute(
        _PUT,
        {
            "host": host,
            "etag": state.validators.etag,
            "last_modified": state.validators.last_modified,
            "validators_url": state.validators.url,
            "body_hash": state.body_hash,
            "effective_url": state.effective_url,
            "title": state.title,
            "link": state.link,
            "feed_id": state.feed_id,
            "identity_policy": state.identity_policy,
            "policy": state.policy,
            "failures": state.failures,
            "last_polled_at": state.last_polled_at,
            "last_success_at": state.last_success_at,
            "document_at": state.document_at,
            "next_poll_at": state.next_poll_at,
            "next_reason": state.next_reason,
            "next_detail": state.next_detail,
            "outcome": state.outcome,
            "status": state.status,
            "error": state.error,
            "items_seen": state.items_seen,
            "move_target": state.move_target,
            "move_seen": list(state.move_seen),
            "extra": state.noticed.to_json(),
            **leased(claim),
        },
    )
    if done.rowcount == 0:
        raise LookupError(f"the lease on {state.source_id} is no longer held")


def put_forgiven(connection: Connection, state: FeedState) -> None:
    """Write a plan and a count of failures that were corrected; a lease on the source stays."""
    connection.execute(
        update(t.feed)
        .where(t.feed.c.source_id == state.source_id)
        .values(
            policy=state.policy,
            failures=state.failures,
            next_poll_at=state.next_poll_at,
            next_reason=state.next_reason,
            next_detail=state.next_detail,
            outcome=state.outcome,
        )
    )


def intervals(connection: Connection) -> list[float]:
    """Seconds from the last to the next poll of every active source that was polled before."""
    f = t.feed.c
    rows = connection.execute(
        select(f.last_polled_at, f.next_poll_at).where(
            f.active, f.last_polled_at.is_not(None), f.next_poll_at.is_not(None)
        )
    )
    return [(after - before).total_seconds() for before, after in rows]


def standing(
    connection: Connection, unreached: Collection[str], unasked: Collection[str]
) -> Standing:
    """How the hosts of the active sources stand: `unreached` and `unasked` are outcomes of polls.

    A host stands as failing when none of its sources was reached at its last poll and one failed.
    """
    f, p = t.feed.c, t.poll_log.c
    rows = connection.execute(
        select(f.host, f.outcome, f.last_polled_at, f.last_success_at).where(f.active)
    ).all()
    hosts = {row.host for row in rows}
    heard = [row for row in rows if row.outcome and row.outcome not in {*unreached, *unasked}]
    since = connection.execute(
        select(f.host, func.min(p.at))
        .join(t.poll_log, t.poll_log.c.source_id == f.source_id)
        .where(f.active, f.outcome.in_(unreached), p.outcome.in_(unreached))
        .where(or_(f.last_success_at.is_(None), p.at > f.last_success_at))
        .group_by(f.host)
    )
    reached = {row.host for row in heard}
    times = [row.last_success_at for row in rows] + [row.last_polled_at for row in heard]
    return Standing(
        hosts=len(hosts),
        failing={host: at for host, at in since if host not in reached},
        answered=max((at for at in times if at is not None), default=None),
    )


def source_counts(connection: Connection) -> dict[str, int]:
    """Active, failing and inactive sources, for the metrics."""
    f = t.feed.c
    state = case((~f.active, "inactive"), (f.failures > 0, "failing"), else_="ok")
    rows = connection.execute(select(state, func.count()).group_by(state))
    return {row[0]: row[1] for row in rows}

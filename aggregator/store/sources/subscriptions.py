"""WebSub subscriptions of ours and what hubs delivered: rows, so that a restart forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from aggregator.model.states import SubscriptionState
from aggregator.store import schema as t
from aggregator.store.rows import upsert


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription of one source's topic at its hub.

    `state` is `pending` (asked, not verified yet), `active`, `denied`, `failed` or `distrusted`.
    `token` ends the callback URL; `old_token` the one before, until the hub has switched. `due_at`
    is when something is to be done: ask, renew, or ask again.
    """

    source_id: str
    topic: str
    hub: str
    token: str
    secret: str
    state: SubscriptionState
    asked_at: datetime
    old_token: str | None = None
    detail: str | None = None
    due_at: datetime | None = None
    lease_until: datetime | None = None
    pushes: int = 0
    pushed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """A document a hub delivered."""

    number: int
    source_id: str
    at: datetime
    content_type: str | None
    body: bytes


def of_source(connection: Connection, source_id: str) -> Subscription | None:
    """A source's subscription."""
    query = select(t.subscription).where(t.subscription.c.source_id == source_id)
    row = connection.execute(query).first()
    return None if row is None else _subscription(row)


def of_token(connection: Connection, token: str) -> Subscription | None:
    """The subscription that a callback URL belongs to, the one before its last renewal too."""
    s = t.subscription.c
    query = select(t.subscription).where(or_(s.token == token, s.old_token == token))
    row = connection.execute(query).first()
    return None if row is None else _subscription(row)


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        source_id=row.source_id,
        topic=row.topic,
        hub=row.hub,
        token=row.token,
        secret=row.secret,
        state=SubscriptionState(row.state),
        asked_at=row.asked_at,
        old_token=row.old_token,
        detail=row.detail,
        due_at=row.due_at,
        lease_until=row.lease_until,
        pushes=row.pushes,
        pushed_at=row.pushed_at,
    )


def put(connection: Connection, one: Subscription) -> None:
    """Write a subscription whole."""
    values = {name: getattr(one, name) for name in Subscription.__slots__}
    upsert(connection, t.subscription, [values], update=True)


def remove(connection: Connection, source_id: str) -> None:
    """Forget a subscription: its callback answers 410 from now on."""
    connection.execute(delete(t.subscription).where(t.subscription.c.source_id == source_id))


def due(connection: Connection, now: datetime, limit: int) -> list[Subscription]:
    """Subscriptions for which something is to be done."""
    s = t.subscription.c
    rows = connection.execute(
        select(t.subscription).where(s.due_at <= now).order_by(s.due_at).limit(limit)
    )
    return [_subscription(row) for row in rows]


def queue(
    connection: Connection, source_id: str, now: datetime, content_type: str | None, body: bytes
) -> None:
    """Keep a delivered document until it is read."""
    connection.execute(
        t.push.insert().values(source_id=source_id, at=now, content_type=content_type, body=body)
    )
    s = t.subscription.c
    connection.execute(
        update(t.subscription)
        .where(s.source_id == source_id)
        .values(pushes=s.pushes + 1, pushed_at=now)
    )


def queued(connection: Connection, limit: int) -> list[Push]:
    """The oldest documents that nobody has read yet."""
    rows = connection.execute(select(t.push).order_by(t.push.c.id).limit(limit))
    return [Push(row.id, row.source_id, row.at, row.content_type, row.body) for row in rows]


def waiting(connection: Connection, source_id: str) -> int:
    """How many documents of a source nobody has read yet."""
    query = select(func.count()).where(t.push.c.source_id == source_id)
    return connection.scalar(query) or 0


def read(connection: Connection, number: int) -> None:
    """A delivered document was read."""
    connection.execute(delete(t.push).where(t.push.c.id == number))


def counts(connection: Connection) -> dict[str, int]:
    """Subscriptions by state."""
    state = t.subscription.c.state
    rows = connection.execute(select(state, func.count()).group_by(state))
    return {row[0]: row[1] for row in rows}

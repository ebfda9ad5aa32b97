"""Subscribers of our hub and webhooks as rows: a restart forgets no one, and how far each is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from aggregator.model.states import PushKind, PushState
from aggregator.store import schema as t


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told of a view.

    `cursor` is the number of the last news taken; a delivery under way reaches to `upto` and keeps
    its id until it is taken. `asked` is what a subscriber wants and has not confirmed yet.
    """

    key: str
    kind: PushKind
    view_id: str
    host: str
    state: PushState
    due_at: datetime
    made_at: datetime
    format: str = ""
    address: str | None = None
    opener: str = ""
    secret: str | None = None
    asked: str | None = None
    asked_secret: str | None = None
    asked_lease: int | None = None
    lease_until: datetime | None = None
    cursor: int = 0
    upto: int | None = None
    delivery: str | None = None
    tries: int = 0
    detail: str | None = None
    delivered: int = 0
    delivered_at: datetime | None = None
    id: int = 0  # none yet


def add(connection: Connection, one: Target) -> None:
    """Insert a target."""
    connection.execute(t.push_target.insert().values(**_values(one)))


def put(connection: Connection, one: Target) -> None:
    """Write a target whole; one that is gone stays so."""
    connection.execute(
        update(t.push_target).where(t.push_target.c.id == one.id).values(**_values(one))
    )


def remove(connection: Connection, number: int) -> None:
    """End a target."""
    connection.execute(delete(t.push_target).where(t.push_target.c.id == number))


def of_key(connection: Connection, key: str) -> Target | None:
    """The target of this key."""
    row = connection.execute(select(t.push_target).where(t.push_target.c.key == key)).first()
    return None if row is None else _target(row)


def get(connection: Connection, number: int) -> Target | None:
    """The target of this number."""
    row = connection.execute(select(t.push_target).where(t.push_target.c.id == number)).first()
    return None if row is None else _target(row)


def every(connection: Connection, kind: PushKind) -> list[Target]:
    """All of a kind, in the order in which they came."""
    query = select(t.push_target).where(t.push_target.c.kind == kind).order_by(t.push_target.c.id)
    return [_target(row) for row in connection.execute(query)]


def troubled(connection: Connection, limit: int) -> list[Target]:
    """Those who did not take their last delivery, the parked ones first; at most `limit`."""
    p = t.push_target.c
    query = select(t.push_target).where(or_(p.tries > 0, p.state == PushState.PARKED))
    parked = p.state == PushState.PARKED
    rows = connection.execute(query.order_by(parked.desc(), p.id).limit(limit))
    return [_target(row) for row in rows]


def count(connection: Connection, host: str | None = None) -> int:
    """How many subscribers there are, at a host or in all."""
    p = t.push_target.c
    query = select(func.count()).where(p.kind == PushKind.HUB)
    return connection.scalar(query if host is None else query.where(p.host == host)) or 0


def due(
    connection: Connection,
    now: datetime,
    furthest: timedelta,
    limit: int,
    *,
    number: int | None = None,
) -> list[Target]:
    """Targets for which something is to be done: to confirm, to end, or to deliver.

    Of all, or whether the one of a number is among them. What is due later than `furthest` from now
    was planned by a wrong clock, and is due too.
    """
    p, n, h = t.push_target.c, t.push_news.c, t.health_event.c
    newest = select(func.max(n.id)).where(n.view_id == p.view_id, n.told).scalar_subquery()
    events = select(func.max(h.id)).scalar_subquery()
    query = select(t.push_target).where(
        or_(p.due_at <= now, p.due_at > now + furthest),
        or_(
            p.asked.is_not(None),
            p.lease_until <= now,
            p.upto.is_not(None),
            p.cursor < newest,
            (p.view_id == HEALTH) & (p.cursor < events),
        ),
    )
    if number is not None:
        query = query.where(p.id == number)
    rows = connection.execute(query.order_by(p.due_at, p.id).limit(limit))
    return [_target(row) for row in rows]


HEALTH = "_health"


def _values(one: Target) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Target.__slots__ if name != "id"}


def _target(row: Row[Any]) -> Target:
    values = dict(row._mapping)
    values["kind"], values["state"] = PushKind(row.kind), PushState(row.state)
    return Target(**values)

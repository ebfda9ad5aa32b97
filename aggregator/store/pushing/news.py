"""What views came to show, in the order in which it was seen: rows whose number is a cursor."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, update

from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert

UNSEEN = -1  # the version of a view that nobody looked at yet


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a view was looked through for news."""

    view_id: str
    version: int
    config_hash: str
    looked_at: datetime
    wanted_until: datetime


@dataclass(frozen=True, slots=True)
class Piece:
    """An item that a view came to show, or that changed materially in it."""

    number: int  # the cursor
    item: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """An item as it was found in a view; `told` is false where it is no news."""

    item: int
    updated: datetime
    told: bool


def views(connection: Connection) -> dict[str, Looked]:
    """All views that are looked through."""
    return {row.view_id: Looked(*row) for row in connection.execute(select(t.push_view))}


def want(connection: Connection, view_id: str, now: datetime, until: datetime) -> None:
    """Let a view be looked through until a time at least; what it shows now is known."""
    fresh = {
        "view_id": view_id, "version": UNSEEN, "config_hash": "", "looked_at": now,
        "wanted_until": until,
    }  # fmt: skip
    upsert(connection, t.push_view, [fresh], update=False)
    v = t.push_view.c
    later = update(t.push_view).where(v.view_id == view_id, v.wanted_until < until)
    connection.execute(later.values(wanted_until=until))


def is_looked_through(connection: Connection, view_id: str) -> bool:
    """Whether what a view shows is known by now, so that what comes is news."""
    v = t.push_view.c
    version = connection.scalar(select(v.version).where(v.view_id == view_id))
    return version is not None and version != UNSEEN


def known(connection: Connection, view_id: str, numbers: Collection[int]) -> dict[int, datetime]:
    """By item, when it was updated as it was seen last in a view."""
    n = t.push_news.c
    found: dict[int, datetime] = {}
    for some in batches(numbers):
        rows = connection.execute(
            select(n.item_id, func.max(n.updated).label("updated"))
            .where(n.view_id == view_id, n.item_id.in_(some))
            .group_by(n.item_id)
        )
        found |= {row.item_id: row.updated for row in rows}
    return found


def looked(
    connection: Connection,
    before: Looked,
    version: int,
    config_hash: str,
    sightings: Sequence[Sighting],
    now: datetime,
) -> bool:
    """Keep what was found in a view; False where somebody else looked meanwhile."""
    v = t.push_view.c
    done = connection.execute(
        update(t.push_view)
        .where(v.view_id == before.view_id, v.version == before.version)
        .where(v.config_hash == before.config_hash)
        .values(version=version, config_hash=config_hash, looked_at=now)
    )
    if done.rowcount != 1:
        return False
    rows = [
        {
            "view_id": before.view_id, "item_id": one.item, "updated": one.updated,
            "told": one.told, "at": now,
        }
        for one in sightings
    ]  # fmt: skip
    for some in range(0, len(rows), 500):
        connection.execute(t.push_news.insert(), rows[some : some + 500])
    return True


def after(
    connection: Connection, view_id: str, cursor: int, upto: int | None, limit: int
) -> list[Piece]:
    """News of a view after a cursor, up to another where one is given, in order."""
    n = t.push_news.c
    query = select(n.id, n.item_id).where(n.view_id == view_id, n.told, n.id > cursor)
    if upto is not None:
        query = query.where(n.id <= upto)
    return [Piece(*row) for row in connection.execute(query.order_by(n.id).limit(limit))]


def latest(connection: Connection, view_id: str) -> int:
    """The cursor of whoever knows all that a view shows; 0 where there was nothing yet."""
    n = t.push_news.c
    return connection.scalar(select(func.max(n.id)).where(n.view_id == view_id)) or 0


def is_held(connection: Connection, view_id: str, cursor: int) -> bool:
    """Whether all that came after this cursor is still there."""
    n = t.push_news.c
    query = select(func.min(n.id), func.max(n.id)).where(n.view_id == view_id)
    first, last = connection.execute(query).one()
    return first is not None and first <= cursor <= last


def tidy(connection: Connection, now: datetime, oldest: datetime) -> None:
    """Stop looking through views of which nobody is told, and forget old news.

    Of an item the last row stays: by it the item is known.
    """
    v, n, p = t.push_view.c, t.push_news.c, t.push_target.c
    told = select(p.id).where(p.view_id == v.view_id).exists()
    gone = list(connection.scalars(select(v.view_id).where(v.wanted_until < now, ~told)))
    if gone:
        connection.execute(delete(t.push_view).where(v.view_id.in_(gone)))
        connection.execute(delete(t.push_news).where(n.view_id.in_(gone)))
    later = t.push_news.alias().c
    shown = select(t.item.c.id).where(
        t.item.c.id == n.item_id,
        t.item.c.purged_at.is_(None),
    )
    superseded = select(later.id).where(
        later.item_id == n.item_id, later.view_id == n.view_id, later.id > n.id
    )
    connection.execute(
        delete(t.push_news).where(n.at < oldest, or_(superseded.exists(), ~shown.exists()))
    )

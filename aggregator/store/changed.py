"""Show anew: the version of every view that may show a change moves in its transaction.

A change is a row of its own (`view_change`), never a step of a number that all writers share: of
two writers whose views overlap, neither waits for the other. A view's version is the number in its
row and one for each of its changes, so it moves with every commit, whatever order they come in, and
never goes back. `add_up` turns rows into the number without moving any version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, literal, select, update

from aggregator.store import schema as t
from aggregator.store.rows import batches


@dataclass(frozen=True, slots=True)
class Grown:
    """Groups and stories that got a further member: views that show one of them have changed."""

    groups: tuple[int, ...] = ()
    stories: tuple[int, ...] = ()
    copies: int = 0  # items that were found to be copies of others


NONE_GROWN = Grown()


def show_anew(
    connection: Connection,
    now: datetime,
    *,
    sources: Iterable[str] = (),
    items: Iterable[int] = (),
    grown: Grown = NONE_GROWN,
    views: Collection[str] | None = None,
) -> None:
    """Move the version of every view that may show what changed.

    Args:
        connection: The transaction that changes it.
        now: The time of the change.
        sources: Sources of which something came, went, or is shown otherwise.
        items: Items that are shown otherwise, by number: in the views of all their sources.
        grown: Groups and stories with a further member: in the views of all members' sources.
        views: None: every view; else no other view than these.
    """
    if views is not None and not views:
        return
    e, i = t.entry.c, t.item.c
    affected = set(sources)
    for some in batches(items):
        query = select(e.source_id).where(e.item_id.in_(some)).distinct()
        affected.update(connection.scalars(query))
    for column, numbers in ((i.group_id, grown.groups), (i.story_id, grown.stories)):
        for some in batches(numbers):
            members = select(e.source_id).join(t.item, i.id == e.item_id).where(column.in_(some))
            affected.update(connection.scalars(members.distinct()))
    for names in batches(sorted(affected)):
        at = literal(now, t.view_change.c.at.type)
        showing = select(t.view_source.c.view_id, at).where(t.view_source.c.source_id.in_(names))
        if views is not None:
            showing = showing.where(t.view_source.c.view_id.in_(sorted(views)))
        connection.execute(
            t.view_change.insert().from_select(["view_id", "at"], showing.distinct())
        )


def show_all_anew(connection: Connection, now: datetime) -> None:
    """Move the version of every view."""
    at = literal(now, t.view_change.c.at.type)
    connection.execute(
        t.view_change.insert().from_select(["view_id", "at"], select(t.view.c.id, at))
    )


def show_waiting(connection: Connection, now: datetime, unmoved_since: datetime) -> int:
    """Move views that did not move since a time and hold what was written after they did.

    That is what passes in entries (`identity.shown`), which moves no view by itself. Returns how
    many views were moved.
    """
    v, c, e, i = t.view.c, t.view_change.c, t.entry.c, t.item.c
    latest = select(func.max(c.at)).where(c.view_id == v.id).scalar_subquery()
    views = connection.execute(select(v.id, v.changed_at, latest.label("latest"))).all()
    moved = []
    for view in views:
        at = max(one for one in (view.changed_at, view.latest) if one is not None)
        if at > unmoved_since:
            continue
        sources = select(t.view_source.c.source_id).where(t.view_source.c.view_id == view.id)
        waits = select(e.id).join(t.item, i.id == e.item_id)
        waits = waits.where(e.source_id.in_(sources), i.changed_at > at)
        if connection.scalar(select(waits.exists())):
            moved.append({"view_id": view.id, "at": now})
    if moved:
        connection.execute(t.view_change.insert(), moved)
    return len(moved)


def add_up(connection: Connection) -> int:
    """Add the rows of changes to the numbers of their views; returns how many rows there were.

    Each view's row is locked before its changes are taken, in the order of ids: two that do this
    at once cannot wait for each other, and what the first one took the second does not find.
    """
    v, c = t.view.c, t.view_change.c
    done = 0
    changed = select(c.view_id).distinct().order_by(c.view_id)
    for name in list(connection.scalars(changed)):
        connection.execute(select(v.id).where(v.id == name).with_for_update())
        rows = connection.execute(
            delete(t.view_change).where(c.view_id == name).returning(c.at)
        ).all()
        if rows:
            last = max(row.at for row in rows)
            later = max(last, connection.scalar(select(v.changed_at).where(v.id == name)) or last)
            connection.execute(
                update(t.view)
                .where(v.id == name)
                .values(version=v.version + len(rows), changed_at=later)
            )
        done += len(rows)
    return done

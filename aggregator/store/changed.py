"""Show anew: the version of every view that may show a change moves in its transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, literal, select, update

from aggregator.store import schema as t
from aggregator.store.rows import batches


@dataclass(frozen=True, slots=True)
class Grown:
    """Groups and stories that got a further member: views that show one of them have changed."""

    groups: tuple[int, ...] = ()
    stories: tuple[int, ...] = ()


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
        showing = select(t.view_source.c.view_id).where(t.view_source.c.source_id.in_(names))
        if views is not None:
            showing = showing.where(t.view_source.c.view_id.in_(sorted(views)))
        connection.execute(
            update(t.view)
            .where(t.view.c.id.in_(showing))
            .values(version=t.view.c.version + literal(1), changed_at=now)
        )

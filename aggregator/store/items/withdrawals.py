"""Items that their publisher took back: gone from a complete feed, or the article's page is gone.

RFC 5005 §2: a document with `fh:complete` is the whole feed, so an entry that it no longer has was
removed. RFC 6721 §3: a document may say so of an entry (`at:deleted-entry`). Any other feed says
nothing by an entry's absence. Each of these takes back only the mark that it set itself. Items are
marked, never deleted.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, update

from aggregator.model.states import Withdrawn
from aggregator.store import schema as t
from aggregator.store.changed import show_anew
from aggregator.store.rows import batches


def follow_complete(
    connection: Connection, source_id: str, present: Collection[str], now: datetime
) -> tuple[list[int], list[int]]:
    """Mark what a complete document no longer lists, and unmark what came back.

    Args:
        connection: The transaction that stores the document.
        source_id: The source; an item that another source still lists is not touched.
        present: The keys of all entries of the document.
        now: When it was seen to be gone.

    Returns:
        The numbers of the items withdrawn and of those that are back.
    """
    e, i = t.entry.c, t.item.c
    other = t.entry.alias("other")
    elsewhere = (
        select(other.c.id).where(other.c.item_id == i.id, other.c.source_id != source_id).exists()
    )
    rows = connection.execute(
        select(e.key, i.id, i.withdrawn_at, i.withdrawn_reason)
        .join(t.item, i.id == e.item_id)
        .where(e.source_id == source_id, i.purged_at.is_(None), ~elsewhere)
    ).all()
    listed = {row.id for row in rows if row.key in present}
    marked = {row.id for row in rows if row.withdrawn_at is not None}
    ours = {row.id for row in rows if row.withdrawn_reason == Withdrawn.FEED}
    every = {row.id for row in rows}
    gone, back = sorted(every - listed - marked), sorted(listed & ours)
    for numbers, at, reason in ((gone, now, Withdrawn.FEED), (back, None, None)):
        for some in batches(numbers):
            connection.execute(
                update(t.item)
                .where(i.id.in_(some))
                .values(withdrawn_at=at, withdrawn_reason=reason)
            )
    if gone or back:
        show_anew(connection, now, sources=[source_id])
    return gone, back


def follow_deleted(
    connection: Connection,
    source_id: str,
    deleted: Collection[str],
    listed: Collection[str],
    now: datetime,
) -> tuple[list[int], list[int]]:
    """Mark what a document says is deleted, and unmark what it lists again.

    A source speaks for its own entries alone: an item that it did not bring, or that another source
    lists too, is not touched.

    Args:
        connection: The transaction that stores the document.
        source_id: The source.
        deleted: Ids as the publisher writes them.
        listed: The ids of the document's entries.
        now: When it was read.

    Returns:
        The numbers of the items withdrawn and of those that are back.
    """
    e, i = t.entry.c, t.item.c
    other = t.entry.alias("other")
    elsewhere = (
        select(other.c.id).where(other.c.item_id == i.id, other.c.source_id != source_id).exists()
    )
    ids = sorted({ref for ref in deleted if ref not in listed})
    marked = select(i.id).where(
        i.withdrawn_at.is_not(None),
        i.withdrawn_reason == Withdrawn.DELETED,
        i.source_id == source_id,
    )
    back = [
        row.id
        for row in connection.execute(
            select(i.id, e.guid)
            .join(t.entry, e.item_id == i.id)
            .where(i.id.in_(marked), e.source_id == source_id)
        )
        if row.guid in listed
    ]
    gone: list[int] = []
    for some in batches(ids):
        rows = select(i.id).join(t.entry, e.item_id == i.id)
        rows = rows.where(e.source_id == source_id, e.guid.in_(some), i.source_id == source_id)
        gone += connection.scalars(rows.where(i.withdrawn_at.is_(None), ~elsewhere))
    for numbers, at, reason in ((gone, now, Withdrawn.DELETED), (back, None, None)):
        for some_numbers in batches(numbers):
            connection.execute(
                update(t.item)
                .where(i.id.in_(some_numbers))
                .values(withdrawn_at=at, withdrawn_reason=reason)
            )
    if gone or back:
        show_anew(connection, now, items=[*gone, *back])
    return gone, back


def page_gone(connection: Connection, item_id: int, now: datetime) -> bool:
    """An item's own page is gone; whether that was news."""
    i = t.item.c
    done = connection.execute(
        update(t.item)
        .where(i.id == item_id, i.withdrawn_at.is_(None))
        .values(withdrawn_at=now, withdrawn_reason=Withdrawn.PAGE)
    )
    if done.rowcount:
        show_anew(connection, now, items=[item_id])
    return done.rowcount == 1


def page_back(connection: Connection, item_id: int, now: datetime) -> None:
    """An item's own page answers (again): what was marked for its absence is marked no more."""
    i = t.item.c
    done = connection.execute(
        update(t.item)
        .where(i.id == item_id, i.withdrawn_reason == Withdrawn.PAGE)
        .values(withdrawn_at=None, withdrawn_reason=None)
    )
    if done.rowcount:
        show_anew(connection, now, items=[item_id])

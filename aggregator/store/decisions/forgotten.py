"""What is forgotten of old items: everything readable goes, ids, key hashes and times stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    delete,
    or_,
    select,
    type_coerce,
    update,
)

from aggregator.store import schema as t
from aggregator.store.following import articles
from aggregator.store.items.writing import SEEN_AGAIN
from aggregator.store.rows import batches


def purge_text(connection: Connection, before: datetime, limit: int, most_listed: int) -> list[int]:
    """Forget the text of items first seen before a time, at most `limit` of them.

    A tombstone stays: the item's id, keys and times. What was seen once is never new again. What a
    source still lists stays, and what changed since that time.

    Args:
        connection: A write transaction.
        before: What was seen since then stays.
        limit: The most items of one call.
        most_listed: Items that one source may keep by listing them, its newest ones.

    Returns:
        The numbers of the purged items.
    """
    i = t.item.c
    numbers = list(
        connection.scalars(
            select(i.id)
            .where(i.first_seen < before, i.changed_at < before, i.purged_at.is_(None))
            .where(~_is_listed(before, most_listed))
            .order_by(i.first_seen)
            .limit(limit)
        )
    )
    forget(connection, numbers, before)
    return numbers


def _is_listed(before: datetime, most: int) -> ColumnElement[bool]:
    """Whether a source lists an item, by the last document that was read of it.

    An answer without a document says that the list is the same; a source that failed since
    `before` lists nothing any more.
    """
    e, f, newer = t.entry.c, t.feed.c, t.entry.alias().c
    bound = (
        select(newer.item_id)
        .where(newer.source_id == e.source_id)
        .order_by(newer.sort_at.desc(), newer.item_id.desc())
        .offset(most)
        .limit(1)
        .correlate(t.entry)
        .scalar_subquery()
    )
    return (
        select(e.id)
        .join(t.feed, f.source_id == e.source_id)
        .where(
            e.item_id == t.item.c.id,
            f.active,
            f.last_success_at >= before,
            # `last_seen` is written once in so many hours.
            type_coerce(e.last_seen, BigInteger)
            >= type_coerce(f.document_at, BigInteger) - SEEN_AGAIN // timedelta(microseconds=1),
            or_(bound.is_(None), e.item_id > bound),
        )
        .correlate(t.item)
        .exists()
    )


def forget(connection: Connection, numbers: Sequence[int], at: datetime) -> None:
    """Remove everything readable of these items; only ids, key hashes and times stay.

    With their texts go revisions, related links, what their pages said, and the rendered documents
    that show them. Their fingerprints are `store.copies.index`'.
    """
    articles.forget(connection, numbers)
    for some in batches(numbers):
        connection.execute(
            update(t.merge_log).where(t.merge_log.c.item_id.in_(some)).values(evidence={})
        )
        connection.execute(delete(t.item_text).where(t.item_text.c.item_id.in_(some)))
        connection.execute(delete(t.revision).where(t.revision.c.item_id.in_(some)))
        connection.execute(
            update(t.entry)
            .where(t.entry.c.item_id.in_(some))
            .values(guid=None, title=None, link=None, why=None)
        )
        connection.execute(
            update(t.item)
            .where(t.item.c.id.in_(some))
            .values(
                purged_at=at, title=None, link=None, author=None, comments=None,
                external_url=None, image=None, categories=[], enclosures=[],
                details=None,
            )
        )  # fmt: skip


def mark(connection: Connection, numbers: Sequence[int]) -> None:
    """Say of tombstones that a person wanted them: whatever is listed brings none of them back."""
    for some in batches(numbers):
        connection.execute(update(t.item).where(t.item.c.id.in_(some)).values(forgotten=True))

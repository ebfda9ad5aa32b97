"""What is forgotten of old items: everything readable goes, ids, key hashes and times stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from aggregator.store import schema as t
from aggregator.store.following import articles
from aggregator.store.rows import batches


def purge_text(connection: Connection, before: datetime, limit: int) -> list[int]:
    """Forget the text of items first seen before a time, at most `limit` of them.

    A tombstone stays: the item's id, keys and times. What was seen once is never new again.
    Returns the numbers of the purged items.
    """
    i = t.item.c
    numbers = list(
        connection.scalars(
            select(i.id)
            .where(i.first_seen < before, i.purged_at.is_(None))
            .order_by(i.first_seen)
            .limit(limit)
        )
    )
    forget(connection, numbers, before)
    return numbers


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
            )
        )  # fmt: skip

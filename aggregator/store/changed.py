"""Show anew: the version of every view that may show a change moves in its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, literal, select, update

from aggregator.store import schema as t
from aggregator.store.rows import batches


def items_changed(connection: Connection, numbers: Sequence[int], now: datetime) -> None:
    """Say that what the views of these items show has changed."""
    e = t.entry.c
    showing: set[str] = set()
    for some in batches(numbers):
        showing.update(
            connection.scalars(select(e.source_id).where(e.item_id.in_(some)).distinct())
        )
    sources_changed(connection, sorted(showing), now)


def sources_changed(connection: Connection, source_ids: Sequence[str], now: datetime) -> None:
    """Say that what the views of these sources show has changed."""
    for some in batches(source_ids):
        showing = select(t.view_source.c.view_id).where(t.view_source.c.source_id.in_(some))
        connection.execute(
            update(t.view)
            .where(t.view.c.id.in_(showing))
            .values(version=t.view.c.version + literal(1), changed_at=now)
        )

"""Forget what was stored of items for good: what stays is the hash of each key, so that nothing
that was seen is ever new again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from aggregator.pipeline.parts import Parts
from aggregator.store import schema as t
from aggregator.store.copies import index, stories
from aggregator.store.database import Database
from aggregator.store.decisions import forgotten
from aggregator.store.sources import documents
from aggregator.store.views import rendered

_AT_ONCE = 500


async def forget_items(parts: Parts, numbers: Sequence[int]) -> int:
    """Remove text, revisions, fingerprints, pages and links of items; returns how many."""
    await parts.database.run_write(index.remove, numbers)
    await parts.database.run_write(index.remove, numbers, t.term_posting_list)
    await parts.database.run_write(stories.remove_terms, numbers)
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        await parts.database.run_write(_forget, some, parts.clock.now())
    _wipe(parts.database)
    return len(numbers)


def _forget(connection: Connection, numbers: Sequence[int], now: datetime) -> None:
    if connection.dialect.name == "sqlite":
        # Else the text would stay readable in the file until its pages are used again.
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    rendered.drop_rendered(connection, numbers, now)
    documents.drop_of_items(connection, numbers)
    forgotten.forget(connection, numbers, now)
    forgotten.mark(connection, numbers)


def _wipe(database: Database) -> None:
    """Empty SQLite's write-ahead log: it too holds what was there before."""
    if database.is_sqlite:
        with database.engine.connect() as connection:
            connection.rollback()
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

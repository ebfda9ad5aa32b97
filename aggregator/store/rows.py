"""Rows written and asked for many at a time, alike on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

BATCH = 500  # SQLite's limit on parameters is 32,766, that of older builds 999


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Distinct values, in order, in lists short enough for one statement."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def upsert(
    connection: Connection, table: Any, rows: Sequence[dict[str, Any]], *, update: bool
) -> None:
    """Insert `rows`; where the primary key is there, update the other columns or leave the row."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    if update and changed:
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, list(rows))

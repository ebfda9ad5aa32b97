"""Rows written and asked for many at a time, alike on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar

from sqlalchemy import Connection, Table

T = TypeVar("T")

BATCH = 500  # SQLite's limit on parameters is 32,766, that of older builds 999


def batches(values: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """Distinct values, in order, in lists short enough for one statement."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def insert_into(connection: Connection, table: Table) -> Any:
    """The `INSERT` of this kind of database, which knows `ON CONFLICT`.

    The other kind's dialect is not loaded: PostgreSQL's comes with five drivers.
    """
    return _dialect(connection.dialect.name).insert(table)


def upsert(
    connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, update: bool
) -> None:
    """Insert `rows`; where the primary key is there, update the other columns or leave the row."""
    if rows:
        statement = _upsert(connection.dialect.name, table, tuple(rows[0]), update)
        connection.execute(statement, list(rows))


@lru_cache(maxsize=200)
def _upsert(dialect: str, table: Table, columns: tuple[str, ...], update: bool) -> Any:
    """Made once: SQLAlchemy takes longer to make a statement than SQLite to run it."""
    statement = _dialect(dialect).insert(table)
    keys = [column.name for column in table.primary_key.columns]
    changed = {name: statement.excluded[name] for name in columns if name not in keys}
    if update and changed:
        return statement.on_conflict_do_update(index_elements=keys, set_=changed)
    return statement.on_conflict_do_nothing(index_elements=keys)


def _dialect(name: str) -> Any:
    return import_module(f"sqlalchemy.dialects.{name}")

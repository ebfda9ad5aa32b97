"""Stores that released versions wrote are upgraded: same items, same ids, and served again.

`released/VERSION.KIND.sql.gz` is what the sample news of that release (`python -m demo`, for two
minutes, its feeds asked for) left behind: SQLite's `.dump`, `pg_dump --inserts --no-owner`. Each
release adds its own; none is ever changed.
"""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from aggregator.pipeline.upkeep import transfer
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.migrate import current_revision, migrate, revisions
from aggregator.store.views import served

DUMPS = sorted((Path(__file__).parent / "released").glob("*.sql.gz"))
_ITEMS = "SELECT id, public_id, title, first_seen, updated FROM item ORDER BY id"
_POLLS = "SELECT source_id, etag, last_polled_at, next_poll_at FROM feed ORDER BY source_id"


def test_there_is_a_dump_of_each_kind() -> None:
    kinds = {path.name.split(".")[-3] for path in DUMPS}
    assert kinds == {"sqlite", "postgresql"}


@pytest.fixture(params=DUMPS, ids=lambda path: path.name.removesuffix(".sql.gz"))
def released(request: pytest.FixtureRequest) -> Database:
    """A store as a release left it."""
    script = gzip.decompress(request.param.read_bytes()).decode("utf-8")
    if "sqlite" in request.param.name:
        url: str = request.getfixturevalue("sqlite_url")
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            file.executescript(script)
        file.close()
        return Database(url)
    url = request.getfixturevalue("postgres_url")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())
    return Database(url)


def rows(database: Database, statement: str) -> list[tuple[Any, ...]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_a_store_of_a_release_is_upgraded_with_everything_in_it(
    released: Database, tmp_path: Path
) -> None:
    before = rows(released, _ITEMS), rows(released, _POLLS)
    assert len(before[0]) > 15

    migrate(released)

    assert (rows(released, _ITEMS), rows(released, _POLLS)) == before
    with released.read() as connection:
        assert current_revision(connection) == revisions()[-1]
        ours = {"include_name": lambda name, *_: name is None or "search_" not in name}
        context = MigrationContext.configure(connection, opts=ours)
        metadata_differences = compare_metadata(context, t.metadata)
        numbers = list(connection.scalars(select(t.item.c.id)))
        items = served.served_items(connection, numbers)
    assert [one for one in metadata_differences if "search_" not in str(one)] == []
    assert len(items) == len(numbers)
    assert all(item.title for item in items.values())
    transfer.back_up(released, tmp_path / "backup.db", lambda *_: None)  # compares every row
    released.close()

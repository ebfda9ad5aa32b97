"""Opening, migrating and refusing databases."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from aggregator.store import database as module
from aggregator.store.database import Database, DatabaseError
from aggregator.store.facts import fact, set_fact, set_fact_once
from aggregator.store.migrate import alembic_config, current_revision, migrate, revisions
from aggregator.store.schema import metadata

# The index of words is each database's own: an FTS5 table, a GIN index (`store.search.index`).
_INDEX = ("search_words", "ix_search_document_words")


def test_migrations_make_exactly_the_schema(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrate(database)
    migrate(database)
    with database.read() as connection:
        opts = {"include_name": lambda name, *_: name is None or not name.startswith(_INDEX)}
        context = MigrationContext.configure(connection, opts=opts)
        difference = compare_metadata(context, metadata)
        assert current_revision(connection) is not None
    database.close()
    assert difference == []


def test_the_files_names_give_the_revisions_that_alembic_knows() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert revisions() == [step.revision for step in script.walk_revisions()][::-1]


def test_starting_twice_at_once_migrates_once(empty_database_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        database = Database(empty_database_url)
        try:
            migrate(database)
        except BaseException as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_several_that_open_a_new_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def touch(database: Database, barrier: threading.Barrier) -> None:
        barrier.wait()
        try:
            with database.write() as connection:
                connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS touched (at integer)")
        except BaseException as error:
            failures.append(error)

    for number in range(30):  # without waiting, one round in seven failed
        databases = [Database(f"sqlite:///{tmp_path / f'{number}.db'}") for _ in range(4)]
        barrier = threading.Barrier(len(databases))
        threads = [threading.Thread(target=touch, args=(one, barrier)) for one in databases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in databases:
            one.close()
    assert failures == []


def test_a_database_of_a_newer_version_is_refused(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrate(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"newer version.*upgrade aggregator"):
        migrate(database)
    database.close()


def test_an_sqlite_too_old_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 0))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.31.0")
    with pytest.raises(DatabaseError, match=r"SQLite 3\.31\.0 is too old, 3\.35\.0"):
        Database(f"sqlite:///{tmp_path}/x.db")
    assert module.SQLITE_MINIMUM == (3, 35, 0)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://localhost/x", "mysql"),
        ("not a url", "not a database URL"),
        ("sqlite://", "forgets every item"),
        ("sqlite:////proc/nowhere/x.db", "cannot create /proc/nowhere"),
    ],
)
def test_an_unusable_url_is_refused_with_a_reason(url: str, message: str) -> None:
    with pytest.raises(DatabaseError, match=message):
        Database(url)


def test_many_writers_at_once_all_succeed(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrate(database)
    with database.write() as connection:
        set_fact(connection, "n", "0")
    failures: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(20):
                with database.write() as connection:
                    module.serialise(connection)
                    set_fact(connection, "n", str(int(fact(connection, "n") or 0) + 1))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert (failures, fact(connection, "n")) == ([], "120")
    database.close()


def test_a_fact_set_once_stays(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrate(database)
    with database.write() as connection:
        assert set_fact_once(connection, "tag date", "2026-01-01") == "2026-01-01"
        assert set_fact_once(connection, "tag date", "2027-01-01") == "2026-01-01"
    database.close()


def test_an_error_of_the_database_quotes_no_values(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    with database.write() as connection:
        statement = metadata.tables["source"].insert()
        with pytest.raises(IntegrityError) as told:
            connection.execute(statement, {"id": "a", "url": "https://a.example/?key=k3y-k3y-k3y"})
    database.close()
    assert "k3y" not in str(told.value)

"""A database that cannot be used says so in one line with what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from aggregator.model.errors import StorageTrouble
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from tests.parts import free_port


def opened(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    migrate(database)
    return database


def test_a_lock_is_noticed_without_waiting_for_it_and_reading_goes_on(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageTrouble, match=r"a\.db is locked by another process: end"):
        database.probe("now")
    with database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM item")) == 0
    other.execute("ROLLBACK")
    database.probe("now")
    other.close()
    database.close()


def test_a_full_database_says_so(tmp_path: Path) -> None:
    database = opened(tmp_path / "a.db")

    def fill() -> None:
        with database.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            connection.exec_driver_sql("CREATE TABLE more AS SELECT zeroblob(1000000) AS much")

    with pytest.raises(StorageTrouble, match="has no space left on its disk: free some"):
        fill()
    database.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_removed_or_replaced_is_not_written(tmp_path: Path, replaced: bool) -> None:
    database = opened(tmp_path / "a.db")
    (tmp_path / "a.db").rename(tmp_path / "b.db")
    if replaced:
        opened(tmp_path / "a.db").close()
    with pytest.raises(StorageTrouble, match="was removed or replaced"), database.write():
        pass
    with pytest.raises(StorageTrouble, match="was removed or replaced"):
        database.probe("now")
    if not replaced:
        (tmp_path / "b.db").rename(tmp_path / "a.db")
        database.probe("now")
    database.close()


def test_what_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all, but a text\n" * 100)
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(StorageTrouble, match=r"a\.db is not an SQLite database: ") as said:
        migrate(database)
    assert "\n" not in str(said.value)
    assert "pysqlite" not in str(said.value)
    database.close()


def test_a_server_that_is_not_there_says_so_without_the_password() -> None:
    database = Database(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/news")
    with pytest.raises(StorageTrouble, match="does not answer: start it") as said:
        migrate(database)
    assert "s3cret" not in str(said.value)
    assert "psycopg" not in str(said.value)
    database.close()


def test_a_mistake_of_ours_stays_one(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(Exception, match="nowhere") as said, database.read() as connection:
        connection.execute(text("SELECT 1 FROM nowhere"))
    assert not isinstance(said.value, StorageTrouble)
    database.close()

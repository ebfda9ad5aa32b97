"""Backups restore to what they were, on either database; a moved store is the same store."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from aggregator.model.errors import StorageTrouble
from aggregator.model.settings import Secret, StorageSettings
from aggregator.pipeline.upkeep import transfer
from aggregator.pipeline.upkeep.transfer import TransferError
from aggregator.store import schema as t
from aggregator.store import transfer as stores
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from tests.origin import Origin
from tests.pipeline.conftest import House, rss

Other = Callable[[], str]


@pytest.fixture
def other(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Other:
    """Makes the URL of a database of the other kind, empty or not there yet."""
    if not database_url.startswith("sqlite"):
        return lambda: f"sqlite:///{tmp_path / 'other.db'}"
    made: Other = request.getfixturevalue("new_postgres_url")
    return made


@pytest.fixture
def filled(house: House, origin: Origin) -> House:
    """A store with items, a correction, rendered documents and a reader who has them."""
    origin.answer("/alpha", body=rss(*range(12)))
    origin.answer("/beta", body=rss(*range(5), site="beta"))
    house.poll()
    origin.answer("/alpha", body=rss(*range(12), text="was closed again after two days of storms"))
    house.clock.move(hours=1)
    house.poll()
    for fmt in ("atom", "rss", "json"):
        house.feed(fmt)
    return house


def quietly(_table: str, _rows: int) -> None:
    pass


def at(house: House, url: str) -> House:
    """The same installation over another store."""
    settings = replace(house.settings, storage=StorageSettings(url=Secret(url)))
    return House(settings, house.runner, house.workers, house.clock)


def served(house: House) -> list[tuple[bytes, str]]:
    return [(made.body, made.etag) for made in map(house.feed, ("atom", "rss", "json"))]


def opened(house: House) -> Database:
    return Database(house.settings.storage.url.reveal())


def test_a_backup_restores_to_the_same_documents_and_polling_goes_on(
    filled: House, other: Other, origin: Origin, tmp_path: Path
) -> None:
    before = served(filled)
    file = tmp_path / "backups" / "monday.db"
    database = opened(filled)
    rows = transfer.back_up(database, file, quietly)
    database.close()
    assert rows["item"] == 17
    assert rows["revision"] == 12
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["monday.db"]

    url = other()
    assert transfer.restore(file, url, quietly, replace=False) == rows
    again = at(filled, url)
    assert served(again) == before
    assert [record.new_items for record in again.poll()] == [0, 0]
    origin.answer("/alpha", body=rss(*range(14)))
    again.clock.move(hours=1)
    assert again.poll("alpha")[0].new_items == 2  # under numbers of their own


def test_a_store_that_is_there_is_replaced_only_when_told(
    filled: House, origin: Origin, tmp_path: Path
) -> None:
    database = opened(filled)
    transfer.back_up(database, tmp_path / "b.db", quietly)
    database.close()
    before = served(filled)
    origin.answer("/alpha", body=rss(*range(30)))
    filled.clock.move(hours=1)
    filled.poll()
    url = filled.settings.storage.url.reveal()
    with pytest.raises(TransferError, match="holds a store already"):
        transfer.restore(tmp_path / "b.db", url, quietly, replace=False)
    transfer.restore(tmp_path / "b.db", url, quietly, replace=True)
    assert served(filled) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no database at all, " * 300, "is no backup"), (b"", "is no backup"), (None, "no file")],
)
def test_what_is_no_backup_changes_nothing(
    sqlite_url: str, tmp_path: Path, content: bytes | None, said: str
) -> None:
    store = tmp_path / "aggregator.db"
    store.write_bytes(b"what is there")
    file = tmp_path / "b.db"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TransferError, match=said):
        transfer.restore(file, sqlite_url, quietly, replace=True)
    assert store.read_bytes() == b"what is there"


def test_a_damaged_backup_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    database = Database(sqlite_url)
    migrate(database)
    file = tmp_path / "b.db"
    transfer.back_up(database, file, quietly)
    database.close()
    with sqlite3.connect(file) as raw:
        (page,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'item'").fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    with file.open("r+b") as raw_file:
        raw_file.seek((page - 1) * size)
        raw_file.write(b"\xff" * 200)
    with pytest.raises(TransferError, match=r"damaged|no backup"):
        transfer.restore(file, f"sqlite:///{tmp_path / 'new.db'}", quietly, replace=False)
    assert not (tmp_path / "new.db").exists() or (tmp_path / "new.db").stat().st_size == 0


def test_a_backup_under_load_is_one_moment(database: Database, tmp_path: Path) -> None:
    """Two facts that are always written together agree in every backup."""
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with database.write() as connection:
                for name in ("first", "second"):
                    connection.execute(t.instance.delete().where(t.instance.c.name == name))
                    connection.execute(insert(t.instance).values(name=name, value=str(number)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(5):
            transfer.back_up(database, tmp_path / f"{turn}.db", quietly)
    finally:
        ended.set()
        writer.join()
    for turn in range(5):
        with sqlite3.connect(tmp_path / f"{turn}.db") as raw:
            found = raw.execute("SELECT value FROM instance WHERE name IN ('first', 'second')")
            values = found.fetchall()
        raw.close()
        assert len(set(values)) <= 1


def test_a_file_that_is_there_is_never_overwritten(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "b.db"
    file.write_text("mine")
    with pytest.raises(TransferError, match="is there already"):
        transfer.back_up(database, file, quietly)
    assert file.read_text() == "mine"


def test_a_moved_store_serves_the_same_and_the_old_one_takes_nothing_more(
    filled: House, other: Other
) -> None:
    before = served(filled)
    url = other()
    source, target = opened(filled), Database(url)
    rows = transfer.move(source, target, quietly)
    assert rows["item"] == 17
    with source.read() as connection:
        assert set(connection.scalars(select(t.feed.c.active))) == {False}
    source.close()
    target.close()

    new = at(filled, url)
    assert served(new) == before
    assert [record.new_items for record in new.poll()] == [0, 0]
    with pytest.raises(StorageTrouble, match="was moved to"):
        filled.poll()


def test_a_move_goes_on_after_a_cut_and_catches_up_with_what_changed(
    filled: House, other: Other, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "BATCH", 5)
    url = other()
    left = [4]

    def cut(_table: str, _rows: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    source, target = opened(filled), Database(url)
    with pytest.raises(KeyboardInterrupt):
        transfer.move(source, target, cut)
    with pytest.raises(StorageTrouble, match="not whole"):
        at(filled, url).poll()
    origin.answer("/alpha", body=rss(*range(20)))
    filled.clock.move(hours=1)
    filled.poll()  # the old one is in use, and changes
    before = served(filled)
    with source.write() as connection:  # something went, too
        connection.execute(t.poll_log.delete().where(t.poll_log.c.source_id == "beta"))
        connection.execute(update(t.entry).values(why=None))
    transfer.move(source, target, quietly)
    source.close()
    target.close()
    assert served(at(filled, url)) == before


def test_a_moved_store_can_be_used_again(filled: House, other: Other) -> None:
    source, target = opened(filled), Database(other())
    transfer.move(source, target, quietly)
    assert transfer.reopen(source)
    assert not transfer.reopen(source)
    with source.read() as connection:
        stores.check_usable(connection)
    source.close()
    target.close()
    filled.clock.move(hours=1)
    assert [record.new_items for record in filled.poll()] == [0, 0]
    assert filled.state("alpha").next_poll_at is not None


def test_there_and_back_again_is_the_same_store(filled: House, new_postgres_url: Other) -> None:
    """The checksum of every table, over three moves."""
    first = opened(filled)
    url = new_postgres_url()
    second = Database(url)
    transfer.move(first, second, quietly)
    moved = _checksums(second)
    folder = Path(str(first.url.database or "x")).parent if first.is_sqlite else None
    third = Database(f"sqlite:///{folder / 'third.db'}") if folder else Database(new_postgres_url())
    transfer.move(second, third, quietly)
    assert _checksums(third) == moved
    for database in (first, second, third):
        database.close()


def test_a_store_moves_into_an_empty_database_only(filled: House, other: Other) -> None:
    url = other()
    used = at(filled, url)
    used.poll()
    source, target = opened(filled), Database(url)
    with pytest.raises(TransferError, match="holds a store already"):
        transfer.move(source, target, quietly)
    with pytest.raises(TransferError, match="is the old one"):
        transfer.move(source, source, quietly)
    source.close()
    target.close()


def _checksums(database: Database) -> dict[str, stores.Contents]:
    with database.read() as connection:
        return {one.name: stores.contents(connection, one) for one in stores.tables()}

"""A whole store copied: to a backup, back from one, and from one database to another.

A backup is an SQLite file with the tables of any store, so that it restores to either database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection

from aggregator.model.errors import OperatorError
from aggregator.store import transfer
from aggregator.store.database import Database
from aggregator.store.migrate import current_revision, migrate

Progress = Callable[[str, int], None]
Sizes = dict[str, int]

_PRIVATE = 0o600  # it holds private items, and the secrets of subscriptions


class TransferError(OperatorError):
    """The store was not copied; the message says why and what to do."""


def sizes(database: Database) -> Sizes:
    """The number of rows of each table."""
    with database.read() as connection:
        return {table.name: transfer.count(connection, table) for table in transfer.tables()}


def back_up(database: Database, file: Path, progress: Progress) -> Sizes:
    """Write a store to `file` as it is at this moment; polling and serving go on.

    The file appears whole or not at all: it was read again and compared before it takes its name.

    Returns:
        The number of rows of each table.

    Raises:
        TransferError: the file is there already, cannot be written, or differs from the store.
    """
    if file.exists():
        raise TransferError(f"{file} is there already: name another file, or remove it")
    partial = file.with_name(f".{file.name}.partial")
    try:
        _create(partial)
        with transfer.snapshot(database) as source:
            if database.is_sqlite:
                _copy_pages(source, partial)
            copied = _opened(partial)
            try:
                if not database.is_sqlite:
                    _fill(source, database.shown_url, copied, progress)
                found = _compared(source, copied, progress if database.is_sqlite else _quietly)
            finally:
                copied.close()
        _single_file(partial)
        partial.rename(file)
    except OSError as error:
        raise TransferError(f"cannot write {file}: {error.strerror}") from error
    finally:
        for left in (partial, *_beside(partial)):
            left.unlink(missing_ok=True)
    return found


def restore(file: Path, storage_url: str, progress: Progress, *, replace: bool) -> Sizes:
    """Make the store at `storage_url` what `file` holds.

    A backup of an earlier version is brought to this version's tables on the way. An SQLite store
    is exchanged in one step; PostgreSQL in one transaction.

    Returns:
        The number of rows of each table.

    Raises:
        TransferError: `file` is no backup, or the store holds something and `replace` is off.
    """
    if not file.is_file():
        raise TransferError(f"there is no file {file}")
    _check(file)
    target = Database(storage_url)
    try:
        _refuse_full(target, replace=replace)
        folder = Path(target.url.database or "").parent if target.is_sqlite else file.parent
        partial = folder / f".{file.name}.restoring"
        try:
            _create(partial)
            shutil.copyfile(file, partial)
            copied = _opened(partial)
            try:
                if target.is_sqlite:
                    found = sizes(copied)
                else:
                    migrate(target)
                    with target.write() as connection, transfer.snapshot(copied) as source:
                        found = _replace(source, connection, progress)
            finally:
                copied.close()
            if target.is_sqlite:
                _single_file(partial)
                _exchange(partial, Path(str(target.url.database)))
        except OSError as error:
            raise TransferError(f"cannot restore {file}: {error.strerror}") from error
        finally:
            for left in (partial, *_beside(partial)):
                left.unlink(missing_ok=True)
    finally:
        target.close()
    return found


def move(source: Database, target: Database, progress: Progress) -> Sizes:
    """Copy a store that may be in use to another database, and retire it there.

    First a copy of one snapshot, while everything goes on. Then, with writers kept out and readers
    served, what changed meanwhile; the two are compared, and the old store is marked as moved. Cut
    off anywhere, the old store stays in use, and the next call goes on.

    Returns:
        The number of rows of each table.

    Raises:
        TransferError: the target holds another store, or differs in the end.
    """
    migrate(source)
    _refuse_other(source, target)
    migrate(target)
    transfer.begin(target, source.shown_url)
    with transfer.snapshot(source) as before:
        for table in transfer.tables():
            with target.read() as connection:
                fresh = transfer.count(connection, table) == 0
            transfer.equalise(before, target.write, table, progress, fresh=fresh)
    with source.write() as last:
        transfer.lock(last)
        with target.write() as connection:
            found = _replace(last, connection, _quietly)
            transfer.finish(connection)
        transfer.retire(last, target.shown_url)
    return found


def reopen(database: Database) -> bool:
    """Use a store again that was marked as moved; False where it was not."""
    with database.write() as connection:
        return transfer.reopen(connection)


def _replace(source: Connection, target: Connection, progress: Progress) -> Sizes:
    """Make a store equal to another within one transaction of each, and compare them.

    Raises `TransferError` where they differ, so that the transaction is taken back.
    """

    def write() -> nullcontext[Connection]:
        return nullcontext(target)

    for table in reversed(transfer.tables()):
        transfer.remove_extra(source, write, target, table)
    for table in transfer.tables():
        transfer.equalise(source, write, table, progress, fresh=False)
    transfer.set_sequences(target)
    return _same(source, target, _quietly)


def _fill(source: Connection, name: str, target: Database, progress: Progress) -> None:
    transfer.begin(target, name)
    for table in transfer.tables():
        transfer.equalise(source, target.write, table, progress, fresh=False)
    with target.write() as connection:
        transfer.finish(connection)


def _compared(source: Connection, copied: Database, progress: Progress) -> Sizes:
    with copied.read() as connection:
        return _same(source, connection, progress)


def _same(source: Connection, target: Connection, progress: Progress) -> Sizes:
    found: Sizes = {}
    for table in transfer.tables():
        one, other = transfer.contents(source, table), transfer.contents(target, table)
        if one != other:
            raise TransferError(
                f"the copy of the table {table.name!r} differs ({one.rows} and {other.rows} rows): "
                "nothing was changed; please report this"
            )
        found[table.name] = one.rows
        progress(table.name, one.rows)
    return found


def _refuse_other(source: Database, target: Database) -> None:
    """A target that holds something must be ours, left by an earlier try."""
    if target.url == source.url:
        raise TransferError("the new store is the old one: name another database")
    with target.read() as connection:
        if current_revision(connection) is None:
            return
    with target.read() as connection:
        if transfer.unfinished(connection) == source.shown_url:
            return
        if any(transfer.count(connection, table) for table in transfer.tables()):
            raise TransferError(f"{target.shown_url} holds a store already: name an empty database")


def _refuse_full(target: Database, *, replace: bool) -> None:
    with target.read() as connection:
        empty = current_revision(connection) is None
    if not empty and not replace:
        raise TransferError(
            f"{target.shown_url} holds a store already: stop the service, then say --replace to "
            "put the backup in its place"
        )


def _check(file: Path) -> None:
    """Refuse what is no store of ours, or is damaged."""
    try:
        with _closing(sqlite3.connect(f"file:{file.resolve()}?mode=ro", uri=True)) as opened:
            said = opened.execute("PRAGMA quick_check").fetchone()[0]
            opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise TransferError(f"{file} is no backup of a store: {error}") from error
    if said != "ok":
        raise TransferError(f"{file} is damaged: {said}")


def _copy_pages(source: Connection, file: Path) -> None:
    """The pages of an SQLite store as the transaction sees them (sqlite.org/backup.html)."""
    raw = source.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        raise TypeError("not an SQLite connection")
    with _closing(sqlite3.connect(file)) as target:
        raw.backup(target)


@contextmanager
def _closing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    finally:
        connection.close()


def _opened(file: Path) -> Database:
    database = Database(f"sqlite:///{file}")
    migrate(database)
    return database


def _single_file(file: Path) -> None:
    """Leave write-ahead mode, so that the file alone is the whole store."""
    with _closing(sqlite3.connect(file)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _create(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))


def _exchange(new: Path, file: Path) -> None:
    for left in _beside(file):
        left.unlink(missing_ok=True)
    new.replace(file)


def _beside(file: Path) -> tuple[Path, Path]:
    return file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")


def _quietly(_table: str, _rows: int) -> None:
    """Nothing is shown."""

"""One way to the database for SQLite and PostgreSQL: short synchronous transactions in threads.

SQLite has one writer thread and `BEGIN IMMEDIATE`: a plain `BEGIN` that later wants to write
fails under concurrency, an immediate one waits its turn. PostgreSQL writes through a small pool.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from aggregator.model.errors import OperatorError, StorageTrouble
from aggregator.store import schema, trouble
from aggregator.store.together import Together

P = ParamSpec("P")
T = TypeVar("T")

SQLITE_MINIMUM = (3, 35, 0)  # RETURNING
_BUSY_MS = 30_000
_PROBE_MS = 2_000  # a lock that lasts longer is trouble
_CONNECT_SECONDS = 5
_CACHE_KIB = 8_000  # of a connection, of which there may be six
_PROBED = "storage was written at"  # a fact of the installation
_GATHERING = 0.02  # seconds that a small write waits for others to share its commit
_SERIALISE_ID = 0x61676772  # advisory lock of transactions that must not overlap
_PROBE = text(
    "INSERT INTO instance (name, value) VALUES (:name, :value) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class DatabaseError(OperatorError):
    """The database cannot be used; the message says why and what to do."""


class DatabaseUnusable(DatabaseError, StorageTrouble):
    """The database cannot be opened, read or written; it may be again."""


class Database:
    """One database: `read` and `write` are transactions, `run_*` do them in threads."""

    def __init__(self, url: str) -> None:
        self.url = _driver_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _check_sqlite(self.url)
        self.engine: Engine = self._engine()
        self._file: tuple[int, int] | None = None  # the one that was opened first
        self.commits = 0  # of this process: who remembers what it read compares it
        self._writer = ThreadPoolExecutor(1 if self.is_sqlite else 4, thread_name_prefix="db-write")
        self._reader = ThreadPoolExecutor(4, thread_name_prefix="db-read")
        self._together = Together(self.write, self._writer, _GATHERING)
        self._prober = ThreadPoolExecutor(1, thread_name_prefix="db-probe")

    def _engine(self) -> Engine:
        if not self.is_sqlite:
            schema.add_postgresql()
            return create_engine(
                self.url, pool_size=10, max_overflow=4, pool_pre_ping=True, hide_parameters=True,
                connect_args={"connect_timeout": _CONNECT_SECONDS},
            )  # fmt: skip
        # No error quotes the values of a statement: they are texts and addresses of sources.
        engine = create_engine(
            self.url, pool_size=6, max_overflow=4, hide_parameters=True,
            connect_args={"check_same_thread": False},
        )  # fmt: skip
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one consistent snapshot.

        Raises `DatabaseUnusable` when the database cannot be read.
        """
        with self._told(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; committed at the end, rolled back on any exception.

        Raises `DatabaseUnusable` when the database cannot be written. A file that was removed or
        replaced since it was opened is not written any more: nobody would ever read that.
        """
        self._same_file()
        with self._told(), self.engine.connect() as plain:
            connection = plain.execution_options(write=True)
            with connection.begin():
                yield connection
        # Two threads may take one step: whoever read between their commits saw the step before.
        self.commits += 1
        if self.is_sqlite and self._file is None:
            self._file = trouble.file_of(self.url)

    def probe(self, now: str) -> None:
        """Write something small, without waiting long for a lock; `now` is what is written.

        Raises `DatabaseUnusable` when that cannot be done.
        """
        self._same_file()
        with self._told(always=True), self.engine.connect() as plain:
            if self.is_sqlite:
                plain.exec_driver_sql(f"PRAGMA busy_timeout={_PROBE_MS}")
                plain.rollback()
            connection = plain.execution_options(write=True)
            try:
                with connection.begin():
                    if not self.is_sqlite:
                        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_PROBE_MS}")
                    connection.execute(_PROBE, {"name": _PROBED, "value": now})
            finally:
                if self.is_sqlite and not connection.invalidated:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MS}")
                    connection.rollback()

    def _same_file(self) -> None:
        if self._file is not None and trouble.file_of(self.url) != self._file:
            raise DatabaseUnusable(
                f"the database {self.url.database} was removed or replaced while it was in use: "
                "put it back, or restart"
            )

    @contextmanager
    def _told(self, *, always: bool = False) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            if not always and not trouble.is_trouble(error):
                raise
            raise DatabaseUnusable(trouble.told(error, self.url)) from error

    @property
    def shown_url(self) -> str:
        """The URL as people write it, without its password."""
        return trouble.place(self.url)

    def size(self, connection: Connection) -> int:
        """How many bytes the database takes: SQLite's files, PostgreSQL's own count."""
        if not self.is_sqlite:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        names = (f"{self.url.database}{end}" for end in ("", "-wal"))
        return sum(Path(name).stat().st_size for name in names if Path(name).exists())

    def free(self) -> int | None:
        """How many bytes are free beside SQLite's file; None where the database is elsewhere."""
        if not self.is_sqlite or not self.url.database:
            return None
        return shutil.disk_usage(Path(self.url.database).resolve().parent).free

    async def run_read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `function(connection, …)` in a read transaction on a worker thread."""

        def call() -> T:
            with self.read() as connection:
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._reader, call)

    async def run_probe(self, now: str) -> None:
        """`probe` on a thread of its own, so that it waits behind no other work.

        Raises `DatabaseUnusable`.
        """
        await asyncio.get_running_loop().run_in_executor(self._prober, self.probe, now)

    async def run_write(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `function(connection, …)` in a write transaction on a writer thread.

        A cancelled caller does not undo a transaction that has begun.
        """

        def call() -> T:
            with self.write() as connection:
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._writer, call)

    async def run_together(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """`run_write` for something small: it shares its transaction with others (`together`).

        `function` has no effect but on the database; it returns before the commit, this after it.
        """
        return await self._together.run(lambda connection: function(connection, *args, **kwargs))

    def close(self) -> None:
        """Finish what the threads are doing and close every connection."""
        self._writer.shutdown(wait=True)
        self._reader.shutdown(wait=True)
        self._prober.shutdown(wait=True)
        self.engine.dispose()


def serialise(connection: Connection) -> None:
    """Let no other serialised transaction run beside this one (SQLite's writers never do)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _SERIALISE_ID})


def _driver_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise DatabaseError(
            "storage.url is not a database URL; write sqlite:///data/aggregator.db "
            "or postgresql://user:password@host/database"
        ) from error
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    raise DatabaseError(f"storage.url names {backend!r}; sqlite and postgresql are supported")


def _check_sqlite(url: URL) -> None:
    if sqlite3.sqlite_version_info < SQLITE_MINIMUM:
        needed = ".".join(map(str, SQLITE_MINIMUM))
        raise DatabaseError(
            f"SQLite {sqlite3.sqlite_version} is too old, {needed} or newer is needed: "
            "use a newer Python build, or PostgreSQL"
        )
    if not url.database or url.database == ":memory:":
        raise DatabaseError("storage.url needs a file: an in-memory database forgets every item")
    folder = Path(url.database).resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"cannot create {folder} for the database: {error.strerror}") from error


def _on_sqlite_connect(raw: Any, _record: Any) -> None:
    raw.isolation_level = None  # we say BEGIN ourselves
    raw.create_function("fold", 1, _fold, deterministic=True)
    cursor = raw.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    _write_ahead(cursor)
    for pragma in (
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"cache_size={-_CACHE_KIB}",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _fold(text: str | None) -> str | None:
    """Small letters of every script: SQLite's `lower` knows those of English alone."""
    return text.lower() if text is not None else None


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Change to WAL, with waiting of our own.

    The change upgrades a read lock, and of two connections that do so at once SQLite refuses one
    at once, whatever its busy timeout (https://www.sqlite.org/c3ref/busy_handler.html). A database
    that is in WAL already is not locked by the question.
    """
    end = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.02)


def _on_sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

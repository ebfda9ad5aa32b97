"""What a database says when it cannot be used, in one line with what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError,
)

_SQLITE = {
    sqlite3.SQLITE_FULL: ("{file} has no space left on its disk", "free some"),
    sqlite3.SQLITE_READONLY: (
        "{file} is read-only",
        "make the file, its folder and its file system writable for this user",
    ),
    sqlite3.SQLITE_BUSY: ("{file} is locked by another process", "end that process, or wait"),
    sqlite3.SQLITE_LOCKED: ("{file} is locked by another process", "end that process, or wait"),
    sqlite3.SQLITE_CANTOPEN: (
        "{file} cannot be opened",
        "check that its folder is there and that this user may write to it",
    ),
    sqlite3.SQLITE_PERM: ("{file} may not be opened", "give this user the right to write to it"),
    sqlite3.SQLITE_IOERR: (
        "{file} cannot be read or written",
        "check the disk, its free space and the limits on file sizes",
    ),
    sqlite3.SQLITE_CORRUPT: ("{file} is damaged", "restore a backup"),
    sqlite3.SQLITE_NOTADB: (
        "{file} is not an SQLite database",
        "let storage.url name another file",
    ),
}
_POSTGRESQL = {  # classes and codes of SQLSTATE (PostgreSQL, appendix A), the longest first
    "53100": ("has no disk space left", "free some space there"),
    "53300": ("has no connection left", "raise max_connections, or end other clients"),
    "25006": ("is read-only", "let storage.url name the primary server"),
    "55P03": ("is locked by another transaction", "end that transaction, or wait"),
    "3D000": ("has no such database", "create it, or change storage.url"),
    "42501": ("does not allow that", "give the user of storage.url the rights to this database"),
    "28": ("refuses the user or the password", "change storage.url"),
    "57": ("is shutting down or starting", "wait, or start it"),
    "08": ("does not answer", "start it, or change storage.url"),
}


def is_trouble(error: SQLAlchemyError) -> bool:
    """Whether an error is the database's condition, not a mistake of ours in a statement."""
    if isinstance(error, OperationalError | InterfaceError | InternalError | TimeoutError):
        return not _is_our_mistake(error)
    return type(error) is DatabaseError


def _is_our_mistake(error: SQLAlchemyError) -> bool:
    """SQLite calls a missing table an operational error too."""
    code = _sqlite_code(error)
    return code == sqlite3.SQLITE_ERROR


def told(error: Exception, url: URL) -> str:
    """The error in one line: what is wrong with which database, and what to do."""
    if url.get_backend_name() == "sqlite":
        code = _sqlite_code(error)
        what, remedy = _SQLITE.get(
            code, ("{file} cannot be used ({said})", "check the disk and storage.url")
        )
        return f"the database {what.format(file=url.database, said=_first_line(error))}: {remedy}"
    state = getattr(_original(error), "sqlstate", None) or ""
    for known, (what, remedy) in _POSTGRESQL.items():
        if state.startswith(known):
            return f"PostgreSQL ({place(url)}) {what}: {remedy}"
    if isinstance(error, TimeoutError):
        return f"PostgreSQL ({place(url)}) is too slow: no connection became free"
    lower = str(_original(error)).lower()
    for said, known in (("password", "28"), ("role", "28"), ("does not exist", "3D000")):
        if not state and said in lower:
            what, remedy = _POSTGRESQL[known]
            return f"PostgreSQL ({place(url)}) {what}: {remedy}"
    if not state:
        what, remedy = _POSTGRESQL["08"]
        return f"PostgreSQL ({place(url)}) {what}: {remedy}"
    return f"PostgreSQL ({place(url)}) says {_first_line(error)!r} ({state}): see its log"


def place(url: URL) -> str:
    """A database as people write it, without password and driver."""
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def file_of(url: URL) -> tuple[int, int] | None:
    """What identifies the file of an SQLite database, so that another at its place is noticed.

    None while there is no file.
    """
    try:
        found = Path(url.database or "").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _original(error: Exception) -> object:
    return error.orig if isinstance(error, DBAPIError) else error


def _sqlite_code(error: Exception) -> int:
    code = getattr(_original(error), "sqlite_errorcode", None)
    return -1 if code is None else int(code) & 0xFF


def _first_line(error: Exception) -> str:
    return (str(_original(error)).splitlines() or [""])[0][:200]

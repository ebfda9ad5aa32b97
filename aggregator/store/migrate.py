"""Bring a database to the shape this version needs, under a lock, or refuse it clearly.

Alembic is loaded only when there is something to migrate: it costs half a second of CPU.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from aggregator.store import trouble
from aggregator.store.database import Database, DatabaseError

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK_ID = 0x6D696772
_FOLLOWS = re.compile(r'^down_revision = "(\d+)"$', re.MULTILINE)
_MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Alembic's configuration for our migrations, without a file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def revisions() -> list[str]:
    """The revisions this version knows, oldest first, by what each says it follows.

    Their numbers need not be in that order: several people make migrations at once.
    """
    following: dict[str | None, str] = {}
    for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"):
        found = _FOLLOWS.search(path.read_text("utf-8"))
        following[found.group(1) if found else None] = path.name[:4]
    ordered: list[str] = []
    while (following_one := following.get(ordered[-1] if ordered else None)) is not None:
        ordered.append(following_one)
    return ordered


def is_current(connection: Connection) -> bool:
    """Whether a database has this version's tables.

    Raises `DatabaseError` when it was written by a newer version.
    """
    known, current = revisions(), current_revision(connection)
    if current is not None and current not in known:
        raise _newer(trouble.place(connection.engine.url), current, known[-1])
    return current == known[-1]


def migrate(database: Database) -> None:
    """Apply every missing migration in one transaction.

    Raises `DatabaseError` when the database was written by a newer version.
    """
    known = revisions()
    with database.read() as connection:
        if current_revision(connection) == known[-1]:
            return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
        current = current_revision(connection)
        if current is not None and current not in known:
            raise _newer(database.shown_url, current, known[-1])
        if current == known[-1]:
            return
        from alembic import command

        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _newer(shown_url: str, current: str, newest: str) -> DatabaseError:
    return DatabaseError(
        f"the database {shown_url} was written by a newer version of aggregator "
        f"(its schema is {current!r}, this version knows {newest!r}): "
        "upgrade aggregator, or restore a backup made before"
    )


def current_revision(connection: Connection) -> str | None:
    """The schema revision stored in the database; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found

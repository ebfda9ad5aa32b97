"""Bring a database to the shape this version needs, under a lock, or refuse it clearly."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from aggregator.store.database import Database, DatabaseError

_LOCK_ID = 0x6D696772


def alembic_config() -> Config:
    """Alembic's configuration for our migrations, without a file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(database: Database) -> None:
    """Apply every missing migration in one transaction.

    Raises `DatabaseError` when the database was written by a newer version.
    """
    config = alembic_config()
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    with database.read() as connection:
        if current_revision(connection) == head:
            return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
        current = current_revision(connection)
        known = {step.revision for step in script.walk_revisions()}
        if current is not None and current not in known:
            raise DatabaseError(
                f"the database {database.shown_url} was written by a newer version of aggregator "
                f"(its schema is {current!r}, this version knows {head!r}): "
                "upgrade aggregator, or restore a backup made before"
            )
        if current == head:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def current_revision(connection: Connection) -> str | None:
    """The schema revision stored in the database; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()

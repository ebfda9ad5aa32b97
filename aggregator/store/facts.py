"""Facts about this installation, by name."""

from __future__ import annotations

from sqlalchemy import (
    Connection,
    select,
)

from aggregator.store import schema as t
from aggregator.store.rows import upsert

APPLIED = "applied configuration"  # its hash: the same one is not applied again


def fact(connection: Connection, name: str) -> str | None:
    """A fact about this installation."""
    return connection.scalar(select(t.instance.c.value).where(t.instance.c.name == name))


def set_fact(connection: Connection, name: str, value: str) -> None:
    """Keep a fact about this installation."""
    upsert(connection, t.instance, [{"name": name, "value": value}], update=True)


def set_fact_once(connection: Connection, name: str, value: str) -> str:
    """Keep a fact the first time; afterwards the first value stays. Returns the value in force."""
    upsert(connection, t.instance, [{"name": name, "value": value}], update=False)
    kept = fact(connection, name)
    return value if kept is None else kept

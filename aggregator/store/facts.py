"""Facts about this installation, by name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from aggregator.store import schema as t
from aggregator.store.rows import upsert

APPLIED = "applied configuration"  # its hash: the same one is not applied again
_FACT = select(t.instance.c.value).where(t.instance.c.name == bindparam("fact"))
_FACTS = select(t.instance.c.name, t.instance.c.value).where(
    t.instance.c.name.in_(bindparam("facts", expanding=True))
)


def fact(connection: Connection, name: str) -> str | None:
    """A fact about this installation."""
    return connection.scalar(_FACT, {"fact": name})


def facts(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """Those of these facts that are there."""
    rows = connection.execute(_FACTS, {"facts": list(names)})
    return {row.name: row.value for row in rows}


def set_fact(connection: Connection, name: str, value: str) -> None:
    """Keep a fact about this installation."""
    upsert(connection, t.instance, [{"name": name, "value": value}], update=True)


def set_fact_once(connection: Connection, name: str, value: str) -> str:
    """Keep a fact the first time; afterwards the first value stays. Returns the value in force."""
    upsert(connection, t.instance, [{"name": name, "value": value}], update=False)
    kept = fact(connection, name)
    return value if kept is None else kept

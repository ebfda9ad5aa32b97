"""Of several processes that look for due sources: whose turn it is, and who looks after the store.

Both are facts of the installation, taken under the lock of their row. Whoever finds the row locked
has nothing to do: another process is doing it just now.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from aggregator.store import facts
from aggregator.store import schema as t
from aggregator.store.rows import upsert

_TURN = "turn of the schedulers"
_KEEPER = "scheduler that looks after the store"


def take(connection: Connection) -> dict[str, Any] | None:
    """What the last look for due sources left; None while another process looks.

    Nobody else gets it before this transaction ends.
    """
    value = _locked(connection, _TURN)
    if value is None:
        return None
    found: dict[str, Any] = json.loads(value or "{}")
    return found


def put(connection: Connection, turn: dict[str, Any]) -> None:
    """Keep what the next look starts from."""
    facts.set_fact(connection, _TURN, json.dumps(turn))


def last(connection: Connection) -> datetime | None:
    """When somebody looked for due sources last."""
    at = json.loads(facts.fact(connection, _TURN) or "{}").get("looked_at")
    return datetime.fromisoformat(at) if at else None


def keep(connection: Connection, owner: str, now: datetime, until: datetime) -> bool:
    """Whether `owner` looks after the store until a time: it did before, or nobody does now."""
    value = _locked(connection, _KEEPER)
    if value is None:
        return False
    known = json.loads(value or "{}")
    if known.get("owner") not in (None, "", owner):
        theirs = datetime.fromisoformat(known["until"])
        # A time further off than any keeper sets was written by a wrong clock.
        if now < theirs <= now + 2 * (until - now):
            return False
    facts.set_fact(connection, _KEEPER, _kept(owner, until))
    return True


def leave(connection: Connection, owner: str, now: datetime) -> None:
    """Let another process look after the store from now on."""
    value = _locked(connection, _KEEPER)
    if value and json.loads(value)["owner"] == owner:
        facts.set_fact(connection, _KEEPER, _kept("", now))


def _kept(owner: str, until: datetime) -> str:
    return json.dumps({"owner": owner, "until": until.isoformat()})


def _locked(connection: Connection, name: str) -> str | None:
    """A fact whose row is locked, empty at first; None where somebody else has locked it."""
    query = select(t.instance.c.value).where(t.instance.c.name == name)
    locked = query.with_for_update(skip_locked=True)
    value = connection.scalar(locked)
    if value is None and connection.scalar(query) is None:
        upsert(connection, t.instance, [{"name": name, "value": ""}], update=False)
        value = connection.scalar(locked)
    return value

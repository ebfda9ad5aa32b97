"""Exact numbers, counted by a job and kept: nothing large is counted while somebody waits.

At a request a count goes no further than a bound, and says so (`MoreThan`). Where a job has counted
more than that, its number is shown instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Select, delete, func, select

from aggregator.model.pages import MoreThan
from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert

MOST = 1000  # what is counted at a request


class Counted(StrEnum):
    """What a kept number counts."""

    ITEMS = "items"  # by name: `all`, `public`
    VIEW = "view"
    SOURCE = "source"
    HOUR = "hour"  # by `store.hours`
    PUBLIC_HOUR = "public_hour"  # the same without private sources
    SIZE = "size"  # of the database in KiB, by day


def keep(connection: Connection, kind: Counted, numbers: Mapping[str, int], now: datetime) -> None:
    """Replace what is kept of a kind. Numbers that a request can count itself are left out."""
    connection.execute(delete(t.tally).where(t.tally.c.kind == kind))
    rows = [
        {"kind": kind, "name": name, "number": number, "at": now}
        for name, number in numbers.items()
        if number > MOST
    ]
    for some in batches(range(len(rows))):
        upsert(connection, t.tally, [rows[n] for n in some], update=True)


def kept(connection: Connection, kind: Counted, name: str) -> int | None:
    """The number that was counted last, where it is a large one."""
    c = t.tally.c
    return connection.scalar(select(c.number).where(c.kind == kind, c.name == name))


def bounded(connection: Connection, query: Select[tuple[int]]) -> int:
    """How many rows a query has; `MoreThan` where there are more than are counted."""
    some = query.limit(MOST + 1).subquery()
    number = connection.scalar(select(func.count()).select_from(some)) or 0
    return MoreThan(MOST) if number > MOST else number

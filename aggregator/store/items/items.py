"""Single items as people look at them, and what is forgotten of old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from aggregator.store import schema as t
from aggregator.store import tally


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One source's presentation of an item."""

    source_id: str
    link: str | None
    guid: str | None
    key: str
    title: str | None
    why: str | None
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """An earlier state of an item's title and text."""

    number: int
    at: datetime
    title: str | None
    text: str | None


def entries_of(connection: Connection, item_id: int) -> list[EntryRow]:
    """Every source's entry for an item, first seen first."""
    e = t.entry.c
    rows = connection.execute(
        select(
            e.source_id, e.link, e.guid, e.key, e.title, e.why, e.first_seen, e.last_seen
        )
        .where(e.item_id == item_id)
        .order_by(e.id)
    )  # fmt: skip
    return [EntryRow(*row) for row in rows]


def revisions_of(connection: Connection, item_id: int) -> list[RevisionRow]:
    """The earlier states of an item, oldest first."""
    r = t.revision.c
    rows = connection.execute(
        select(r.number, r.at, r.title, r.text).where(r.item_id == item_id).order_by(r.number)
    )
    return [RevisionRow(*row) for row in rows]


def source_of(connection: Connection, item_id: int) -> str:
    """The source that an item came from; empty when there is no such item."""
    return connection.scalar(select(t.item.c.source_id).where(t.item.c.id == item_id)) or ""


def scope_of(connection: Connection, item_id: int) -> str | None:
    """Empty for a public item, its source's id for a private one, None when there is none."""
    return connection.scalar(select(t.item.c.scope).where(t.item.c.id == item_id))


def items_by_source(connection: Connection) -> dict[str, int]:
    """How many entries each source has."""
    e = t.entry.c
    rows = connection.execute(select(e.source_id, func.count()).group_by(e.source_id))
    return {row[0]: row[1] for row in rows}


def total(connection: Connection, *, private: bool = True) -> int:
    """How many items there are, tombstones not counted; without `private` only public ones."""
    query = _present(private).with_only_columns(func.count()).order_by(None)
    return connection.scalar(query) or 0


def some(connection: Connection, *, private: bool = True) -> int:
    """The same, counted no further than a request may count."""
    return tally.bounded(connection, _present(private))


def _present(private: bool) -> Select[tuple[int]]:
    """The numbers of all items, the newest first: it is the old ones that are tombstones."""
    i = t.item.c
    query = select(i.id).where(i.purged_at.is_(None))
    if private:
        return query.order_by(i.sort_at.desc(), i.id.desc())
    return query.where(i.scope == "").order_by(i.sort_at.desc(), i.id.desc())


def numbers_of(connection: Connection, source_id: str) -> list[int]:
    """The items that came from a source, tombstones left out."""
    i = t.item.c
    return list(
        connection.scalars(
            select(i.id).where(i.source_id == source_id, i.purged_at.is_(None)).order_by(i.id)
        )
    )


def number_of(connection: Connection, name: str) -> int | None:
    """The number of an item by its number, public id or address; None when there is none."""
    i = t.item.c
    if name.isascii() and name.isdigit() and len(name) < 19:
        return connection.scalar(select(i.id).where(i.id == int(name)))
    query = select(i.id).where(or_(i.public_id == name, i.link == name)).order_by(i.id)
    return connection.scalar(query.limit(1))


def is_archived(connection: Connection, item_id: int) -> bool:
    """Whether an item came with a back catalogue: it stands by its date, not by its arrival."""
    i = t.item.c
    row = connection.execute(select(i.sort_at, i.first_seen).where(i.id == item_id)).first()
    return row is not None and row.sort_at < row.first_seen


def source_ref(connection: Connection, item_id: int) -> dict[str, Any]:
    """The attribution pinned into an item, for those found under it.

    Raises:
        LookupError: there is no such item.
    """
    ref = connection.scalar(select(t.item.c.source_ref).where(t.item.c.id == item_id))
    if ref is None:
        raise LookupError(f"there is no item {item_id}")
    return dict(ref)


def titles(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
    """`(title, scope)` of items by number."""
    i = t.item.c
    rows = connection.execute(select(i.id, i.title, i.scope).where(i.id.in_(numbers)))
    return {row.id: (row.title or "", row.scope) for row in rows}

"""What the store knows of the entries of one source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from aggregator.model.item import KnownEntry
from aggregator.store import schema as t

_BATCH = 500  # SQLite's limit on parameters is 32,766, older builds' 999


def batches(values: Iterable[str], size: int = _BATCH) -> Iterator[list[str]]:
    """Distinct values in lists short enough for one statement."""
    distinct = list(dict.fromkeys(values))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]


def entries_by_key(
    connection: Connection, source_id: str, keys: Iterable[str]
) -> dict[str, KnownEntry]:
    """Entries of a source by their key, or by a former key of a renamed one."""
    e, a = t.entry.c, t.entry_alias.c
    found: dict[str, KnownEntry] = {}
    for some in batches(keys):
        for row in connection.execute(_entries().where(e.source_id == source_id, e.key.in_(some))):
            found[row.key] = _known(row)
        former = (
            _entries(a.key.label("former"))
            .join(t.entry_alias, a.entry_id == e.id)
            .where(a.source_id == source_id, a.key.in_(some))
        )
        for row in connection.execute(former):
            found.setdefault(row.former, _known(row))
    return found


def entries_by_alias(
    connection: Connection, source_id: str, aliases: Iterable[str]
) -> dict[str, KnownEntry]:
    """Entries of a source by their guid's alias; an alias shared by several entries names none."""
    return _unique(connection, source_id, t.entry.c.alias, aliases)


def entries_by_url_key(
    connection: Connection, source_id: str, keys: Iterable[str]
) -> dict[str, KnownEntry]:
    """Entries of a source by their link's key; a key shared by several entries names none."""
    return _unique(connection, source_id, t.entry.c.url_key, keys)


def newest_published(connection: Connection, source_id: str) -> tuple[datetime | None, bool]:
    """The newest publication date of a source's entries, and whether it has none at all."""
    e = t.entry.c
    newest = connection.scalar(select(func.max(e.published)).where(e.source_id == source_id))
    if newest is not None:
        return newest, False
    some = connection.scalar(select(e.id).where(e.source_id == source_id).limit(1))
    return None, some is None


def _entries(*more: ColumnElement[Any]) -> Any:
    e = t.entry.c
    return (
        select(
            e.id,
            e.item_id,
            e.key,
            e.content_hash,
            e.guid,
            e.alias,
            e.url_key,
            e.title,
            t.item.c.purged_at,
            *more,
        )
        .select_from(t.entry)
        .join(t.item, t.item.c.id == e.item_id)
    )


def _unique(
    connection: Connection, source_id: str, column: ColumnElement[Any], values: Iterable[str]
) -> dict[str, KnownEntry]:
    found: dict[str, KnownEntry] = {}
    shared: set[str] = set()
    for some in batches(values):
        rows: Sequence[Row[Any]] = connection.execute(
            _entries(column.label("by")).where(t.entry.c.source_id == source_id, column.in_(some))
        ).all()
        for row in rows:
            if row.by in found:
                shared.add(row.by)
            found[row.by] = _known(row)
    return {key: entry for key, entry in found.items() if key not in shared}


def _known(row: Row[Any]) -> KnownEntry:
    return KnownEntry(
        entry_id=row.id,
        item_id=row.item_id,
        key=row.key,
        content_hash=row.content_hash,
        guid=row.guid,
        alias=row.alias,
        url_key=row.url_key,
        title=row.title,
        tombstone=row.purged_at is not None,
    )

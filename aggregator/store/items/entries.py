"""What the store knows of the entries of one source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from aggregator.identity.corrections import headline
from aggregator.model.item import Earlier, KnownEntry
from aggregator.store import schema as t
from aggregator.store.rows import BATCH, batches

_NEWEST = 2000  # entries of one source among which a headline is looked for
_OF_ONE_DATE = 5  # entries of a source that are looked at since a new one has their date
_RECENT = 1000  # entries of one source among which those without a lasting id are looked for


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
    # No entry stands in a view before it was published, so the newest stand at the top.
    top = (
        select(e.published)
        .where(e.source_id == source_id)
        .order_by(e.sort_at.desc(), e.item_id.desc())
        .limit(BATCH)
    )
    newest = connection.scalar(select(func.max(top.subquery().c.published)))
    if newest is not None:
        return newest, False
    some = connection.scalar(select(e.id).where(e.source_id == source_id).limit(1))
    return None, some is None


def recent(connection: Connection, source_id: str, since: datetime) -> list[KnownEntry]:
    """Of the newest 1,000 entries of a source those that were listed since a time, newest first."""
    e = t.entry.c
    newest = (
        select(e.id)
        .where(e.source_id == source_id)
        .order_by(e.sort_at.desc(), e.item_id.desc())
        .limit(_RECENT)
    )
    rows = connection.execute(
        _entries()
        .where(e.id.in_(newest.scalar_subquery()), e.last_seen >= since)
        .order_by(e.sort_at.desc(), e.item_id.desc())
    )
    return [_known(row) for row in rows]


def namesakes(
    connection: Connection,
    source_id: str,
    headlines: Collection[str],
    dates: Collection[datetime],
    since: datetime,
) -> tuple[dict[str, list[Earlier]], dict[datetime, list[Earlier]]]:
    """By headline and by date, the source's entries since a time that have it, one of each item.

    Of the newest 2,000 entries; the text is there only where one item bears the headline. Of a date
    that more than five entries have (the day alone) none are there.
    """
    e = t.entry.c
    rows = connection.execute(
        select(e.id, e.item_id, e.title, e.published)
        .where(e.source_id == source_id, e.sort_at >= since)
        .order_by(e.sort_at.desc(), e.item_id.desc())
        .limit(_NEWEST)
    )
    bearing: defaultdict[str, dict[int, int]] = defaultdict(dict)  # item -> its newest entry
    of_date: defaultdict[datetime, list[int]] = defaultdict(list)
    for row in rows:
        title = headline(row.title)
        if title in headlines:
            bearing[title].setdefault(row.item_id, row.id)
        if row.published in dates:
            of_date[row.published].append(row.id)
    dated = {date: found for date, found in of_date.items() if len(found) <= _OF_ONE_DATE}
    numbers = [number for found in bearing.values() for number in found.values()]
    numbers += [number for found in dated.values() for number in found]
    entries = earlier_states(connection, source_id, list(dict.fromkeys(numbers)))
    by_headline = {
        title: [
            entries[number] if len(found) == 1 else replace(entries[number], text=None)
            for number in found.values()
        ]
        for title, found in bearing.items()
    }
    return by_headline, {date: [entries[n] for n in found] for date, found in dated.items()}


def earlier_states(
    connection: Connection, source_id: str, numbers: Sequence[int]
) -> dict[int, Earlier]:
    """Entries of a source by number, as new ones are compared with them.

    The text is that of the feed, and is there only where the item is this source's own and no
    operator split it from another one of this source.
    """
    e, i, x, o = t.entry.c, t.item.c, t.item_text.c, t.override.c
    other = t.item.alias("other")
    split = (
        select(o.low_id)
        .join(other, or_(other.c.id == o.low_id, other.c.id == o.high_id))
        .where(
            o.together.is_(False),
            or_(o.low_id == i.id, o.high_id == i.id),
            other.c.id != i.id,
            other.c.source_id == source_id,
        )
        .correlate(t.item)
        .exists()
    )
    own = (i.source_id == source_id) & x.from_page.is_(False) & ~split
    found: dict[int, Earlier] = {}
    for some in batches(numbers):
        rows = connection.execute(
            _entries(e.first_seen, x.text, own.label("own"))
            .join(t.item_text, x.item_id == i.id, isouter=True)
            .where(e.id.in_(some))
        )
        for row in rows:
            at = min(row.published or row.first_seen, row.first_seen)
            found[row.id] = Earlier(_known(row), at, row.text if row.own else None)
    return found


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
            e.published,
            e.reader,
            e.shown,
            e.shown_before,
            e.shown_at,
            e.passing,
            t.item.c.purged_at,
            t.item.c.forgotten,
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
        published=row.published,
        tombstone=row.purged_at is not None,
        forgotten=row.forgotten,
        reader=row.reader,
        shown=row.shown,
        shown_before=row.shown_before,
        shown_at=row.shown_at,
        passing=row.passing,
    )


def items_by_key(connection: Connection, source_id: str, keys: Iterable[str]) -> dict[str, int]:
    """The items of a source's entries, by entry key."""
    e = t.entry.c
    found: dict[str, int] = {}
    for some in batches(keys):
        rows = connection.execute(
            select(e.key, e.item_id).where(e.source_id == source_id, e.key.in_(some))
        )
        found |= {row.key: row.item_id for row in rows}
    return found

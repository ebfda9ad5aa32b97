"""Single items as people look at them, and what is forgotten of old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from aggregator.model.http import Timing
from aggregator.model.item import PollRecord
from aggregator.store import links
from aggregator.store import schema as t
from aggregator.store.known import batches


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
    query = select(func.count(t.item.c.id)).where(t.item.c.purged_at.is_(None))
    if not private:
        query = query.where(t.item.c.scope == "")
    return connection.scalar(query) or 0


def polls_of(connection: Connection, source_id: str, limit: int) -> list[PollRecord]:
    """The last polls of a source, newest first."""
    p = t.poll_log.c
    rows = connection.execute(
        select(t.poll_log)
        .where(p.source_id == source_id)
        .order_by(p.at.desc(), p.id.desc())
        .limit(limit)
    )
    return [_record(row) for row in rows]


def polls_in_brief(
    connection: Connection, source_id: str, since: datetime
) -> list[tuple[datetime, bool, int]]:
    """`(when, whether it failed, new items)` of a source's polls since a time."""
    p = t.poll_log.c
    rows = connection.execute(
        select(p.at, p.error, p.new_items).where(p.source_id == source_id, p.at >= since)
    )
    return [(row.at, row.error is not None, row.new_items) for row in rows]


def _record(row: Row[Any]) -> PollRecord:
    return PollRecord(
        source_id=row.source_id,
        at=row.at,
        status=row.status,
        outcome=row.outcome,
        error=row.error,
        wire_bytes=row.wire_bytes,
        decoded_bytes=row.decoded_bytes,
        timing=Timing(row.dns_ms, row.connect_ms, row.first_byte_ms, row.total_ms),
        entries=row.entries,
        new_items=row.new_items,
        changed_items=row.changed_items,
        next_at=row.next_at,
        reason=row.reason,
        reason_detail=row.detail,
    )


def purge_text(connection: Connection, before: datetime, limit: int) -> list[int]:
    """Forget the text of items first seen before a time, at most `limit` of them.

    A tombstone stays: the item's id, keys and times. What was seen once is never new again.
    Returns the numbers of the purged items.
    """
    i = t.item.c
    numbers = list(
        connection.scalars(
            select(i.id)
            .where(i.first_seen < before, i.purged_at.is_(None))
            .order_by(i.first_seen)
            .limit(limit)
        )
    )
    forget(connection, numbers, before)
    return numbers


def forget(connection: Connection, numbers: Sequence[int], at: datetime) -> None:
    """Remove everything readable of these items; only ids, key hashes and times stay.

    With their texts go revisions, related links, what their pages said, and the rendered documents
    that show them. Their fingerprints are `store.postings`'.
    """
    links.forget(connection, numbers)
    for some in batches(map(str, numbers)):
        ids = [int(number) for number in some]
        connection.execute(
            update(t.merge_log).where(t.merge_log.c.item_id.in_(ids)).values(evidence={})
        )
        connection.execute(delete(t.item_text).where(t.item_text.c.item_id.in_(ids)))
        connection.execute(delete(t.revision).where(t.revision.c.item_id.in_(ids)))
        connection.execute(
            update(t.entry)
            .where(t.entry.c.item_id.in_(ids))
            .values(guid=None, title=None, link=None, why=None)
        )
        connection.execute(
            update(t.item)
            .where(t.item.c.id.in_(ids))
            .values(
                purged_at=at, title=None, link=None, author=None, comments=None,
                external_url=None, image=None, categories=[], enclosures=[],
            )
        )  # fmt: skip


def drop_rendered(connection: Connection, numbers: Sequence[int], now: datetime) -> None:
    """Remove the rendered documents of every view that may show these items."""
    for some in batches(map(str, numbers)):
        ids = [int(number) for number in some]
        showing = (
            select(t.view_source.c.view_id)
            .join(t.entry, t.entry.c.source_id == t.view_source.c.source_id)
            .where(t.entry.c.item_id.in_(ids))
        )
        connection.execute(delete(t.rendered).where(t.rendered.c.view_id.in_(showing)))
    links.move_views_of(connection, numbers, now)


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


def stale_html(
    connection: Connection, version: int, limit: int
) -> list[tuple[int, str, str | None, str | None]]:
    """`(item, html, summary, link)` of texts sanitised by an older sanitiser."""
    x = t.item_text.c
    rows = connection.execute(
        select(x.item_id, x.html, x.summary, t.item.c.link)
        .join(t.item, t.item.c.id == x.item_id)
        .where(x.sanitizer_version < version)
        .limit(limit)
    )
    return [(row.item_id, row.html, row.summary, row.link) for row in rows]


def put_html(
    connection: Connection, item_id: int, html: str, summary: str | None, version: int
) -> None:
    """Keep HTML that was sanitised again."""
    connection.execute(
        update(t.item_text)
        .where(t.item_text.c.item_id == item_id)
        .values(html=html, summary=summary, sanitizer_version=version)
    )

"""Stored texts as the comparison of two items needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select

from aggregator.store import schema as t
from aggregator.store.rows import batches


def own_text() -> Any:
    """By which text an item is compared: its page's where that says more than its feed.

    A column for a query that joins `item_text` and, outer, `article`.
    """
    a, x = t.article.c, t.item_text.c
    return case((a.compared & a.text.is_not(None), a.text), else_=x.text).label("text")


@dataclass(frozen=True, slots=True)
class StoredText:
    """An item with its plain text and where it is from; `scope` is empty for a public one."""

    number: int
    source_id: str
    source_title: str
    scope: str
    title: str | None
    link: str | None
    group: int
    text: str


def find_item(connection: Connection, written: str) -> int | None:
    """The number of the item with this number, public id or link."""
    i = t.item.c
    if written.isascii() and written.isdecimal() and len(written) < 19:
        number: int | None = connection.scalar(select(i.id).where(i.id == int(written)))
        return number
    for condition in (i.public_id == written, i.link == written):
        found = connection.scalar(select(i.id).where(condition).order_by(i.id).limit(1))
        if found is not None:
            return int(found)
    by_entry = select(t.entry.c.item_id).where(t.entry.c.link == written).limit(1)
    return connection.scalar(by_entry)


def stored_texts(connection: Connection, numbers: Sequence[int]) -> dict[int, StoredText]:
    """Items by number; those whose text is no longer kept are left out."""
    i = t.item.c
    found: dict[int, StoredText] = {}
    for some in batches(numbers):
        rows = connection.execute(
            select(
                i.id, i.source_id, i.source_ref, i.scope, i.title, i.link, i.group_id,
                own_text(),
            )
            .join(t.item_text, t.item_text.c.item_id == i.id)
            .join(t.article, t.article.c.item_id == i.id, isouter=True)
            .where(i.id.in_(some))
        )  # fmt: skip
        for row in rows:
            found[row.id] = StoredText(
                row.id, row.source_id, row.source_ref.get("title") or row.source_id, row.scope,
                row.title, row.link, row.group_id, row.text,
            )  # fmt: skip
    return found


def first_item_since(connection: Connection, since: datetime) -> int:
    """The number of the first item seen since a time; beyond all numbers where there is none."""
    i = t.item.c
    found = connection.scalar(select(func.min(i.id)).where(i.first_seen >= since))
    return int(found or (connection.scalar(select(func.max(i.id))) or 0) + 1)


def texts_after(connection: Connection, number: int, limit: int) -> Sequence[Any]:
    """`id`, `source_id` and `text` of the items after a number, in order."""
    x = t.item_text.c
    return connection.execute(
        select(x.item_id.label("id"), t.item.c.source_id, own_text())
        .join(t.item, t.item.c.id == x.item_id)
        .join(t.article, t.article.c.item_id == x.item_id, isouter=True)
        .where(x.item_id > number)
        .order_by(x.item_id)
        .limit(limit)
    ).all()

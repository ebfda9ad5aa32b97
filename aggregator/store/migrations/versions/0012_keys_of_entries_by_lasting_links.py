"""Give entries that are told apart by their link a key that no better URL key changes.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from aggregator.store.migrations.frozen.r0012.key import url_key
from aggregator.store.migrations.frozen.r0012.lasting import digest, lasting_link
from aggregator.store.migrations.frozen.utc import Utc

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_AT_ONCE = 1000

_entry = sa.table(
    "entry",
    *map(sa.column, ("id", "source_id", "key", "item_id", "guid", "url_key", "title", "link")),
    sa.column("content_hash"),
    sa.column("published", Utc()),
)
_item = sa.table("item", *map(sa.column, ("id", "source_id", "link")))


def upgrade() -> None:
    """Apply the step; entries whose link is no longer kept stay as they are."""
    connection, last = op.get_bind(), 0
    while rows := connection.execute(_after(last)).all():
        last = rows[-1].id
        wanted = {row.id: (row.source_id, key) for row in rows if (key := _new_key(row))}
        keys = {key for _, key in wanted.values()}
        e = _entry.c
        held = connection.execute(sa.select(e.source_id, e.key).where(e.key.in_(keys)))
        taken = {(row.source_id, row.key) for row in held}
        for number, (source_id, key) in wanted.items():
            if (source_id, key) not in taken:
                taken.add((source_id, key))
                connection.execute(sa.update(_entry).where(e.id == number).values(key=key))


def _after(number: int) -> sa.Select[Any]:
    e, i = _entry.c, _item.c
    return (
        sa.select(*e, i.link.label("item_link"), i.source_id.label("item_source"))
        .join(_item, i.id == e.item_id)
        .where(e.id > number, e.url_key.is_not(None), e.link.is_not(None))
        .order_by(e.id)
        .limit(_AT_ONCE)
    )


def _new_key(row: Any) -> str | None:
    """The key an entry has from now on; None where it was not made from its link."""
    if row.key == digest("guid", row.guid or ""):
        return None
    link = lasting_link(_link(row))
    for old, new in zip(_keys(row, row.url_key), _keys(row, link), strict=True):
        if old == row.key:
            return new if link and new != old else None
    return None


def _link(row: Any) -> str:
    """The link by which the entry is told apart: that of its item may be the original one."""
    if row.item_source == row.source_id and row.item_link and row.item_link != row.link:
        found = url_key(row.item_link)
        if found is not None and digest("url", found.key) == row.url_key:
            return str(row.item_link)
    return str(row.link)


def _keys(row: Any, link: str) -> Iterator[str]:
    """The keys an entry may have, in a fixed order, if this is what its link is written as."""
    at = "" if row.published is None else str(int(row.published.timestamp()))
    bases = [
        digest("guid", row.guid or ""),
        digest("link", link),
        digest("link+date", f"{link} {at}"),
        digest("link+title", f"{link} {row.title}"),
        digest("content", row.content_hash),
    ]
    for base in bases:
        repeated = digest(base, link)
        yield from (base, repeated, digest(repeated, row.content_hash))

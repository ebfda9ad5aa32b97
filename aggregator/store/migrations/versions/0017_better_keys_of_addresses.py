"""Make the keys of stored addresses anew: words beside a number, sections and twins do not count.

An item that was served keeps its entries and its id, and the keys it had; it gets the new key
beside them where no other item has it, so that it is met under it from now on. Nothing is joined
or parted. What has no link any more, or a key that was made with an operator's own parameters,
stays as it is until it is seen again.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from aggregator.store.migrations.frozen.r0012.key import url_key as former_key
from aggregator.store.migrations.frozen.r0012.lasting import digest
from aggregator.store.migrations.frozen.r0017.key import url_key

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_AT_ONCE = 500

_entry = sa.table("entry", *map(sa.column, ("id", "item_id", "source_id", "link", "url_key")))
_item = sa.table("item", *map(sa.column, ("id", "source_id", "link")))
_url_key = sa.table("url_key", *map(sa.column, ("scope", "key", "item_id")))
_page = sa.table("page", *map(sa.column, ("id", "scope", "key", "url")))
_related = sa.table("related_link", *map(sa.column, ("item_id", "key", "url")))


def upgrade() -> None:
    """Apply the step, a few hundred rows at a time."""
    connection = op.get_bind()
    _entries(connection)
    _pages(connection)
    _related_links(connection)


def _entries(connection: sa.Connection) -> None:
    e, i, last = _entry.c, _item.c, 0
    while rows := connection.execute(
        sa.select(*e, i.link.label("item_link"), i.source_id.label("item_source"))
        .join(_item, i.id == e.item_id)
        .where(e.id > last, e.url_key.is_not(None))
        .order_by(e.id)
        .limit(_AT_ONCE)
    ).all():
        last = rows[-1].id
        for row in rows:
            links = [row.link, row.item_link if row.item_source == row.source_id else None]
            found = _new_key([link for link in links if link], row.url_key)
            if found is not None:
                key, identity = found
                connection.execute(sa.update(_entry).where(e.id == row.id).values(url_key=key))
                if identity:
                    _hold(connection, row.url_key, key, row.item_id)


def _hold(connection: sa.Connection, old: str, key: str, item: int) -> None:
    """Let an item have a further key wherever it has the old one and nobody the new."""
    k = _url_key.c
    held = connection.execute(sa.select(k.scope, k.key, k.item_id).where(k.key.in_((old, key))))
    scopes: dict[str, int] = {}
    taken: set[str] = set()
    for row in held:
        if row.key == key:
            taken.add(row.scope)
        else:
            scopes[row.scope] = row.item_id
    for scope, holder in scopes.items():
        if holder == item and scope not in taken:
            connection.execute(sa.insert(_url_key).values(scope=scope, key=key, item_id=item))


def _pages(connection: sa.Connection) -> None:
    p, last = _page.c, 0
    while rows := connection.execute(
        sa.select(p.id, p.scope, p.key, p.url).where(p.id > last).order_by(p.id).limit(_AT_ONCE)
    ).all():
        last = rows[-1].id
        for row in rows:
            found = _new_key([row.url], row.key)
            if found is None:
                continue
            there = sa.select(p.id).where(p.scope == row.scope, p.key == found[0])
            if connection.scalar(there) is None:
                change = sa.update(_page).where(p.id == row.id).values(key=found[0])
                connection.execute(change)


def _related_links(connection: sa.Connection) -> None:
    r = _related.c
    after: tuple[int, str] = (0, "")
    while rows := connection.execute(
        sa.select(r.item_id, r.key, r.url)
        .where((r.item_id > after[0]) | ((r.item_id == after[0]) & (r.key > after[1])))
        .order_by(r.item_id, r.key)
        .limit(_AT_ONCE)
    ).all():
        after = rows[-1].item_id, rows[-1].key
        for row in rows:
            found = _new_key([row.url], row.key)
            if found is None:
                continue
            there = sa.select(r.item_id).where(r.item_id == row.item_id, r.key == found[0])
            if connection.scalar(there) is None:
                connection.execute(
                    sa.update(_related)
                    .where(r.item_id == row.item_id, r.key == row.key)
                    .values(key=found[0])
                )


def _new_key(links: Sequence[Any], stored: str) -> tuple[str, bool] | None:
    """The key of the link that the stored one was made from, if it is another one now."""
    for link in links:
        former = former_key(link)
        if former is not None and digest("url", former.key) == stored:
            found = url_key(link)
            if found is None or found.key == former.key:
                return None
            return digest("url", found.key), found.identity
    return None

"""URL keys: which item an address belongs to, in which scope."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from aggregator.model.item import EntryIntent
from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert


def identity_keys(intent: EntryIntent) -> list[str]:
    """The URL keys by which an entry may be an item that another source has."""
    if intent.url_key is None or not intent.url_key_is_identity:
        return []
    return list(dict.fromkeys([intent.url_key, *intent.aliases]))


def holders_in(connection: Connection, scope: str, keys: Iterable[str]) -> dict[str, int]:
    """The items that hold these identity-grade URL keys in a scope."""
    k = t.url_key.c
    found: dict[str, int] = {}
    for some in batches(keys):
        rows = connection.execute(select(k.key, k.item_id).where(k.scope == scope, k.key.in_(some)))
        found |= {row.key: row.item_id for row in rows}
    return found


def held(connection: Connection, scopes: Sequence[str], keys: Iterable[str]) -> dict[str, int]:
    """Which items hold these URL keys, in the first of the scopes that has one."""
    found: dict[str, int] = {}
    k = t.url_key.c
    for some in batches(keys):
        rows = connection.execute(
            select(k.scope, k.key, k.item_id).where(k.scope.in_(scopes), k.key.in_(some))
        )
        for row in sorted(rows, key=lambda row: scopes.index(row.scope)):
            found.setdefault(row.key, row.item_id)
    return found


def holders(connection: Connection, keys: Iterable[str]) -> dict[str, list[int]]:
    """Which items hold these URL keys, in whatever scope."""
    found: dict[str, list[int]] = {}
    k = t.url_key.c
    for some in batches(keys):
        rows = connection.execute(
            select(k.key, k.item_id).where(k.key.in_(some)).order_by(k.item_id)
        )
        for row in rows:
            found.setdefault(row.key, []).append(row.item_id)
    return found


def stated_by_others(connection: Connection, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """`(item, other)`: the page of the other names an address of the item as its own."""
    found: list[tuple[int, int]] = []
    k, a = t.url_key.c, t.article.c
    for some in batches(numbers):
        rows = connection.execute(
            select(k.item_id, a.item_id)
            .join(t.article, a.stated_key == k.key)
            .where(k.item_id.in_(some), a.item_id != k.item_id)
            .order_by(k.item_id, a.item_id)
        )
        found += [(row[0], row[1]) for row in rows]
    return found


def add_keys(connection: Connection, scope: str, item_id: int, keys: Iterable[str]) -> None:
    """Further URL keys of an item; a key that another item holds stays that one's."""
    rows = [{"scope": scope, "key": key, "item_id": item_id} for key in dict.fromkeys(keys)]
    upsert(connection, t.url_key, rows, update=False)

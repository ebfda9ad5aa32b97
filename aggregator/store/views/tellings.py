"""The items of one story, and when their texts changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from aggregator.store import schema as t
from aggregator.store.copies.stories import shown_at
from aggregator.store.rows import batches


@dataclass(frozen=True, slots=True)
class Telling:
    """An item of a story; `group` is the number of its copy group, `at` its displayed date."""

    number: int
    scope: str
    source_id: str
    source_title: str
    title: str | None
    link: str | None
    language: str | None
    group: int
    at: datetime


def tellings(
    connection: Connection, number: int, scopes: Collection[str], limit: int
) -> list[Telling]:
    """The items of the story that an item is in, at most `limit`, the earliest first.

    Public ones, and those of these scopes, as far as their text is kept.
    """
    i = t.item.c
    story = select(i.story_id).where(i.id == number).scalar_subquery()
    rows = connection.execute(
        select(
            i.id, i.scope, i.source_id, i.source_ref, i.title, i.link, i.language, i.group_id,
            i.published, i.first_seen,
        )
        .where(i.story_id == story, i.scope.in_(["", *scopes]), i.purged_at.is_(None))
        .order_by(i.id)
        .limit(limit)
    )  # fmt: skip
    found = [
        Telling(
            row.id, row.scope, row.source_id, row.source_ref.get("title") or row.source_id,
            row.title, row.link, row.language, row.group_id, shown_at(row),
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.at, one.number))


def change_times(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[datetime, ...]]:
    """When each of these items got its later versions, in order."""
    r = t.revision.c
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for some in batches(numbers):
        rows = connection.execute(
            select(r.item_id, r.at).where(r.item_id.in_(some)).order_by(r.item_id, r.number)
        )
        for row in rows:
            found[row.item_id].append(row.at)
    return {number: tuple(times) for number, times in found.items()}

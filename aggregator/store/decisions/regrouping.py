"""Writing groups that were worked out anew (`store.decisions.scratch`) over those there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from aggregator.store import schema as t
from aggregator.store.decisions.scratch import Scratch
from aggregator.store.rows import batches


def is_current(connection: Connection, scratch: Scratch) -> bool:
    """Whether groups and splits are as they were when the scratch database was filled."""
    i, o = t.item.c, t.override.c
    aside = sorted(
        number
        for number in scratch.live_groups
        if number < scratch.start or number in scratch.purged
    )
    found: dict[int, int] = {}
    for some in batches(aside):
        rows = connection.execute(select(i.id, i.group_id).where(i.id.in_(some)))
        found |= {row.id: row.group_id for row in rows}
    rows = connection.execute(
        select(i.id, i.group_id)
        .join(t.item_text, t.item_text.c.item_id == i.id)
        .where(i.id.between(scratch.start, scratch.last))
    )
    found |= {row.id: row.group_id for row in rows}
    split = connection.execute(select(o.low_id, o.high_id).where(o.together.is_(False)))
    return (
        found == scratch.live_groups
        and {(row.low_id, row.high_id) for row in split} == scratch.split
    )


def put_groups(
    connection: Connection, old: Mapping[int, int], new: Mapping[int, int], first: int
) -> list[int]:
    """Write the groups of items, by number, where they have changed.

    Items that are not among the ones given stay with those of their group that are before `first`,
    for only from there on groups were made anew; where there are none, with its first that is
    given: nothing was found out about them. A changed group takes the number of its first
    member, and its items the story of that.

    Returns:
        The numbers of the groups that gained or lost an item.
    """
    groups = _with_older(connection, old, new, first)
    parts: defaultdict[int, set[int]] = defaultdict(set)  # of each group there is now
    for name, members in groups.items():
        for before in members.values():
            parts[before].add(name)
    touched = []
    for members in groups.values():
        befores = set(members.values())
        if len(befores) == 1 and len(parts[next(iter(befores))]) == 1:
            continue
        number = min(members)
        touched.append(number)
        _put(connection, number, sorted(members))
    return sorted(touched)


def _with_older(
    connection: Connection, old: Mapping[int, int], new: Mapping[int, int], first: int
) -> dict[int, dict[int, int]]:
    """The members of each group to be, under any name, each with the group it has now."""
    groups: defaultdict[int, dict[int, int]] = defaultdict(dict)
    home: dict[int, int] = {}  # where the members of a group go that are not given
    for number, group in sorted(new.items()):
        groups[group][number] = old[number]
        if number < first:
            home[old[number]] = group
        home.setdefault(old[number], group)
    i = t.item.c
    known = sorted(set(old.values()))
    for some in batches(known):
        rows = connection.execute(select(i.id, i.group_id).where(i.group_id.in_(some)))
        for row in rows:
            if row.id not in new:
                groups[home[row.group_id]][row.id] = row.group_id
    return groups


def _put(connection: Connection, number: int, members: Sequence[int]) -> None:
    i = t.item.c
    story = connection.scalar(select(i.story_id).where(i.id == number))
    for some in batches(members):
        values: dict[str, Any] = {"group_id": number}
        if len(members) > 1:
            values["story_id"] = story
        connection.execute(update(t.item).where(i.id.in_(some)).values(values))


def log(connection: Connection, rows: Collection[Mapping[str, Any]]) -> None:
    """Keep what was decided."""
    if rows:
        connection.execute(t.merge_log.insert(), [dict(row) for row in rows])

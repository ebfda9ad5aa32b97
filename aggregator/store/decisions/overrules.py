"""What an operator decides about copies by hand, and everything that was decided about an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from aggregator.model.copies import CopyThresholds
from aggregator.model.states import DecisionKind
from aggregator.store import changed
from aggregator.store import schema as t
from aggregator.store.copies.groups import join_groups, log_row
from aggregator.store.database import serialise
from aggregator.store.decisions import updates
from aggregator.store.rows import upsert


@dataclass(frozen=True, slots=True)
class Decision:
    """A row of the log.

    `kind` is copy, stated, apart, joined, revision, story, split, merge, parted or regrouped.
    """

    at: datetime
    kind: DecisionKind
    item_id: int
    other_id: int | None
    group_id: int | None
    score: float | None
    reason: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Overruled:
    """What an operator's decision changed; empty groups and stories where nothing did."""

    grown: changed.Grown = field(default_factory=changed.Grown)
    words: str = ""


def members_of(connection: Connection, item_id: int) -> list[int]:
    """The items of an item's copy group, itself included; none where there is no such item."""
    i = t.item.c
    group = select(i.group_id).where(i.id == item_id).scalar_subquery()
    return list(connection.scalars(select(i.id).where(i.group_id == group).order_by(i.id)))


def split_item(
    connection: Connection, item_id: int, now: datetime, limits: CopyThresholds
) -> Overruled:
    """Take an item out of its copy group and keep it apart from all members, for good.

    Of an item without copies the last update that came under another id is split off.
    """
    serialise(connection)
    members = members_of(connection, item_id)
    if item_id not in members:
        raise LookupError(f"there is no item {item_id}")
    others = [number for number in members if number != item_id]
    if not others:
        return _split_update(connection, item_id, now, limits)
    _decide(connection, item_id, others, now, together=False)
    old = connection.scalar(select(t.item.c.group_id).where(t.item.c.id == item_id)) or item_id
    rest = old
    if old == item_id:  # the group bears its number: the others take that of their first
        rest = others[0]
        connection.execute(update(t.item).where(t.item.c.id.in_(others)).values(group_id=rest))
    connection.execute(update(t.item).where(t.item.c.id == item_id).values(group_id=item_id))
    for group in (item_id, rest):
        _log(
            connection,
            now,
            DecisionKind.SPLIT,
            item_id,
            others[0],
            group,
            "an operator split it off",
        )
    return Overruled(
        changed.Grown(groups=(item_id, rest)),
        f"item {item_id} is on its own now, apart from {_named(others)}",
    )


def _split_update(
    connection: Connection, item_id: int, now: datetime, limits: CopyThresholds
) -> Overruled:
    """Make an item of its own of what was taken as an item's update."""
    found = updates.updates_of(connection, item_id)
    if not found:
        return Overruled(words="it has no copies: there is nothing to split")
    number = updates.take_back(connection, item_id, found[-1].evidence, now, limits)
    _decide(connection, item_id, [number], now, together=False)
    reason = "it was taken as an update of the other; an operator made it an item of its own"
    _log(connection, now, DecisionKind.SPLIT, number, item_id, number, reason)
    return Overruled(
        changed.Grown(groups=(item_id, number)),
        f"the update of item {item_id} is an item of its own now, {number}",
    )


def merge_items(connection: Connection, numbers: Sequence[int], now: datetime) -> Overruled:
    """Make these items copies of each other, with all copies they have; undoes a split."""
    serialise(connection)
    first, *rest = dict.fromkeys(numbers)
    for number in (first, *rest):
        if not members_of(connection, number):
            raise LookupError(f"there is no item {number}")
    target = connection.scalar(select(t.item.c.group_id).where(t.item.c.id == first)) or first
    joined = [number for number in rest if number not in members_of(connection, first)]
    if not joined:
        return Overruled(words="they are copies of each other already")
    for number in joined:
        ours, theirs = members_of(connection, first), members_of(connection, number)
        _forget_apart(connection, ours, theirs)
        _decide(connection, number, [first], now, together=True)
        group = connection.scalar(select(t.item.c.group_id).where(t.item.c.id == number))
        join_groups(connection, [group or number], target, first)
        _log(
            connection, now, DecisionKind.MERGE, number, first, target, "an operator merged the two"
        )
    return Overruled(
        changed.Grown(groups=(target,)), f"{_named([first, *joined])} are copies of each other now"
    )


def decisions_of(connection: Connection, item_id: int) -> list[Decision]:
    """Everything decided about an item, oldest first."""
    m = t.merge_log.c
    rows = connection.execute(
        select(
            m.at, m.kind, m.item_id, m.other_id, m.group_id, m.score, m.reason, m.evidence
        )
        .where(or_(m.item_id == item_id, m.other_id == item_id))
        .order_by(m.id)
    )  # fmt: skip
    return [Decision(row.at, DecisionKind(row.kind), *row[2:]) for row in rows]


def _decide(
    connection: Connection, item_id: int, others: Sequence[int], now: datetime, *, together: bool
) -> None:
    rows = [
        {
            "low_id": min(item_id, other),
            "high_id": max(item_id, other),
            "together": together,
            "at": now,
        }
        for other in others
    ]
    upsert(connection, t.override, rows, update=True)


def _forget_apart(connection: Connection, ours: Sequence[int], theirs: Sequence[int]) -> None:
    """A merge by hand takes back every earlier split between the two groups."""
    o = t.override.c
    connection.execute(
        delete(t.override).where(
            o.together.is_(False),
            or_(
                o.low_id.in_(ours) & o.high_id.in_(theirs),
                o.low_id.in_(theirs) & o.high_id.in_(ours),
            ),
        )
    )


def _log(
    connection: Connection, now: datetime, kind: DecisionKind, item_id: int, other: int, group: int,
    reason: str,
) -> None:  # fmt: skip
    row = log_row(now, kind, item_id, other, group, None, reason)
    connection.execute(t.merge_log.insert(), [row])


def _named(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)

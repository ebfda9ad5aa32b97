"""Copy groups: joined, kept apart, and every decision in the log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from aggregator.model.copies import CopyDecision
from aggregator.model.states import DecisionKind
from aggregator.store import schema as t
from aggregator.store.changed import Grown
from aggregator.store.database import serialise


def log_row(
    at: datetime,
    kind: DecisionKind,
    item_id: int,
    other_id: int | None,
    group_id: int | None,
    score: float | None,
    reason: str,
    evidence: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A row of the log of decisions."""
    return {
        "at": at,
        "kind": kind,
        "item_id": item_id,
        "other_id": other_id,
        "group_id": group_id,
        "score": score,
        "reason": reason,
        "evidence": evidence or {},
    }


def join_groups(
    connection: Connection, groups: Collection[int], target: int, story_of: int
) -> None:
    """Make the members of `groups` members of `target`; copies are in one story."""
    i = t.item.c
    moved = sorted(set(groups) - {target})
    if not moved:
        return
    story = connection.scalar(select(i.story_id).where(i.id == story_of))
    connection.execute(
        update(t.item).where(i.group_id.in_(moved)).values(group_id=target, story_id=story)
    )


def join_stated(
    connection: Connection, stating: int, stated: int, decision: CopyDecision, now: datetime
) -> Grown:
    """Put an item into the copy group of the one whose address its page names as its own.

    Nothing changes where they are one already, or where an operator keeps their groups apart.
    """
    serialise(connection)
    ours, theirs = group_of(connection, stating), group_of(connection, stated)
    if ours == theirs or apart_groups(connection, (ours, theirs)):
        return Grown()
    join_groups(connection, [ours], theirs, stated)
    row = log_row(
        now, DecisionKind.STATED, stating, stated, theirs, decision.score, decision.reason,
        asdict(decision.evidence),
    )  # fmt: skip
    connection.execute(t.merge_log.insert(), [row])
    return Grown(groups=(theirs,))


def apart_groups(connection: Connection, groups: Collection[int]) -> frozenset[frozenset[int]]:
    """Pairs of these groups that an operator keeps apart, through any of their members."""
    low, high, o = t.item.alias("low"), t.item.alias("high"), t.override.c
    rows = connection.execute(
        select(low.c.group_id, high.c.group_id)
        .select_from(t.override)
        .join(low, low.c.id == o.low_id)
        .join(high, high.c.id == o.high_id)
        .where(o.together.is_(False), low.c.group_id.in_(groups), high.c.group_id.in_(groups))
    )
    return frozenset(frozenset((a, b)) for a, b in rows if a != b)


def any_apart(connection: Connection) -> bool:
    """Whether an operator keeps any two items apart."""
    some = select(t.override.c.low_id).where(t.override.c.together.is_(False)).limit(1)
    return connection.scalar(some) is not None


def group_of(connection: Connection, item_id: int) -> int:
    """The copy group of an item."""
    return connection.scalar(select(t.item.c.group_id).where(t.item.c.id == item_id)) or item_id

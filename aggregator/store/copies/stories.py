"""The items of the last days in memory, for finding the story of the next one.

A memory of what is committed: it is brought up to date from the database inside the serialised
transaction that asks it, so that several processes give the same answers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Connection, func, select

from aggregator.identity.copies import ComparableText
from aggregator.identity.stories import RecentStories, StoryItem, story_item
from aggregator.model.copies import StoryDecision, StoryThresholds
from aggregator.model.settings import DedupSettings
from aggregator.model.states import DecisionKind
from aggregator.store import schema as t
from aggregator.store.copies import boilerplate
from aggregator.store.rows import batches

MOST_RECENT = 4000  # items compared with; beyond that a busy installation looks back less far
_AT_ONCE = 500
# Decisions that move items that were there before.
REGROUPED = (
    DecisionKind.JOINED, DecisionKind.STATED, DecisionKind.SPLIT, DecisionKind.MERGE,
    DecisionKind.REGROUPED,
)  # fmt: skip


class RecentItems:
    """The stories of the window; `follow` first, then `place` each new item."""

    def __init__(self, most: int = MOST_RECENT) -> None:
        self._most = most
        self._lock = Lock()
        self._limits = StoryThresholds()  # in force once something was followed
        self._stories = RecentStories(self._limits)
        self._followed = False
        self._known: dict[int, StoryItem] = {}  # in order of their numbers
        # Placed in a transaction that may not have been committed: number -> content hash.
        self._unsure: dict[int, str] = {}
        self._last_item = 0
        self._last_decision = 0

    def follow(
        self, connection: Connection, settings: DedupSettings, now: datetime, below: int
    ) -> None:
        """Read what was committed since the last time, by whomever: items numbered below `below`.

        Later ones are this transaction's own and are placed one after the other.
        """
        limits = settings.stories
        with self._lock:
            if limits != self._limits or not self._is_sound(connection):
                self._limits, self._followed = limits, True
                self._stories = RecentStories(limits)
                self._known = {}
                self._last_item = _first_wanted(connection, now - limits.window, self._most)
                self._last_decision = connection.scalar(select(func.max(t.merge_log.c.id))) or 0
            self._unsure.clear()
            self._read_new(connection, settings, now, below)
            self._read_regrouped(connection)
            self._expire(now - limits.window)

    def place(
        self,
        item_id: int,
        at: datetime,
        title: str | None,
        ready: ComparableText,
        group: int,
        content_hash: str,
        *,
        story: int | None = None,
    ) -> StoryDecision:
        """The story of a new item, which is known from then on under that story or its own.

        `story` is given where it is known already: copies share one.
        """
        with self._lock:
            made = story_item(
                item_id,
                at,
                title,
                "",
                boilerplate=frozenset(),
                copy_group=group,
                thresholds=self._limits,
                ready=ready,
            )
            decision = (
                self._stories.place(made)
                if story is None
                else StoryDecision(story, None, 1.0, "the story of its copies")
            )
            self._add(made, item_id if decision.story is None else decision.story)
            self._unsure[item_id] = content_hash
            self._last_item = max(self._last_item, item_id)
            return decision

    def _is_sound(self, connection: Connection) -> bool:
        """Whether everything placed last time was committed; a rolled back number is used again."""
        if not self._unsure:
            return self._followed
        numbers = sorted(self._unsure)
        found: dict[int, str] = {}
        for some in batches(numbers):
            rows = connection.execute(
                select(t.item.c.id, t.item.c.content_hash).where(t.item.c.id.in_(some))
            )
            found |= {row.id: row.content_hash for row in rows}
        return found == self._unsure

    def _read_new(
        self, connection: Connection, settings: DedupSettings, now: datetime, below: int
    ) -> None:
        if self._last_item + 1 >= below:
            return
        i, limits = t.item.c, settings.stories
        furniture: dict[str, frozenset[int]] = {}
        while True:
            rows = connection.execute(
                select(
                    i.id, i.source_id, i.title, i.published, i.first_seen, i.group_id, i.story_id,
                    t.item_text.c.text,
                )
                .join(t.item_text, t.item_text.c.item_id == i.id)
                .where(i.id > self._last_item, i.id < below)
                .order_by(i.id)
                .limit(_AT_ONCE)
            ).all()  # fmt: skip
            for row in rows:
                self._last_item = row.id
                at = shown_at(row)
                if at >= now - limits.window:
                    if row.source_id not in furniture:
                        furniture[row.source_id] = boilerplate.learned(
                            connection, row.source_id, settings.copies
                        )
                    made = story_item(
                        row.id, at, row.title, row.text, boilerplate=furniture[row.source_id],
                        copy_group=row.group_id, thresholds=limits,
                    )  # fmt: skip
                    self._add(made, row.story_id)
            if len(rows) < _AT_ONCE:
                return

    def _read_regrouped(self, connection: Connection) -> None:
        """Items that an operator or a late copy moved to another group."""
        m, i = t.merge_log.c, t.item.c
        newest = connection.scalar(select(func.max(m.id))) or 0
        if newest == self._last_decision:
            return
        groups = select(m.group_id).where(m.id > self._last_decision, m.kind.in_(REGROUPED))
        rows = connection.execute(
            select(i.id, i.group_id, i.story_id).where(i.group_id.in_(groups))
        )
        for row in rows:
            if (known := self._known.get(row.id)) is not None:
                self._add(replace(known, copy_group=row.group_id), row.story_id)
        self._last_decision = newest

    def _add(self, item: StoryItem, story: int) -> None:
        kept = replace(item, story=story)
        self._known[item.item_id] = kept
        self._stories.add(kept)

    def _expire(self, before: datetime) -> None:
        self._stories.expire(before)
        for number in [n for n, item in self._known.items() if item.at < before]:
            del self._known[number]
        for number in list(self._known)[: max(0, len(self._known) - self._most)]:
            self._stories.discard(number)
            del self._known[number]


def shown_at(row: Any) -> datetime:
    """The displayed date: the earlier of published and first seen."""
    first: datetime = row.first_seen
    return min(row.published, first) if row.published else first


def _first_wanted(connection: Connection, since: datetime, most: int) -> int:
    """The number before the first item to be read."""
    i = t.item.c
    oldest = connection.scalar(select(func.min(i.id)).where(i.first_seen >= since))
    newest = int(connection.scalar(select(func.max(i.id))) or 0)
    return newest if oldest is None else max(int(oldest) - 1, newest - most)

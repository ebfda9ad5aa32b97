"""Copies: which group a new item joins, found and written in the transaction that stores it.

The policy is `identity.groups`; here are its look-ups and what follows from its answer. All of it
runs while no other serialised transaction does, so that no two workers can both find nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from aggregator.identity.texts.copies import ComparableText, restore
from aggregator.identity.texts.groups import choose_group
from aggregator.identity.texts.stories import StoryItem, StoryPlace, story_item
from aggregator.model.copies import (
    Assignment,
    Compared,
    PreparedText,
    TextOfItem,
)
from aggregator.model.states import DecisionKind
from aggregator.store import schema as t
from aggregator.store.changed import Grown
from aggregator.store.copies.boilerplate import add_counts
from aggregator.store.copies.candidates import Candidates
from aggregator.store.copies.fingerprints import indexed
from aggregator.store.copies.groups import any_apart, apart_groups, group_of, join_groups, log_row
from aggregator.store.copies.index import Postings
from aggregator.store.copies.memory import Grouping
from aggregator.store.copies.stories import Stories
from aggregator.store.copies.texts import own_text

_WORTH_TELLING = 0.3  # containment from which a text that is no copy is named as the nearest
_NEAREST_TOLD = 2
_TOLD_AT_ONCE = 50  # items whose stories are looked up together
_COMPARED_AT_ONCE = 50  # items whose candidates are read together


@dataclass(frozen=True, slots=True)
class NewText:
    """An item to be placed: one just inserted, or one whose text (`changed`) is another now."""

    item_id: int
    text: str
    prepared: PreparedText
    title: str | None
    shown_at: datetime
    content_hash: str
    changed: bool = False
    from_page: bool = False  # the text of its page, which is longer than its feed's
    counted: tuple[int, ...] | None = None  # paragraphs to be counted for the source, if not all


@dataclass(frozen=True, slots=True)
class Source:
    """Where the items come from, and what of its texts is known as boilerplate."""

    id: str
    boilerplate: frozenset[int]


def place_items(
    connection: Connection,
    grouping: Grouping,
    source: Source,
    items: Sequence[NewText],
    now: datetime,
) -> Grown:
    """Give every item its group and its story, in the order given."""
    if not items:
        return Grown()
    placing = _Placing(connection, grouping, source, now)
    placing.look_up(items)
    for item in items:
        placing.place(item)
    placing.write()
    return Grown(tuple(sorted(placing.grown)), tuple(sorted(placing.grown_stories)), placing.copies)


class _Placing:
    """One batch: what was looked up for it, and what has to be written at its end."""

    def __init__(
        self, connection: Connection, grouping: Grouping, source: Source, now: datetime
    ) -> None:
        self._connection = connection
        self._grouping = grouping
        self._limits = grouping.settings.copies
        self._source = source
        self._now = now
        self._candidates = Candidates(
            connection, self._limits, now, {source.id: source.boilerplate}
        )
        self._unread: list[NewText] = []  # items whose candidates were not read yet
        self._postings = Postings()
        self._holders: dict[int, list[int]] = {}  # by hash
        self._paragraphs: Counter[int] = Counter()
        self._log: list[dict[str, Any]] = []
        self._overruled = any_apart(connection)
        self._prepared: dict[int, PreparedText] = {}
        self._told: dict[int, StoryItem] = {}
        self._waiting: list[int] = []  # items of `_told` whose stories were not looked up yet
        self._stories = self._open_stories()
        self.grown: set[int] = set()
        self.grown_stories: set[int] = set()
        self.copies = 0

    def look_up(self, items: Sequence[NewText]) -> None:
        """Who has the fingerprints of these items, in as few statements as may be."""
        hashes = {value for item in items for value in self._indexed(item)}
        self._postings = Postings.of(self._connection, hashes)
        self._holders = {value: self._postings.holders(value) for value in hashes}
        stories = self._grouping.settings.stories
        self._prepared = {item.item_id: item.prepared for item in items}
        for item in items:
            if not item.changed and item.shown_at >= self._now - stories.window:
                ready = restore(item.prepared)
                self._told[item.item_id] = story_item(
                    item.item_id, item.shown_at, item.title, ready, stories,
                    source=self._source.id,
                )  # fmt: skip
        self._waiting = list(self._told)
        self._unread = list(items)

    def place(self, item: NewText) -> None:
        """Find the item's group and story and make it findable itself."""
        if self._unread and item is self._unread[0]:
            self._read_candidates()
        hashes = self._indexed(item)
        shared = self._sharing(item)
        group = item.item_id if not item.changed else group_of(self._connection, item.item_id)
        story: StoryPlace | None = None
        if shared:
            assignment = self._assign(item, shared, group)
            group = self._carry_out(item, assignment, group)
        if not item.changed:
            story = self._tell(item, group)
        self._index(item, hashes)
        if item.from_page or not item.changed:
            self._count_paragraphs(item, group)
        if story is not None and story.decision.with_item is not None:
            self._set_story(item, story)

    def write(self) -> None:
        """What was gathered: fingerprints, paragraph counts, the log."""
        self._postings.write(self._connection)
        self._stories.write()
        add_counts(self._connection, self._source.id, self._paragraphs, self._now)
        if self._log:
            self._connection.execute(t.merge_log.insert(), self._log)

    def _indexed(self, item: NewText) -> tuple[int, ...]:
        return indexed(item.prepared, self._limits)

    def _index(self, item: NewText, hashes: Sequence[int]) -> None:
        """Beyond the cap a fingerprint says nothing, so no more room is spent on it."""
        for value in hashes:
            holders = self._holders[value]
            if len(holders) <= self._limits.max_postings and item.item_id not in holders:
                holders.append(item.item_id)
                self._postings.add(value, item.item_id)
        self._grouping.texts.put(item.item_id, item.text, self._source.boilerplate, item.prepared)

    def _sharing(self, item: NewText) -> Counter[int]:
        """How many fingerprints each other item has in common with this one."""
        shared: Counter[int] = Counter()
        for value in self._indexed(item):
            holders = self._holders[value]
            if len(holders) <= self._limits.max_postings:
                shared.update(holders)
        shared.pop(item.item_id, None)
        return shared

    def _nearest(self, shared: Counter[int]) -> list[int]:
        """Which items are looked at, those that share most first."""
        nearest = sorted(shared, key=lambda number: (-shared[number], number))
        return nearest[: 2 * self._limits.max_candidates]

    def _read_candidates(self) -> None:
        """Read what the next items are compared with, a few at a time: texts take memory."""
        some, self._unread = self._unread[:_COMPARED_AT_ONCE], self._unread[_COMPARED_AT_ONCE:]
        self._candidates.read(
            number for item in some for number in self._nearest(self._sharing(item))
        )

    def _assign(self, item: NewText, shared: Counter[int], group: int) -> Assignment:
        ready = {item.item_id: restore(item.prepared)}
        candidates: list[TextOfItem] = []
        for row in self._candidates.of(self._nearest(shared)):
            if row.group == group:
                continue
            boilerplate = self._candidates.boilerplate_of(row.source_id)
            ready[row.item_id] = self._grouping.texts.get(row.item_id, row.text, boilerplate)
            candidates.append(
                TextOfItem(
                    item_id=row.item_id,
                    source_id=row.source_id,
                    text=row.text,
                    group=row.group,
                    title=row.title,
                    source_items=self._candidates.size_of(row.source_id),
                    shared_fingerprints=shared[row.item_id],
                )
            )
            if len(candidates) == self._limits.max_candidates:
                break
        new = TextOfItem(
            item.item_id, self._source.id, "", group, item.title,
            source_items=self._candidates.size_of(self._source.id),
        )  # fmt: skip
        pairs = self._apart({group, *(c.group for c in candidates)})
        return choose_group(
            new,
            candidates,
            self._limits,
            prepared=ready,
            kept_apart={g for pair in pairs if group in pair for g in pair if g != group},
            apart_groups=pairs,
        )

    def _apart(self, groups: Collection[int]) -> frozenset[frozenset[int]]:
        return apart_groups(self._connection, groups) if self._overruled else frozenset()

    def _carry_out(self, item: NewText, assignment: Assignment, group: int) -> int:
        """Join groups as decided; returns the item's group."""
        for compared in _nearest_apart(assignment):
            self._note(DecisionKind.APART, item.item_id, compared, group)
        if assignment.group is None:
            return group
        target = assignment.group
        best = assignment.compared[0]
        for compared in assignment.compared:
            if compared.item_id == assignment.with_item:
                best = compared
        join_groups(self._connection, [group, *assignment.also], target, best.item_id)
        self._candidates.moved({group, *assignment.also}, target)
        if assignment.also or item.changed:
            self._stories.groups_moved()
        self._note(DecisionKind.COPY, item.item_id, best, target)
        self.copies += 1
        if assignment.also or item.changed:
            reason = "the same text as members of both groups"
            self._log.append(
                log_row(
                    self._now, DecisionKind.JOINED, item.item_id, best.item_id, target, None, reason
                )
            )
        self.grown.add(target)
        return target

    def _note(self, kind: DecisionKind, item_id: int, compared: Compared, group: int) -> None:
        decision = compared.decision
        reason = decision.reason
        if compared.overruled and decision.same:
            reason += ", but an operator keeps the two apart"
        self._log.append(
            log_row(
                self._now, kind, item_id, compared.item_id, group, decision.score, reason,
                asdict(decision.evidence),
            )
        )  # fmt: skip

    def _tell(self, item: NewText, group: int) -> StoryPlace | None:
        told = self._told.get(item.item_id)
        if told is None:
            return None
        if item.item_id in self._waiting:
            self._look_up_stories()
        story = None
        if group != item.item_id:
            story = self._connection.scalar(
                select(t.item.c.story_id).where(t.item.c.id == item.item_id)
            )
        return self._stories.place(told, story)

    def _open_stories(self) -> Stories:
        settings = self._grouping.settings
        return Stories(
            self._connection, settings.stories, settings.copies, self._now, self._text_of
        )

    def _look_up_stories(self) -> None:
        """Look up the next items, a few at a time: each brings others, which take memory."""
        self._stories.write()
        some, self._waiting = self._waiting[:_TOLD_AT_ONCE], self._waiting[_TOLD_AT_ONCE:]
        self._stories = self._open_stories()
        self._stories.look_up([self._told[number] for number in some])

    def _text_of(self, number: int) -> ComparableText | None:
        """The text of an item that may be of the same event, made ready."""
        if number in self._prepared:
            return restore(self._prepared[number])
        i = t.item.c
        row = self._connection.execute(
            select(i.source_id, own_text())
            .join(t.item_text, t.item_text.c.item_id == i.id)
            .join(t.article, t.article.c.item_id == i.id, isouter=True)
            .where(i.id == number)
        ).first()
        if row is None:
            return None
        boilerplate = self._candidates.boilerplate_of(row.source_id)
        return self._grouping.texts.get(number, row.text, boilerplate)

    def _set_story(self, item: NewText, place: StoryPlace) -> None:
        decision = place.decision
        self._connection.execute(
            update(t.item).where(t.item.c.id == item.item_id).values(story_id=decision.story)
        )
        self._log.append(
            log_row(
                self._now, DecisionKind.STORY, item.item_id, decision.with_item, decision.story,
                decision.score, decision.reason,
                {"terms": list(decision.shared), "joined": list(place.also)},
            )
        )  # fmt: skip
        self.grown_stories.add(decision.story or item.item_id)

    def _count_paragraphs(self, item: NewText, group: int) -> None:
        """Once for each copy group and source: a story sent again is not its own boilerplate."""
        counted = item.prepared.countable if item.counted is None else item.counted
        if not counted:
            return
        if group != item.item_id:
            other = self._connection.scalar(
                select(t.item.c.id)
                .where(
                    t.item.c.group_id == group,
                    t.item.c.source_id == self._source.id,
                    t.item.c.id != item.item_id,
                )
                .limit(1)
            )
            if other is not None:
                return
        self._paragraphs.update(counted)


def _nearest_apart(assignment: Assignment) -> list[Compared]:
    """The nearest texts that are no copies, as far as anybody would ask about them."""
    found = [
        c
        for c in assignment.compared
        if c.overruled or (not c.decision.same and c.decision.score >= _WORTH_TELLING)
    ]
    return found[:_NEAREST_TOLD]

"""Which story a new item belongs to: candidates are found by rare terms, through the database.

Every item of the window has its terms stored, and stands in the index under the heaviest of them,
which are the rare ones. A term takes at most 64 items, an item is compared with at most 16 others
and eight members of their stories: what an item costs depends neither on the vocabulary nor on
how many items there are. Nothing is kept in memory, so that all processes give the same answers.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import nsmallest
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from aggregator.identity.texts.copies import ComparableText, figures_or_dates_differ
from aggregator.identity.texts.stories import (
    StoryItem,
    StoryPlace,
    TermCounts,
    choose_story,
    is_template,
    weigh,
)
from aggregator.identity.texts.terms import unpack
from aggregator.model.copies import CopyThresholds, StoryDecision, StoryThresholds
from aggregator.model.settings import DedupSettings
from aggregator.store import schema as t
from aggregator.store.copies.index import Postings
from aggregator.store.copies.texts import own_text
from aggregator.store.database import serialise
from aggregator.store.rows import batches, upsert

_PROBES = 24  # heaviest terms of an item: it is found by these
_HOLDERS = 64  # items of a term; it takes no more
_CANDIDATES = 16
_MEMBERS = 8  # of a story that an item is compared with
_MEMORY = 10  # windows, after which a count has faded to a third: what a word is worth is learnt
# from more than one, or the subject of a source that sends little is rare in it
_BUSY, _EVERY = 5000 * _MEMORY, 16  # items counted; from there on every 16th is, for sixteen
_ALL = 0  # the term of every item
_NOBODY = StoryDecision(None, None, 0.0, "the story of its copies")

TextOf = Callable[[int], ComparableText | None]


class Stories:
    """The stories of a few new items: `look_up` them, `place` each, `write` at the end."""

    def __init__(
        self,
        connection: Connection,
        limits: StoryThresholds,
        figures: CopyThresholds,
        now: datetime,
        text_of: TextOf,
    ) -> None:
        """`text_of` gives the text of an item, asked for few; None where it is no longer kept."""
        self._connection = connection
        self._limits = limits
        self._figures = figures
        self._now = now
        self._text_of = text_of
        self._postings = Postings(t.term_posting_list)
        self._holders: dict[int, list[int]] = {}  # by term
        self._stored: dict[int, float] = {}  # how often terms were met before this batch
        self._counts = TermCounts(0.0, {})  # the same with it
        self._counted: Counter[int] = Counter()  # what the batch adds
        self._probes: dict[int, tuple[int, ...]] = {}
        self._known: dict[int, StoryItem] = {}
        self._story: dict[int, int] = {}  # item -> story
        self._sizes: Counter[int] = Counter()
        self._new: list[StoryItem] = []
        self._moved = False

    def look_up(self, items: Sequence[StoryItem]) -> None:
        """Read what these items may belong to, in as few statements as may be."""
        if not items:
            return
        own = Counter(term for item in items for term in item.terms.counts())
        self._read_counts(own.keys())
        for item in items:
            self._probes[item.item_id] = self._heaviest(item, own, len(items))
        probed = {term for probes in self._probes.values() for term in probes}
        self._postings = Postings.of(self._connection, probed, t.term_posting_list)
        self._holders = {term: self._postings.holders(term)[-_HOLDERS:] for term in probed}
        met = dict(self._stored)
        for term, holders in self._holders.items():
            met[term] = max(met.get(term, 0.0), len(holders))
        for term, times in own.items():
            met[term] = met.get(term, 0.0) + times
        self._counts = TermCounts(self._stored.get(_ALL, 0.0) + len(items), met)
        near = {number for item in items for number in self._candidates(item)}
        self._read_items(near)
        self._read_members({self._story[number] for number in near if number in self._story})

    def place(self, item: StoryItem, story: int | None) -> StoryPlace:
        """The story of a new item, which is known from then on under that story or its own.

        `story` is given where it is known already: copies share one.
        """
        if self._moved:
            self._read_stories()
        found = StoryPlace(_NOBODY)
        if story is None:
            found = self._choose(item)
            story = found.decision.story
            for other in found.also:
                self._merge(other, story or item.item_id)
        self._add(item, item.item_id if story is None else story)
        return found

    def groups_moved(self) -> None:
        """Say that items known here may be in other stories now: their copies were joined."""
        self._moved = True

    def write(self) -> None:
        """Store the terms of the items placed, the index and the counts."""
        self._postings.write(self._connection)
        rows = [
            {"item_id": item.item_id, "at": item.at, "terms": item.terms.pack()}
            for item in self._new
        ]
        upsert(self._connection, t.item_terms, rows, update=True)
        counted = [
            {"term": term, "documents": self._stored.get(term, 0.0) + more, "at": self._now}
            for term, more in sorted(self._counted.items())
        ]
        for some in (counted[at : at + 500] for at in range(0, len(counted), 500)):
            upsert(self._connection, t.term_count, some, update=True)

    def _choose(self, item: StoryItem) -> StoryPlace:
        near = [number for number in self._candidates(item) if number in self._known]
        stories = {self._story[number] for number in near}
        members = [
            replace(one, story=self._story[number])
            for number, one in self._known.items()
            if self._story[number] in stories
        ]
        found = choose_story(
            item, members, self._counts, self._limits, is_form=self._is_form, sizes=self._sizes
        )
        also = self._not_kept_apart(found.decision.story, found.also)
        return StoryPlace(found.decision, also)

    def _heaviest(self, item: StoryItem, own: Counter[int], items: int) -> tuple[int, ...]:
        """The terms by which an item is found."""
        counts = TermCounts(
            self._stored.get(_ALL, 0.0) + items,
            {term: self._stored.get(term, 0.0) + own[term] for term in item.terms.counts()},
        )
        vector = weigh(item.terms, counts, self._limits)
        return tuple(sorted(vector, key=lambda term: (-vector[term], term))[:_PROBES])

    def _candidates(self, item: StoryItem) -> list[int]:
        """The items that share most of an item's heaviest terms."""
        likely: defaultdict[int, float] = defaultdict(float)
        for term in self._probes.get(item.item_id, ()):
            weight = self._counts.weight(term)
            for number in self._holders[term]:
                likely[number] += weight
        likely.pop(item.item_id, None)
        return nsmallest(_CANDIDATES, likely, key=lambda number: (-likely[number], number))

    def _is_form(self, one: StoryItem, other: StoryItem) -> tuple[bool, bool]:
        a, b = self._text_of(one.item_id), self._text_of(other.item_id)
        if a is None or b is None:
            return False, False
        return (
            figures_or_dates_differ(a, b, self._figures),
            is_template(a, b, self._limits, one_source=one.source == other.source),
        )

    def _add(self, item: StoryItem, story: int) -> None:
        number = item.item_id
        self._new.append(item)
        self._known[number], self._story[number] = item, story
        self._sizes[story] += 1
        for term in self._probes.get(number, ()):
            holders = self._holders[term]
            if len(holders) < _HOLDERS and number not in holders:
                holders.append(number)
                self._postings.add(term, number)
        self._counted[_ALL] += 1
        every = 1 if self._stored.get(_ALL, 0.0) < _BUSY else _EVERY
        if number % every == 0:
            for term in item.terms.counts():
                self._counted[term] += every

    def _read_counts(self, wanted: Collection[int]) -> None:
        c = t.term_count.c
        for some in batches(sorted({_ALL, *wanted})):
            rows = self._connection.execute(
                select(c.term, c.documents, c.at).where(c.term.in_(some))
            )
            for row in rows:
                age = max(timedelta(0), self._now - row.at)
                self._stored[row.term] = row.documents * math.exp(
                    -(age / (_MEMORY * self._limits.window))
                )

    def _read_items(self, numbers: Collection[int]) -> None:
        x, i = t.item_terms.c, t.item.c
        for some in batches(sorted(numbers)):
            self._keep(
                self._connection.execute(
                    select(i.id, i.story_id, i.source_id, x.at, x.terms)
                    .join(t.item_terms, x.item_id == i.id)
                    .where(i.id.in_(some), x.at >= self._now - 2 * self._limits.window)
                )
            )

    def _read_members(self, stories: Collection[int]) -> None:
        """The newest members of stories, and how many each has in the window."""
        x, i = t.item_terms.c, t.item.c
        for some in batches(sorted(stories)):
            of_story = (
                select(
                    i.id,
                    i.story_id,
                    i.source_id,
                    x.at,
                    x.terms,
                    func.row_number()
                    .over(partition_by=i.story_id, order_by=i.id.desc())
                    .label("place"),
                    func.count().over(partition_by=i.story_id).label("size"),
                )
                .join(t.item_terms, x.item_id == i.id)
                .where(i.story_id.in_(some), x.at >= self._now - 2 * self._limits.window)
                .subquery()
            )
            rows = self._connection.execute(
                select(of_story).where(of_story.c.place <= _MEMBERS)
            ).all()
            self._keep(rows)
            self._sizes.update({row.story_id: row.size for row in rows})

    def _keep(self, rows: Any) -> None:
        for row in rows:
            self._known[row.id] = StoryItem(row.id, row.at, unpack(row.terms), row.source_id)
            self._story[row.id] = row.story_id

    def _read_stories(self) -> None:
        """Which stories the items known are in now."""
        i = t.item.c
        placed = {item.item_id for item in self._new}
        for some in batches(sorted(self._story.keys() - placed)):
            rows = self._connection.execute(select(i.id, i.story_id).where(i.id.in_(some)))
            self._story.update({row.id: row.story_id for row in rows})
        self._moved = False

    def _merge(self, story: int, target: int) -> None:
        i = t.item.c
        self._connection.execute(update(t.item).where(i.story_id == story).values(story_id=target))
        for number in [n for n, one in self._story.items() if one == story]:
            self._story[number] = target
        self._sizes[target] += self._sizes.pop(story, 0)

    def _not_kept_apart(self, story: int | None, others: tuple[int, ...]) -> tuple[int, ...]:
        """Without the stories an operator keeps apart from the one, through any of their items."""
        if story is None or not others:
            return ()
        low, high, o = t.item.alias("low"), t.item.alias("high"), t.override.c
        rows = self._connection.execute(
            select(low.c.story_id, high.c.story_id)
            .select_from(t.override)
            .join(low, low.c.id == o.low_id)
            .join(high, high.c.id == o.high_id)
            .where(
                o.together.is_(False),
                low.c.story_id.in_((story, *others)),
                high.c.story_id.in_((story, *others)),
            )
        )
        apart = {number for pair in rows for number in pair}
        return tuple(other for other in others if other not in apart)


def remember(
    connection: Connection, items: Sequence[StoryItem], settings: DedupSettings, now: datetime
) -> None:
    """Make items that are in their stories already findable."""
    serialise(connection)
    batch = Stories(connection, settings.stories, settings.copies, now, lambda _: None)
    batch.look_up(items)
    for item in items:
        batch.place(item, item.story)
    batch.write()


def without_terms(connection: Connection, number: int, limit: int) -> Sequence[Any]:
    """The items after a number whose terms were not read, with their texts, in order."""
    i, x, told = t.item.c, t.item_text.c, t.item_terms.c
    return connection.execute(
        select(
            i.id, i.source_id, i.title, i.published, i.first_seen, i.story_id, own_text()
        )
        .join(t.item_text, x.item_id == i.id)
        .join(t.article, t.article.c.item_id == i.id, isouter=True)
        .join(t.item_terms, told.item_id == i.id, isouter=True)
        .where(i.id > number, told.item_id.is_(None))
        .order_by(i.id)
        .limit(limit)
    ).all()  # fmt: skip


def forget_terms(connection: Connection) -> None:
    """Drop every term and count; stories stay as they are."""
    serialise(connection)
    for table in (t.item_terms, t.term_count, t.term_posting_list):
        connection.execute(delete(table))


def drop_terms(connection: Connection, now: datetime, window: timedelta) -> None:
    """Drop the terms of items past the window, and counts that have faded to nothing.

    Where few items come, the count of a rare term is what says that it is a subject of its source
    and no event; where many come it says nothing soon after the window.
    """
    x, c = t.item_terms.c, t.term_count.c
    connection.execute(delete(t.item_terms).where(x.at < now - 2 * window))
    met = connection.scalar(select(c.documents).where(c.term == _ALL)) or 0.0
    kept = 2 * window if met >= _BUSY else _MEMORY * window
    faded = (c.documents < _EVERY * 2) & (c.at < now - kept)
    connection.execute(delete(t.term_count).where(faded))


def remove_terms(connection: Connection, numbers: Sequence[int]) -> None:
    """Drop the terms of these items."""
    for some in batches(numbers):
        connection.execute(delete(t.item_terms).where(t.item_terms.c.item_id.in_(some)))


def shown_at(row: Any) -> datetime:
    """The displayed date: the earlier of published and first seen."""
    first: datetime = row.first_seen
    return min(row.published, first) if row.published else first

"""The items of a window in memory: what the store's index does, for tests and measurements."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime

from aggregator.identity.texts.copies import ComparableText, figures_or_dates_differ
from aggregator.identity.texts.stories import (
    StoryItem,
    StoryPlace,
    TermCounts,
    choose_story,
    is_template,
)
from aggregator.model.copies import CopyThresholds, StoryThresholds


class Shelf:
    """Place items with `place`, then put them on the shelf with `add`."""

    def __init__(self, thresholds: StoryThresholds) -> None:
        self.limits = thresholds
        self.items: dict[int, StoryItem] = {}
        self.texts: dict[int, ComparableText] = {}
        self.story: dict[int, int] = {}
        self.counts: Counter[int] = Counter()
        self.holders: defaultdict[int, set[int]] = defaultdict(set)

    def add(self, item: StoryItem, text: ComparableText, story: int) -> None:
        self.items[item.item_id], self.texts[item.item_id] = item, text
        self.story[item.item_id] = story
        for term in item.terms.counts():
            self.counts[term] += 1
            self.holders[term].add(item.item_id)

    def expire(self, before: datetime) -> None:
        for number in [n for n, item in self.items.items() if item.at < before]:
            for term in self.items.pop(number).terms.counts():
                self.counts[term] -= 1
                self.holders[term].discard(number)

    def place(self, item: StoryItem, text: ComparableText) -> StoryPlace:
        """Where an item goes by the items on the shelf."""
        near = {n for term in item.terms.counts() for n in self.holders[term]}
        stories = {self.story[n] for n in near}
        members = [
            replace(one, story=self.story[n])
            for n, one in self.items.items()
            if self.story[n] in stories
        ]
        seen = Counter(item.terms.counts().keys())
        counts = TermCounts(len(self.items) + 1.0, dict(self.counts + seen))
        texts = {**self.texts, item.item_id: text}

        def is_form(one: StoryItem, other: StoryItem) -> tuple[bool, bool]:
            a, b = texts[one.item_id], texts[other.item_id]
            return (
                figures_or_dates_differ(a, b, CopyThresholds()),
                is_template(a, b, self.limits, one_source=one.source == other.source),
            )

        return choose_story(item, members, counts, self.limits, is_form=is_form)

    def put(self, item: StoryItem, text: ComparableText) -> int:
        """Place an item and add it; gives its story."""
        found = self.place(item, text)
        story = item.item_id if found.decision.story is None else found.decision.story
        for other in found.also:
            for number in [n for n, s in self.story.items() if s == other]:
                self.story[number] = story
        self.add(item, text, story)
        return story

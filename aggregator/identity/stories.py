"""Which items are about one event, told in different words. Grouping only: nothing is hidden.

A local method without a model: the telling terms of headline and opening, weighted by how rare
they are among recent items, compared by cosine within a window of time. Two reports made from one
template (the market of today and of yesterday) share their terms and are no event: their figures
or dates tell them apart. The policy and its figures: `docs/design/stories.md`.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import pairwise

from aggregator.identity.copies import ComparableText, comparable, figures_or_dates_differ
from aggregator.identity.names import names
from aggregator.identity.tokens import is_number, is_unspaced, words
from aggregator.model.copies import CopyThresholds, StoryDecision, StoryThresholds

_STEM = 7  # letters; enough for the endings of most languages, short enough for few mistakes
_HEADLINE = 1.5  # a term of the headline counts this much more
_PRIOR = 20  # documents nobody has read, so that rarity means something from the first day on
_SHORT = 3  # letters: such words count only as names (CDU, FAA)
_UNSPACED = 0.6  # of the likeness is enough where pairs of characters stand for words
_PAIR, _HAN = 2, "\u2e80"  # characters; where the scripts of China and Japan begin
_TITLE = 40  # words of a headline
# Arabic writes its article, and a preposition before it, onto the word.
_ARTICLE = re.compile(r"^(?:[وفبك]?ال|لل)(?=[\u0620-\u064a]{3})")
_FEW = 3  # items; rare in a collection of any size
_PROBES = 16  # heaviest terms by which candidates are looked up
_FIGURES = CopyThresholds()  # how the guard for figures and days is asked
_SHOWN = 12  # shared terms named in a decision


@dataclass(frozen=True, slots=True)
class StoryItem:
    """An item as the story step sees it.

    `terms` counts the terms of headline and opening; `story` and `copy_group` are what it is in.
    """

    item_id: int
    at: datetime
    terms: Mapping[str, int]
    headline: frozenset[str]
    names: frozenset[str]
    text: ComparableText
    story: int | None = None
    copy_group: int | None = None


def _term(word: str) -> str:
    if is_number(word) or is_unspaced(word):
        return word
    return (word if word.isascii() else _ARTICLE.sub("", word))[:_STEM]


def _terms(word: str) -> tuple[str, ...]:
    """The terms of a word: its stem; in Han and kana, with their short words, character pairs."""
    if len(word) > _PAIR and word[0] >= _HAN and is_unspaced(word):
        return tuple(word[place : place + _PAIR] for place in range(len(word) - 1))
    return (_term(word),)


def _is_mostly_unspaced(terms: Collection[str]) -> bool:
    return sum(map(is_unspaced, terms)) * 2 > len(terms)


def _is_short(term: str) -> bool:
    return len(term) <= _SHORT and term.isascii() and not is_number(term)


@cache
def _function_words() -> frozenset[str]:
    text = (files("aggregator.identity") / "data" / "function_words.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    # The data is read as any text is, or accents and vowel signs would keep words from matching.
    return frozenset(_term(word) for line in lines for word in words(line))


def story_item(
    item_id: int,
    at: datetime,
    title: str | None,
    text: str,
    *,
    boilerplate: frozenset[int],
    story: int | None = None,
    copy_group: int | None = None,
    thresholds: StoryThresholds,
    ready: ComparableText | None = None,
) -> StoryItem:
    """Read the terms of an item.

    Args:
        item_id: The item.
        at: Its displayed date.
        title: Its headline as plain text.
        text: Its plain text, paragraphs on lines of their own; may be empty.
        boilerplate: Paragraph hashes learned for its source.
        story: The story it is in already.
        copy_group: Its copy group: copies are always in one story.
        thresholds: The operator's.
        ready: The text already made comparable; `text` is not read then.
    """
    limits = thresholds
    ready = ready or comparable(text, boilerplate)
    headline = frozenset(term for word in words(title or "") for term in _terms(word))
    named = frozenset(map(_term, ready.names | names(title or "", _TITLE)))
    counts = Counter(term for word in ready.words[: limits.opening] for term in _terms(word))
    for term in headline:
        counts[term] += 1
    common = _function_words()
    terms = {
        term: count
        for term, count in counts.items()
        if term not in common
        and (term in named or not _is_short(term))
        and (len(term) > 1 or not term.isascii())
    }
    return StoryItem(item_id, at, terms, headline, named & terms.keys(), ready, story, copy_group)


@dataclass(slots=True)
class TermCounts:
    """In how many recent items each term stands."""

    documents: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, item: StoryItem) -> None:
        """Count an item in."""
        self.documents += 1
        self.counts.update(item.terms.keys())

    def remove(self, item: StoryItem) -> None:
        """Count an item out again."""
        self.documents -= 1
        for term in item.terms:
            self.counts[term] -= 1
            if not self.counts[term]:
                del self.counts[term]

    def weight(self, term: str) -> float:
        """How much a term tells: its inverse document frequency."""
        rarity = math.log((self.documents + _PRIOR) / (self.counts[term] + 1))
        return max(rarity, 0.0)


Vector = dict[str, float]


def weigh(item: StoryItem, counts: TermCounts, limits: StoryThresholds) -> Vector:
    """The heaviest terms of an item with their weights, as a vector of length one."""
    weights = {
        term: counts.weight(term)
        * (1.0 + math.log(1.0 + times))
        * (_HEADLINE if term in item.headline else 1.0)
        * (limits.names if term in item.names else 1.0)
        for term, times in item.terms.items()
    }
    heaviest = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[: limits.max_terms]
    length = math.sqrt(sum(weight * weight for _, weight in heaviest))
    if not length:
        return {}
    return {term: weight / length for term, weight in heaviest if weight}


def similarity(a: Vector, b: Vector) -> tuple[float, tuple[str, ...]]:
    """Cosine of two vectors of `weigh`, and the terms both have, those that weigh most first."""
    shared = {term: a[term] * b[term] for term in a.keys() & b.keys()}
    order = sorted(shared, key=lambda term: (-shared[term], term))
    return min(1.0, sum(shared.values())), tuple(order)


def is_template(a: ComparableText, b: ComparableText, limits: StoryThresholds) -> bool:
    """Whether two texts are reports made from one template: same wording, other figures or day."""
    ones, others = set(a.shingles), set(b.shingles)
    shorter = min(len(ones), len(others))
    if not shorter or len(ones & others) / shorter < limits.template:
        return False
    return figures_or_dates_differ(a, b, _FIGURES)


def _things(terms: Collection[str], a: StoryItem, b: StoryItem, opening: int) -> int:
    """How many things shared terms stand for: those that stand side by side in both are one.

    First name, last name and office are one person; so is a word that was cut into pairs.
    """
    both = _beside(terms, a, opening) & _beside(terms, b, opening)
    of = {term: {term} for term in terms}
    for one, other in both:
        joined = of[one] | of[other]
        for term in joined:
            of[term] = joined
    return len({id(joined) for joined in of.values()})


def _beside(terms: Collection[str], item: StoryItem, opening: int) -> set[tuple[str, str]]:
    """The pairs of these terms that stand side by side in an item's text."""
    known = frozenset(terms)
    read = [term for word in item.text.words[:opening] for term in _terms(word)]
    return {(min(pair), max(pair)) for pair in pairwise(read) if known.issuperset(pair)}


class RecentStories:
    """The items of the last window, for placing the next one. Memory only; no clock.

    Feed it the stored items of the window with `add`, then for each new item `place` it and `add`
    it under the story it was given.
    """

    def __init__(self, thresholds: StoryThresholds, counts: TermCounts | None = None) -> None:
        """Start empty, or with the term counts of a longer time than the window."""
        self._limits = thresholds
        self._counts = counts or TermCounts()
        self._items: dict[int, StoryItem] = {}
        self._vectors: dict[int, Vector] = {}
        self._postings: defaultdict[str, set[int]] = defaultdict(set)
        self._members: defaultdict[int, set[int]] = defaultdict(set)  # story -> items
        self._copies: defaultdict[int, set[int]] = defaultdict(set)  # copy group -> items
        self._story: dict[int, int] = {}  # item -> story

    def add(self, item: StoryItem, story: int | None = None) -> None:
        """Make an item known, in `story` or in the story it came with."""
        if item.item_id in self._items:
            self._forget(item.item_id)
        self._counts.add(item)
        vector = weigh(item, self._counts, self._limits)
        self._items[item.item_id] = item
        self._vectors[item.item_id] = vector
        for term in vector:
            self._postings[term].add(item.item_id)
        number = item.story if story is None else story
        if number is not None:
            self._members[number].add(item.item_id)
            self._story[item.item_id] = number
        if item.copy_group is not None:
            self._copies[item.copy_group].add(item.item_id)

    def expire(self, before: datetime) -> int:
        """Forget items older than `before`; say how many."""
        old = [number for number, item in self._items.items() if item.at < before]
        for number in old:
            self._forget(number)
        return len(old)

    def discard(self, item_id: int) -> None:
        """Forget one item, if it is known."""
        if item_id in self._items:
            self._forget(item_id)

    def _forget(self, number: int) -> None:
        item = self._items.pop(number)
        self._counts.remove(item)
        for term in self._vectors.pop(number):
            self._postings[term].discard(number)
            if not self._postings[term]:
                del self._postings[term]
        if (story := self._story.pop(number, None)) is not None:
            self._members[story].discard(number)
            if not self._members[story]:
                del self._members[story]
        if item.copy_group is not None:
            self._copies[item.copy_group].discard(number)
            if not self._copies[item.copy_group]:
                del self._copies[item.copy_group]

    def place(self, item: StoryItem) -> StoryDecision:
        """Say which story an item belongs to.

        Returns:
            `story` is the story to join; None with `with_item` set when the nearest item is in
            none yet and the two begin one; None without when the item stands alone.
        """
        if (twin := self._copy_of(item)) is not None:
            return StoryDecision(self._story.get(twin), twin, 1.0, f"the same text as item {twin}")
        vector = weigh(item, self._counts, self._limits)
        scale = _UNSPACED if _is_mostly_unspaced(vector) else 1.0
        needed = scale * self._limits.similarity
        best: StoryDecision | None = None
        nearest = 0.0
        for number in self._candidates(item, vector):
            score, shared = similarity(vector, self._vectors[number])
            nearest = max(nearest, score)
            if score < needed or (best is not None and score <= best.score):
                continue
            if self._fits(item, vector, number, score, shared, scale):
                named = tuple(shared[:_SHOWN])
                best = StoryDecision(
                    self._story.get(number), number, score, f"shares {', '.join(named[:5])}", named
                )
        return best or StoryDecision(None, None, nearest, "no recent item is about the same event")

    def _copy_of(self, item: StoryItem) -> int | None:
        if item.copy_group is None:
            return None
        twins = self._copies.get(item.copy_group, set()) - {item.item_id}
        return min(twins, default=None)

    def _candidates(self, item: StoryItem, vector: Vector) -> Iterable[int]:
        """Items in the window that share one of the heaviest terms, in a fixed order."""
        probes = sorted(vector, key=lambda term: (-vector[term], term))[:_PROBES]
        found = {number for term in probes for number in self._postings.get(term, ())}
        found.discard(item.item_id)
        window = self._limits.window
        return sorted(n for n in found if abs(self._items[n].at - item.at) <= window)

    def _fits(
        self,
        item: StoryItem,
        vector: Vector,
        number: int,
        score: float,
        shared: tuple[str, ...],
        scale: float,
    ) -> bool:
        """Whether the item belongs with the candidate and with the rest of its story."""
        other = self._items[number].text
        if figures_or_dates_differ(item.text, other, _FIGURES) and (
            score < scale * self._limits.similarity_figures
            or is_template(item.text, other, self._limits)
        ):
            return False
        story = self._story.get(number)
        members = self._members[story] if story is not None else {number}
        if len(members) >= self._limits.max_items:
            return False
        rare = [term for term in shared if self._is_rare(term, members)]
        enough, opening = self._limits.rare_shared, self._limits.opening
        if len(rare) < enough or _things(rare, item, self._items[number], opening) < enough:
            return False
        mean = sum(similarity(vector, self._vectors[m])[0] for m in members) / len(members)
        return mean >= self._limits.cohesion * scale * self._limits.similarity

    def _is_rare(self, term: str, members: set[int]) -> bool:
        """Whether few items of other stories have the term: a name and not a genre's word.

        Items of the same story do not count, or an event all outlets report would have no rare
        terms left.
        """
        elsewhere = len(self._postings.get(term, set()) - members)
        return elsewhere <= max(_FEW, self._limits.rare * len(self._items))

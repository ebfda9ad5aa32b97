"""Which items are about one event, told in different words. Grouping only: nothing is hidden.

A local method without a model: the telling terms of headline and opening, weighted by how rare
they are among recent items, compared by cosine within a window of time. What is shared must be
more than chance explains, and more than one thing: a person, or a place, is no event. Two reports
made from one template (the market of today and of yesterday, warnings for two counties) share
their terms and are no event. The policy and its figures: `docs/design/stories.md`.

Pure: candidates are handed in with how often terms are met; the store finds them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from aggregator.identity.texts.alignment import align
from aggregator.identity.texts.copies import ComparableText, figures_or_dates_differ
from aggregator.identity.texts.places import figures_against, names_against
from aggregator.identity.texts.terms import Terms, terms
from aggregator.model.copies import CopyThresholds, StoryDecision, StoryThresholds

_HEADLINE = 1.5  # a term of the headline counts this much more
_PRIOR = 20  # documents nobody has read, so that rarity means something from the first day on
_UNSPACED = 0.6  # of the likeness is enough where pairs of characters stand for words
_FEW = 3  # items; rare in a collection of any size
_CROWD, _CROWDED = 40, 1.5  # items from which on chance makes more of them alike; and at most how
_PERSON = 4  # terms side by side that are one thing: office, first name, last name, where from
_FIGURES = CopyThresholds()  # how the guard for figures and days is asked
_OWN = 0.36  # of the shorter text, at one end of both: what they share is boilerplate
_ONE_SOURCE = 0.38  # the likeness that two items of one source need, and one thing more
_NOUNS = 0.4  # of the terms are names: a language that gives every noun a capital
_SHOWN = 12  # shared terms named in a decision


@dataclass(frozen=True, slots=True)
class StoryItem:
    """An item as the story step sees it; `story` is the one that it is in."""

    item_id: int
    at: datetime
    terms: Terms
    source: str
    story: int | None = None


def story_item(
    item_id: int,
    at: datetime,
    title: str | None,
    ready: ComparableText,
    thresholds: StoryThresholds,
    *,
    source: str,
    story: int | None = None,
) -> StoryItem:
    """Read the terms of an item.

    Args:
        item_id: The item.
        at: Its displayed date.
        title: Its headline as plain text.
        ready: Its own text made comparable; may be of no words.
        thresholds: The operator's.
        source: The source it came from.
        story: The story it is in already.
    """
    told = terms(title, ready.words, ready.names, thresholds.opening)
    return StoryItem(item_id, at, told, source, story)


Vector = dict[int, float]
# Whether the figures or days of two items differ, and whether they are made from one template.
IsForm = Callable[[StoryItem, StoryItem], tuple[bool, bool]]
_REPEATED = tuple(1.0 + math.log(1.0 + times) for times in range(256))


class TermCounts:
    """In how many of the `documents` of the window each term stands, and the weights from that."""

    def __init__(self, documents: float, counts: Mapping[int, float]) -> None:
        self.documents = documents
        self._counts = counts
        self._weights: dict[int, float] = {}
        self._vectors: dict[int, Vector] = {}

    def of(self, term: int) -> float:
        """In how many items of the window a term stands."""
        return self._counts.get(term, 0.0)

    def weight(self, term: int) -> float:
        """How much a term tells: its inverse document frequency."""
        found = self._weights.get(term)
        if found is None:
            rarity = math.log((self.documents + _PRIOR) / (self.of(term) + 1))
            found = self._weights[term] = max(0.0, rarity)
        return found

    def vector(self, item: StoryItem, limits: StoryThresholds) -> Vector:
        """`weigh`, once for each item."""
        found = self._vectors.get(item.item_id)
        if found is None:
            found = self._vectors[item.item_id] = weigh(item.terms, self, limits)
        return found


def weigh(item: Terms, counts: TermCounts, limits: StoryThresholds) -> Vector:
    """The heaviest terms of an item with their weights, as a vector of length one."""
    weights: Vector = {}
    for term, times in item.counts().items():
        weights[term] = counts.weight(term) * _REPEATED[times if times < 256 else 255]
    for term in weights.keys() & set(item.headline):
        weights[term] *= _HEADLINE
    for term in weights.keys() & item.names:
        weights[term] *= limits.names
    if len(weights) > limits.max_terms:
        heaviest = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
        weights = dict(heaviest[: limits.max_terms])
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    if not length:
        return {}
    return {term: weight / length for term, weight in weights.items() if weight}


def similarity(a: Vector, b: Vector) -> float:
    """Cosine of two vectors of `weigh`."""
    return min(1.0, sum(a[term] * b[term] for term in sorted(a.keys() & b.keys())))


@lru_cache(maxsize=1024)
def _shingle_set(text: tuple[int, ...]) -> frozenset[int]:
    return frozenset(text)


def is_template(
    a: ComparableText, b: ComparableText, limits: StoryThresholds, *, one_source: bool = False
) -> bool:
    """Whether two texts are reports made from one template.

    They share wording, and differ in figures, in the day, or in what stands in one place of it; or
    each begins or ends with words of its own, and what they share is boilerplate. What one source
    says twice in the same words is its form whatever stands in it: of a new turn it tells anew.
    """
    ones, others = _shingle_set(a.shingles), _shingle_set(b.shingles)
    shorter = min(len(ones), len(others))
    if not shorter or len(ones & others) / shorter < limits.template:
        return False
    if one_source:
        return True
    if figures_or_dates_differ(a, b, _FIGURES):
        return True
    if min(len(a.words), len(b.words)) >= _FIGURES.short_text:
        return False
    beside = align(a.words, a.shingles, b.words, b.shingles)
    if max(beside.ending, beside.opening) >= _OWN * min(len(a.words), len(b.words)):
        return True
    both = frozenset(a.words).intersection(b.words)
    return names_against(beside.places, a.names | b.names, both, nouns=False) or bool(
        figures_against(beside.places, both)
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two items share: how alike they are, and the things that chance does not explain.

    `surprise` is the logarithm of how much rarer these things are together than one item in all.
    `worded` says that they are more than who and where. What is shared by two items of `one_source`
    must be more, for it has subjects and series of its own.
    """

    score: float
    shared: tuple[int, ...]
    things: int
    surprise: float
    named: bool
    worded: bool
    one_source: bool


def compare_items(
    new: StoryItem,
    other: StoryItem,
    counts: TermCounts,
    limits: StoryThresholds,
    *,
    elsewhere: Mapping[int, int] | None = None,
) -> Evidence:
    """Compare two items by their terms.

    Args:
        new: One item.
        other: The other; the answer is the same both ways round.
        counts: How often terms are met in the window.
        limits: The thresholds.
        elsewhere: How many items of the story in question have a term: they do not make it common.
    """
    a, b = counts.vector(new, limits), counts.vector(other, limits)
    weights = {term: a[term] * b[term] for term in a.keys() & b.keys()}
    shared = tuple(sorted(weights, key=lambda term: (-weights[term], term)))
    own = elsewhere or {}
    documents = counts.documents + _PRIOR
    most = max(float(_FEW), limits.rare * counts.documents)
    strength = {}
    names = new.terms.names | other.terms.names
    one_source = new.source == other.source
    series = new.terms.frame(other.terms) if one_source else frozenset()
    for term in shared:
        met = max(0.0, counts.of(term) - own.get(term, 0))
        if met > most or term in series:
            continue
        if term in names and _of_another(term, new.terms, other.terms):
            continue
        strength[term] = math.log(documents / (met + 1))
    tells: list[float] = []
    worded = not names or all(map(_every_noun, (new.terms, other.terms)))
    headlines = frozenset(new.terms.headline).intersection(other.terms.headline)
    worded = worded or not headlines.isdisjoint(strength.keys() - names)
    if len(strength) >= limits.rare_shared:
        for group in _things(strength, new.terms.neighbours() | other.terms.neighbours()):
            strongest = sorted((strength[term] for term in group), reverse=True)
            tells += strongest[: math.ceil(len(group) / _PERSON)]
            worded = worded or not group & names or len(group) > _PERSON
    return Evidence(
        min(1.0, sum(weights.values())),
        shared,
        len(tells),
        sum(tells) - math.log(documents),
        bool(names & strength.keys()) or (not names and (new.terms.unspaced or not one_source)),
        worded,
        one_source,
    )


def _every_noun(told: Terms) -> bool:
    """Whether an item is written in a language that gives every noun a capital."""
    return len(told.names) > _NOUNS * len(told.counts())


def _of_another(name: int, ours: Terms, others: Terms) -> bool:
    """Whether a name is two offices or houses: "Bank of Norvania" here, "Bank of Taravia" there.

    Not where every noun has a capital: "Explosion im Werk" is no office.
    """
    if any(map(_every_noun, (ours, others))):
        return False
    mine, theirs = ours.holders(name), others.holders(name)
    return bool(mine and theirs) and not mine & theirs


def _things(shared: Collection[int], beside: Iterable[tuple[int, int]]) -> list[set[int]]:
    """The things that shared terms stand for: those that stand side by side are one.

    First name, last name and office are one person; so is a word that was cut into pairs.
    """
    of = {term: {term} for term in shared}
    for one, other in beside:
        if one in of and other in of and of[one] is not of[other]:
            joined = of[one] | of[other]
            for term in joined:
                of[term] = joined
    return list({id(joined): joined for joined in of.values()}.values())


@dataclass(frozen=True, slots=True)
class StoryPlace:
    """Where a new item goes: the decision, and further stories that it shows to be the same."""

    decision: StoryDecision
    also: tuple[int, ...] = ()


def choose_story(
    new: StoryItem,
    candidates: Sequence[StoryItem],
    counts: TermCounts,
    limits: StoryThresholds,
    *,
    is_form: IsForm,
    sizes: Mapping[int, int] | None = None,
) -> StoryPlace:
    """Say which story an item belongs to.

    Args:
        new: The item; `story` is set where its copies are in one.
        candidates: Items of the window that share rare terms with it, each under its story, and
            some members of their stories.
        counts: How often the terms of these items are met in the window.
        limits: The thresholds.
        is_form: Asked of few: whether two items are reports made from one template.
        sizes: How many items the stories have in all, where more than were handed in.

    Returns:
        The story of the nearest item that is about the same event; none where there is no such
        item. The answer does not depend on the order of `candidates`.
    """
    members: dict[int, list[StoryItem]] = {}
    for one in sorted(candidates, key=lambda item: item.item_id):
        if one.item_id != new.item_id and one.story is not None:
            members.setdefault(one.story, []).append(one)
    scale = _UNSPACED if new.terms.unspaced else 1.0
    vector = counts.vector(new, limits)
    found: list[tuple[float, int, StoryItem, Evidence]] = []
    nearest = 0.0
    for story, some in members.items():
        if max(len(some), (sizes or {}).get(story, 0)) >= limits.max_items:
            continue
        likeness = {one.item_id: similarity(vector, counts.vector(one, limits)) for one in some}
        nearest = max(nearest, *likeness.values())
        mean = sum(likeness.values()) / len(likeness)
        if mean < limits.cohesion * scale * limits.similarity:
            continue
        best = _nearest_of(new, some, likeness, counts, limits, scale, is_form)
        if best is not None:
            found.append((best[1].score, story, *best))
    if not found:
        alone = StoryDecision(None, None, nearest, "no recent item is about the same event")
        return StoryPlace(alone)
    found.sort(key=lambda one: (-one[0], one[1]))
    score, story, one, evidence = found[0]
    shown = tuple(
        new.terms.written[term] for term in evidence.shared[:_SHOWN] if term in new.terms.written
    )
    decision = StoryDecision(story, one.item_id, score, f"shares {', '.join(shown[:5])}", shown)
    together = members[story]
    also = []
    for _, other, _, _ in found[1:]:
        if _are_one(together, members[other], counts, limits, scale):
            also.append(other)
            together = together + members[other]
    return StoryPlace(decision, tuple(also))


def _crowd(documents: float) -> float:
    """How much more two items must be alike: among more items chance makes more of them alike."""
    return min(_CROWDED, max(1.0, math.log(max(1.0, documents)) / math.log(_CROWD)))


def _nearest_of(
    new: StoryItem,
    members: Sequence[StoryItem],
    likeness: Mapping[int, float],
    counts: TermCounts,
    limits: StoryThresholds,
    unspaced: float,
    is_form: IsForm,
) -> tuple[StoryItem, Evidence] | None:
    """The nearest member of a story that shows that the item is about the same event."""
    own: Counter[int] = Counter()
    scale = unspaced * _crowd(counts.documents)
    for one in sorted(members, key=lambda m: (-likeness[m.item_id], m.item_id)):
        if likeness[one.item_id] < scale * limits.similarity:
            return None
        if not own:
            for member in members:
                own.update(counts.vector(member, limits).keys())
        if abs(one.at - new.at) > limits.window:
            continue
        evidence = compare_items(new, one, counts, limits, elsewhere=own)
        if not _tells(evidence, limits, scale):
            continue
        if evidence.one_source and evidence.score < unspaced * _ONE_SOURCE:
            continue
        differ, form = is_form(new, one)
        if form and evidence.one_source:
            continue
        if form or (differ and evidence.score < scale * limits.similarity_figures):
            return None
        return one, evidence
    return None


def _tells(evidence: Evidence, limits: StoryThresholds, scale: float) -> bool:
    """Whether what is shared is an event: more than one thing, more than chance, a name."""
    few = evidence.things <= limits.rare_shared
    if not evidence.named or evidence.things < limits.rare_shared + evidence.one_source:
        return False
    if few and not evidence.worded:
        return False
    needed = limits.similarity if evidence.worded and not few else limits.similarity_few
    return evidence.score >= scale * needed and evidence.surprise >= limits.surprise


def _are_one(
    ours: Sequence[StoryItem],
    others: Sequence[StoryItem],
    counts: TermCounts,
    limits: StoryThresholds,
    scale: float,
) -> bool:
    """Whether two stories that one item belongs to are alike themselves: a round-up joins none."""
    total = sum(
        similarity(counts.vector(a, limits), counts.vector(b, limits)) for a in ours for b in others
    )
    return total / (len(ours) * len(others)) >= scale * _crowd(counts.documents) * limits.similarity

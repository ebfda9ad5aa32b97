"""How two texts that share much differ: what one has more, and what stands in place of what.

Of copies one outlet cuts and adds: what is not shared stands on one side only. Reports made from a
template, and articles in the same boilerplate, have something else in the same place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import eq

from aggregator.identity.texts.fingerprints import SHINGLE
from aggregator.identity.texts.places import Place
from aggregator.identity.texts.tokens import is_number, is_unspaced

_DATELINE = 8  # words: outlets put their own place and day before a text
_SLOT, _SLOT_OF_RUNS = 2, 6  # words, or runs of characters: what a form is filled in with
_DAY = 2  # digits of a day of the month
_BRIEF_END = 3  # words: more at an end are another end, not something in one place


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two texts laid side by side, the shorter first where it matters.

    `opening` is how many words both have before the first they share, `replaced` the share of the
    shorter text that has other words in its place (0..1), `conflicts` how many such places have
    different figures on both sides, `begins` where in the longer text the shared part begins
    (0..1), `crossed` how many words one has before and the other behind all that they share, and
    `ending` how many words both have behind the last they share. `places` are where both have
    words of their own between two runs that they share, `front` is what they have before the first.
    """

    opening: int
    replaced: float
    conflicts: int
    begins: float
    crossed: int = 0
    ending: int = 0
    places: tuple[Place, ...] = ()
    front: Place | None = None

    @property
    def everywhere(self) -> tuple[Place, ...]:
        """The places with the front, where this has no places of its own among them."""
        if self.front is None or _split(self.front) != [self.front]:
            return self.places
        return (self.front, *self.places) if self.front.a or self.front.b else self.places


@dataclass(frozen=True, slots=True)
class Run:
    """Words both texts have in the same order: where they begin in each, and how many."""

    a: int
    b: int
    words: int


def common_runs(a: Sequence[int], b: Sequence[int]) -> Iterator[Run]:
    """The runs of shingles of `a` that stand in `b`, in the order of `a`.

    Of several places in `b` the next one after the run before is taken.
    """
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, value in enumerate(b):
        places[value].append(place)
    here, last = 0, -1
    while here < len(a):
        found = places.get(a[here])
        if found is None:
            here += 1
            continue
        later = bisect_right(found, last)
        there = found[later] if later < len(found) else found[0]
        length = 1
        while (
            here + length < len(a)
            and there + length < len(b)
            and a[here + length] == b[there + length]
        ):
            length += 1
        yield Run(here, there, length + SHINGLE - 1)
        here, last = here + length, there + length - 1


def align(
    words_a: tuple[str, ...] | list[str],
    shingles_a: tuple[int, ...],
    words_b: tuple[str, ...] | list[str],
    shingles_b: tuple[int, ...],
) -> Alignment:
    """Lay two texts side by side; the answer is the same both ways round."""
    if (len(words_a), shingles_a, words_a) > (len(words_b), shingles_b, words_b):
        words_a, shingles_a, words_b, shingles_b = words_b, shingles_b, words_a, shingles_a
    opening = replaced = conflicts = 0
    begins: int | None = None
    places: list[Place] = []
    front: Place | None = None
    before = 0  # words more that one has in front; negative for the other
    end_a = end_b = 0
    for run in _in_order(common_runs(shingles_a, shingles_b)):
        gap_a, gap_b = words_a[end_a : run.a], words_b[end_b : run.b]
        if begins is None:
            begins, opening = run.b, min(len(gap_a), len(gap_b))
            before = len(gap_a) - len(gap_b)
            front = Place(tuple(gap_a), tuple(gap_b))
            places += _slots_of(front)
        elif gap_a and gap_b:
            places += _split(Place(tuple(gap_a), tuple(gap_b)))
        replaced += min(len(gap_a), len(gap_b))
        if end_a or max(len(gap_a), len(gap_b)) > _DATELINE:
            conflicts += _conflict(gap_a, gap_b)
        end_a, end_b = max(end_a, run.a + run.words), max(end_b, run.b + run.words)
    gap_a, gap_b = words_a[end_a:], words_b[end_b:]
    replaced += min(len(gap_a), len(gap_b))
    conflicts += _conflict(gap_a, gap_b)
    behind = len(gap_a) - len(gap_b)
    if gap_a and gap_b and max(len(gap_a), len(gap_b)) <= _BRIEF_END:
        places.append(Place(tuple(gap_a), tuple(gap_b)))
    return Alignment(
        opening if begins is not None else len(words_a),
        replaced / max(1, len(words_a)),
        conflicts,
        (begins or 0) / max(1, len(words_b)),
        min(abs(before), abs(behind)) if before * behind < 0 else 0,
        min(len(gap_a), len(gap_b)) if begins is not None else 0,
        tuple(places),
        front,
    )


def _split(place: Place) -> list[Place]:
    """The parts of a place in which as many words stand on both sides, some of them the same."""
    if len(place.a) != len(place.b) or not any(map(eq, place.a, place.b)):
        return [place]
    parts: list[Place] = []
    for same, pairs in groupby(zip(place.a, place.b, strict=True), lambda pair: pair[0] == pair[1]):
        if not same:
            one, other = zip(*pairs, strict=True)
            parts.append(Place(one, other))
    return parts


def _slots_of(front: Place) -> list[Place]:
    """What stands apart beside words that both have in one place, before the first they share.

    An outlet's own dateline is none: neither what a text begins with, nor a day.
    """
    parts = _split(front)
    if parts == [front]:
        return []
    if front.a[0] != front.b[0]:
        parts = parts[1:]
    return [
        part
        for part in parts
        if len(part.a) <= (_SLOT_OF_RUNS if is_unspaced(part.a[0]) else _SLOT)
        and not all(map(is_number, (*part.a, *part.b)))
        and not any(word.isdecimal() and len(word) <= _DAY for word in (*part.a, *part.b))
    ]


def _in_order(runs: Iterator[Run]) -> Iterator[Run]:
    """Leave out what stands in another order in the other text."""
    end_a = end_b = 0
    for run in runs:
        if run.a + SHINGLE > end_a and run.b + SHINGLE > end_b:
            yield run
            end_a, end_b = run.a + run.words, run.b + run.words


def _conflict(gap_a: Sequence[str], gap_b: Sequence[str]) -> bool:
    """Whether both sides have figures here that the other has not."""
    numbers_a = {word for word in gap_a if is_number(word)}
    numbers_b = {word for word in gap_b if is_number(word)}
    return bool(numbers_a - numbers_b and numbers_b - numbers_a)

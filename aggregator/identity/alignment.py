"""How two texts that share much differ: what one has more, and what stands in place of what.

Of copies one outlet cuts and adds: what is not shared stands on one side only. Reports made from a
template, and articles in the same boilerplate, have something else in the same place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aggregator.identity.fingerprints import SHINGLE
from aggregator.identity.places import Place
from aggregator.identity.tokens import is_number

_DATELINE = 8  # words: outlets put their own place and day before a text
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
            if (behind_both := _behind_both(front)) is not None:
                places.append(behind_both)
        elif gap_a and gap_b:
            places.append(Place(tuple(gap_a), tuple(gap_b)))
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


def _behind_both(front: Place) -> Place | None:
    """The one word behind those with which both begin: a place, as a dateline is none."""
    same = 0
    for one, other in zip(front.a, front.b, strict=False):
        if one != other:
            break
        same += 1
    rest = Place(front.a[same:], front.b[same:])
    if not same or len(rest.a) != 1 or len(rest.b) != 1:
        return None
    return None if is_number(rest.a[0]) or is_number(rest.b[0]) else rest


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

"""What stands against what in one place of two texts that share the rest.

Forms share their frame: forecasts for two regions, appointments, sentences, release notes. What
they are about stands in one place of it, a name against a name, a figure against a figure. Of
copies one outlet adds and cuts, and hardly ever puts another name in the place of one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from aggregator.identity.texts.tokens import is_number, is_unspaced, words

_SIGNS = re.compile(r"\D")
_VERSION = re.compile(r"\d+(?:\.\d+){2,}")
_DECIMAL = re.compile(r"\d+(?:\.\d+)+")
_HAN_NUMBER = re.compile(
    "[二三四五六七八九十百千万億亿两]+"
)  # one (一) stands in too many other words
_MISSPELT = 6  # letters; shorter names may differ in one
_SAME_START = 3  # letters or figures: an abbreviation, another ending, a number that was rounded


@dataclass(frozen=True, slots=True)
class Place:
    """The words of either text between two runs that both have; `a` is the shorter text."""

    a: tuple[str, ...]
    b: tuple[str, ...]


@cache
def _number_words() -> frozenset[str]:
    text = (files("aggregator.identity.texts") / "data" / "number_words.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return frozenset(word for line in lines for word in words(line))


def names_against(
    places: Iterable[Place],
    names: Collection[str],
    shared: Collection[str],
    *,
    nouns: bool,
) -> bool:
    """Whether somewhere a name that one text has alone stands against one the other has alone.

    Args:
        places: Where the texts differ.
        names: The names of both texts.
        shared: The words that stand in both, anywhere.
        nouns: Their language gives every noun a capital: only two names side by side are one.
    """
    for place in places:
        ours = _runs(place.a, names) if nouns else {word for word in place.a if word in names}
        others = _runs(place.b, names) if nouns else {word for word in place.b if word in names}
        if _apart(ours.difference(shared), others.difference(shared)):
            return True
    return False


def single_names_against(places: Iterable[Place], names: Collection[str]) -> int:
    """In how many places one word with a capital stands against another: a noun or a name."""
    return sum(
        len(place.a) == len(place.b) == 1
        and place.a[0] in names
        and place.b[0] in names
        and not _alike(place.a[0], place.b[0], rounded=False)
        for place in places
    )


def figures_against(places: Iterable[Place], shared: Collection[str]) -> int:
    """In how many places figures or number words that only one text has stand against each other.

    `shared` are the words that stand in both, anywhere.
    """
    return sum(
        1
        for place in places
        if _apart(
            _counts(place.a).difference(shared),
            _counts(place.b).difference(shared),
            rounded=True,
        )
    )


def figures_exchanged(places: Iterable[Place]) -> int:
    """In how many places the figures, the number words or the Chinese numerals are others.

    In so many that it is no correction it does not matter whether one stands elsewhere in the text.
    """
    return sum(
        any(
            _apart(ours, others, rounded=True)
            for ours, others in zip(_kinds_of_counts(p.a), _kinds_of_counts(p.b), strict=True)
        )
        for p in places
    )


def only_exchanged(places: Collection[Place], names: Collection[str]) -> bool:
    """Whether texts differ in nothing but words in the place of as many, one of which may name.

    `places` are all in which they differ, `names` the words with a capital of a language that gives
    one to every noun; in scripts without capitals any word may name. A form is filled in anew; an
    editor would also cut.
    """
    for place in places:
        if len(place.a) != len(place.b):
            return False
        if len(place.a) > 1 and not all(map(is_unspaced, (*place.a, *place.b))):
            return False
    return any(
        one != other and _may_name(one, names) and _may_name(other, names)
        and not _alike(one, other, rounded=False)
        for place in places
        for one, other in zip(place.a, place.b, strict=True)
    )  # fmt: skip


def _may_name(word: str, names: Collection[str]) -> bool:
    return word in names or (word.upper() == word and not is_number(word))


def subjects_against(
    places: Iterable[Place], titles: tuple[Collection[str], Collection[str]]
) -> bool:
    """Whether a word of one headline stands twice where a word of the other stands in its text.

    So in lower case too: soup of pumpkin and of carrots. Twice, for an editor changes a word once.
    """
    exchanged = Counter(
        (p.a[0], p.b[0])
        for p in places
        if len(p.a) == len(p.b) == 1 and min(len(p.a[0]), len(p.b[0])) > _SAME_START
    )
    return any(
        times > 1
        and not _alike(one, other, rounded=False)
        and any(_alike(one, word, rounded=False) for word in titles[0])
        and any(_alike(other, word, rounded=False) for word in titles[1])
        for (one, other), times in exchanged.items()
    )


def titles_against(
    places: Iterable[Place],
    titles: tuple[Collection[str], Collection[str]],
    names: Collection[str],
    shared: Collection[str],
) -> bool:
    """Whether what only one headline says stands against what only the other says.

    A form puts what it is about into its headline and into one place of its frame, so this holds
    without capitals too, and where every noun has one. In scripts with spaces only names and
    figures count: an editor changes other words in both.

    Args:
        places: Where the texts differ.
        titles: The words of both headlines, in the order of the places' sides.
        names: The names of both texts.
        shared: The words that stand in both texts, anywhere.
    """
    told = tuple(
        {
            word
            for word in set(one).difference(other, shared)
            if word in names or is_unspaced(word) or _counts((word,))
        }
        for one, other in (titles, titles[::-1])
    )
    return any(
        _apart(told[0].intersection(place.a), told[1].intersection(place.b), rounded=True)
        for place in places
    )


def versions_against(places: Iterable[Place], front: Place | None) -> bool:
    """Whether a version (4.2.1) stands against another one, or `release 4.2` against `release 4.3`.

    `front` is what both have before the first words they share.
    """
    for place in places:
        ours, others = (set(filter(_VERSION.fullmatch, side)) for side in (place.a, place.b))
        if ours and others and not ours & others:
            return True
    return front is not None and any(
        one[0] == other[0]
        and one[1] != other[1]
        and all(map(_DECIMAL.fullmatch, (one[1], other[1])))
        for one, other in zip(pairwise(front.a), pairwise(front.b), strict=False)
    )


def _counts(tokens: Iterable[str]) -> set[str]:
    return {token for token in tokens if is_number(token) or token in _number_words()}


def _kinds_of_counts(tokens: Iterable[str]) -> tuple[set[str], set[str], set[str]]:
    figures, named, han = set(), set(), set()
    for token in tokens:
        if is_number(token):
            figures.add(token)
        elif token in _number_words():
            named.add(token)
        elif is_unspaced(token):
            han.update(_HAN_NUMBER.findall(token))
    return figures, named, han


def _runs(tokens: tuple[str, ...], names: Collection[str]) -> set[str]:
    """The names that stand beside another one."""
    return {name for pair in pairwise(tokens) if all(n in names for n in pair) for name in pair}


def _apart(ours: set[str], others: set[str], *, rounded: bool = False) -> bool:
    """Whether both sides have what the other has in no form."""
    mine, theirs = ours - others, others - ours
    return any(not any(_alike(m, t, rounded=rounded) for t in theirs) for m in mine) and any(
        not any(_alike(m, t, rounded=rounded) for m in mine) for t in theirs
    )


def _alike(one: str, other: str, *, rounded: bool) -> bool:
    """One word in two forms (Oct, October), one figure more and less exact (2.67, 2,670,000)."""
    if rounded:
        one, other = (_SIGNS.sub("", figure).strip("0") or figure for figure in (one, other))
        if one == other:
            return True
        least = min(len(one), len(other)) - 1
        return least + 1 >= _SAME_START and one[:least] == other[:least] and len(one) != len(other)
    least = min(len(one), len(other))
    if least >= _SAME_START and one[:least] == other[:least] and not one[0].isdecimal():
        return True
    return least >= _MISSPELT and _one_letter_off(one, other)


def _one_letter_off(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    place = next(
        (i for i, pair in enumerate(zip(shorter, longer, strict=False)) if pair[0] != pair[1]), None
    )
    if place is None:
        return True
    rest = shorter[place + 1 :] if len(shorter) == len(longer) else shorter[place:]
    return rest == longer[place + 1 :]

"""What a new version of a text changed, by words; by characters in scripts without spaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import Match, SequenceMatcher
from itertools import accumulate

from aggregator.identity.texts.tokens import UNSPACED

_UNIT = re.compile(rf"([{UNSPACED}]|[^\s{UNSPACED}]+)(\s*)")
_MOST_STEPS = 3_000_000  # of one comparison: repeated words would take as many as they like

_Units = Sequence[tuple[str, str]]  # words with the white space behind them, folded


def changes(old: str, new: str) -> tuple[tuple[str, str], ...]:
    """Compare two versions of a text; differences in white space alone are none.

    Returns:
        Runs of text in order: kept (`=`), taken out (`-`), put in (`+`). Where the comparison
        would cost too much, the changed middle is one run of each.
    """
    a, b = _units(old), _units(new)
    short = min(len(a), len(b))
    start = 0
    while start < short and a[start][0] == b[start][0]:
        start += 1
    end = 0
    while end < short - start and a[-1 - end][0] == b[-1 - end][0]:
        end += 1
    runs = _kept(a[:start], b[:start])
    runs += _middle(a[start : len(a) - end], b[start : len(b) - end])
    runs += _kept(a[len(a) - end :], b[len(b) - end :])
    return tuple(run for run in runs if run[1])


class _TooMuch(Exception):
    pass


class _Bounded(SequenceMatcher[str]):
    """A matcher that counts what it looks at, and gives up.

    Each round passes over a range of the one sequence and, for each element there, over all places
    where the other has the same (`b2j`).

    Raises:
        _TooMuch: by any method, after `_MOST_STEPS`.
    """

    b2j: dict[str, list[int]]

    def __init__(self, a: Sequence[str], b: Sequence[str]) -> None:
        super().__init__(None, a, b)
        self._length = len(a)
        places = (1 + len(self.b2j.get(element, ())) for element in a)
        self._until = (0, *accumulate(places))
        self._left = _MOST_STEPS

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> Match:
        self._left -= self._until[self._length if ahi is None else ahi] - self._until[alo]
        if self._left < 0:
            raise _TooMuch
        return super().find_longest_match(alo, ahi, blo, bhi)


def _middle(a: _Units, b: _Units) -> list[tuple[str, str]]:
    try:
        codes = _Bounded([word for word, _ in a], [word for word, _ in b]).get_opcodes()
    except _TooMuch:
        return _replaced(a, b)
    runs: list[tuple[str, str]] = []
    for tag, a1, a2, b1, b2 in codes:
        if tag == "equal":
            runs += _kept(a[a1:a2], b[b1:b2])
        else:
            runs += _replaced(a[a1:a2], b[b1:b2])
    return runs


def _kept(a: _Units, b: _Units) -> list[tuple[str, str]]:
    pairs = zip(a, b, strict=True)
    return [("=", "".join(word + (after or before) for (_, before), (word, after) in pairs))]


def _replaced(a: _Units, b: _Units) -> list[tuple[str, str]]:
    """What was taken out and put in; the white space behind both is kept."""
    out, into = _text(a), _text(b)
    if out and into and out[-1].isspace() and into[-1].isspace():
        return [("-", out[:-1]), ("+", into[:-1]), ("=", into[-1])]
    return [("-", out), ("+", into)]


def _text(units: _Units) -> str:
    return "".join(word + space for word, space in units)


def _units(text: str) -> _Units:
    return [
        (word, ("\n" if "\n" in space else " ") if space else "")
        for word, space in _UNIT.findall(text)
    ]

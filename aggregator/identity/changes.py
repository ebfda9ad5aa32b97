"""What a new version of a text changed, by words; by characters in scripts without spaces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from aggregator.identity.tokens import UNSPACED

_UNIT = re.compile(rf"([{UNSPACED}]|[^\s{UNSPACED}]+)(\s*)")
_MOST_STEPS = 20_000  # of each round of the comparison; repeated words take as many as they like
_MOST_UNITS = 20_000

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


def _middle(a: _Units, b: _Units) -> list[tuple[str, str]]:
    words_a, words_b = [word for word, _ in a], [word for word, _ in b]
    ones, others = Counter(words_a), Counter(words_b)
    # From 200 words on, what is repeated more than this is no anchor to difflib ("autojunk").
    most = len(words_b) // 100 + 1 if len(words_b) >= 200 else len(words_b)
    steps = sum(ones[word] * count for word, count in others.items() if count <= most)
    if steps > max(_MOST_STEPS, 16 * len(a)) or len(a) + len(b) > _MOST_UNITS:
        return _replaced(a, b)
    runs: list[tuple[str, str]] = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, words_a, words_b).get_opcodes():
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

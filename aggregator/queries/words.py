"""The tokens of full text: made here alone, so that every database finds the same.

Texts are folded by compatibility and case (Unicode NFKC, UAX #15). A word is a run of letters,
marks and digits; nothing is stemmed and no accent is dropped. Scripts without spaces become
overlapping pairs of characters, and single characters beside them, so that 北京 is found in
在北京大学.
`C++` and `C#` are words of their own beside `c`.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

LONGEST = 40  # characters of a token; longer words are cut alike in texts and queries

# Thai, Lao, Burmese, Khmer; kana, bopomofo, Han.
_UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0ede\u1000-\u103f\u1780-\u17d3\u3005-\u3007\u3041-\u30ff\u3105-\u312f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_DROPPED = dict.fromkeys(map(ord, "\u00ad\u0640\u200c\u200d\u2060\ufeff"), None)
_DROPPED |= dict.fromkeys(range(0xFE00, 0xFE10), None)  # variation selectors
_SPACE = {0x200B: " "}  # what Thai and Khmer part words with, if anything


def normalised(text: str) -> str:
    """A text as its words are compared: NFKC, case-folded, without optional signs."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).translate(_DROPPED | _SPACE).casefold()
    return unicodedata.normalize("NFKC", folded)


@cache
def _pattern() -> re.Pattern[str]:
    """Words and runs; the marks of a script belong to its words, which `\\w` does not know."""
    marks = "".join(
        re.escape(chr(code))
        for code in range(0x300, min(0x3100, sys.maxunicode))
        if unicodedata.category(chr(code)).startswith("M")
    )
    letter = rf"(?:(?![{_UNSPACED}])[^\W_]|[{marks}])"
    return re.compile(rf"{letter}+(?:[+#]{{1,2}}(?![\w+#]))?|[{_UNSPACED}]+")


_ASCII = re.compile(r"[a-z0-9]+(?:[+#]{1,2}(?![\w+#]))?")
_RUN = re.compile(rf"[{_UNSPACED}]")


def segments(text: str) -> list[str]:
    """The words of a text, in order; a run of a script without spaces is one."""
    clean = normalised(text)
    return (_ASCII if clean.isascii() else _pattern()).findall(clean)


def is_run(segment: str) -> bool:
    """Whether a segment is of a script without spaces."""
    return not segment.isascii() and _RUN.match(segment) is not None


def in_order(found: Iterable[str]) -> Iterator[str]:
    """The tokens of segments that stand beside each other: words, and pairs of characters."""
    for segment in found:
        if is_run(segment):
            yield from _pairs(segment)
        else:
            yield segment.rstrip("+#")[:LONGEST]


def beside(found: Iterable[str]) -> Iterator[str]:
    """The further tokens that segments are found by: single characters, words with signs."""
    for segment in found:
        if is_run(segment):
            if len(segment) > 1:
                yield from segment
        elif segment[-1] in "+#":
            yield segment[:LONGEST]


def needs(found: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """What a text must hold for a phrase of segments: each a token, or tokens in this order.

    A single character of a script without spaces may be part of a longer run in the text, so its
    neighbours in the phrase are looked for apart.
    """
    wanted: list[tuple[str, ...]] = []
    phrase: list[str] = []
    for segment in found:
        if is_run(segment) and len(segment) == 1:
            wanted += [tuple(phrase), (segment,)]
            phrase = []
            continue
        if segment[-1] in "+#":
            wanted.append((segment[:LONGEST],))
        phrase += in_order((segment,))
    return tuple(dict.fromkeys(one for one in (*wanted, tuple(phrase)) if one))


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]

"""The telling terms of an item, as numbers that can be stored: what the story step looks at.

A term is a word cut to seven letters (a poor man's stemming that works in most languages), a
figure, or in Han and kana a pair of characters; function words and words of up to three Latin
letters are none, but for names such as FAA. A term is kept as a 32-bit hash, in the order of the
text, so that the terms of an item take about half a kilobyte.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.resources import files
from itertools import pairwise

from aggregator.identity.texts.names import names
from aggregator.identity.texts.tokens import is_number, is_unspaced, words

VERSION = 2  # of everything that changes stored terms: how words are cut, which are none
_STEM = 7  # letters; enough for the endings of most languages, short enough for few mistakes
_SHORT = 3  # letters: such words count only as names (CDU, FAA)
_PAIR, _HAN = 2, "\u2e80"  # characters; where the scripts of China and Japan begin
_TITLE = 40  # words of a headline
_MOST = 255  # terms of a text, in order; more are not stored
_WORD = re.compile(r"\w+")
_GAP = 0  # stands where a word is that is no term
# Arabic writes its article, and a preposition before it, onto the word.
_ARTICLE = re.compile(r"^(?:[وفبك]?ال|لل)(?=[\u0620-\u064a]{3})")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an item by their numbers; 0 where a word is that is none.

    `names` are those of them that are names, `unspaced` those that stand for pieces of words;
    `written` gives a term's letters where the text is at hand.
    """

    headline: tuple[int, ...]
    opening: tuple[int, ...]
    names: frozenset[int]
    unspaced: bool = False
    written: Mapping[int, str] = field(default_factory=dict, compare=False)

    def counts(self) -> Counter[int]:
        """How often each term stands in the text, once more for those of the headline."""
        found = Counter(self.opening)
        found.update(set(self.headline))
        del found[_GAP]
        return found

    def neighbours(self) -> set[tuple[int, int]]:
        """The pairs of terms that stand side by side, the smaller first."""
        return {
            (min(pair), max(pair))
            for part in (self.headline, self.opening)
            for pair in pairwise(part)
            if _GAP not in pair
        }

    def frame(self, other: Terms) -> frozenset[int]:
        """The terms with which both headlines begin, and those with which both end.

        Between two items of one source these name a series, a section or a column.
        """
        ours, theirs = self.headline, other.headline
        least = min(len(ours), len(theirs))
        begin = end = 0
        while begin < least and ours[begin] == theirs[begin]:
            begin += 1
        while end < least and ours[-1 - end] == theirs[-1 - end]:
            end += 1
        return frozenset(ours[:begin] + ours[len(ours) - end :])

    def holders(self, name: int) -> frozenset[int]:
        """Whose or where a name is: names behind it and one word that is no term ("Bank of …")."""
        return frozenset(
            part[place + 2]
            for part in (self.headline, self.opening)
            for place in range(len(part) - 2)
            if part[place] == name and part[place + 1] == _GAP and part[place + 2] in self.names
        )

    def pack(self) -> bytes:
        """Four bytes a term."""
        numbers = array(
            "i",
            (
                len(self.headline),
                -len(self.names) - 1 if self.unspaced else len(self.names),
                *self.headline,
                *sorted(self.names),
                *self.opening,
            ),
        )
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers.tobytes()


def unpack(packed: bytes) -> Terms:
    """The terms that `Terms.pack` packed."""
    numbers = array("i", packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    headline, named = numbers[0], numbers[1]
    unspaced = named < 0
    named = -named - 1 if unspaced else named
    middle = 2 + headline + named
    return Terms(
        tuple(numbers[2 : 2 + headline]),
        tuple(numbers[middle:]),
        frozenset(numbers[2 + headline : middle]),
        unspaced,
    )


def terms(
    title: str | None, text: Sequence[str], text_names: frozenset[str], opening: int
) -> Terms:
    """Read the terms of an item.

    Args:
        title: Its headline as plain text.
        text: The words of its own text, boilerplate left out (`tokens.words`).
        text_names: Those of them that are names (`names.names`).
        opening: How many words of the text are read.
    """
    named = frozenset(map(_term, text_names | names(title or "", _TITLE)))
    written: dict[int, str] = {}
    headline = tuple(_numbers(words(title or "")[:_TITLE], named, written))[:_MOST]
    body = tuple(_numbers(text[:opening], named, written))[:_MOST]
    known = {number for number in (*headline, *body) if number}
    return Terms(
        headline,
        body,
        frozenset(term_number(term) for term in named) & known,
        sum(map(is_unspaced, written.values())) * 2 > len(written),
        written,
    )


def spelled(stems: Sequence[str], *texts: str) -> tuple[str, ...]:
    """The words that terms stand for, as they stand first in one of the texts.

    A term that is in none of them stays as it is.
    """
    found: dict[str, str] = {}
    for text in texts:
        for word in _WORD.findall(text):
            for folded in words(word):
                found.setdefault(_term(folded), word)
    return tuple(dict.fromkeys(found.get(stem, stem) for stem in stems))


def _numbers(
    tokens: Sequence[str], named: frozenset[str], written: dict[int, str]
) -> Iterator[int]:
    for word in tokens:
        for term in _terms(word):
            if _is_telling(term, named):
                number = term_number(term)
                written[number] = term
                yield number
            else:
                yield _GAP


def _is_telling(term: str, named: frozenset[str]) -> bool:
    return (
        term not in _function_words()
        and (term in named or not _is_short(term))
        and (len(term) > 1 or is_unspaced(term))
    )


@lru_cache(maxsize=16384)
def term_number(term: str) -> int:
    """A term as a signed 32-bit number, never 0."""
    hashed = blake2b(term.encode("utf-8", "replace"), digest_size=4).digest()
    return int.from_bytes(hashed, "big", signed=True) or 1


def _term(word: str) -> str:
    if is_number(word) or is_unspaced(word):
        return word
    return (word if word.isascii() else _ARTICLE.sub("", word))[:_STEM]


def _terms(word: str) -> tuple[str, ...]:
    """The terms of a word: its stem; in Han and kana, with their short words, character pairs."""
    if len(word) > _PAIR and word[0] >= _HAN and is_unspaced(word):
        return tuple(word[place : place + _PAIR] for place in range(len(word) - 1))
    return (_term(word),)


def _is_short(term: str) -> bool:
    return len(term) <= _SHORT and term.isascii() and not is_number(term)


@cache
def _function_words() -> frozenset[str]:
    text = (files("aggregator.identity.texts") / "data" / "function_words.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    # The data is read as any text is, or accents and vowel signs would keep words from matching.
    return frozenset(_term(word) for line in lines for word in words(line))

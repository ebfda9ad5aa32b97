"""Which paragraphs of a text are its own, and which are boilerplate of its outlet.

Boilerplate is told by three signs: headings of link lists, after which nothing belongs to the
article ("Related News"); phrases that every outlet uses (`data/boilerplate.txt`); and whatever one
source repeats in several copy groups. Groups are counted and not items: a story sent three times
must not become its own boilerplate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from importlib.resources import files

from aggregator.identity.texts.tokens import words
from aggregator.model.copies import CopyThresholds

_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
_MIN_BEFORE_CUT = 30  # words; a list of links above the text is skipped, not cut at
_MAX_BOILERPLATE = 60  # words; longer paragraphs are text
_MAX_SHORT_BOILERPLATE = 12  # words; for phrases of a single word
MAX_COUNTED = 24  # paragraphs of an item that can be counted, half from each end


class Fate(StrEnum):
    """What became of a paragraph."""

    KEPT = "kept"
    PHRASE = "phrase"  # it begins as boilerplate of every outlet does
    REPEATED = "repeated"  # its source repeats it
    AFTER_HEADING = "after_heading"  # of a list of links


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of a text: its characters from `start` to `end`, and a signed 64-bit name."""

    start: int
    end: int
    words: tuple[str, ...]
    hash: int
    fate: Fate


@cache
def _phrases() -> tuple[frozenset[tuple[str, ...]], Mapping[str, tuple[tuple[str, ...], ...]]]:
    """Headings to cut at, and beginnings to drop by their first word."""
    headings: set[tuple[str, ...]] = set()
    beginnings: dict[str, list[tuple[str, ...]]] = {}
    text = (files("aggregator.identity.texts") / "data" / "boilerplate.txt").read_text(
        encoding="utf-8"
    )
    for line in text.splitlines():
        verb, _, phrase = line.partition(" ")
        key = tuple(words(phrase))
        if verb == "cut":
            headings.add(key)
        elif verb == "drop":
            beginnings.setdefault(key[0], []).append(key)
    return frozenset(headings), {first: tuple(keys) for first, keys in beginnings.items()}


def paragraph_hash(tokens: tuple[str, ...]) -> int:
    """A signed 64-bit name of a paragraph's words; 0 for none."""
    if not tokens:
        return 0
    digest = blake2b(" ".join(tokens).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _begins_as_boilerplate(tokens: tuple[str, ...]) -> bool:
    if len(tokens) > _MAX_BOILERPLATE:
        return False
    for phrase in _phrases()[1].get(tokens[0], ()):
        if tokens[: len(phrase)] == phrase and (
            len(phrase) > 1 or len(tokens) <= _MAX_SHORT_BOILERPLATE
        ):
            return True
    return False


def paragraphs(text: str, boilerplate: frozenset[int]) -> Iterator[Paragraph]:
    """The paragraphs of `text` (one a line) in order, each with its fate.

    Args:
        text: Plain text of an item, paragraphs on lines of their own.
        boilerplate: Hashes of the paragraphs its source is known to repeat.
    """
    headings = _phrases()[0]
    kept = 0
    cut = False
    for line in _LINE.finditer(text):
        tokens = tuple(words(line[0]))
        if not tokens:
            continue
        name = paragraph_hash(tokens)
        if cut:
            fate = Fate.AFTER_HEADING
        elif tokens in headings:
            fate = Fate.PHRASE
            cut = kept >= _MIN_BEFORE_CUT
        elif _begins_as_boilerplate(tokens):
            fate = Fate.PHRASE
        elif name in boilerplate:
            fate = Fate.REPEATED
        else:
            fate = Fate.KEPT
            kept += len(tokens)
        yield Paragraph(line.start(), line.end(), tokens, name, fate)


def countable(found: tuple[Paragraph, ...]) -> tuple[int, ...]:
    """The paragraph hashes of an item to be counted for its source, without repeats.

    Long paragraphs are never boilerplate, and boilerplate stands near the ends, so at most 24 are
    counted.
    """
    names = list(
        dict.fromkeys(
            paragraph.hash
            for paragraph in found
            if paragraph.fate in (Fate.KEPT, Fate.REPEATED)
            and len(paragraph.words) <= _MAX_BOILERPLATE
        )
    )
    if len(names) > MAX_COUNTED:
        half = MAX_COUNTED // 2
        names = names[:half] + names[-half:]
    return tuple(names)


def repeated_paragraphs(groups: Mapping[int, int], thresholds: CopyThresholds) -> frozenset[int]:
    """Which paragraphs of a source are boilerplate because it repeats them.

    Args:
        groups: For each paragraph hash of the source, in how many distinct copy groups it was seen
            (an item without copies is a group of its own).
    """
    least = thresholds.boilerplate_groups
    return frozenset(name for name, count in groups.items() if count >= least)

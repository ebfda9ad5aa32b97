"""An item as full text sees it: the tokens of each part, as many as every index can keep.

PostgreSQL keeps 16,383 positions of a text and 255 of a word
(https://www.postgresql.org/docs/current/textsearch-limitations.html). Whatever is beyond is left
out here, so that SQLite, PostgreSQL and plain data agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from aggregator.queries.tree import Field
from aggregator.queries.words import beside, in_order, segments

VERSION = 1  # of these tokens; another one has every item indexed again

GAP = "_"  # no query asks for it: between what does not stand together
_MOST_BYTES = 700_000
_MOST_OF_ONE = 250


class Part(StrEnum):
    """The parts of an item that are indexed. What its page said is apart: not everybody sees it."""

    TITLE = "title"
    AUTHOR = "author"
    TEXT = "text"
    PAGE = "page"


# Tokens in order, and beside them.
_ROOM = {
    Part.TITLE: (300, 300),
    Part.AUTHOR: (100, 100),
    Part.TEXT: (8000, 2000),
    Part.PAGE: (4000, 1000),
}
PUBLIC = (Part.TITLE, Part.AUTHOR, Part.TEXT)
EVERY = tuple(Part)


@dataclass(frozen=True, slots=True)
class Document:
    """The tokens of each part, gaps included."""

    parts: Mapping[Part, tuple[str, ...]]

    def holds(self, needs: Sequence[tuple[str, ...]], parts: Collection[Part]) -> bool:
        """Whether one of these parts holds each of the needs (`words.needs`)."""
        return all(any(_within(need, self.parts.get(p, ())) for p in parts) for need in needs)


def make_document(
    title: str | None, author: str | None, text: str | None, page: str | None
) -> Document:
    """The tokens of an item. `page` is text that was taken from its page, if any."""
    given = {Part.TITLE: title, Part.AUTHOR: author, Part.TEXT: text, Part.PAGE: page}
    counts: Counter[str] = Counter()
    left = _MOST_BYTES
    made: dict[Part, tuple[str, ...]] = {}
    for part, words in given.items():
        if not words:
            continue
        most, most_beside = _ROOM[part]
        # Longer than anything that is kept of it can be.
        found = segments(words[: 40 * most])
        first = list(islice(in_order(found), most))
        further = list(islice(dict.fromkeys(beside(found)), most_beside))
        kept: list[str] = []
        for token in (*first, GAP, *further) if further else first:
            if token not in counts:
                left -= len(token.encode()) + 4
            if left < 0:
                break
            counts[token] += 1
            kept.append(token if counts[token] <= _MOST_OF_ONE else GAP)
        if kept:
            made[part] = tuple(kept)
    return Document(made)


def parts_of(field: Field | None, *, page_text: bool) -> tuple[Part, ...]:
    """Which parts a field of a query names, with or without the text of pages."""
    if field is Field.TITLE:
        return (Part.TITLE,)
    if field is Field.AUTHOR:
        return (Part.AUTHOR,)
    if field is Field.TEXT:
        return (Part.TEXT, Part.PAGE) if page_text else (Part.TEXT,)
    return EVERY if page_text else PUBLIC


def _within(need: tuple[str, ...], tokens: tuple[str, ...]) -> bool:
    if len(need) == 1:
        return need[0] in tokens
    start = -1
    try:
        while True:
            start = tokens.index(need[0], start + 1)
            if tokens[start : start + len(need)] == need:
                return True
    except ValueError:
        return False

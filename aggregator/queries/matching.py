"""Whether an item is meant by a query, decided on plain data: what rules and their preview ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aggregator.queries.document import Document, parts_of
from aggregator.queries.patterns import is_found
from aggregator.queries.tree import (
    And,
    Field,
    Followed,
    Has,
    Language,
    Media,
    Node,
    Not,
    Or,
    Pattern,
    Since,
    Source,
    Story,
    Tag,
    Words,
)
from aggregator.queries.words import needs, segments


@dataclass(frozen=True, slots=True)
class Record:
    """An item as queries see it. `tags` and `sources` are those that the asker may know of."""

    document: Document
    at: datetime  # as displayed: the earlier of published and first seen
    title: str = ""
    author: str = ""
    text: str = ""
    link: str = ""
    categories: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()  # case-folded
    sources: frozenset[str] = frozenset()
    language: str | None = None
    media: frozenset[Media] = frozenset()
    followed: bool = False
    story: int = 0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a query needs to know besides the item.

    `counted_from` is when the selection last changed; `stories` has the story of each item that a
    query names; with `page_text` words are looked for in texts of pages too.
    """

    counted_from: datetime
    page_text: bool = False
    stories: Mapping[int, int] = field(default_factory=dict)


def matches(node: Node, record: Record, around: Circumstances) -> bool:
    """Whether the query holds for the item."""
    if isinstance(node, And):
        return all(matches(one, record, around) for one in node.nodes)
    if isinstance(node, Or):
        return any(matches(one, record, around) for one in node.nodes)
    if isinstance(node, Not):
        return not matches(node.node, record, around)
    if isinstance(node, Words):
        return _says(node, record, around)
    if isinstance(node, Pattern):
        ignore = node.ignore_case
        return any(is_found(node.pattern, t, ignore_case=ignore) for t in _texts(node, record))
    if isinstance(node, Tag):
        return node.name in record.tags
    if isinstance(node, Source):
        return node.id in record.sources
    if isinstance(node, Language):
        spoken = (record.language or "").lower().replace("_", "-")
        return spoken == node.tag or spoken.startswith(f"{node.tag}-")
    if isinstance(node, Since):
        return record.at >= node.cut(around.counted_from)
    if isinstance(node, Has):
        return node.media in record.media
    if isinstance(node, Followed):
        return node.yes is record.followed
    assert isinstance(node, Story)
    return around.stories.get(node.number) == record.story


def _says(node: Words, record: Record, around: Circumstances) -> bool:
    if node.field in (Field.LINK, Field.CATEGORY):
        return any(_has_words(text, node.words) for text in _texts(node, record))
    parts = parts_of(node.field, page_text=around.page_text)
    return record.document.holds(needs(node.words), parts)


def _has_words(text: str, wanted: tuple[str, ...]) -> bool:
    found = tuple(segments(text))
    return any(found[n : n + len(wanted)] == wanted for n in range(len(found) - len(wanted) + 1))


def _texts(node: Words | Pattern, record: Record) -> tuple[str, ...]:
    if node.field is Field.CATEGORY:
        return record.categories
    return {
        Field.TITLE: (record.title,),
        Field.AUTHOR: (record.author,),
        Field.TEXT: (record.text,),
        Field.LINK: (record.link,),
    }[node.field or Field.TEXT]

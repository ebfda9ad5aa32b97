"""What a query says, as a tree; frozen, and equal where the text of it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Field(StrEnum):
    """Where words are looked for, as the language names it."""

    TITLE = "title"
    AUTHOR = "author"
    TEXT = "text"
    LINK = "link"  # in rules only, as the next
    CATEGORY = "category"


class Media(StrEnum):
    """What an item can come with."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Words:
    """Words beside each other, in their order: a word, or a phrase. `field` None: anywhere.

    Each is normalised, and a run of a script without spaces is one of them (`words.segments`).
    """

    words: tuple[str, ...]
    field: Field | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression (RE2) that is found in a field."""

    field: Field
    pattern: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a source, without regard to case."""

    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """The id of a source that lists the item."""

    id: str


@dataclass(frozen=True, slots=True)
class Language:
    """A language tag; `de` holds for `de-AT` too."""

    tag: str


@dataclass(frozen=True, slots=True)
class Since:
    """Published (or first seen, if that was earlier) since a day, or so long before."""

    at: datetime | None = None
    ago: timedelta | None = None

    def cut(self, counted_from: datetime) -> datetime:
        """The earliest time it allows; a relative one counts from the given time."""
        if self.at is not None:
            return self.at
        return counted_from - (self.ago or timedelta(0))


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a picture, a sound or a film comes with it."""

    media: Media


@dataclass(frozen=True, slots=True)
class Followed:
    """Whether it was found through related links."""

    yes: bool


@dataclass(frozen=True, slots=True)
class Story:
    """In one story with an item, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of these."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of these."""

    nodes: tuple[Node, ...]


Leaf = Words | Pattern | Tag | Source | Language | Since | Has | Followed | Story
Node = Leaf | Not | And | Or


def leaves(node: Node) -> list[Leaf]:
    """Every single condition of a tree, in order."""
    if isinstance(node, Not):
        return leaves(node.node)
    if isinstance(node, And | Or):
        return [leaf for one in node.nodes for leaf in leaves(one)]
    return [node]


def asks_for_words(node: Node) -> bool:
    """Whether a query depends on the index of words."""
    return any(isinstance(leaf, Words) for leaf in leaves(node))

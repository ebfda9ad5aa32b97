"""What a page says: an article, its picture, its related links."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from aggregator.model.states import LinkRule


@dataclass(frozen=True, slots=True)
class RelatedLink:
    """A link that the publisher lists as belonging to the article, and why we think so.

    `position` counts from 0.
    """

    url: str
    text: str
    heading: str | None
    rule: LinkRule
    position: int
    rel_nofollow: bool = False


@dataclass(frozen=True, slots=True)
class LeadImage:
    """The article's main picture; the caption without its credit."""

    url: str
    caption: str | None = None
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class Robots:
    """What `<meta name=robots>` forbids."""

    noindex: bool = False
    nofollow: bool = False
    noarchive: bool = False


@dataclass(frozen=True, slots=True)
class Article:
    """One page read. Strings are plain text, XML-safe and capped; times are aware UTC.

    `html` is sanitised, links absolute. `titles` are all candidates, best first.
    `is_article` is False for lists, error pages and shells, and `reason` says why.
    """

    url: str
    title: str | None = None
    titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    editor: str | None = None
    publisher: str | None = None
    source_line: str | None = None  # who the text is from, as printed ("Source: Xinhua")
    place: str | None = None  # dateline
    published: datetime | None = None
    modified: datetime | None = None
    language: str | None = None
    image: LeadImage | None = None
    text: str = ""
    html: str = ""
    links: tuple[RelatedLink, ...] = ()
    canonical: str | None = None
    amp_url: str | None = None
    og_url: str | None = None
    robots: Robots = field(default_factory=Robots)
    paywalled: bool = False
    is_article: bool = False
    reason: str = ""

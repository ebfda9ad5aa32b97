"""What a feed document says, before anything is decided about it.

Every string here is XML-safe (no NUL, C0 controls except tab, LF and CR, no lone surrogates) and
capped in length; bodies are *not* sanitised yet and their links may be relative.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aggregator.model.states import ParseFault


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An attached file (RSS `enclosure`, Atom `link rel=enclosure`, JSON Feed `attachments`)."""

    url: str  # http(s), ftp or magnet
    type: str | None = None
    length: int | None = None  # bytes, as declared
    duration: int | None = None  # seconds
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of an entry; `alt` says in words what it shows, `credit` whose it is.

    Sizes in pixels, as declared.
    """

    url: str
    alt: str | None = None
    width: int | None = None
    height: int | None = None
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words of an episode (`podcast:transcript`); `rel` is `captions` where they have times."""

    url: str
    type: str | None = None
    language: str | None = None
    rel: str | None = None


@dataclass(frozen=True, slots=True)
class Chapters:
    """Where the chapters of an episode are listed (`podcast:chapters`)."""

    url: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who takes part in an episode (`podcast:person`); without a role, its host."""

    name: str
    role: str | None = None
    group: str | None = None
    image: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """What podcast players read of an entry besides its file (iTunes tags, podcast namespace)."""

    duration: int | None = None  # seconds
    number: int | float | None = None
    season: int | float | None = None
    kind: str | None = None  # full | trailer | bonus
    explicit: bool | None = None
    image: str | None = None
    transcripts: tuple[Transcript, ...] = ()
    chapters: Chapters | None = None
    persons: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A link of a feed or an entry that names a relation (RFC 4287 §4.2.7, WebSub §4)."""

    rel: str
    href: str
    type: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """One entry as its source presents it; URLs absolute, dates aware UTC, text raw.

    `id` is the publisher's own (guid, atom:id, rdf:about, JSON Feed id) or None.
    `title` is plain text. `summary` and `content` are HTML as received (unsafe).
    """

    id: str | None
    link: str | None
    title: str | None
    published: datetime | None = None
    updated: datetime | None = None
    author: str | None = None  # all of them in one line
    summary: str | None = None
    content: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    categories: tuple[str, ...] = ()  # as they are shown
    language: str | None = None
    comments: str | None = None
    external_url: str | None = None  # JSON Feed link blogs: never an identity
    original_link: str | None = None  # feedburner:origLink
    source_title: str | None = None  # RSS source / atom:source, when the entry names its origin
    source_url: str | None = None
    links: tuple[FeedLink, ...] = ()  # rel=related, via, next ... not alternate or enclosure
    image: str | None = None  # the lead picture
    published_raw: str | None = None
    base: str | None = None  # base URL for relative links in the content, else in the summary
    summary_base: str | None = None  # of the summary, where it differs from that of the content
    guid_is_permalink: bool | None = None
    date_only: bool = False  # the publication date carries no time of day
    date_inferred: bool = False  # nobody could read the date: `published` is from its neighbours'
    authors: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()  # the lead first
    episode: Episode | None = None
    # (category as shown, its term): Atom terms are for programs where there is a label
    terms: tuple[tuple[str, str], ...] = ()
    cut_off: bool = False  # the document ended within it: what stood before the cut is read


@dataclass(frozen=True, slots=True)
class FeedHints:
    """What a document says about when to come back (floors, never ceilings)."""

    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()  # GMT hours 0..23
    skip_days: frozenset[int] = frozenset()  # 0 = Monday .. 6 = Sunday, GMT
    syndication: timedelta | None = None  # sy:updatePeriod / sy:updateFrequency


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A whole document. `error` says why reading stopped; entries read before are still there.

    `format` is `rss`, `rdf`, `atom`, `json` or None when the document is no feed;
    `reader` names the tier that read it (`strict`, `repair`, `feedparser`, `salvage`, `json`).
    """

    format: str | None
    entries: tuple[ParsedEntry, ...] = ()
    title: str | None = None
    link: str | None = None
    id: str | None = None
    description: str | None = None
    language: str | None = None
    updated: datetime | None = None
    icon: str | None = None
    authors: tuple[str, ...] = ()  # of entries that name none
    links: tuple[FeedLink, ...] = ()  # rel = self, hub, next, prev-archive, ...
    hints: FeedHints = field(default_factory=FeedHints)
    complete: bool = False  # fh:complete, RFC 5005 §2
    archive: bool = False  # fh:archive, RFC 5005 §4
    deleted: tuple[str, ...] = ()  # ids of at:deleted-entry, RFC 6721 §3
    dropped: int = 0  # entries beyond the cap
    error: str | None = None
    error_class: ParseFault | None = None
    alternates: tuple[FeedLink, ...] = ()  # feeds that an HTML page offers, when it is a page
    reader: str | None = None

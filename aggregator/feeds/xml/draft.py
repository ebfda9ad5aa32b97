"""What has been read of an entry so far, and the entry that it amounts to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from aggregator.feeds.inherited import Inherited
from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.values import fields
from aggregator.feeds.values.dates import DateReader, ReadDate
from aggregator.feeds.values.media import EpisodeDraft, Gathered
from aggregator.model.feed import FeedLink, ParsedEntry, Picture
from aggregator.urls.origin import is_http


class Body(NamedTuple):
    """HTML and the base of its addresses; None where the document does not say it."""

    html: str
    base: str | None


class Draft:
    """What has been read of an entry so far; lists keep the order of the document."""

    __slots__ = (
        "about",
        "authors",
        "base",
        "based",
        "categories",
        "comments",
        "contents",
        "credit",
        "group",
        "guid",
        "ids",
        "language",
        "links",
        "makers",
        "original",
        "permalink",
        "published",
        "relations",
        "source_authors",
        "source_title",
        "source_url",
        "summaries",
        "titles",
        "updated",
        "used_episode",
        "used_gathered",
    )

    def __init__(self, base: str | None, *, based: bool) -> None:
        self.base = base
        self.based = based  # the document says what the base of bodies is
        self.about: str | None = None
        self.ids: list[str] = []
        self.guid: tuple[str, str | None] | None = None
        self.permalink: bool | None = None
        self.links: list[tuple[int, str]] = []  # rank, absolute URL
        self.relations: list[FeedLink] = []
        self.titles: list[tuple[int, str]] = []
        self.published: list[tuple[int, str]] = []
        self.updated: list[tuple[int, str]] = []
        self.authors: list[tuple[int, str]] = []
        self.makers: list[str] = []  # of the media; authors where nobody else is named
        self.source_authors: list[str | None] = []
        self.summaries: list[tuple[int, Body]] = []
        self.contents: list[tuple[int, Body]] = []
        self.used_gathered: Gathered | None = None
        self.credit: str | None = None  # of the picture
        self.group: int | None = None  # the `media:group` that is being read
        self.used_episode: EpisodeDraft | None = None
        self.categories: dict[str, str] = {}  # as shown, and its term
        self.language: str | None = None
        self.comments: str | None = None
        self.original: str | None = None
        self.source_title: str | None = None
        self.source_url: str | None = None

    # Most entries have no media: what holds them is made where there are some.

    @property
    def gathered(self) -> Gathered:
        if self.used_gathered is None:
            self.used_gathered = Gathered()
        return self.used_gathered

    @property
    def episode(self) -> EpisodeDraft:
        if self.used_episode is None:
            self.used_episode = EpisodeDraft()
        return self.used_episode


def finish(
    draft: Draft,
    limits: ParseLimits,
    dates: DateReader,
    inherited: Inherited,
    *,
    spotless: bool,
    marked: bool,
) -> ParsedEntry:
    """The entry that a draft amounts to.

    `inherited` is what its feed says for all of them; `spotless` whether no string of the document
    can hold an unsafe character, `marked` whether a body may hold marks of CDATA sections.
    """
    entry_id = fields.id_of(
        draft.ids[0] if draft.ids else draft.guid[0] if draft.guid else draft.about, limits
    )
    published, published_raw, date_only = _date(draft.published, dates)
    updated, updated_raw, updated_only = (
        _date(draft.updated, dates) if draft.updated else (None, None, False)
    )
    link = _link(draft, entry_id, limits)
    authors = _authors(draft, limits, inherited)
    content, summary = _best(draft.contents), _best(draft.summaries)
    page = draft.original or link or inherited.home or draft.base
    base = (content or summary or Body("", draft.base)).base or page
    summary_base = summary.base or page if summary else base
    episode = files = None
    pictures: tuple[Picture, ...] = ()
    if draft.used_episode is not None:
        episode = draft.episode.finish(
            explicit=inherited.explicit, persons=inherited.persons, many=limits.many
        )
    if draft.used_gathered is not None:
        files = draft.gathered.files(limits.many, episode.duration if episode else None)
        pictures = draft.gathered.pictures(limits.many)
        if draft.credit and len(pictures) == 1 and pictures[0].credit is None:
            pictures = (replace(pictures[0], credit=draft.credit),)
    return ParsedEntry(
        id=entry_id,
        link=link,
        title=_best(draft.titles),
        published=published,
        updated=updated,
        author=fields.joined(authors, limits),
        summary=fields.body_of(summary.html, limits, spotless=spotless, marked=marked)
        if summary
        else None,
        content=fields.body_of(content.html, limits, spotless=spotless, marked=marked)
        if content
        else None,
        enclosures=files or (),
        categories=tuple(draft.categories),
        language=draft.language,
        comments=draft.comments,
        original_link=draft.original,
        source_title=draft.source_title,
        source_url=draft.source_url,
        links=tuple(draft.relations[: limits.many]),
        image=pictures[0].url if pictures else None,
        published_raw=fields.label_of(published_raw or updated_raw, limits),
        base=base,
        summary_base=summary_base if summary_base != base else None,
        guid_is_permalink=draft.permalink,
        date_only=date_only if published else updated_only,
        authors=authors,
        pictures=pictures,
        episode=episode,
        terms=tuple(pair for pair in draft.categories.items() if pair[0] != pair[1])
        if draft.categories
        else (),
    )


def _authors(draft: Draft, limits: ParseLimits, inherited: Inherited) -> tuple[str, ...]:
    """All authors of the best rank; else those of its source, else of the feed (RFC 4287)."""
    if len(draft.authors) == 1:
        name = fields.person_of(draft.authors[0][1], limits)
        if name:
            return (name,)
    elif draft.authors:
        best = min(rank for rank, _ in draft.authors)
        names = (name for rank, name in draft.authors if rank == best)
        if people := fields.people_of(names, limits):
            return people
    if draft.source_authors and (people := fields.people_of(draft.source_authors, limits)):
        return people
    if draft.makers and not inherited.authors:
        return fields.people_of(draft.makers, limits)
    return inherited.authors


def _link(draft: Draft, entry_id: str | None, limits: ParseLimits) -> str | None:
    link = _best(draft.links)
    if link is not None:
        return link
    if draft.guid is not None and draft.permalink:
        return fields.url_of(draft.guid[0], draft.base, limits)
    if draft.guid is not None and _is_path_declared(*draft.guid):
        return fields.url_of(draft.guid[0], draft.base, limits)
    if draft.guid is None and entry_id is not None and is_http(entry_id):
        return fields.url_of(entry_id, None, limits)  # rdf:about, or an Atom id
    return fields.page_of(draft.relations)


def _is_path_declared(guid: str, declared: str | None) -> bool:
    """Whether a guid is a path that is said to be the item's address (RSS 2.0 `isPermaLink`)."""
    return guid.startswith("/") and (declared or "").strip().lower() == "true"


def _date(
    told: list[tuple[int, str]], dates: DateReader
) -> tuple[datetime | None, str | None, bool]:
    """The best readable date of those of one kind: the rank decides, then the order."""
    raw = None
    if len(told) > 1:
        told.sort(key=_rank)
    for _, text in told:
        raw = raw or text
        found: ReadDate | None = dates.read(text)
        if found is not None:
            return found.when, text, found.date_only
    return None, raw, False


_Value = TypeVar("_Value")


def _best(ranked: list[tuple[int, _Value]]) -> _Value | None:
    """The value of the lowest rank; of equals, the first."""
    if not ranked:
        return None
    return ranked[0][1] if len(ranked) == 1 else min(ranked, key=_rank)[1]


def _rank(pair: tuple[int, object]) -> int:
    return pair[0]

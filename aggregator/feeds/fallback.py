"""The last tier: feedparser, for documents that are not well-formed beyond our repairs.

Without its sanitising and link resolution (both are ours, later, and cost it most of its time),
and only for documents that cannot hurt it: it is quadratic in authors, attributes and comments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from xml.sax import SAXException

from aggregator.feeds.inherited import Inherited
from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.values import fields, media
from aggregator.feeds.values.dates import DateReader
from aggregator.feeds.values.fields import Declared
from aggregator.feeds.values.media import EpisodeDraft, Gathered, Shown
from aggregator.markup.text import html_to_text
from aggregator.model.feed import (
    Chapters,
    Enclosure,
    Episode,
    FeedLink,
    ParsedEntry,
    ParsedFeed,
    Picture,
    Transcript,
)
from aggregator.urls.origin import is_http, resolve

_ENTRY = re.compile(r"<(?:[\w.\-]{1,20}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_AUTHOR = re.compile(
    r"(<((?:[\w.\-]{1,20}:)?(?:author|creator|name|email|managingEditor|webMaster|publisher"
    r"|contributor|owner))(?:\s[^<>]{0,500})?>)([^<]{1024})[^<]*",
    re.IGNORECASE,
)
_LONG_TAG = re.compile(r"<[A-Za-z][^<>]{2000,}")
# What feedparser is known to raise on broken input, by its own issue tracker and our tests.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RecursionError,
    SAXException,
    TypeError,
    ValueError,
)


class Unsuitable(Exception):
    """The document may not be given to feedparser, or it could make nothing of it."""


def read_leniently(
    text: str, url: str | None, limits: ParseLimits, dates: DateReader
) -> ParsedFeed:
    """What feedparser can make of `text`.

    Raises:
        Unsuitable: the document is too large or of a kind that would take feedparser for ever, or
            it found no feed in it.
    """
    _refuse_bombs(text, limits)
    text = _AUTHOR.sub(r"\1\3", text)
    import feedparser  # 0.1 s to import, rarely needed

    try:
        result = feedparser.parse(
            text.encode("utf-8", "ignore"),
            sanitize_html=False,
            resolve_relative_uris=False,
            # Not where it came from: feedparser takes ids for relative addresses.
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )
        version = str(result.get("version") or "")
        dates.language = fields.label_of(result.feed.get("language"), limits)
        whole = _Whole(version.startswith("atom"), url, _inherited(result.feed, url, limits))
        entries = tuple(
            entry
            for raw in result.entries[: limits.entries]
            if not fields.is_blank(entry := _entry(raw, whole, limits, dates))
        )
        if not version and not entries:
            raise Unsuitable("feedparser finds no feed in it")
        return _feed(result, version, entries, whole, limits)
    except _FAILURES as error:
        raise Unsuitable(f"feedparser gave up: {error!r:.200}") from None


def _refuse_bombs(text: str, limits: ParseLimits) -> None:
    if len(text) > limits.fallback:
        raise Unsuitable("not well-formed, and too large for the lenient reader")
    if len(_ENTRY.findall(text)) > limits.entries:
        raise Unsuitable("not well-formed, and too many entries for the lenient reader")
    if text.count("<!--") + text.count("<![") // 8 > limits.fallback_comments:
        raise Unsuitable("not well-formed, and too many comments for the lenient reader")
    for match in _LONG_TAG.finditer(text):
        if match.group().count("=") > limits.fallback_attributes:
            raise Unsuitable("not well-formed, and too many attributes for the lenient reader")
    if text.count("xmlns:") > 1_000:
        raise Unsuitable("not well-formed, and too many namespaces for the lenient reader")


def _feed(
    result: Any,
    version: str,
    entries: tuple[ParsedEntry, ...],
    whole: _Whole,
    limits: ParseLimits,
) -> ParsedFeed:
    feed, url = result.feed, whole.url
    fmt = "atom" if version.startswith("atom") else "rdf" if version == "rss10" else "rss"
    return ParsedFeed(
        format=fmt,
        entries=entries,
        title=_title(feed, "title", whole, limits),
        link=fields.url_of(feed.get("link"), url, limits),
        id=fields.id_of(feed.get("id"), limits),
        description=fields.title_of(html_to_text(feed.get("subtitle") or ""), limits),
        language=fields.label_of(feed.get("language"), limits),
        authors=whole.inherited.authors,
        links=_links(feed, url, limits),
        dropped=max(0, len(result.entries) - limits.entries),
        reader="feedparser",
    )


@dataclass(frozen=True, slots=True)
class _Whole:
    """What holds for all entries of a document. Atom declares its texts, RSS does not."""

    is_atom: bool
    url: str | None
    inherited: Inherited


def _inherited(feed: Any, url: str | None, limits: ParseLimits) -> Inherited:
    return Inherited(
        authors=fields.authors_of_all(_people(feed, limits), limits),
        home=fields.url_of(feed.get("link"), url, limits),
        explicit=feed.get("itunes_explicit"),
    )


def _entry(raw: Any, whole: _Whole, limits: ParseLimits, dates: DateReader) -> ParsedEntry:
    entry_id = fields.id_of(raw.get("id"), limits)
    contents = [c for c in raw.get("content", ()) if c.get("value")]
    content = contents[0] if contents else None
    summary = raw.get("summary_detail") or {"value": raw.get("summary")}
    if content is not None and summary.get("value") == content.get("value"):
        summary = {}  # feedparser copies the one into the other
    published_raw = raw.get("published") or raw.get("created")
    published = dates.read(published_raw)
    updated = dates.read(raw.get("updated")) if "updated" in raw else None
    base = resolve(whole.url, (raw.get("title_detail") or {}).get("base") or "") or whole.url
    # feedparser takes an id for the address where there is none.
    address = (
        raw.get("link") if raw.get("link") != raw.get("id") or is_http(entry_id or "") else None
    )
    link = fields.written_url_of(address, base, limits, whole.inherited.home)
    link = link or (entry_id if entry_id and is_http(entry_id) else None)
    links = _links(raw, base, limits)
    # It gives every link to itself the type of a feed.
    link = link or fields.page_of(replace(one, type=None) for one in links)
    original = fields.url_of(raw.get("feedburner_origlink"), base, limits)
    permalink = raw.get("guidislink")
    authors = (
        _people(raw, limits) or _people(raw.get("source") or {}, limits) or whole.inherited.authors
    )
    episode = _episode(raw, base, limits, whole.inherited.explicit)
    files, pictures = _media(raw, base, limits, episode.duration if episode else None)
    content_base, summary_base = (
        _base_of(body, original or link, base, whole) for body in (content or summary, summary)
    )
    terms = _categories(raw, limits)
    return ParsedEntry(
        id=entry_id,
        link=link,
        title=_title(raw, "title", whole, limits),
        published=published.when if published else _struct(raw.get("published_parsed")),
        updated=updated.when if updated else None,
        author=fields.joined(authors, limits),
        summary=_body(summary, whole, limits),
        content=_body(content, whole, limits) if content else None,
        enclosures=files,
        categories=tuple(terms),
        comments=fields.written_url_of(raw.get("comments"), base, limits),
        original_link=original,
        links=links,
        image=pictures[0].url if pictures else None,
        published_raw=fields.label_of(published_raw or raw.get("updated"), limits),
        base=content_base,
        summary_base=summary_base if summary and summary_base != content_base else None,
        guid_is_permalink=bool(permalink) if permalink is not None else None,
        date_only=published.date_only if published else False,
        authors=authors,
        pictures=pictures,
        episode=episode,
        terms=tuple(pair for pair in terms.items() if pair[0] != pair[1]),
    )


def _title(holder: Any, name: str, whole: _Whole, limits: ParseLimits) -> str | None:
    kind = (holder.get(f"{name}_detail") or {}).get("type")
    declared = Declared.NOTHING
    if whole.is_atom and kind:
        declared = Declared.PLAIN if kind == "text/plain" else Declared.HTML
    return fields.title_of(holder.get(name), limits, declared)


def _body(detail: Any, whole: _Whole, limits: ParseLimits) -> str | None:
    if whole.is_atom and detail.get("type") == "text/plain":
        return fields.guessed_html(detail.get("value"), limits)
    html = detail.get("value")
    return fields.body_of(html if whole.is_atom else fields.broken_lines(html), limits)


def _base_of(detail: Any, link: str | None, base: str | None, whole: _Whole) -> str | None:
    """The base of a body; that of an RSS item is its own page unless an `xml:base` says more."""
    own = detail.get("base") or base
    if not whole.is_atom and own in (whole.url, "", None):
        return link or whole.inherited.home or own
    return own


def _people(holder: Any, limits: ParseLimits) -> tuple[str, ...]:
    people = [p.get("name") or p.get("email") for p in holder.get("authors", ())[: limits.many]]
    return fields.people_of(people if any(people) else [holder.get("author")], limits)


def _categories(raw: Any, limits: ParseLimits) -> dict[str, str]:
    """Categories as they are shown, each with its term."""
    found: dict[str, str] = {}
    for tag in raw.get("tags", ())[: limits.many]:
        term = fields.name_of(tag.get("term"), limits)
        shown = fields.name_of(tag.get("label"), limits) or term
        if shown:
            found.setdefault(shown, term or shown)
    return found


def _episode(
    raw: Any, base: str | None, limits: ParseLimits, explicit: bool | None
) -> Episode | None:
    draft = EpisodeDraft(
        duration=media.seconds_of(raw.get("itunes_duration")),
        number=media.ordinal_of(raw.get("itunes_episode") or raw.get("podcast_episode")),
        season=media.ordinal_of(raw.get("itunes_season") or raw.get("podcast_season")),
        explicit=raw.get("itunes_explicit"),
        image=fields.url_of((raw.get("image") or {}).get("href"), base, limits),
    )
    kind = str(raw.get("itunes_episodetype") or "").strip().lower()
    draft.kind = kind if kind in ("full", "trailer", "bonus") else None
    for name in ("podcast_transcript", "podcast_chapters"):
        told = raw.get(name)
        url = fields.url_of(told.get("url"), base, limits) if isinstance(told, dict) else None
        if url is None:
            continue
        kind_of_file = fields.label_of(told.get("type"), limits)
        if name == "podcast_chapters":
            draft.chapters = Chapters(url, kind_of_file)
        else:
            language = fields.label_of(told.get("language"), limits)
            rel = fields.label_of(told.get("rel"), limits)
            draft.transcripts.append(Transcript(url, kind_of_file, language, rel))
    return draft.finish(explicit=explicit, persons=(), many=limits.many)


def _media(
    raw: Any, base: str | None, limits: ParseLimits, duration: int | None
) -> tuple[tuple[Enclosure, ...], tuple[Picture, ...]]:
    """The files and the pictures of an entry."""
    gathered = Gathered()
    for one in raw.get("enclosures", ())[: limits.many]:
        url = fields.file_of(one.get("href"), base, limits)
        if url:
            kind = media.type_of(url, fields.label_of(one.get("type"), limits))
            length = fields.number_of(one.get("length")) or None
            gathered.enclose(Enclosure(url, kind, length), limits.many)
    for one in raw.get("media_content", ())[: limits.many]:
        url = fields.file_of(one.get("url"), base, limits)
        if url is None:
            continue
        kind = media.type_of(url, fields.label_of(one.get("type"), limits))
        default = media.is_default(one.get("isdefault"))
        medium = media.medium_of(kind, one.get("medium"))
        if medium == "image":
            width, height = (fields.number_of(one.get(name)) for name in ("width", "height"))
            gathered.shown.append(Shown(media.CONTENT, url, None, width, height, default=default))
        else:
            length = fields.number_of(one.get("filesize")) or None
            played = media.seconds_of(one.get("duration"))
            file = Enclosure(url, kind, length, played)
            gathered.offer(file, medium, limits.many, default=default)
    covers = [(media.STAND_IN, t.get("url")) for t in raw.get("media_thumbnail", ())[: limits.many]]
    covers.append((media.COVER, (raw.get("image") or {}).get("href")))
    for rank, text in covers:
        url = fields.url_of(text, base, limits)
        if url:
            gathered.shown.append(Shown(rank, url))
    return gathered.files(limits.many, duration), gathered.pictures(limits.many)


def _struct(parsed: Any) -> datetime | None:
    """feedparser's own reading of a date, where ours has none."""
    if not parsed or not 1990 <= parsed[0] <= 2200:
        return None
    year, month, day, hour, minute, second = parsed[:6]
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)


def _links(holder: Any, base: str | None, limits: ParseLimits) -> tuple[FeedLink, ...]:
    links = []
    for link in holder.get("links", ())[: limits.many]:
        href = fields.url_of(link.get("href"), base, limits)
        rel = fields.label_of(link.get("rel"), limits)
        if href and rel and rel not in ("alternate", "enclosure"):
            links.append(FeedLink(rel, href, fields.label_of(link.get("type"), limits)))
    return tuple(links)

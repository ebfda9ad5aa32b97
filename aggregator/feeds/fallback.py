"""The last tier: feedparser, for documents that are not well-formed beyond our repairs.

Without its sanitising and link resolution (both are ours, later, and cost it most of its time),
and only for documents that cannot hurt it: it is quadratic in authors, attributes and comments.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from xml.sax import SAXException

from aggregator.feeds import fields
from aggregator.feeds.dates import DateReader
from aggregator.feeds.limits import ParseLimits
from aggregator.model.feed import Enclosure, FeedLink, ParsedEntry, ParsedFeed
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
        entries = tuple(
            entry
            for raw in result.entries[: limits.entries]
            if not fields.is_blank(entry := _entry(raw, url, limits, dates))
        )
        if not version and not entries:
            raise Unsuitable("feedparser finds no feed in it")
        return _feed(result, version, entries, url, limits)
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
    url: str | None,
    limits: ParseLimits,
) -> ParsedFeed:
    feed = result.feed
    fmt = "atom" if version.startswith("atom") else "rdf" if version == "rss10" else "rss"
    return ParsedFeed(
        format=fmt,
        entries=entries,
        title=fields.title_of(feed.get("title"), limits),
        link=fields.url_of(feed.get("link"), url, limits),
        id=fields.id_of(feed.get("id"), limits),
        description=fields.title_of(feed.get("subtitle"), limits, is_html=True),
        language=fields.label_of(feed.get("language"), limits),
        links=_links(feed, url, limits),
        dropped=max(0, len(result.entries) - limits.entries),
        reader="feedparser",
    )


def _entry(raw: Any, url: str | None, limits: ParseLimits, dates: DateReader) -> ParsedEntry:
    entry_id = fields.id_of(raw.get("id"), limits)
    contents = [c.get("value") for c in raw.get("content", ()) if c.get("value")]
    summary = raw.get("summary")
    if contents and summary == contents[0]:
        summary = None  # feedparser copies the one into the other
    published_raw = raw.get("published") or raw.get("created")
    published = dates.read(published_raw)
    updated = dates.read(raw.get("updated")) if "updated" in raw else None
    base = resolve(url, (raw.get("title_detail") or {}).get("base") or "") or url
    link = fields.url_of(raw.get("link"), base, limits)
    permalink = raw.get("guidislink")
    return ParsedEntry(
        id=entry_id,
        link=link or (entry_id if entry_id and is_http(entry_id) else None),
        title=fields.title_of(raw.get("title"), limits),
        published=published.when if published else _struct(raw.get("published_parsed")),
        updated=updated.when if updated else None,
        author=fields.person_of(raw.get("author"), limits),
        summary=fields.body_of(summary, limits),
        content=fields.body_of(contents[0], limits) if contents else None,
        enclosures=tuple(_enclosures(raw, base, limits)),
        categories=tuple(
            label
            for tag in raw.get("tags", ())[: limits.many]
            if (label := fields.label_of(tag.get("term") or tag.get("label"), limits))
        ),
        comments=fields.url_of(raw.get("comments"), base, limits),
        original_link=fields.url_of(raw.get("feedburner_origlink"), base, limits),
        links=_links(raw, base, limits),
        published_raw=fields.label_of(published_raw or raw.get("updated"), limits),
        base=base,
        guid_is_permalink=bool(permalink) if permalink is not None else None,
        date_only=published.date_only if published else False,
    )


def _struct(parsed: Any) -> datetime | None:
    """feedparser's own reading of a date, where ours has none."""
    if not parsed or not 1990 <= parsed[0] <= 2200:
        return None
    year, month, day, hour, minute, second = parsed[:6]
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)


def _enclosures(raw: Any, base: str | None, limits: ParseLimits) -> list[Enclosure]:
    found = {}
    for enclosure in raw.get("enclosures", ())[: limits.many]:
        url = fields.url_of(enclosure.get("href"), base, limits)
        if url:
            kind = fields.label_of(enclosure.get("type"), limits)
            found[url] = Enclosure(url, kind, fields.number_of(enclosure.get("length")) or None)
    return list(found.values())


def _links(holder: Any, base: str | None, limits: ParseLimits) -> tuple[FeedLink, ...]:
    links = []
    for link in holder.get("links", ())[: limits.many]:
        href = fields.url_of(link.get("href"), base, limits)
        rel = fields.label_of(link.get("rel"), limits)
        if href and rel and rel not in ("alternate", "enclosure"):
            links.append(FeedLink(rel, href, fields.label_of(link.get("type"), limits)))
    return tuple(links)

"""Read one entry: RSS `item` or Atom `entry`, with the modules that publishers mix in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lxml import etree

from aggregator.feeds import fields
from aggregator.feeds.constructs import atom_link, atom_markup, atom_text_title
from aggregator.feeds.dates import DateReader, ReadDate
from aggregator.feeds.inner import markup_of, straighten_attributes, text_of
from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.names import WELL_KNOWN_PREFIXES, Names
from aggregator.model.feed import Enclosure, FeedLink, ParsedEntry
from aggregator.urls.origin import is_http, resolve

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


class _Draft:
    """What has been read of an entry so far; lists keep the order of the document."""

    __slots__ = (
        "about",
        "authors",
        "base",
        "body_base",
        "categories",
        "comments",
        "contents",
        "dates",
        "enclosures",
        "guid",
        "ids",
        "images",
        "language",
        "links",
        "media",
        "original",
        "permalink",
        "relations",
        "source_title",
        "source_url",
        "summaries",
        "titles",
    )

    def __init__(self, base: str | None) -> None:
        self.base = base
        self.body_base = base
        self.about: str | None = None
        self.ids: list[str] = []
        self.guid: tuple[str, str | None] | None = None
        self.permalink: bool | None = None
        self.links: list[tuple[int, str]] = []  # rank, absolute URL
        self.relations: list[FeedLink] = []
        self.titles: list[tuple[int, str]] = []
        self.dates: list[tuple[str, int, str]] = []  # published | updated, rank, text
        self.authors: list[tuple[int, str]] = []
        self.summaries: list[tuple[int, str]] = []
        self.contents: list[tuple[int, str]] = []
        self.enclosures: dict[str, Enclosure] = {}
        self.media: dict[str, Enclosure] = {}
        self.images: list[tuple[int, str]] = []
        self.categories: dict[str, None] = {}
        self.language: str | None = None
        self.comments: str | None = None
        self.original: str | None = None
        self.source_title: str | None = None
        self.source_url: str | None = None


_Handler = Callable[["EntryReader", etree._Element, _Draft], None]


class EntryReader:
    """Reads the entries of one document."""

    def __init__(self, names: Names, limits: ParseLimits, dates: DateReader) -> None:
        self.names = names
        self.limits = limits
        self.dates = dates
        self._handlers: dict[object, _Handler | None] = {}  # by the tags of this document

    def read(self, element: etree._Element, base: str | None) -> ParsedEntry:
        """The entry in `element`; `base` is the base URL in force there."""
        draft = _Draft(base)
        draft.about = element.get(_ABOUT)
        draft.language = fields.label_of(element.get(_XML_LANG), self.limits)
        self._read_children(element, draft)
        return self._finish(draft)

    def _read_children(self, element: etree._Element, draft: _Draft) -> None:
        handlers = self._handlers
        for child in element:
            tag = child.tag
            if tag not in handlers:
                handlers[tag] = self._handler(child)
            handler = handlers[tag]
            if handler is not None:
                handler(self, child, draft)

    def _handler(self, element: etree._Element) -> _Handler | None:
        """By what the element's name means; else as it was written, whatever its prefix is."""
        handler = _HANDLERS.get(self.names.of(element.tag))
        if handler is None and element.prefix in WELL_KNOWN_PREFIXES:
            handler = _HANDLERS.get(self.names.written(element))
        return _attributed(handler) if handler in _WITH_ATTRIBUTES else handler

    def _finish(self, draft: _Draft) -> ParsedEntry:
        limits = self.limits
        entry_id = fields.id_of(
            draft.ids[0] if draft.ids else draft.guid[0] if draft.guid else draft.about, limits
        )
        published, published_raw, date_only = self._date(draft, "published")
        updated, updated_raw, updated_only = self._date(draft, "updated")
        enclosures = draft.enclosures or draft.media
        return ParsedEntry(
            id=entry_id,
            link=self._link(draft, entry_id),
            title=_best(draft.titles),
            published=published,
            updated=updated,
            author=fields.person_of(_best(draft.authors), limits),
            summary=fields.body_of(_best(draft.summaries), limits),
            content=fields.body_of(_best(draft.contents), limits),
            enclosures=tuple(enclosures.values())[: limits.many],
            categories=tuple(draft.categories)[: limits.many],
            language=draft.language,
            comments=draft.comments,
            original_link=draft.original,
            source_title=draft.source_title,
            source_url=draft.source_url,
            links=tuple(draft.relations[: limits.many]),
            image=_best(draft.images),
            published_raw=fields.label_of(published_raw or updated_raw, limits),
            base=draft.body_base,
            guid_is_permalink=draft.permalink,
            date_only=date_only if published else updated_only,
        )

    def _link(self, draft: _Draft, entry_id: str | None) -> str | None:
        link = _best(draft.links)
        if link is not None:
            return link
        if draft.guid is not None and draft.permalink:
            return fields.url_of(draft.guid[0], draft.base, self.limits)
        if draft.guid is None and entry_id is not None and is_http(entry_id):
            return fields.url_of(entry_id, None, self.limits)  # rdf:about, or an Atom id
        return None

    def _date(self, draft: _Draft, kind: str) -> tuple[datetime | None, str | None, bool]:
        """The best readable date of its kind: the rank decides, then the order."""
        raw = None
        for _, text in sorted((d[1:] for d in draft.dates if d[0] == kind), key=_rank):
            raw = raw or text
            found: ReadDate | None = self.dates.read(text)
            if found is not None:
                return found.when, text, found.date_only
        return None, raw, False

    # What each element means. The rank orders elements that say the same; the lowest wins.

    def guid(self, element: etree._Element, draft: _Draft) -> None:
        text = fields.id_of(text_of(element), self.limits)
        if text and draft.guid is None:
            declared = element.get("isPermaLink")
            draft.guid = (text, declared)
            draft.permalink = fields.is_permalink(text, declared)

    def atom_id(self, element: etree._Element, draft: _Draft) -> None:
        text = fields.id_of(text_of(element), self.limits)
        if text:
            draft.ids.append(text)

    def rss_link(self, element: etree._Element, draft: _Draft) -> None:
        text = text_of(element)
        if text is None or text.isspace():
            if element.get("href") is not None:
                self.atom_link(element, draft)
                return
            text = element.tail  # of a program that writes HTML: `<link/>https://…`
        url = fields.url_of(text, self._base(element, draft), self.limits)
        if url:
            draft.links.append((0, url))

    def atom_link(self, element: etree._Element, draft: _Draft) -> None:
        link = atom_link(element, self._base(element, draft), self.limits)
        if link is None:
            if element.text and element.get("href") is None:
                self.rss_link(element, draft)
            return
        if link.rel == "alternate":
            is_page = link.type is None or "html" in link.type
            draft.links.append((1 if is_page else 2, link.href))
        elif link.rel == "enclosure":
            length = fields.number_of(element.get("length"))
            self._enclose(draft.enclosures, link.href, link.type, length)
            self._maybe_image(draft, 5, link.href, link.type)
        elif link.rel == "replies":
            draft.comments = draft.comments or link.href
        elif len(draft.relations) < self.limits.many:
            draft.relations.append(link)

    def rss_title(self, element: etree._Element, draft: _Draft) -> None:
        self._title(draft, 0, fields.title_of(markup_of(element), self.limits))

    def atom_title(self, element: etree._Element, draft: _Draft) -> None:
        self._title(draft, 0, atom_text_title(element, self.limits))

    def other_title(self, element: etree._Element, draft: _Draft) -> None:
        self._title(draft, 1, fields.title_of(text_of(element), self.limits))

    @staticmethod
    def _title(draft: _Draft, rank: int, title: str | None) -> None:
        if title:
            draft.titles.append((rank, title))

    def description(self, element: etree._Element, draft: _Draft) -> None:
        self._body(draft.summaries, 0, markup_of(element), element, draft)

    def other_summary(self, element: etree._Element, draft: _Draft) -> None:
        self._body(draft.summaries, 2, markup_of(element), element, draft)

    def encoded(self, element: etree._Element, draft: _Draft) -> None:
        self._body(draft.contents, 0, markup_of(element), element, draft)

    def xhtml_body(self, element: etree._Element, draft: _Draft) -> None:
        self._body(draft.contents, 1, markup_of(element), element, draft)

    def atom_summary(self, element: etree._Element, draft: _Draft) -> None:
        self._body(draft.summaries, 0, atom_markup(element, self.limits), element, draft)

    def atom_content(self, element: etree._Element, draft: _Draft) -> None:
        self._body(draft.contents, 0, atom_markup(element, self.limits), element, draft)

    def _body(
        self,
        bodies: list[tuple[int, str]],
        rank: int,
        html: str | None,
        element: etree._Element,
        draft: _Draft,
    ) -> None:
        if html and not html.isspace():
            bodies.append((rank, html))
            draft.body_base = self._base(element, draft)

    def author(self, element: etree._Element, draft: _Draft) -> None:
        """RSS `author` is text; Atom's (and some RSS) has `name` and `email` children."""
        name = email = None
        for child in element:
            local = self.names.of(child.tag).rpartition(":")[2]
            if local == "name":
                name = name or text_of(child)
            elif local == "email":
                email = email or text_of(child)
        text = name or email or (text_of(element) if len(element) == 0 else None)
        if text and text.strip():
            draft.authors.append((1, text))

    def creator(self, element: etree._Element, draft: _Draft) -> None:
        text = text_of(element)
        if text and text.strip():
            draft.authors.append((0, text))

    def itunes_author(self, element: etree._Element, draft: _Draft) -> None:
        text = text_of(element)
        if text and text.strip():
            draft.authors.append((2, text))

    def category(self, element: etree._Element, draft: _Draft) -> None:
        text = (
            element.get("term") or text_of(element) or element.get("label") or element.get("text")
        )
        label = fields.label_of(text, self.limits)
        if label and len(draft.categories) < self.limits.many:
            draft.categories[label] = None

    def keywords(self, element: etree._Element, draft: _Draft) -> None:
        for word in (text_of(element) or "")[: self.limits.title].split(","):
            label = fields.label_of(word, self.limits)
            if label and len(draft.categories) < self.limits.many:
                draft.categories[label] = None

    def enclosure(self, element: etree._Element, draft: _Draft) -> None:
        url = fields.url_of(element.get("url") or element.get("href"), draft.base, self.limits)
        if url:
            kind = fields.label_of(element.get("type"), self.limits)
            self._enclose(draft.enclosures, url, kind, fields.number_of(element.get("length")))
            self._maybe_image(draft, 4, url, kind)

    def media_content(self, element: etree._Element, draft: _Draft) -> None:
        url = fields.url_of(element.get("url"), draft.base, self.limits)
        if url:
            kind = fields.label_of(element.get("type"), self.limits)
            is_image = element.get("medium") == "image" or (kind or "").startswith("image/")
            if is_image:
                draft.images.append((1, url))
            else:
                size = fields.number_of(element.get("fileSize"))
                self._enclose(draft.media, url, kind, size)
        self._read_children(element, draft)  # thumbnails, titles and descriptions stand inside

    def media_group(self, element: etree._Element, draft: _Draft) -> None:
        self._read_children(element, draft)

    def thumbnail(self, element: etree._Element, draft: _Draft) -> None:
        self._image(draft, 2, element.get("url") or element.get("href"))

    def itunes_image(self, element: etree._Element, draft: _Draft) -> None:
        self._image(draft, 3, element.get("href") or element.get("url") or element.text)

    def rss_image(self, element: etree._Element, draft: _Draft) -> None:
        inner = next((c for c in element if self.names.of(c.tag) == "url"), None)
        self._image(draft, 0, text_of(element if inner is None else inner) or element.get("href"))

    def _image(self, draft: _Draft, rank: int, text: str | None) -> None:
        url = fields.url_of(text, draft.base, self.limits)
        if url:
            draft.images.append((rank, url))

    @staticmethod
    def _maybe_image(draft: _Draft, rank: int, url: str, kind: str | None) -> None:
        if (kind or "").startswith("image/"):
            draft.images.append((rank, url))

    def _enclose(
        self, into: dict[str, Enclosure], url: str, kind: str | None, length: int | None
    ) -> None:
        if len(into) < self.limits.many:
            into.setdefault(url, Enclosure(url, kind, length or None))

    def rss_comments(self, element: etree._Element, draft: _Draft) -> None:
        url = fields.url_of(text_of(element), draft.base, self.limits)
        draft.comments = draft.comments or url

    def original_link(self, element: etree._Element, draft: _Draft) -> None:
        url = fields.url_of(text_of(element), draft.base, self.limits)
        draft.original = draft.original or url

    def rss_source(self, element: etree._Element, draft: _Draft) -> None:
        draft.source_title = fields.title_of(text_of(element), self.limits)
        draft.source_url = fields.url_of(element.get("url"), draft.base, self.limits)

    def atom_source(self, element: etree._Element, draft: _Draft) -> None:
        """Metadata of the feed an entry was copied from (RFC 4287 §4.2.11): its self, else page."""
        pages: dict[str, str] = {}
        for child in element:
            name = self.names.of(child.tag)
            if name == "atom:title":
                draft.source_title = atom_text_title(child, self.limits)
            elif name == "atom:link":
                link = atom_link(child, self._base(child, draft), self.limits)
                if link is not None:
                    pages.setdefault(link.rel, link.href)
        draft.source_url = pages.get("self") or pages.get("alternate")

    def dc_source(self, element: etree._Element, draft: _Draft) -> None:
        url = fields.url_of(text_of(element), None, self.limits)
        draft.source_url = draft.source_url or url

    def dc_language(self, element: etree._Element, draft: _Draft) -> None:
        draft.language = draft.language or fields.label_of(text_of(element), self.limits)

    def related(self, element: etree._Element, draft: _Draft) -> None:
        url = fields.url_of(text_of(element), draft.base, self.limits)
        if url and len(draft.relations) < self.limits.many:
            draft.relations.append(FeedLink("related", url))

    def dc_identifier(self, element: etree._Element, draft: _Draft) -> None:
        if draft.about is None:
            draft.about = fields.id_of(text_of(element), self.limits)

    def _base(self, element: etree._Element, draft: _Draft) -> str | None:
        own = element.get(_XML_BASE)
        return (resolve(draft.base, own) or draft.base) if own else draft.base


def _dated(kind: str, rank: int) -> _Handler:
    def read(reader: EntryReader, element: etree._Element, draft: _Draft) -> None:
        text = text_of(element)
        if text and not text.isspace():
            draft.dates.append((kind, rank, text))

    return read


def _attributed(handler: _Handler) -> _Handler:
    def read(reader: EntryReader, element: etree._Element, draft: _Draft) -> None:
        straighten_attributes(element)
        handler(reader, element, draft)

    return read


def _best(ranked: list[tuple[int, str]]) -> str | None:
    """The value of the lowest rank; of equals, the first."""
    if not ranked:
        return None
    return ranked[0][1] if len(ranked) == 1 else min(ranked, key=_rank)[1]


def _rank(pair: tuple[int, str]) -> int:
    return pair[0]


_HANDLERS: dict[str, _Handler] = {
    "guid": EntryReader.guid,
    "atom:id": EntryReader.atom_id,
    "id": EntryReader.atom_id,
    "link": EntryReader.rss_link,
    "atom:link": EntryReader.atom_link,
    "title": EntryReader.rss_title,
    "atom:title": EntryReader.atom_title,
    "dc:title": EntryReader.other_title,
    "media:title": EntryReader.other_title,
    "description": EntryReader.description,
    "dc:description": EntryReader.other_summary,
    "itunes:summary": EntryReader.other_summary,
    "media:description": EntryReader.other_summary,
    "content:encoded": EntryReader.encoded,
    "fullitem": EntryReader.encoded,
    "xhtml:body": EntryReader.xhtml_body,
    "xhtml:div": EntryReader.xhtml_body,
    "body": EntryReader.xhtml_body,
    "summary": EntryReader.atom_summary,
    "atom:summary": EntryReader.atom_summary,
    "content": EntryReader.atom_content,
    "atom:content": EntryReader.atom_content,
    "pubdate": _dated("published", 0),
    "atom:published": _dated("published", 1),
    "published": _dated("published", 1),
    "atom:issued": _dated("published", 2),
    "dcterms:issued": _dated("published", 3),
    "dc:date": _dated("published", 4),
    "dcterms:created": _dated("published", 5),
    "atom:created": _dated("published", 5),
    "date": _dated("published", 6),
    "atom:updated": _dated("updated", 0),
    "updated": _dated("updated", 0),
    "atom:modified": _dated("updated", 1),
    "dcterms:modified": _dated("updated", 1),
    "lastbuilddate": _dated("updated", 2),
    "author": EntryReader.author,
    "atom:author": EntryReader.author,
    "dc:creator": EntryReader.creator,
    "dc:author": EntryReader.creator,
    "itunes:author": EntryReader.itunes_author,
    "category": EntryReader.category,
    "atom:category": EntryReader.category,
    "dc:subject": EntryReader.category,
    "itunes:keywords": EntryReader.keywords,
    "media:keywords": EntryReader.keywords,
    "enclosure": EntryReader.enclosure,
    "media:content": EntryReader.media_content,
    "media:group": EntryReader.media_group,
    "media:thumbnail": EntryReader.thumbnail,
    "itunes:image": EntryReader.itunes_image,
    "podcast:image": EntryReader.itunes_image,
    "image": EntryReader.rss_image,
    "comments": EntryReader.rss_comments,
    "feedburner:origlink": EntryReader.original_link,
    "pheedo:origlink": EntryReader.original_link,
    "source": EntryReader.rss_source,
    "atom:source": EntryReader.atom_source,
    "dc:source": EntryReader.dc_source,
    "dc:language": EntryReader.dc_language,
    "dc:relation": EntryReader.related,
    "dc:identifier": EntryReader.dc_identifier,
}
# Elements that say something in attributes.
_WITH_ATTRIBUTES: frozenset[_Handler] = frozenset(
    (
        EntryReader.guid, EntryReader.rss_link, EntryReader.atom_link, EntryReader.category,
        EntryReader.enclosure, EntryReader.media_content, EntryReader.thumbnail,
        EntryReader.itunes_image, EntryReader.rss_image, EntryReader.rss_source,
        EntryReader.atom_title, EntryReader.atom_summary, EntryReader.atom_content,
    )
)  # fmt: skip

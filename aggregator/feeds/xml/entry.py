"""Read one entry: RSS `item` or Atom `entry`, with the modules that publishers mix in."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from aggregator.feeds.inherited import Inherited
from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.names import WELL_KNOWN_PREFIXES, Names
from aggregator.feeds.values import fields, media
from aggregator.feeds.values.dates import DateReader
from aggregator.feeds.values.fields import Declared
from aggregator.feeds.values.media import Shown
from aggregator.feeds.xml.constructs import (
    atom_link,
    atom_markup,
    atom_text_title,
    declared_by,
    described,
    people_in,
    person_in,
)
from aggregator.feeds.xml.draft import Body, Draft, finish
from aggregator.feeds.xml.inner import (
    XML_BASE,
    join_base,
    markup_of,
    straighten_attributes,
    text_of,
    texts_of,
)
from aggregator.model.feed import Chapters, Enclosure, FeedLink, ParsedEntry, Transcript

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"


_Handler = Callable[["EntryReader", etree._Element, Draft], None]


class EntryReader:
    """Reads the entries of one document.

    `inherited` is what its feed says for all of them; `based` whether there is any `xml:base`;
    `spotless` whether no string of the document can hold an unsafe character.
    """

    def __init__(
        self,
        names: Names,
        limits: ParseLimits,
        dates: DateReader,
        inherited: Inherited,
        *,
        based: bool,
        spotless: bool,
    ) -> None:
        self.based = based
        self.spotless = spotless
        self.names = names
        self.limits = limits
        self.dates = dates
        self.inherited = inherited
        # Some text holds the mark of a CDATA section: of one that did not end where it should.
        self.met_section = False
        # By the tags of this document; and whether the element says something in attributes.
        self._handlers: dict[object, tuple[_Handler | None, bool]] = {}

    def read(
        self, element: etree._Element, base: str | None, *, based: bool = False
    ) -> ParsedEntry:
        """The entry in `element`; `base` is the base URL in force there.

        `based` says that an `xml:base` made it. In Atom it holds for bodies in any case; those of
        RSS are otherwise relative to the item's own page.
        """
        is_atom = self.names.of(element.tag).startswith("atom:")
        draft = Draft(base, based=based or is_atom)
        draft.about = element.get(_ABOUT)
        draft.language = fields.label_of(element.get(_XML_LANG), self.limits)
        self._read_children(element, draft)
        if not draft.links:  # CDF (https://www.w3.org/TR/NOTE-CDFsubmit)
            url = fields.url_of(element.get("HREF"), base, self.limits)
            draft.links += [(4, url)] if url else []
        return finish(
            draft, self.limits, self.dates, self.inherited,
            spotless=self.spotless, marked=self.met_section,
        )  # fmt: skip

    def _read_children(self, element: etree._Element, draft: Draft) -> None:
        handlers = self._handlers
        for child in element:
            tag = child.tag
            known = handlers.get(tag)
            if known is None:
                known = handlers[tag] = self._handler(child)
            handler, in_attributes = known
            if handler is not None:
                if in_attributes:
                    straighten_attributes(child)
                handler(self, child, draft)

    def _handler(self, element: etree._Element) -> tuple[_Handler | None, bool]:
        """By what the element's name means; else as it was written, whatever its prefix is."""
        handler = _HANDLERS.get(self.names.of(element.tag))
        if handler is None and element.prefix in WELL_KNOWN_PREFIXES:
            handler = _HANDLERS.get(self.names.written(element))
        return handler, handler in _WITH_ATTRIBUTES

    # What each element means. The rank orders elements that say the same; the lowest wins.

    def guid(self, element: etree._Element, draft: Draft) -> None:
        text = fields.id_of(text_of(element), self.limits)
        if text and draft.guid is None:
            if "![CDATA[" in text:
                self.met_section = True
            declared = element.get("isPermaLink")
            draft.guid = (text, declared)
            draft.permalink = fields.is_permalink(text, declared)

    def atom_id(self, element: etree._Element, draft: Draft) -> None:
        text = fields.id_of(text_of(element), self.limits)
        if text:
            draft.ids.append(text)

    def rss_link(self, element: etree._Element, draft: Draft) -> None:
        text = text_of(element)
        if text is None or text.isspace():
            if element.get("href") is not None:
                self.atom_link(element, draft)
                return
            # Of a program that writes HTML: `<link/>https://…`
            text = element.get("url") or element.tail
        elif len(element):
            text = next((a.get("href") for a in element.iter("{*}a", "a")), None) or text
        url = self._address(text, element, draft)
        if url:
            draft.links.append((0, url))
        elif text and "![CDATA[" in text:
            self.met_section = True

    def rss_url(self, element: etree._Element, draft: Draft) -> None:
        url = self._address(text_of(element), element, draft)
        if url:
            draft.links.append((4, url))

    def _address(self, text: str | None, element: etree._Element, draft: Draft) -> str | None:
        """The address that the text of an element is; any words are one where a base is stated."""
        if not self.based:
            return fields.written_url_of(text, draft.base, self.limits, self.inherited.home)
        base = self._base(element, draft)
        if draft.based or element.get(XML_BASE) is not None:
            return fields.url_of(text, base, self.limits)
        return fields.written_url_of(text, base, self.limits, self.inherited.home)

    def atom_link(self, element: etree._Element, draft: Draft) -> None:
        link = atom_link(element, self._base(element, draft), self.limits)
        if link is None:
            if element.text and element.get("href") is None and element.get("rel") is None:
                self.rss_link(element, draft)
            return
        if link.rel == "alternate":
            is_page = link.type is None or "html" in link.type
            draft.links.append((1 if is_page else 2, link.href))
        elif link.rel == "enclosure":
            length = fields.number_of(element.get("length"))
            self._enclose(draft, link.href, link.type, length, link.title)
        elif link.rel == "replies":
            draft.comments = draft.comments or link.href
        elif len(draft.relations) < self.limits.many:
            draft.relations.append(link)

    def rss_title(self, element: etree._Element, draft: Draft) -> None:
        title = markup_of(element, None)
        if title:
            if "![CDATA[" in title:
                self.met_section = True
            self._title(draft, 0, fields.title_of(title, self.limits))

    def atom_title(self, element: etree._Element, draft: Draft) -> None:
        self._look_at(element)
        self._title(draft, 0, atom_text_title(element, self.limits))

    def other_title(self, element: etree._Element, draft: Draft) -> None:
        title = fields.title_of(text_of(element), self.limits, declared_by(element))
        self._title(draft, 1, title)

    @staticmethod
    def _title(draft: Draft, rank: int, title: str | None) -> None:
        if title:
            draft.titles.append((rank, title))

    def description(self, element: etree._Element, draft: Draft) -> None:
        self._markup(draft.summaries, 0, element, draft)

    def other_summary(self, element: etree._Element, draft: Draft) -> None:
        self._markup(draft.summaries, 2, element, draft)

    def teaser(self, element: etree._Element, draft: Draft) -> None:
        if not draft.summaries:
            self._markup(draft.summaries, 3, element, draft)

    def plain_description(self, element: etree._Element, draft: Draft) -> None:
        """Plain text unless it says otherwise (Media RSS, and what is written for players)."""
        html = described(element, self.limits)
        self._body(draft.summaries, 2, html, self._own_base(element, draft))

    def encoded(self, element: etree._Element, draft: Draft) -> None:
        self._markup(draft.contents, 0, element, draft)

    def full_text(self, element: etree._Element, draft: Draft) -> None:
        """The whole story as text (https://yandex.ru/support/webmaster/feed/rss.html)."""
        html = fields.guessed_html(text_of(element), self.limits)
        self._body(draft.contents, 2, html, self._own_base(element, draft))

    def content_items(self, element: etree._Element, draft: Draft) -> None:
        """The first of several forms of the content (RSS 1.0, mod_content)."""
        value = next((c for c in element.iter() if self.names.of(c.tag) == "rdf:value"), None)
        if value is not None:
            self._markup(draft.contents, 1, value, draft)

    def xhtml_body(self, element: etree._Element, draft: Draft) -> None:
        self._markup(draft.contents, 1, element, draft)

    def atom_summary(self, element: etree._Element, draft: Draft) -> None:
        self._look_at(element)
        html = atom_markup(element, self._base(element, draft), self.limits)
        self._body(draft.summaries, 0, html, self._own_base(element, draft))

    def atom_content(self, element: etree._Element, draft: Draft) -> None:
        if element.get("src") is not None:
            self._content_elsewhere(element, draft)
            return
        self._look_at(element)
        html = atom_markup(element, self._base(element, draft), self.limits)
        self._body(draft.contents, 0, html, self._own_base(element, draft))

    def _content_elsewhere(self, element: etree._Element, draft: Draft) -> None:
        """Content that is a page or a file of its own (RFC 4287 §4.1.3.2)."""
        base = self._base(element, draft)
        kind = fields.label_of(element.get("type"), self.limits)
        if kind is None or "html" in kind:
            url = fields.url_of(element.get("src"), base, self.limits)
            if url:
                draft.links.append((3, url))
        elif url := fields.file_of(element.get("src"), base, self.limits):
            self._enclose(draft, url, kind, None)

    def _markup(
        self,
        bodies: list[tuple[int, Body]],
        rank: int,
        element: etree._Element,
        draft: Draft,
    ) -> None:
        html = fields.unescaped_html(markup_of(element, self._base(element, draft)))
        html = fields.broken_lines(html)
        self._body(bodies, rank, html, self._own_base(element, draft))

    def _body(
        self, bodies: list[tuple[int, Body]], rank: int, html: str | None, base: str | None
    ) -> None:
        if html and not html.isspace():
            if "![CDATA[" in html:
                self.met_section = True
            bodies.append((rank, Body(html, base)))

    def _look_at(self, element: etree._Element) -> None:
        text = element.text
        if text and "![CDATA[" in text:
            self.met_section = True

    def author(self, element: etree._Element, draft: Draft) -> None:
        """RSS `author` is text; Atom's (and some RSS) has `name` and `email` children."""
        self._credit(draft, 1, element)

    def authors(self, element: etree._Element, draft: Draft) -> None:
        for one in element if len(element) else (element,):
            self._credit(draft, 1, one)

    def creator(self, element: etree._Element, draft: Draft) -> None:
        self._credit(draft, 0, element)

    def itunes_author(self, element: etree._Element, draft: Draft) -> None:
        self._credit(draft, 2, element)

    def media_credit(self, element: etree._Element, draft: Draft) -> None:
        """Whose the picture is; in some roles, who made the film that the entry is about."""
        name = fields.person_of(text_of(element), self.limits)
        if name is None:
            return
        draft.credit = draft.credit or name
        if (element.get("role") or "").strip().lower() in media.MAKERS:
            draft.makers.append(name)

    def podcast_person(self, element: etree._Element, draft: Draft) -> None:
        person = person_in(element, self._base(element, draft), self.limits)
        if person is not None and len(draft.episode.persons) < self.limits.many:
            draft.episode.persons.append(person)
            if person.role in (None, "host"):
                draft.makers.append(person.name)

    def _credit(self, draft: Draft, rank: int, element: etree._Element) -> None:
        for name in people_in(element, self.names):
            if name and not name.isspace() and len(draft.authors) < self.limits.many:
                draft.authors.append((rank, name))

    def category(self, element: etree._Element, draft: Draft) -> None:
        """What is shown is Atom's `label`, which is for people, else the term or the text."""
        term, label = element.get("term"), element.get("label") or element.get("text")
        if term:
            self._categorise(draft, label or term, term)
            return
        for text in texts_of(element) or (label,):
            self._categorise(draft, text, text)

    def keywords(self, element: etree._Element, draft: Draft) -> None:
        for word in (text_of(element) or "")[: self.limits.title].split(","):
            self._categorise(draft, word, word)

    def _categorise(self, draft: Draft, shown: str | None, term: str | None) -> None:
        label = fields.name_of(shown, self.limits)
        if label and len(draft.categories) < self.limits.many:
            name = term if term is shown else fields.name_of(term, self.limits)
            draft.categories.setdefault(label, label if term is shown else name or label)

    def enclosure(self, element: etree._Element, draft: Draft) -> None:
        url = fields.file_of(
            element.get("url") or element.get("href") or element.text,
            self._base(element, draft),
            self.limits,
        )
        if url:
            kind = fields.label_of(element.get("type"), self.limits)
            self._enclose(draft, url, kind, fields.number_of(element.get("length")))

    def media_content(self, element: etree._Element, draft: Draft) -> None:
        base = self._base(element, draft)
        url = fields.file_of(element.get("url"), base, self.limits)
        if url is None:
            self.media_group(element, draft)
            return
        kind = media.type_of(url, fields.label_of(element.get("type"), self.limits))
        default = media.is_default(element.get("isDefault"))
        medium = media.medium_of(kind, element.get("medium"))
        if medium == "image":
            self._show(draft, media.CONTENT, url, element, default=default)
            return
        file = Enclosure(
            url,
            kind,
            fields.number_of(element.get("fileSize")) or None,
            media.seconds_of(element.get("duration")),
        )
        draft.gathered.offer(file, medium, self.limits.many, default=default)
        self.media_group(element, draft)  # thumbnails, titles and descriptions stand inside

    def media_group(self, element: etree._Element, draft: Draft) -> None:
        outer = draft.base, draft.based, draft.group
        draft.base = self._base(element, draft)
        draft.based = draft.based or element.get(XML_BASE) is not None
        if draft.group is None and self.names.of(element.tag) == "media:group":
            draft.gathered.groups += 1
            draft.group = draft.gathered.groups
        self._read_children(element, draft)
        draft.base, draft.based, draft.group = outer

    def thumbnail(self, element: etree._Element, draft: Draft) -> None:
        url = element.get("url") or element.get("href") or element.text
        self._image(draft, media.STAND_IN, url, element)

    def itunes_image(self, element: etree._Element, draft: Draft) -> None:
        url = element.get("href") or element.get("url") or element.text
        self._image(draft, media.COVER, url, element)
        draft.episode.image = draft.episode.image or self._address(url, element, draft)

    def rss_image(self, element: etree._Element, draft: Draft) -> None:
        inner = next((c for c in element if self.names.of(c.tag) == "url"), None)
        url = text_of(element if inner is None else inner)
        self._image(draft, media.PICTURE, url or element.get("href") or element.get("url"), element)

    def _image(self, draft: Draft, rank: int, text: str | None, element: etree._Element) -> None:
        url = self._address(text, element, draft)
        if url:
            self._show(draft, rank, url, element)

    def _show(
        self,
        draft: Draft,
        rank: int,
        url: str,
        element: etree._Element,
        *,
        default: bool = False,
    ) -> None:
        shown = draft.gathered.shown
        if len(shown) >= 4 * self.limits.many:
            return
        alt, credit = self._words(element)
        width, height = element.get("width"), element.get("height")
        shown.append(
            Shown(
                rank,
                url,
                alt,
                fields.number_of(width) if width else None,
                fields.number_of(height) if height else None,
                draft.group,
                default,
                credit,
            )
        )

    def _words(self, element: etree._Element) -> tuple[str | None, str | None]:
        """What a picture shows, in words: its description, else its title; and whose it is."""
        alt = element.get("alt")
        credit = None
        told: dict[str, str | None] = {}
        for child in element:
            name = self.names.of(child.tag).rpartition(":")[2]
            if name in ("description", "title"):
                text = fields.title_of(text_of(child), self.limits, declared_by(child))
                told.setdefault(name, text)
            elif name == "credit":
                credit = credit or fields.person_of(text_of(child), self.limits)
        text = alt or told.get("description") or told.get("title")
        return (fields.title_of(text, self.limits, Declared.PLAIN) if text else None), credit

    def _enclose(
        self,
        draft: Draft,
        url: str,
        kind: str | None,
        length: int | None,
        title: str | None = None,
    ) -> None:
        file = Enclosure(url, media.type_of(url, kind), length or None, title=title)
        draft.gathered.enclose(file, self.limits.many)

    def duration(self, element: etree._Element, draft: Draft) -> None:
        draft.episode.duration = draft.episode.duration or media.seconds_of(text_of(element))

    def episode_number(self, element: etree._Element, draft: Draft) -> None:
        if draft.episode.number is None:
            draft.episode.number = media.ordinal_of(text_of(element))

    def season(self, element: etree._Element, draft: Draft) -> None:
        if draft.episode.season is None:
            draft.episode.season = media.ordinal_of(text_of(element))

    def episode_type(self, element: etree._Element, draft: Draft) -> None:
        kind = (text_of(element) or "").strip().lower()
        if kind in ("full", "trailer", "bonus"):
            draft.episode.kind = draft.episode.kind or kind

    def explicit(self, element: etree._Element, draft: Draft) -> None:
        if draft.episode.explicit is None:
            draft.episode.explicit = media.explicit_of(text_of(element))

    def transcript(self, element: etree._Element, draft: Draft) -> None:
        url = fields.url_of(
            element.get("url") or element.get("href"), self._base(element, draft), self.limits
        )
        if url and len(draft.episode.transcripts) < self.limits.many:
            label = fields.label_of
            draft.episode.transcripts.append(
                Transcript(
                    url,
                    label(element.get("type"), self.limits),
                    label(element.get("language"), self.limits),
                    label(element.get("rel"), self.limits),
                )
            )

    def chapters(self, element: etree._Element, draft: Draft) -> None:
        url = fields.url_of(
            element.get("url") or element.get("href"), self._base(element, draft), self.limits
        )
        if url and draft.episode.chapters is None:
            kind = fields.label_of(element.get("type"), self.limits)
            draft.episode.chapters = Chapters(url, kind)

    def rss_comments(self, element: etree._Element, draft: Draft) -> None:
        draft.comments = draft.comments or self._address(text_of(element), element, draft)

    def original_link(self, element: etree._Element, draft: Draft) -> None:
        draft.original = draft.original or self._address(text_of(element), element, draft)

    def rss_source(self, element: etree._Element, draft: Draft) -> None:
        if len(element):
            self.atom_source(element, draft)
            return
        draft.source_title = fields.title_of(text_of(element), self.limits)
        draft.source_url = fields.url_of(
            element.get("url"), self._base(element, draft), self.limits
        )

    def atom_source(self, element: etree._Element, draft: Draft) -> None:
        """Metadata of the feed an entry was copied from (RFC 4287 §4.2.11): its self, else page."""
        pages: dict[str, str] = {}
        outer = self._base(element, draft)
        for child in element:
            name = self.names.of(child.tag).rpartition(":")[2]
            if name == "title":
                draft.source_title = atom_text_title(child, self.limits)
            elif name == "author":
                draft.source_authors += people_in(child, self.names)[: self.limits.many]
            elif name == "link":
                link = atom_link(child, join_base(outer, child.get(XML_BASE)), self.limits)
                if link is not None:
                    pages.setdefault(link.rel, link.href)
        draft.source_url = pages.get("self") or pages.get("alternate")

    def dc_source(self, element: etree._Element, draft: Draft) -> None:
        url = fields.url_of(text_of(element), None, self.limits)
        draft.source_url = draft.source_url or url

    def dc_language(self, element: etree._Element, draft: Draft) -> None:
        draft.language = draft.language or fields.label_of(text_of(element), self.limits)

    def related(self, element: etree._Element, draft: Draft) -> None:
        url = self._address(text_of(element), element, draft)
        if url and len(draft.relations) < self.limits.many:
            draft.relations.append(FeedLink("related", url))

    def dc_identifier(self, element: etree._Element, draft: Draft) -> None:
        if draft.about is None:
            draft.about = fields.id_of(text_of(element), self.limits)

    def _base(self, element: etree._Element, draft: Draft) -> str | None:
        return join_base(draft.base, element.get(XML_BASE)) if self.based else draft.base

    def _own_base(self, element: etree._Element, draft: Draft) -> str | None:
        """The base of a body; None where the document does not say it."""
        if draft.based or (self.based and element.get(XML_BASE) is not None):
            return self._base(element, draft)
        return None


def _published(rank: int) -> _Handler:
    def read(_: EntryReader, element: etree._Element, draft: Draft) -> None:
        text = text_of(element)
        if text and not text.isspace():
            draft.published.append((rank, text))

    return read


def _updated(rank: int) -> _Handler:
    def read(_: EntryReader, element: etree._Element, draft: Draft) -> None:
        text = text_of(element)
        if text and not text.isspace():
            draft.updated.append((rank, text))

    return read


_HANDLERS: dict[str, _Handler] = {
    "guid": EntryReader.guid,
    "atom:id": EntryReader.atom_id,
    "id": EntryReader.atom_id,
    "link": EntryReader.rss_link,
    "url": EntryReader.rss_url,
    "atom:link": EntryReader.atom_link,
    "title": EntryReader.rss_title,
    "atom:title": EntryReader.atom_title,
    "dc:title": EntryReader.other_title,
    "media:title": EntryReader.other_title,
    "itunes:title": EntryReader.other_title,
    "description": EntryReader.description,
    "dc:description": EntryReader.other_summary,
    "dcterms:abstract": EntryReader.other_summary,
    "abstract": EntryReader.other_summary,
    "excerpt:encoded": EntryReader.other_summary,
    "itunes:subtitle": EntryReader.teaser,
    "itunes:summary": EntryReader.plain_description,
    "media:description": EntryReader.plain_description,
    "content:encoded": EntryReader.encoded,
    "encoded": EntryReader.encoded,
    "content:items": EntryReader.content_items,
    "fullitem": EntryReader.encoded,
    "yandex:full-text": EntryReader.full_text,
    "xhtml:body": EntryReader.xhtml_body,
    "xhtml:div": EntryReader.xhtml_body,
    "body": EntryReader.xhtml_body,
    "summary": EntryReader.atom_summary,
    "atom:summary": EntryReader.atom_summary,
    "content": EntryReader.atom_content,
    "atom:content": EntryReader.atom_content,
    "pubdate": _published(0),
    "atom:published": _published(1),
    "published": _published(1),
    "atom:issued": _published(2),
    "dcterms:issued": _published(3),
    "dc:date": _published(4),
    "dcterms:created": _published(5),
    "atom:created": _published(5),
    "date": _published(6),
    "itunes:pubdate": _published(6),
    "atom:updated": _updated(0),
    "updated": _updated(0),
    "atom:modified": _updated(1),
    "dcterms:modified": _updated(1),
    "lastbuilddate": _updated(2),
    "author": EntryReader.author,
    "authors": EntryReader.authors,
    "atom:author": EntryReader.author,
    "dc:creator": EntryReader.creator,
    "dc:author": EntryReader.creator,
    "dcterms:creator": EntryReader.creator,
    "media:credit": EntryReader.media_credit,
    "podcast:person": EntryReader.podcast_person,
    "itunes:author": EntryReader.itunes_author,
    "googleplay:author": EntryReader.itunes_author,
    "category": EntryReader.category,
    "atom:category": EntryReader.category,
    "dc:subject": EntryReader.category,
    "itunes:category": EntryReader.category,
    "itunes:keywords": EntryReader.keywords,
    "keywords": EntryReader.keywords,
    "media:keywords": EntryReader.keywords,
    "enclosure": EntryReader.enclosure,
    "media:content": EntryReader.media_content,
    "media:group": EntryReader.media_group,
    "media:thumbnail": EntryReader.thumbnail,
    "thumbnail": EntryReader.thumbnail,
    "itunes:image": EntryReader.itunes_image,
    "googleplay:image": EntryReader.itunes_image,
    "podcast:image": EntryReader.itunes_image,
    "itunes:duration": EntryReader.duration,
    "itunes:episode": EntryReader.episode_number,
    "podcast:episode": EntryReader.episode_number,
    "itunes:season": EntryReader.season,
    "podcast:season": EntryReader.season,
    "itunes:episodetype": EntryReader.episode_type,
    "itunes:explicit": EntryReader.explicit,
    "googleplay:explicit": EntryReader.explicit,
    "podcast:transcript": EntryReader.transcript,
    "podcast:chapters": EntryReader.chapters,
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
        EntryReader.other_title, EntryReader.plain_description, EntryReader.transcript,
        EntryReader.chapters,
    )
)  # fmt: skip

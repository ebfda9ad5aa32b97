"""A page of a view as Atom (RFC 4287), with RFC 5005 links to older pages."""

from __future__ import annotations

from typing import Any

from lxml import etree

from aggregator.markup.text import clean, one_line
from aggregator.model.item import FeedPage, ServedItem, SourceRef
from aggregator.publish.values import (
    also_in,
    distinct,
    file_url,
    language_tag,
    media_type,
    rfc3339,
    web_url,
)

CONTENT_TYPE = "application/atom+xml; charset=utf-8"

ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"
MEDIA = "http://search.yahoo.com/mrss/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# Any: the stubs of lxml do not know that None names the default namespace.
_NAMESPACES: Any = {None: ATOM, "fh": HISTORY, "media": MEDIA}
_TYPES = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}


def render_atom(page: FeedPage) -> bytes:
    """The document as UTF-8 bytes; the same page always gives the same bytes."""
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap=_NAMESPACES)
    _text(feed, "id", page.feed_id)
    _text(feed, "title", one_line(page.view_title))
    if page.description:
        _text(feed, "subtitle", one_line(page.description))
    _text(feed, "updated", rfc3339(page.updated))
    _person(feed, "author", page.generator)
    _text(feed, "generator", page.generator)
    add_feed_links(feed, page, "atom")
    if page.archive:
        etree.SubElement(feed, f"{{{HISTORY}}}archive")
    for item in page.items:
        _entry(feed, item)
    return etree.tostring(feed, encoding="utf-8", xml_declaration=True)


def add_feed_links(parent: etree._Element, page: FeedPage, fmt: str) -> None:
    """The links of a document: itself, its page for people, the other formats, older pages.

    Older pages are linked as `prev-archive` for archive readers and as `next` for paging ones
    (RFC 5005 §3 and §4); an older page leads back with `current` and `first`.
    """
    add_link(parent, "self", page.self_urls.get(fmt), type_=_TYPES[fmt])
    add_link(parent, "alternate", page.home_url, type_="text/html")
    for other, type_ in _TYPES.items():
        if other != fmt:
            add_link(parent, "alternate", page.self_urls.get(other), type_=type_)
    for rel in ("prev-archive", "next"):
        add_link(parent, rel, page.older.get(fmt), type_=_TYPES[fmt])
    if page.archive:
        for rel in ("current", "first"):
            add_link(parent, rel, page.newest.get(fmt), type_=_TYPES[fmt])


def add_entry_links(parent: etree._Element, item: ServedItem) -> None:
    """The relations of an item: related links, copies, where it was found, what it is about.

    A copy is a `via` link whose title says `Also in …`. RSS carries the same elements.
    """
    seen: set[tuple[str, str]] = set()

    def once(rel: str, url: str | None, title: str | None = None) -> None:
        target = web_url(url)
        if target and target != item.link and (rel, target) not in seen:
            seen.add((rel, target))
            add_link(parent, rel, target, title=title)

    once("related", item.external_url)
    for related in item.related:
        once("related", related.url, related.title)
    for copy in item.copies:
        once("via", copy.url, also_in(copy))
    once("via", item.via)


def add_link(
    parent: etree._Element,
    rel: str,
    href: str | None,
    *,
    type_: str | None = None,
    title: str | None = None,
    length: int | None = None,
) -> None:
    """An `atom:link`, or nothing without an address."""
    if not href:
        return
    link = etree.SubElement(parent, f"{{{ATOM}}}link", rel=rel, href=clean(href))
    if type_:
        link.set("type", type_)
    if title and (title := one_line(title)):
        link.set("title", title)
    if length is not None and length >= 0:
        link.set("length", str(length))


def add_thumbnail(parent: etree._Element, item: ServedItem) -> None:
    """The lead image (Media RSS `thumbnail`), which neither Atom nor RSS has an element for."""
    if url := web_url(item.image):
        etree.SubElement(parent, f"{{{MEDIA}}}thumbnail", url=url)


def _entry(feed: etree._Element, item: ServedItem) -> None:
    entry = etree.SubElement(feed, f"{{{ATOM}}}entry")
    if lang := language_tag(item.language):
        entry.set(_LANG, lang)
    _text(entry, "id", item.public_id)
    _text(entry, "title", one_line(item.title))
    _text(entry, "updated", rfc3339(item.updated))
    _text(entry, "published", rfc3339(item.published))
    if item.author and (author := one_line(item.author)):
        _person(entry, "author", author)
    for name, uri in _contributors(item):  # whoever published it too
        _person(entry, "contributor", name, uri)
    for term in distinct(item.categories):
        etree.SubElement(entry, f"{{{ATOM}}}category", term=term)
    if item.withdrawn:
        etree.SubElement(
            entry, f"{{{ATOM}}}category", term="withdrawn", label="Withdrawn by its publisher"
        )
    _entry_links(entry, item)
    _content(entry, item)
    add_thumbnail(entry, item)
    _source(entry, item.source)


def _contributors(item: ServedItem) -> list[tuple[str, str | None]]:
    named: dict[str, str | None] = {}
    for copy in item.copies:
        if name := one_line(copy.source_title):
            named.setdefault(name, web_url(copy.url))
    return list(named.items())


def _entry_links(entry: etree._Element, item: ServedItem) -> None:
    add_link(entry, "alternate", web_url(item.link), type_="text/html")
    for enclosure in item.enclosures:
        add_link(
            entry,
            "enclosure",
            file_url(enclosure.url),
            type_=media_type(enclosure.type),
            length=enclosure.length,
        )
    add_link(entry, "replies", web_url(item.comments), type_="text/html")  # RFC 4685 §4
    add_entry_links(entry, item)


def _content(entry: etree._Element, item: ServedItem) -> None:
    if item.summary:
        _text(entry, "summary", item.summary).set("type", "html")
    if item.html:
        _text(entry, "content", item.html).set("type", "html")
    elif not item.summary and (item.text or not web_url(item.link)):
        # An entry without an alternate link must have content (RFC 4287 §4.1.2).
        _text(entry, "content", item.text or "")
    elif not web_url(item.link):
        _text(entry, "content", item.summary or "").set("type", "html")


def _source(entry: etree._Element, source: SourceRef) -> None:
    """Where the entry was published (§4.2.11). Its author stands in for a missing one (§4.2.1)."""
    element = etree.SubElement(entry, f"{{{ATOM}}}source")
    _text(element, "id", source.feed_id)
    _text(element, "title", one_line(source.title))
    _text(element, "updated", rfc3339(source.updated))
    _person(element, "author", one_line(source.title), web_url(source.link))
    add_link(element, "alternate", web_url(source.link), type_="text/html")
    add_link(element, "self", web_url(source.feed_url))


def _person(parent: etree._Element, role: str, name: str, uri: str | None = None) -> None:
    person = etree.SubElement(parent, f"{{{ATOM}}}{role}")
    _text(person, "name", name)
    if uri:
        _text(person, "uri", uri)


def _text(parent: etree._Element, name: str, value: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    element.text = clean(value)
    return element

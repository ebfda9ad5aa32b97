"""A page of a view as Atom (RFC 4287), with RFC 5005 links to older pages."""

from __future__ import annotations

from typing import Any

from lxml import etree

from aggregator.model.item import FeedPage, ServedItem, SourceRef
from aggregator.publish.elements import (
    ATOM,
    HISTORY,
    ITUNES,
    MEDIA,
    PODCAST,
    add_entry_links,
    add_episode,
    add_feed_links,
    add_link,
    add_pictures,
    add_text,
)
from aggregator.publish.values import (
    authors,
    distinct,
    file_url,
    language_tag,
    line,
    media_type,
    rfc3339,
    web_url,
)

TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
CONTENT_TYPE = "application/atom+xml; charset=utf-8"

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
# Any: the stubs of lxml do not know that None names the default namespace.
_NAMESPACES: Any = {
    None: ATOM,
    "fh": HISTORY,
    "media": MEDIA,
    "itunes": ITUNES,
    "podcast": PODCAST,
}


def render_atom(page: FeedPage) -> bytes:
    """The document as UTF-8 bytes; the same page always gives the same bytes."""
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap=_NAMESPACES)
    _text(feed, "id", page.feed_id)
    _text(feed, "title", line(page.view_title))
    if page.description:
        _text(feed, "subtitle", line(page.description))
    _text(feed, "updated", rfc3339(page.updated))
    _person(feed, "author", page.generator)
    _text(feed, "generator", page.generator)
    add_feed_links(feed, page, "atom")
    if page.archive:
        etree.SubElement(feed, f"{{{HISTORY}}}archive")
    for item in page.items:
        _entry(feed, item)
    for one in page.deleted:  # RFC 6721 §3
        gone = etree.SubElement(feed, f"{{{TOMBSTONES}}}deleted-entry", nsmap={"at": TOMBSTONES})
        gone.set("ref", one.public_id)
        gone.set("when", rfc3339(one.at))
    return etree.tostring(feed, encoding="utf-8", xml_declaration=True)


def _entry(feed: etree._Element, item: ServedItem) -> None:
    entry = etree.SubElement(feed, f"{{{ATOM}}}entry")
    if lang := language_tag(item.language):
        entry.set(_LANG, lang)
    _text(entry, "id", item.public_id)
    _text(entry, "title", line(item.title))
    _text(entry, "updated", rfc3339(item.updated))
    _text(entry, "published", rfc3339(item.published))
    for author in authors(item):
        _person(entry, "author", author)
    for name, uri in _contributors(item):  # whoever published it too
        _person(entry, "contributor", name, uri)
    _categories(entry, item)
    if item.withdrawn:
        etree.SubElement(
            entry, f"{{{ATOM}}}category", term="withdrawn", label="Withdrawn by its publisher"
        )
    _entry_links(entry, item)
    _content(entry, item)
    add_pictures(entry, item)
    add_episode(entry, item)
    _source(entry, item.source)


def _categories(entry: etree._Element, item: ServedItem) -> None:
    terms = dict(item.terms)
    for name in distinct(item.categories):
        term = line(terms.get(name) or name) or name
        category = etree.SubElement(entry, f"{{{ATOM}}}category", term=term)
        if term != name:
            category.set("label", name)


def _contributors(item: ServedItem) -> list[tuple[str, str | None]]:
    named: dict[str, str | None] = {}
    for copy in item.copies:
        if name := line(copy.source_title):
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
            title=enclosure.title,
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
    _text(element, "title", line(source.title))
    _text(element, "updated", rfc3339(source.updated))
    _person(element, "author", line(source.title), web_url(source.link))
    add_link(element, "alternate", web_url(source.link), type_="text/html")
    add_link(element, "self", web_url(source.feed_url))


def _person(parent: etree._Element, role: str, name: str, uri: str | None = None) -> None:
    person = etree.SubElement(parent, f"{{{ATOM}}}{role}")
    _text(person, "name", name)
    if uri:
        _text(person, "uri", uri)


def _text(parent: etree._Element, name: str, value: str) -> etree._Element:
    return add_text(parent, f"{{{ATOM}}}{name}", value)

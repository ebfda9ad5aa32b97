"""A page of a view as RSS 2.0, with Dublin Core, content and Atom elements where RSS has none.

Rules: the RSS 2.0 specification and the RSS Advisory Board's best-practices profile.
"""

from __future__ import annotations

from html import escape

from lxml import etree

from aggregator.model.item import FeedPage, ServedItem
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
    UNKNOWN_TYPE,
    authors,
    distinct,
    excerpt,
    file_url,
    language_tag,
    line,
    media_type,
    rfc822,
    rfc3339,
    web_url,
)

CONTENT_TYPE = "application/rss+xml; charset=utf-8"

_DC = "http://purl.org/dc/elements/1.1/"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_NAMESPACES = {
    "atom": ATOM,
    "content": _CONTENT,
    "dc": _DC,
    "fh": HISTORY,
    "media": MEDIA,
    "itunes": ITUNES,
    "podcast": PODCAST,
}


def render_rss(page: FeedPage) -> bytes:
    """The document as UTF-8 bytes; the same page always gives the same bytes."""
    rss = etree.Element("rss", nsmap=_NAMESPACES, version="2.0")
    channel = etree.SubElement(rss, "channel")
    title = line(page.view_title)
    add_text(channel, "title", title)
    add_text(channel, "link", page.home_url)
    add_text(channel, "description", line(page.description or "") or title)
    add_text(channel, "lastBuildDate", rfc822(page.updated))
    add_text(channel, "generator", page.generator)
    add_text(channel, "docs", "https://www.rssboard.org/rss-specification")
    add_feed_links(channel, page, "rss")
    if page.archive:
        etree.SubElement(channel, f"{{{HISTORY}}}archive")
    for item in page.items:
        _item(channel, item)
    return etree.tostring(rss, encoding="utf-8", xml_declaration=True)


def _item(channel: etree._Element, item: ServedItem) -> None:
    element = etree.SubElement(channel, "item")
    add_text(element, "title", line(item.title))
    if link := web_url(item.link):
        add_text(element, "link", link)
    add_text(element, "guid", item.public_id).set("isPermaLink", "false")
    add_text(element, "pubDate", rfc822(item.published))
    # RSS knows no date of change; Atom's says when the text last changed materially.
    add_text(element, f"{{{ATOM}}}updated", rfc3339(item.updated))
    for author in authors(item):
        add_text(element, f"{{{_DC}}}creator", author)
    for name in distinct(tuple(copy.source_title for copy in item.copies)):
        add_text(element, f"{{{_DC}}}contributor", name)
    if lang := language_tag(item.language):
        add_text(element, f"{{{_DC}}}language", lang)
    for term in distinct(item.categories):
        add_text(element, "category", term)
    if item.withdrawn:
        add_text(element, "category", "withdrawn")
    _body(element, item)
    if comments := web_url(item.comments):
        add_text(element, "comments", comments)
    _enclosures(element, item)
    add_pictures(element, item)
    add_episode(element, item)
    add_entry_links(element, item)
    _source(element, item)


def _body(element: etree._Element, item: ServedItem) -> None:
    """`description` is the summary, else an excerpt, both as HTML; the whole text is `encoded`."""
    description = item.summary or escape(excerpt(item) or _pictured(item), quote=False)
    if description:
        add_text(element, "description", description)
    if item.html:
        add_text(element, f"{{{_CONTENT}}}encoded", item.html)


def _pictured(item: ServedItem) -> str:
    """What an item says whose body is pictures alone: their words, else its headline."""
    said = next((line(one.alt) for one in item.pictures if one.alt), "")
    return said or (line(item.title) if item.html else "")


def _enclosures(element: etree._Element, item: ServedItem) -> None:
    """The first file as `enclosure`, of which an item may have one; further ones as Atom links."""
    files = [(url, e) for e in item.enclosures if (url := file_url(e.url))]
    for position, (url, enclosure) in enumerate(files):
        if position:
            add_link(
                element,
                "enclosure",
                url,
                type_=media_type(enclosure.type),
                title=enclosure.title,
                length=enclosure.length,
            )
        else:
            # All three attributes are required; 0 is the usual length when it is not known.
            etree.SubElement(
                element,
                "enclosure",
                url=url,
                length=str(max(0, enclosure.length or 0)),
                type=media_type(enclosure.type) or UNKNOWN_TYPE,
            )


def _source(element: etree._Element, item: ServedItem) -> None:
    """`source` needs the URL of a feed; a source whose URL is secret is named by `dc:source`."""
    title = line(item.source.title)
    if url := web_url(item.source.feed_url):
        add_text(element, "source", title).set("url", url)
    else:
        add_text(element, f"{{{_DC}}}source", title)

"""OPML 2.0 out: the sources for other readers (http://opml.org/spec2.opml).

A source stands under its first tag; `category` holds all its tags, so that importing the file
gives them back in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from lxml import etree

from aggregator.markup.text import one_line
from aggregator.model.settings import SourceSettings, ViewSettings
from aggregator.publish.values import web_url


def render_opml(
    sources: Iterable[SourceSettings],
    title: str,
    with_secrets: bool = False,
    titles: Mapping[str, str] | None = None,
    sites: Mapping[str, str] | None = None,
) -> bytes:
    """Render sources as an OPML document (UTF-8, with XML declaration); no clock in it.

    Args:
        sources: what to list. A private source is listed if it is given: leave it out where
            nobody may know of it.
        title: the document's own.
        with_secrets: also list sources whose address holds a secret, and put user and password
            into the address. Without it they stay out; an outline without address is no feed.
        titles: the feeds' own titles by source id, for sources without a configured one.
        sites: the addresses of their web sites (`htmlUrl`) by source id.
    """
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = one_line(title)
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for source in sources:
        url = source_url(source) if with_secrets else source.shown_url
        if url is None:
            continue
        parent = body
        if source.tags:
            name = one_line(source.tags[0])
            if name not in folders:
                folders[name] = etree.SubElement(body, "outline", text=name, title=name)
            parent = folders[name]
        shown = one_line(source.title or (titles or {}).get(source.id) or source.id)
        outline = etree.SubElement(
            parent, "outline", type="rss", text=shown, title=shown, xmlUrl=one_line(url)
        )
        if site := web_url((sites or {}).get(source.id)):
            outline.set("htmlUrl", site)
        if source.tags:
            outline.set("category", ",".join(one_line(tag) for tag in source.tags))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def render_views(
    views: Iterable[ViewSettings],
    title: str,
    feed_of: Callable[[str], str],
    site_of: Callable[[str], str],
) -> bytes:
    """Render views as an OPML document: their merged feeds, for subscribing to all at once.

    Args:
        views: what to list; leave out what may not be known of.
        title: the document's own.
        feed_of: the address of a view's feed, by its id.
        site_of: the address of its page.
    """
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = one_line(title)
    body = etree.SubElement(root, "body")
    for view in views:
        shown = one_line(view.title or view.id)
        outline = etree.SubElement(
            body,
            "outline",
            type="rss",
            text=shown,
            title=shown,
            xmlUrl=feed_of(view.id),
            htmlUrl=site_of(view.id),
        )
        if view.description:
            outline.set("description", one_line(view.description))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def source_url(source: SourceSettings) -> str:
    """The address with user and password in it, as another reader takes them. A secret."""
    if source.auth is None:
        return source.url
    user, password = (quote(part.reveal(), safe="") for part in source.auth)
    scheme, _, rest = source.url.partition("://")
    return f"{scheme}://{user}:{password}@{rest}"

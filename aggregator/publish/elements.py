"""What our Atom and RSS share: links, the thumbnail, and text that is always well-formed."""

from __future__ import annotations

from lxml import etree

from aggregator.markup.text import clean
from aggregator.model.item import FeedPage, ServedItem
from aggregator.publish.values import also_in, duration, line, media_type, web_url

ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"
MEDIA = "http://search.yahoo.com/mrss/"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"

_TYPES = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}


def add_text(parent: etree._Element, tag: str, value: str) -> etree._Element:
    """An element with text. lxml refuses what XML cannot hold; only then is it cleaned, since
    looking at every character here would cost more than all the rest of rendering."""
    element = etree.SubElement(parent, tag)
    try:
        element.text = value
    except ValueError:
        element.text = clean(value)
    return element


def add_feed_links(parent: etree._Element, page: FeedPage, fmt: str) -> None:
    """The links of a document: itself, its page for people, the other formats, older pages.

    Older pages are linked as `prev-archive` for archive readers and as `next` for paging ones
    (RFC 5005 §3 and §4); an older page leads back with `current` and `first`.
    """
    add_link(parent, "self", page.self_urls.get(fmt), type_=_TYPES[fmt])
    add_link(parent, "hub", page.hub_url)
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
    link = etree.SubElement(parent, f"{{{ATOM}}}link", rel=rel, href=href)
    if type_:
        link.set("type", type_)
    if title and (title := line(title)):
        link.set("title", title)
    if length is not None and length >= 0:
        link.set("length", str(length))


def add_pictures(parent: etree._Element, item: ServedItem) -> None:
    """The pictures (Media RSS), which neither Atom nor RSS has an element for.

    The lead is the `thumbnail`; where there are several, or words for what they show, each is a
    `content` with its words as `description`.
    """
    if url := web_url(item.image):
        etree.SubElement(parent, f"{{{MEDIA}}}thumbnail", url=url)
    for picture in item.pictures:
        url = web_url(picture.url)
        if url is None:
            continue
        content = etree.SubElement(parent, f"{{{MEDIA}}}content", url=url, medium="image")
        for name, size in (("width", picture.width), ("height", picture.height)):
            if size:
                content.set(name, str(size))
        if picture.alt and (alt := line(picture.alt)):
            add_text(content, f"{{{MEDIA}}}description", alt).set("type", "plain")
        if picture.credit and (credit := line(picture.credit)):
            add_text(content, f"{{{MEDIA}}}credit", credit)


def add_episode(parent: etree._Element, item: ServedItem) -> None:
    """What podcast players read: the iTunes tags and those of the podcast namespace."""
    if seconds := duration(item):
        add_text(parent, f"{{{ITUNES}}}duration", str(seconds))
    episode = item.episode
    if episode is None:
        return
    for name, number in (("season", episode.season), ("episode", episode.number)):
        if number is not None:
            # iTunes knows whole numbers only.
            namespace = ITUNES if isinstance(number, int) else PODCAST
            add_text(parent, f"{{{namespace}}}{name}", str(number))
    if episode.kind:
        add_text(parent, f"{{{ITUNES}}}episodeType", episode.kind)
    if episode.explicit is not None:
        add_text(parent, f"{{{ITUNES}}}explicit", "true" if episode.explicit else "false")
    if url := web_url(episode.image):
        etree.SubElement(parent, f"{{{ITUNES}}}image", href=url)
    for transcript in episode.transcripts:
        _add_file(
            parent,
            "transcript",
            transcript.url,
            media_type(transcript.type) or "text/plain",  # required
            language=transcript.language,
            rel=transcript.rel,
        )
    if episode.chapters is not None:
        kind = media_type(episode.chapters.type) or "application/json+chapters"
        _add_file(parent, "chapters", episode.chapters.url, kind)
    for person in episode.persons:
        told = add_text(parent, f"{{{PODCAST}}}person", line(person.name))
        links = {"img": web_url(person.image), "href": web_url(person.url)}
        for attribute, value in {"role": person.role, "group": person.group, **links}.items():
            if value and (text := line(value)):
                told.set(attribute, text)


def _add_file(
    parent: etree._Element, name: str, address: str, kind: str, **more: str | None
) -> None:
    url = web_url(address)
    if url is None:
        return
    element = etree.SubElement(parent, f"{{{PODCAST}}}{name}", url=url, type=kind)
    for attribute, value in more.items():
        if value and (text := line(value)):
            element.set(attribute, text)

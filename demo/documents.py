"""The sample stories as RSS 2.0, Atom (RFC 4287), JSON Feed 1.1 and web pages."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import format_datetime
from html import escape

from jinja2 import Environment, FileSystemLoader, select_autoescape
from lxml import etree
from lxml.builder import ElementMaker

from demo.media import sound
from demo.stories import HERE, Outlet, Stories, Story

CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
ATOM = "http://www.w3.org/2005/Atom"
MEDIA = "http://search.yahoo.com/mrss/"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
MEDIA_TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json",
}

_pages = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(), trim_blocks=True
)


def feed(outlet: Outlet, stories: list[Story], base: str) -> bytes:
    """An outlet's feed in its format. `base` is the origin's address without a trailing slash."""
    return {"rss": _rss, "atom": _atom, "json": _json}[outlet.format](outlet, stories, base)


def article(story: Story, everything: Stories, base: str) -> bytes:
    """A story's page, with its list of related news."""
    by_id = {each.id: each for each in everything.stories}
    outlet = next(each for each in everything.outlets if each.id == story.outlet)
    return _page(
        "article.html",
        base=base,
        outlet=outlet,
        story=story,
        related=[by_id[each] for each in story.related],
    )


def home(outlet: Outlet, stories: list[Story], base: str) -> bytes:
    """An outlet's front page, which names its feed (autodiscovery)."""
    media_type = MEDIA_TYPES[outlet.format].partition(";")[0]
    return _page("home.html", base=base, outlet=outlet, stories=stories, media_type=media_type)


def index(everything: Stories, base: str) -> bytes:
    """The list of outlets."""
    return _page("index.html", base=base, outlets=everything.outlets)


def latest(stories: list[Story]) -> datetime:
    """When any of them was published or corrected last."""
    return max(story.updated or story.published for story in stories)


def _page(template: str, **values: object) -> bytes:
    return _pages.get_template(template).render(**values).encode()


def _html(story: Story, excerpt: bool) -> str:
    paragraphs = story.paragraphs[:1] if excerpt else story.paragraphs
    return "".join(f"<p>{escape(text, quote=False)}</p>" for text in paragraphs)


def _pictures(story: Story, base: str) -> list[etree._Element]:
    """The picture of a story as Media RSS, where it has one."""
    if story.picture is None:
        return []
    e = ElementMaker(namespace=MEDIA, nsmap={"media": MEDIA})
    return [
        e.content(
            e.description(story.picture.shows),
            e.credit(story.picture.credit),
            url=base + story.picture_path, medium="image", type="image/png",
        )
    ]  # fmt: skip


def _serialise(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)


def _rss(outlet: Outlet, stories: list[Story], base: str) -> bytes:
    names = {"content": CONTENT, "dc": DC, "atom": ATOM, "media": MEDIA, "itunes": ITUNES}
    e = ElementMaker(nsmap=names)
    channel = e.channel(
        e.title(outlet.title),
        e.link(f"{base}/{outlet.id}/"),
        e.description(outlet.about),
        e.language(outlet.language),
        e(f"{{{ATOM}}}link", rel="self", type="application/rss+xml", href=base + outlet.feed_path),
    )
    for story in stories:
        item = e.item(
            e.title(story.title),
            e.link(base + story.path),
            e.guid(f"{outlet.id}/{story.id}", isPermaLink="false"),
            e.pubDate(format_datetime(story.published, usegmt=True)),
            e(f"{{{DC}}}creator", story.author),
            *(e.category(tag) for tag in story.tags),
            e.description(story.paragraphs[0]),
        )
        if not outlet.excerpt:
            item.append(e(f"{{{CONTENT}}}encoded", _html(story, excerpt=False)))
        item.extend(_pictures(story, base))
        if story.sound is not None:
            length = str(len(sound(story.id, story.sound)))
            file = {"url": base + story.sound_path, "type": "audio/wav", "length": length}
            item.append(e.enclosure(**file))
            item.append(e(f"{{{ITUNES}}}duration", str(story.sound)))
        channel.append(item)
    return _serialise(e.rss(channel, version="2.0"))


def _atom(outlet: Outlet, stories: list[Story], base: str) -> bytes:
    e = ElementMaker(namespace=ATOM, nsmap={None: ATOM, "media": MEDIA})
    root = e.feed(
        e.id(base + outlet.feed_path),
        e.title(outlet.title),
        e.subtitle(outlet.about),
        e.updated(_iso(latest(stories))),
        e.link(rel="self", href=base + outlet.feed_path),
        e.link(rel="alternate", href=f"{base}/{outlet.id}/"),
    )
    root.set("{http://www.w3.org/XML/1998/namespace}lang", outlet.language)
    for story in stories:
        root.append(
            e.entry(
                e.id(f"{base}{story.path}"),
                e.title(story.title),
                e.published(_iso(story.published)),
                e.updated(_iso(story.updated or story.published)),
                e.author(e.name(story.author)),
                e.link(rel="alternate", href=base + story.path),
                *(e.category(term=tag) for tag in story.tags),
                e.content(_html(story, outlet.excerpt), type="html"),
                *_pictures(story, base),
            )
        )
    return _serialise(root)


def _json(outlet: Outlet, stories: list[Story], base: str) -> bytes:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.title,
        "description": outlet.about,
        "language": outlet.language,
        "home_page_url": f"{base}/{outlet.id}/",
        "feed_url": base + outlet.feed_path,
        "items": [
            {
                "id": base + story.path,
                "url": base + story.path,
                "title": story.title,
                "date_published": _iso(story.published),
                "authors": [{"name": story.author}],
                "tags": list(story.tags),
                "content_html": _html(story, outlet.excerpt),
                **({"image": base + story.picture_path} if story.picture else {}),
            }
            for story in stories
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

"""Read what a document says about itself: RSS `channel`, Atom `feed`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from aggregator.feeds.inherited import Inherited
from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.names import Names
from aggregator.feeds.values import fields
from aggregator.feeds.values.dates import DateReader
from aggregator.feeds.values.media import explicit_of
from aggregator.feeds.xml.constructs import atom_link, atom_text_title, people_in, person_in
from aggregator.feeds.xml.inner import (
    XML_BASE,
    join_base,
    markup_of,
    straighten_attributes,
    text_of,
)
from aggregator.markup.text import html_to_text
from aggregator.model.feed import FeedHints, FeedLink, ParsedEntry, ParsedFeed, Person

_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_ENTRIES = frozenset(("item", "atom:entry", "entry"))
# Who wrote what a feed carries; `managingEditor` and `webMaster` answer for it, which is less.
_AUTHORS = (
    "author",
    "atom:author",
    "dc:creator",
    "dc:author",
    "itunes:author",
    "googleplay:author",
)
_UPDATED = ("lastbuilddate", "atom:updated", "pubdate", "dc:date", "atom:modified", "updated")


@dataclass(slots=True)
class _Said:
    """The first text of each plain element, all links, and the lists of the hints."""

    texts: dict[str, str] = field(default_factory=dict)
    links: list[FeedLink] = field(default_factory=list)
    hours: set[int] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    icon: str | None = None
    title: str | None = None
    description: str | None = None
    present: set[str] = field(default_factory=set)
    deleted: list[str] = field(default_factory=list)


def read_channel(
    fmt: str,
    channel: etree._Element,
    names: Names,
    limits: ParseLimits,
    dates: DateReader,
    base: str | None,
    *,
    entries: tuple[ParsedEntry, ...],
    dropped: int,
    reader: str,
    authors: tuple[str, ...],
) -> ParsedFeed:
    """The whole feed: what `channel` says, around entries that were read already."""
    said = _listen(channel, names, limits, base)
    texts = said.texts
    pages = [link for link in said.links if link.rel == "alternate"]
    link = fields.written_url_of(texts.get("link"), base, limits)
    return ParsedFeed(
        format=fmt,
        entries=entries,
        title=said.title,
        link=link or next((p.href for p in pages if "html" in (p.type or "html")), None),
        id=fields.id_of(texts.get("atom:id") or texts.get("id") or channel.get(_ABOUT), limits),
        description=said.description
        or fields.title_of(_plain(texts.get("description") or texts.get("itunes:summary")), limits),
        language=fields.label_of(
            texts.get("language") or texts.get("dc:language") or _language(channel), limits
        ),
        updated=_updated(texts, dates),
        icon=said.icon,
        authors=authors,
        links=tuple(link for link in said.links if link.rel != "alternate")[: limits.many],
        hints=FeedHints(
            ttl=fields.minutes_of(texts.get("ttl")),
            skip_hours=frozenset(said.hours),
            skip_days=frozenset(said.days),
            syndication=fields.syndication_of(
                texts.get("sy:updateperiod"), texts.get("sy:updatefrequency")
            ),
        ),
        complete="fh:complete" in said.present,
        archive="fh:archive" in said.present,
        deleted=tuple(dict.fromkeys(said.deleted))[: limits.entries],
        dropped=dropped,
        reader=reader,
    )


def _listen(channel: etree._Element, names: Names, limits: ParseLimits, base: str | None) -> _Said:
    said = _Said()
    for child in channel:
        name = names.of(child.tag)
        if name in _ENTRIES:
            continue
        said.present.add(name)
        straighten_attributes(child)
        if name == "atom:link" or (name == "link" and child.get("href") is not None):
            link = atom_link(child, join_base(base, child.get(XML_BASE)), limits)
            if link is not None:
                said.links.append(link)
            elif child.text:
                said.texts.setdefault("link", child.text)
        elif name == "at:deleted-entry":
            if ref := fields.id_of(child.get("ref"), limits):
                said.deleted.append(ref)
        elif name == "title":
            said.title = said.title or fields.title_of(markup_of(child, None), limits)
        elif name == "atom:title":
            said.title = said.title or atom_text_title(child, limits)
        elif name in ("atom:subtitle", "atom:tagline"):
            said.description = said.description or atom_text_title(child, limits)
        elif name == "skiphours":
            said.hours |= {h for c in child if (h := fields.hour_of(text_of(c))) is not None}
        elif name == "skipdays":
            said.days |= {d for c in child if (d := fields.day_of(text_of(c))) is not None}
        elif name in ("image", "atom:icon", "atom:logo", "itunes:image", "icon"):
            said.icon = said.icon or _icon(child, names, limits, base)
        elif name not in said.texts:
            text = markup_of(child, None) if name == "description" else text_of(child)
            if text and not text.isspace():
                said.texts[name] = text
    return said


def _icon(
    element: etree._Element, names: Names, limits: ParseLimits, base: str | None
) -> str | None:
    inner = next((c for c in element if names.of(c.tag) == "url"), None)
    text = element.get("href") or text_of(element if inner is None else inner)
    return fields.url_of(text, join_base(base, element.get(XML_BASE)), limits)


def _plain(text: str | None) -> str | None:
    """A description that nothing is said of: its blocks go too, which no title has."""
    return html_to_text(text) if text else None


def own_address(channel: etree._Element, names: Names, limits: ParseLimits) -> str | None:
    """Where the feed says that it is, else its page: the base of a document read from a file."""
    links: dict[str, str | None] = {}
    for child in channel:
        name = names.of(child.tag)
        if name == "atom:link":
            rel = (child.get("rel") or "alternate").lower()
            links.setdefault(rel, fields.url_of(child.get("href"), None, limits))
        elif name == "link":
            links.setdefault("alternate", fields.written_url_of(text_of(child), None, limits))
    return links.get("self") or links.get("alternate")


def inherited_from(
    channel: etree._Element, names: Names, limits: ParseLimits, base: str | None
) -> Inherited:
    """What the feed says for its entries (RFC 4287 §4.2.1; a show's tags hold for its episodes)."""
    people: dict[str, list[str | None]] = {}
    home: str | None = None
    explicit: bool | None = None
    persons: list[Person] = []
    entries: set[object] = set()  # their tags
    for child in channel:
        if child.tag in entries:
            continue
        name = names.of(child.tag)
        if name in _ENTRIES:
            entries.add(child.tag)
        elif name in _AUTHORS:
            people.setdefault(name, []).extend(people_in(child, names)[: limits.many])
        elif name == "link" and home is None:
            around = join_base(base, child.get(XML_BASE))
            home = fields.written_url_of(text_of(child), around, limits)
        elif name in ("itunes:explicit", "googleplay:explicit") and explicit is None:
            explicit = explicit_of(text_of(child))
        elif name == "podcast:person" and len(persons) < limits.many:
            persons += filter(None, (person_in(child, base, limits),))
    found = (fields.authors_of_all(people[name], limits) for name in _AUTHORS if name in people)
    return Inherited(next((one for one in found if one), ()), home, explicit, tuple(persons))


def _language(element: etree._Element) -> str | None:
    parent = element.getparent()
    return element.get(_XML_LANG) or (parent.get(_XML_LANG) if parent is not None else None)


def _updated(texts: dict[str, str], dates: DateReader) -> datetime | None:
    for name in _UPDATED:
        found = dates.read(texts.get(name))
        if found is not None:
            return found.when
    return None

"""Read a well-formed document: RSS 0.9x, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0.

One lxml tree without entities, network, DTD or `huge_tree` (libxml2 stops at depth 256 and at
oversized nodes by itself), then one pass over the children of each entry, dispatched on short
names. Elements of RSS, Atom and the modules may be mixed freely, as publishers do.
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from aggregator.feeds.channel import read_channel
from aggregator.feeds.dates import DateReader
from aggregator.feeds.entry import EntryReader
from aggregator.feeds.fields import is_blank
from aggregator.feeds.layout import Layout, lay_out
from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.names import Names
from aggregator.model.feed import ParsedEntry, ParsedFeed
from aggregator.urls.origin import resolve

# libxml2's codes for what it refuses to read on (xmlerror.h): entity loop, name, resource limit.
_LIMIT_CODES = frozenset((89, 110, 114))
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


class NotWellFormed(Exception):
    """The document breaks the rules of XML."""


class OverLimit(Exception):
    """The document is XML, but nests or swells beyond what the parser accepts."""


class NotAFeed(Exception):
    """The document is well-formed XML of another kind."""


def read_strict(
    text: str, url: str | None, limits: ParseLimits, dates: DateReader, reader: str = "strict"
) -> ParsedFeed:
    """The feed in a well-formed document without a document type declaration.

    Raises:
        NotWellFormed, OverLimit, NotAFeed: with libxml2's message or the root's name.
    """
    tree = _tree(text)
    names = Names()
    layout = lay_out(tree, names)
    if layout is None:
        raise NotAFeed(f"the root element is <{etree.QName(tree).localname}>")
    channel = layout.channel
    dates.language = _language(layout, names)
    base = _base(url, layout.root)
    if channel is not layout.root:
        base = _base(base, channel)
    entries, dropped = _entries(layout.entries, EntryReader(names, limits, dates), base, limits)
    feed = read_channel(
        layout.format, channel, names, limits, dates, base,
        entries=entries, dropped=dropped, reader=reader,
    )  # fmt: skip
    if layout.entries and not entries:
        error = f"nothing could be read in any of its {len(layout.entries)} entries"
        return replace(feed, error=error, error_class="malformed")
    return feed


def _language(layout: Layout, names: Names) -> str | None:
    """The language that the feed declares, which its dates may be in."""
    for child in layout.channel:
        if names.of(child.tag) in ("language", "dc:language") and child.text:
            return child.text.strip()[:32]
    return layout.channel.get(_XML_LANG) or layout.root.get(_XML_LANG)


def _tree(text: str) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        huge_tree=False,
    )
    try:
        return etree.fromstring(text.encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError as error:
        message = (error.msg or "not XML").strip()
        if (
            getattr(error, "code", 0) in _LIMIT_CODES
            or "depth" in message
            or "huge" in message.lower()
        ):
            raise OverLimit(message) from None
        raise NotWellFormed(message) from None


def _base(outer: str | None, element: etree._Element) -> str | None:
    return join_base(outer, element.get(_XML_BASE))


def join_base(outer: str | None, inner: str | None) -> str | None:
    """The base in force inside an element with `xml:base` (XML Base §4.1)."""
    if not inner:
        return outer
    return resolve(outer, inner) or outer


def _entries(
    found: list[etree._Element], reader: EntryReader, base: str | None, limits: ParseLimits
) -> tuple[tuple[ParsedEntry, ...], int]:
    """What the entries of the document say, and how many were beyond the cap."""
    entries = []
    for element in found[: limits.entries]:
        entry = reader.read(element, join_base(base, element.get(_XML_BASE)))
        if not is_blank(entry):
            entries.append(entry)
    return tuple(entries), max(0, len(found) - limits.entries)

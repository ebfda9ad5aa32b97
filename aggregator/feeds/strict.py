"""Read a well-formed document: RSS 0.9x, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0.

One lxml tree without entities, network, DTD or `huge_tree` (libxml2 stops at depth 256 and at
oversized nodes by itself), then one pass over the children of each entry, dispatched on short
names. Elements of RSS, Atom and the modules may be mixed freely, as publishers do.
"""

from __future__ import annotations

from lxml import etree

from aggregator.feeds.channel import read_channel
from aggregator.feeds.dates import DateReader
from aggregator.feeds.entry import EntryReader
from aggregator.feeds.fields import is_blank
from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.names import Names
from aggregator.model.feed import ParsedEntry, ParsedFeed
from aggregator.urls.origin import resolve

_ROOTS = {
    "rss": "rss",
    "rdf:rdf": "rdf",
    "rdf": "rdf",
    "atom:feed": "atom",
    "feed": "atom",
    "channel": "rss",
    "atom:entry": "atom",
}
# libxml2's codes for what it refuses to read on (xmlerror.h): entity loop, name, resource limit.
_LIMIT_CODES = frozenset((89, 110, 114))
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
    root = _tree(text)
    names = _names_for(root)
    fmt = _ROOTS.get(names.of(root.tag))
    if fmt is None:
        raise NotAFeed(f"the root element is <{etree.QName(root).localname}>")
    base = _base(url, root)
    channel = root
    if fmt in ("rss", "rdf"):
        channel = next((c for c in root if names.of(c.tag) == "channel"), root)
        if channel is not root:
            base = _base(base, channel)
    entries, dropped = _entries(root, channel, EntryReader(names, limits, dates), base, limits)
    return read_channel(
        fmt, channel, names, limits, dates, base, entries=entries, dropped=dropped, reader=reader
    )


def _names_for(root: etree._Element) -> Names:
    names = Names()
    local = etree.QName(root).localname.lower()
    if local in ("rss", "channel"):
        names.adopt(root.tag, "")
    elif local == "feed":
        names.adopt(root.tag, "atom")
    elif local == "rdf":
        for child in root:
            if isinstance(child.tag, str) and etree.QName(child).localname in ("channel", "item"):
                names.adopt(child.tag, "")
                break
    return names


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
    root: etree._Element,
    channel: etree._Element,
    reader: EntryReader,
    base: str | None,
    limits: ParseLimits,
) -> tuple[tuple[ParsedEntry, ...], int]:
    """All entries of the document in its order, and how many were beyond the cap."""
    found = (
        [root] if reader.names.of(root.tag) == "atom:entry" else _candidates(root, channel, reader)
    )
    entries = []
    for element in found[: limits.entries]:
        entry = reader.read(element, join_base(base, element.get(_XML_BASE)))
        if not is_blank(entry):
            entries.append(entry)
    return tuple(entries), max(0, len(found) - limits.entries)


def _candidates(
    root: etree._Element, channel: etree._Element, reader: EntryReader
) -> list[etree._Element]:
    """Entries stand in the channel, beside it (RDF), or in a second channel (seen in the wild)."""
    parents = [root]
    parents.extend(c for c in root if reader.names.of(c.tag) == "channel")
    if channel is not root and channel not in parents:
        parents.append(channel)
    wanted = ("item", "atom:entry", "entry")
    return [child for parent in parents for child in parent if reader.names.of(child.tag) in wanted]

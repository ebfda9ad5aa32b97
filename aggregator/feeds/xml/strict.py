"""Read a well-formed document: RSS 0.9x, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0.

One lxml tree without entities, network, DTD or `huge_tree` (libxml2 stops at depth 256 and at
oversized nodes by itself), then one pass over the children of each entry, dispatched on short
names. Elements of RSS, Atom and the modules may be mixed freely, as publishers do.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

from lxml import etree

from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.mending.sections import lacks_an_end
from aggregator.feeds.names import Names
from aggregator.feeds.values.dates import DateReader
from aggregator.feeds.values.fields import is_blank
from aggregator.feeds.xml.channel import inherited_from, own_address, read_channel
from aggregator.feeds.xml.entry import EntryReader
from aggregator.feeds.xml.inner import XML_BASE, join_base
from aggregator.feeds.xml.layout import Layout, lay_out
from aggregator.markup.text import has_noncharacters
from aggregator.model.feed import ParsedEntry, ParsedFeed
from aggregator.model.states import ParseFault

# libxml2's codes for what it refuses to read on (xmlerror.h): internal, entity loop, name,
# resource limit.
_LIMIT_CODES = frozenset((1, 89, 110, 114))
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


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
    raw = text.encode("utf-8", "ignore")
    tree = _tree(raw)
    names = Names()
    layout = lay_out(tree, names)
    if layout is None:
        raise NotAFeed(f"the root element is <{etree.QName(tree).localname}>")
    channel = layout.channel
    dates.language = _language(layout, names)
    based = "xml:base" in text
    bases = _Bases(url or own_address(channel, names, limits), based=based)
    base = bases.of(channel).url
    inherited = inherited_from(channel, names, limits, base)
    entry_reader = EntryReader(
        names, limits, dates, inherited, based=based, spotless=_is_spotless(raw)
    )
    entries, dropped = _entries(layout.entries, entry_reader, bases, limits)
    if entry_reader.met_section and lacks_an_end(text):
        raise NotWellFormed("a CDATA section has no end")
    feed = read_channel(
        layout.format, channel, names, limits, dates, base,
        entries=entries, dropped=dropped, reader=reader, authors=inherited.authors,
    )  # fmt: skip
    if layout.entries and not entries:
        error = f"nothing could be read in any of its {len(layout.entries)} entries"
        return replace(feed, error=error, error_class=ParseFault.MALFORMED)
    return feed


def _language(layout: Layout, names: Names) -> str | None:
    """The language that the feed declares, which its dates may be in."""
    for child in layout.channel:
        if names.of(child.tag) in ("language", "dc:language") and child.text:
            return child.text.strip()[:32]
    return layout.channel.get(_XML_LANG) or layout.root.get(_XML_LANG)


def _is_spotless(raw: bytes) -> bool:
    """Whether no string of a well-formed document can hold what `markup.text.clean` drops.

    XML itself refuses control characters, as they are and in references. What is left are
    noncharacters, which are rare enough to be looked for in the whole document once.
    """
    if not raw.isascii() and has_noncharacters(raw):
        return False
    return b"&#" not in raw or _NONCHARACTER.search(raw) is None


# References to them: U+FDD0..FDEF and the last two of every plane; decimal ones by their size.
_NONCHARACTER = re.compile(
    rb"&#(?:x0*(?:[0-9a-fA-F]{0,2}[fF]{3}[eEfF]|[fF][dD][dDeE][0-9a-fA-F])|0*(?:6\d{4}|\d{6,7}));"
)


def _tree(raw: bytes) -> etree._Element:
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
        return etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        message = (error.msg or "not XML").strip()
        if getattr(error, "code", 0) in _LIMIT_CODES:
            raise OverLimit(message) from None
        raise NotWellFormed(message) from None


class _Base(NamedTuple):
    url: str | None
    stated: bool  # by an `xml:base`


class _Bases:
    """The bases in force in the elements of a document (XML Base §4.1), by element."""

    def __init__(self, url: str | None, *, based: bool) -> None:
        self._based = based  # whether there is any `xml:base`
        self._outermost = _Base(url, stated=False)
        self._known: dict[etree._Element, _Base] = {}

    def of(self, element: etree._Element) -> _Base:
        """The base inside `element`; its parents are remembered, for they have many children."""
        if not self._based:
            return self._outermost
        parent = element.getparent()
        if parent is None:
            outer = self._outermost
        else:
            outer = self._known.get(parent) or self._known.setdefault(parent, self.of(parent))
        own = element.get(XML_BASE)
        return _Base(join_base(outer.url, own), stated=True) if own else outer


def _entries(
    found: list[etree._Element], reader: EntryReader, bases: _Bases, limits: ParseLimits
) -> tuple[tuple[ParsedEntry, ...], int]:
    """What the entries of the document say, and how many were beyond the cap."""
    entries = []
    for element in found[: limits.entries]:
        base = bases.of(element)
        entry = reader.read(element, base.url, based=base.stated)
        if not is_blank(entry):
            entries.append(entry)
    return tuple(entries), max(0, len(found) - limits.entries)

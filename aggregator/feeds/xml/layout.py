"""Where the parts of a feed stand in a document: its root, its channel and its entries.

Publishers put feeds into other elements, items beside the channel or into lists of their own, and
all of it under a default namespace that means something else. The parts are then known by their
local names, and elements of that namespace are given the one they were meant to have.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from aggregator.feeds.names import ATOM, Names

_ENTRIES = frozenset(("item", "atom:entry", "entry"))
_FORMATS = {"rss": "rss", "channel": "rss", "rdf": "rdf", "feed": "atom"}
_MEANT = {"rss": "", "channel": "", "item": "", "rdf": "rdf", "feed": "atom", "entry": "atom"}
# Elements of a channel that hold no entries, however they are filled.
_LEAF_PARTS = frozenset(("image", "textinput", "cloud", "skiphours", "skipdays", "atom:author"))


class Layout(NamedTuple):
    """The parts of one document, entries in its order; `format` is rss, rdf or atom."""

    format: str
    root: etree._Element
    channel: etree._Element
    entries: list[etree._Element]


def lay_out(document: etree._Element, names: Names) -> Layout | None:
    """The parts of the feed in a document, or None where there is no feed in it.

    Elements in a wrong namespace are renamed in the tree, and `names` learns the others.
    """
    if names.of(document.tag) == "atom:entry":
        names.learn(document)
        return Layout("atom", document, document, [document])
    root = _root(document)
    if root is None:
        return None
    names.learn(root)
    fmt = _FORMATS[_local(root)]
    _straighten(root, fmt, names)
    channel = _channel(root, names)
    if channel is not root:
        names.learn(channel)
        _straighten(channel, fmt, names)
    return Layout(fmt, root, channel, _entries(root, channel, fmt, names))


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()  # of an instruction: some function's name


def _root(document: etree._Element) -> etree._Element | None:
    """The feed's root: the document's, or the first one inside it that has entries."""
    if _local(document) in _FORMATS:
        return document
    around: list[etree._Element] = []  # elements named as roots, that are open where we are
    element: etree._Element
    for event, element in etree.iterwalk(document, events=("start", "end")):
        local = _local(element)
        if event == "end":
            if around and around[-1] is element:
                around.pop()
        elif local == "rss":
            return element
        elif local in _FORMATS:
            around.append(element)
        elif local in ("item", "entry") and around:
            return around[0]
    return None


def _channel(root: etree._Element, names: Names) -> etree._Element:
    if _local(root) in ("channel", "feed"):
        return root
    for child in root:
        if names.of(child.tag) == "channel":
            return child
    return next((c for c in root.iter() if _local(c) == "channel"), root)


def _entries(
    root: etree._Element, channel: etree._Element, fmt: str, names: Names
) -> list[etree._Element]:
    """Entries stand in the channel, beside it (RDF), in a second channel, or in lists of these."""
    found: list[etree._Element] = []

    def gather(parent: etree._Element) -> None:
        for child in parent:
            name = names.of(child.tag)
            if name in _ENTRIES:
                found.append(child)
            elif parent is root and name == "channel":
                gather(child)
            elif len(child) and name not in _LEAF_PARTS:
                found.extend(inner for inner in child if names.of(inner.tag) in _ENTRIES)

    gather(root)
    if channel is not root and channel.getparent() is not root:
        gather(channel)
    if not found:
        found = _anywhere(root)
    elif sum(1 for _ in root.iter(*{entry.tag for entry in found})) > len(found):
        found = [one for entry in found for one in _with_nested(entry, names)]
    for entry in found:
        if entry.tag[0] == "{":
            _straighten(entry, fmt, names)
    return found


def _with_nested(entry: etree._Element, names: Names) -> Iterator[etree._Element]:
    """An entry, and those that stand in it because its end tag was forgotten."""
    yield entry
    for child in entry:
        if names.of(child.tag) in _ENTRIES:
            yield from _with_nested(child, names)


def _anywhere(root: etree._Element) -> list[etree._Element]:
    """The outermost items and entries at any depth, by their local names."""
    found = []
    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        if _local(element) in ("item", "entry"):
            found.append(element)
            walk.skip_subtree()
    return found


def _straighten(part: etree._Element, fmt: str, names: Names) -> None:
    """Give the namespace of a feed's own part the meaning that only such parts have.

    One of a publisher's own invention is adopted; elements without a prefix in one that belongs to
    another vocabulary are renamed.
    """
    namespace = str(part.tag)[1:].partition("}")[0] if str(part.tag)[0] == "{" else ""
    if not namespace:
        return
    meaning = names.meaning_of(namespace)
    meant = _MEANT[_local(part)]
    if meaning == meant or (meant, meaning) == ("rdf", "") or (fmt, meaning) == ("atom", "atom"):
        return
    if meaning is None:
        names.adopt(namespace, meant)
    elif not part.prefix:
        start = f"{{{namespace}}}"
        for element in part.iter():
            tag = str(element.tag)
            if tag.startswith(start) and not element.prefix:
                local = tag.removeprefix(start)
                element.tag = f"{{{ATOM}}}{local}" if meant == "atom" else local

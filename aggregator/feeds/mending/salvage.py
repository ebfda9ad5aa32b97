"""Keep the entries that are whole when others of the same document are broken.

Each entry is tried alone, under the document's own root tag, and those that cannot be parsed are
left out and counted: one bad entry must not cost the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from aggregator.feeds.limits import ParseLimits

_ROOT = re.compile(r"<((?:[\w.\-]{1,20}:)?(?:rss|feed|rdf))(?:\s[^<>]*)?>", re.IGNORECASE)
_ENTRY = re.compile(r"<((?:[\w.\-]{1,20}:)?(?:item|entry))[\s>]")
_CHANNEL = re.compile(r"<((?:[\w.\-]{1,20}:)?channel)[\s>]", re.IGNORECASE)
_MOST_TRIED = 3  # times the limit of entries


class Salvaged(NamedTuple):
    """A document of whole entries only, and how many others there were."""

    text: str
    lost: int


def salvage(text: str, limits: ParseLimits) -> Salvaged | None:
    """What can be kept of a document that does not parse as a whole; None when nothing can."""
    root = _ROOT.search(text, 0, 65_536)
    first = _ENTRY.search(text, root.end()) if root is not None else None
    if root is None or first is None:
        return None
    close = f"</{root.group(1)}>"
    kept: list[str] = []
    tried = 0
    for entry in _entries(text, first.start()):
        tried += 1
        if tried > _MOST_TRIED * limits.entries:
            break
        if _is_whole(root.group(), entry, close):
            kept.append(entry)
    if not kept:
        return None
    head = text[root.end() : first.start()]
    channel = _CHANNEL.search(head)
    ending = f"</{channel.group(1)}>" if channel is not None else ""
    if ending in head:  # RDF closes its channel before the items
        ending = ""
    if not _is_whole(root.group(), head + ending, close):
        head, ending = "", ""
    return Salvaged(f"{root.group()}{head}{''.join(kept)}{ending}{close}", tried - len(kept))


def _entries(text: str, start: int) -> Iterator[str]:
    """The stretches from each entry's start tag to its end tag, or to the next start."""
    while True:
        match = _ENTRY.search(text, start)
        if match is None:
            return
        end_tag = f"</{match.group(1)}>"
        end = text.find(end_tag, match.end())
        if end < 0:
            yield text[match.start() :]
            return
        yield text[match.start() : end + len(end_tag)]
        start = end + len(end_tag)


def _is_whole(root: str, inside: str, close: str) -> bool:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        etree.fromstring(f"{root}{inside}{close}".encode("utf-8", "ignore"), parser)
    except etree.XMLSyntaxError:
        return False
    return True

"""One entry in every form that a document can have: each format, and each tier that reads XML."""

from __future__ import annotations

import json
from typing import Any

from aggregator.feeds.parse import parse_document
from aggregator.model.feed import ParsedEntry, ParsedFeed

URL = "https://news.example/feed.xml"
NAMESPACES = (
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:podcast="https://podcastindex.org/namespace/1.0" '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
)
TIERS = ("strict", "repair", "feedparser", "salvage")
# What makes the tiers before give up: nothing, a bare `&`, a tag that is not closed, nesting.
_FAULTS = {
    "strict": "",
    "repair": "<x>Q & A</x>",
    "feedparser": "<x><y></x>",
    "salvage": "<item>" + "<deep>" * 300 + "</deep>" * 300 + "</item>",
}


def rss_feed(item: str, channel: str = "", tier: str = "strict", root: str = "") -> ParsedFeed:
    """An RSS document with one item, and a fault that makes `tier` read it."""
    text = (
        f'<rss version="2.0" {NAMESPACES} {root}><channel><title>c</title>{channel}'
        f"<item>{item}</item>{_FAULTS[tier]}</channel></rss>"
    )
    feed = parse_document(text.encode(), url=URL)
    assert feed.reader == tier
    return feed


def rss(item: str, channel: str = "", tier: str = "strict", root: str = "") -> ParsedEntry:
    """The entry of `rss_feed`."""
    return rss_feed(item, channel, tier, root).entries[0]


def rdf(item: str, channel: str = "") -> ParsedEntry:
    """The entry of an RSS 1.0 document."""
    text = (
        f'<rdf:RDF xmlns="http://purl.org/rss/1.0/" {NAMESPACES}><channel><title>c</title>'
        f"{channel}</channel><item>{item}</item></rdf:RDF>"
    )
    feed = parse_document(text.encode(), url=URL)
    assert (feed.format, feed.reader) == ("rdf", "strict")
    return feed.entries[0]


def atom_feed(entry: str, feed: str = "", tier: str = "strict", root: str = "") -> ParsedFeed:
    """An Atom document with one entry, and a fault that makes `tier` read it."""
    fault = _FAULTS[tier].replace("item>", "entry>")
    text = (
        f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES} {root}><title>f</title>{feed}'
        f"<entry>{entry}</entry>{fault}</feed>"
    )
    read = parse_document(text.encode(), url=URL)
    assert read.reader == tier
    return read


def atom(entry: str, feed: str = "", tier: str = "strict", root: str = "") -> ParsedEntry:
    """The entry of `atom_feed`."""
    return atom_feed(entry, feed, tier, root).entries[0]


def json_item(item: dict[str, Any], **feed: Any) -> ParsedEntry:
    """The entry of a JSON Feed."""
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "J", **feed}
    text = json.dumps({**document, "items": [{"id": "1", **item}]})
    return parse_document(text.encode(), url="https://news.example/feed.json").entries[0]

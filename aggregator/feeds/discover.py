"""Feeds that a web page offers (WHATWG HTML §4.6.6.1, RSS and Atom autodiscovery)."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

from aggregator.feeds import fields
from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.markup.tangle import is_tangled
from aggregator.model.feed import FeedLink

_TYPES = frozenset(
    (
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "application/json",
        "text/xml",
        "application/xml",
        "application/x-rss+xml",
    )
)
_ANCHOR = re.compile(
    r"(?:[./](?:rss|atom|rdf|feed)(?:\.xml|\.json)?/?|/feeds?/[^?#]*|\.rss|\.rdf|\.atom"
    r"|/(?:index|rss|atom|feed)\.xml|[?&](?:feed|format)=(?:rss2?|atom|rdf))\Z",
    re.IGNORECASE,
)
_HEAD_BYTES = 512 * 1024
_MOST = 50


def feed_links(html: str, url: str | None) -> tuple[FeedLink, ...]:
    """The feeds that a page declares by `<link rel="alternate">`, in its order.

    Where it declares none, links in the page whose address looks like a feed's. URLs are
    absolute and listed once. Only the first 512 KB of the page are looked at.
    """
    html = html[:_HEAD_BYTES]
    if is_tangled(html):
        return ()
    tree = LexborHTMLParser(html)
    base_tag = tree.css_first("base[href]")
    base = fields.url_of(base_tag.attributes.get("href"), url, DEFAULT_LIMITS) if base_tag else url
    found: dict[str, FeedLink] = {}
    for node in tree.css("link[rel][href]"):
        rels = (node.attributes.get("rel") or "").lower().split()
        kind = (node.attributes.get("type") or "").split(";")[0].strip().lower()
        if ("alternate" in rels and kind in _TYPES) or "feed" in rels:
            _add(found, node.attributes, base, kind)
    if not found:
        for node in tree.css("a[href]"):
            if _ANCHOR.search((node.attributes.get("href") or "").strip()):
                _add(found, node.attributes | {"title": node.text(strip=True)}, base, None)
    return tuple(found.values())[:_MOST]


def _add(
    found: dict[str, FeedLink],
    attributes: dict[str, str | None],
    base: str | None,
    kind: str | None,
) -> None:
    href = fields.url_of(attributes.get("href"), base, DEFAULT_LIMITS)
    if href and len(found) < _MOST:
        title = fields.title_of(attributes.get("title"), DEFAULT_LIMITS)
        found.setdefault(href, FeedLink("alternate", href, kind or None, title))

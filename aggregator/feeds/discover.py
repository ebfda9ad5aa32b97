"""Feeds that a web page offers (WHATWG HTML §4.6.6.1, RSS and Atom autodiscovery)."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.feeds.values import fields
from aggregator.markup.tangle import is_tangled
from aggregator.model.feed import FeedLink
from aggregator.urls.origin import web_address

# Media types that say feed, the odd ones of publishers too (`application/rss`, `text/x-atom+xml`,
# `application/xml+rss`): the word stands alone. `atomsvc+xml`, `json+oembed` and others do not.
_FEED_TYPE = re.compile(
    r"(?:application|text|x-application)/(?:[\w.+-]*[+.-])?(?:x-)?(?:rss|atom|rdf|feed|jsonfeed)\d*"
    r"(?:[+.-](?:xml|json))?\Z"
)
_XML_TYPES = frozenset(("text/xml", "application/xml"))
# Any JSON may be `application/json`; a JSON Feed calls itself one (JSON Feed 1.0), where WordPress
# offers its representation of the page.
_JSON_FEED = re.compile(r"\bfeeds?\b", re.IGNORECASE)
_NO_FEED = re.compile(r"/wp-json/|[?&]rest_route=|/oembed\b", re.IGNORECASE)
_ANCHOR = re.compile(
    r"(?:[./](?:rss|atom|rdf|feed)(?:\.xml|\.json)?/?|/feeds?/[^?#]*|\.rss|\.rdf|\.atom"
    r"|/(?:index|rss|atom|feed)\.xml|[?&](?:feed|format)=(?:rss2?|atom|rdf))\Z",
    re.IGNORECASE,
)
# A video site has its link behind 512 KB of scripts; those hold no elements.
_SILENT = re.compile(
    r"<!--(?:(?!-->).)*+(?:-->|\Z)|<(script|style)\b(?:(?!</\1).)*+", re.IGNORECASE | re.DOTALL
)
_MOST_READ = 10 * 1024 * 1024
_MOST_PARSED = 2 * 1024 * 1024
_MOST = 50


def feed_links(html: str, url: str | None) -> tuple[FeedLink, ...]:
    """The feeds that a page declares by `<link rel="alternate">`, in its order.

    Where it declares none, links in the page whose address looks like a feed's. URLs are
    absolute and listed once. Scripts and comments apart, the first 2 MB of the page are looked at.
    """
    html = _SILENT.sub("", html[:_MOST_READ])[:_MOST_PARSED]
    if is_tangled(html):
        return ()
    tree = LexborHTMLParser(html)
    base_tag = tree.css_first("base[href]")
    base = fields.url_of(base_tag.attributes.get("href"), url, DEFAULT_LIMITS) if base_tag else url
    found: dict[str, FeedLink] = {}
    for node in tree.css("link[rel][href]"):
        rels = (node.attributes.get("rel") or "").lower().split()
        kind = (node.attributes.get("type") or "").split(";")[0].strip().lower()
        if "feed" in rels or ("alternate" in rels and _is_feed(node.attributes, kind)):
            _add(found, node.attributes, base, kind)
    if not found:
        for node in tree.css("a[href]"):
            href = (node.attributes.get("href") or "").strip()
            if _ANCHOR.search(href) or web_address(href) != href:
                _add(found, node.attributes | {"title": node.text(strip=True)}, base, None)
    return tuple(found.values())[:_MOST]


def _is_feed(attributes: dict[str, str | None], kind: str) -> bool:
    """Whether an alternate of a page is a feed, by its type, else by its address."""
    href = (attributes.get("href") or "").strip()
    if _NO_FEED.search(href):
        return False
    if not kind:
        return "hreflang" not in attributes and bool(
            _ANCHOR.search(href) or web_address(href) != href
        )
    if kind == "application/json":
        return bool(_JSON_FEED.search(f"{href} {attributes.get('title') or ''}"))
    return kind in _XML_TYPES or _FEED_TYPE.match(kind) is not None


def _add(
    found: dict[str, FeedLink],
    attributes: dict[str, str | None],
    base: str | None,
    kind: str | None,
) -> None:
    written = web_address((attributes.get("href") or "").strip())
    href = fields.url_of(written, base, DEFAULT_LIMITS)
    if href and len(found) < _MOST:
        title = fields.title_of(attributes.get("title"), DEFAULT_LIMITS)
        found.setdefault(href, FeedLink("alternate", href, kind or None, title))

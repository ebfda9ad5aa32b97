"""Whether a key can identify an article: home pages, sections and service pages cannot.

A false "no" only means that other evidence has to identify the item; a false "yes" may merge two
items. So everything that looks like a list of articles is refused.
"""

from __future__ import annotations

import re
from functools import cache

from aggregator.store.migrations.frozen.r0017.parameters import data_lines

_LOCALE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2})?")
_LISTS = frozenset(
    {"tag", "tags", "category", "categories", "author", "authors", "topic", "topics"}
)
_PAGE = re.compile(r"page(?:[/-]?\d+)?|p\d{1,3}")
_DATE_ARCHIVE = re.compile(r"(?:19|20)\d\d(?:/\d{1,2}){1,2}")
_SLUG = re.compile(r"(?=.*\d{3}).+|(?:[^-_]+[-_]){3,}.+")  # an article's own name
_FEED_FILE = re.compile(r"(?:feed|rss|atom|index)\.(?:xml|rss|atom|rdf|json)|.*\.(?:rss|atom|rdf)")
_ROTATING = ("news.google.com/rss/articles/", "news.google.com/articles/", "news.google.com/read/")
_LIST_PARAMETERS = frozenset({"page", "paged", "s", "q", "query", "search", "lang", "locale", "hl"})


@cache
def sections() -> frozenset[str]:
    """First path segments that name a section or a service page, in lower case."""
    return frozenset(data_lines("sections.txt"))


def not_identity(host: str, path: str, names: frozenset[str]) -> str | None:
    """Why a key is no identity, in words; None when it is one.

    Args:
        host: Host of the key.
        path: Canonical path, without a trailing slash; empty at the root.
        names: Names of the query parameters that are left.
    """
    if f"{host}{path}/".startswith(_ROTATING):
        return "an aggregator's own link that changes at every fetch"
    segments = path.casefold().strip("/").split("/") if path.strip("/") else []
    if names - _LIST_PARAMETERS:
        return None  # ?p=123, ?id=…, ?story=…: the query picks the page
    while segments and _PAGE.fullmatch(segments[-1]):
        segments.pop()
    while segments and _LOCALE.fullmatch(segments[0]):
        segments.pop(0)
    if not segments:
        return "home page"
    if len(segments) >= 2 and segments[0] == "page" and segments[1].isdigit():
        return "home page"
    if all(segment in sections() for segment in segments):
        return "section or service page"
    if _names_a_list(segments):
        return "list of articles"
    if _DATE_ARCHIVE.fullmatch("/".join(segments)):
        return "archive of a day or month"
    if segments[-1] in ("feed", "rss", "atom") or _FEED_FILE.fullmatch(segments[-1]):
        return "feed"
    return None


def _names_a_list(segments: list[str]) -> bool:
    """`/tag/x`, `/blog/category/x/y`; not `/project/releases/tag/v1`, `/category/x/a-long-slug`."""
    for place, segment in enumerate(segments[:-1]):
        if segment in _LISTS:
            below = segments[place + 1 :]
            return len(below) == 1 or not any(map(_SLUG.fullmatch, below))
        if place or segment not in sections():
            return False
    return False

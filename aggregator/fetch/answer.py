"""Reading a response's head: what kind of answer it is, before any of its body is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.links import parse_links
from aggregator.model.http import FetchError, RequestKind

# Feed types first: servers negotiate, and some answer HTML to a bare */* (RFC 9110 §12.5.1).
ACCEPT: Mapping[RequestKind, str] = {
    RequestKind.FEED: (
        "application/atom+xml, application/rss+xml, application/feed+json;q=0.9, "
        "application/xml;q=0.8, text/xml;q=0.7, */*;q=0.1"
    ),
    RequestKind.ARTICLE: "text/html, application/xhtml+xml;q=0.9",
    RequestKind.PAGE: (
        "text/html, application/xhtml+xml;q=0.9, application/atom+xml;q=0.8, "
        "application/rss+xml;q=0.8, */*;q=0.1"
    ),
    RequestKind.ROBOTS: "text/plain, */*;q=0.1",
    RequestKind.HUB: "*/*",
    RequestKind.PUSH: "*/*",
    RequestKind.PICTURE: "image/avif, image/webp, image/png, image/jpeg, image/gif, */*;q=0.1",
}

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_FEEDS = frozenset({"text/xml", "application/xml", "application/json", "text/plain", ""})
# Services that answer a client they doubt with a page of puzzles name it in a header.
_CHALLENGES = {
    "cf-mitigated": frozenset({"challenge"}),
    "x-amzn-waf-action": frozenset({"challenge", "captcha"}),
}


_LISTS = frozenset({"cache-control", "link", "content-encoding", "x-robots-tag"})
_UNTOLD = frozenset({"set-cookie", "set-cookie2"})  # nothing above can store what it never sees


def fold(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name. Lists are joined by commas (RFC 9110 §5.3); of a header that
    is no list the last value stands, of Link all. Cookies are left out."""
    folded: dict[str, str] = {}
    for raw_name, raw_value in fields:
        name = raw_name.decode("ascii", "replace").lower()
        if name in _UNTOLD:
            continue
        value = raw_value.decode("utf-8", "replace").strip()
        if name in _LISTS and name in folded:
            value = f"{folded[name]}, {value}"
        folded[name] = value
    return folded


def values_of(fields: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """The raw values of a header, `name` in lower case, in order."""
    return [value.strip() for given, value in fields if given.lower() == name]


def links_of(headers: Mapping[str, str], base: str) -> tuple[tuple[str, str], ...]:
    """The Link headers as (relation, absolute URL)."""
    return parse_links(headers["link"], base) if "link" in headers else ()


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Content-Length in bytes, None where there is none."""
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() else None


def media_type(headers: Mapping[str, str]) -> str:
    """The media type in lower case without parameters, empty where it is missing."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def wrong_media_type(kind: RequestKind, headers: Mapping[str, str]) -> FetchFailed | None:
    """Why a page's body should not be read at all; None where it should."""
    if kind not in (RequestKind.ARTICLE, RequestKind.PAGE):
        return None
    found = media_type(headers)
    if found in _HTML:
        return None
    if kind is RequestKind.PAGE and (found in _FEEDS or found.endswith(("+xml", "+json"))):
        return None  # a person may well have given the feed itself
    return FetchFailed(FetchError.NOT_HTML, f"answered {found[:80] or 'no media type'}, not HTML")


def refusal(status: int, headers: Mapping[str, str]) -> FetchFailed:
    """What a status without a usable body means."""
    for name, actions in _CHALLENGES.items():
        if headers.get(name, "").lower() in actions:
            detail = f"status {status} with a challenge for browsers"
            return FetchFailed(FetchError.BOT_CHALLENGE, detail)
    if status == 206:
        return FetchFailed(FetchError.PROTOCOL, "a part of the document, which was not asked for")
    if status == 226:
        return FetchFailed(FetchError.PROTOCOL, "a delta, which was not asked for")
    if 300 <= status < 400:
        return FetchFailed(FetchError.REDIRECT, f"status {status} leads nowhere")
    return FetchFailed(FetchError.HTTP, f"status {status}")

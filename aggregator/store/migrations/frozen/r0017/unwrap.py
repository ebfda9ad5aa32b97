"""The address inside an address: redirectors, share links and AMP caches.

The rules for redirectors are data (`data/redirectors.txt`). Only the target that the URL itself
spells out is used: nothing is fetched and opaque links (shorteners) stay what they are.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from functools import cache, lru_cache
from urllib.parse import parse_qsl, unquote

from aggregator.store.migrations.frozen.r0017.origin import SplitUrl, is_http
from aggregator.store.migrations.frozen.r0017.parameters import data_lines

_AMP_CACHE_PATH = re.compile(r"/(?:[a-z]/)?(s/)?(.+)", re.DOTALL)
_AMP_VIEWER = re.compile(r"(?:^|\.)(?:google(?:\.[a-z]{2,3}){1,2}|bing\.com)$")
_AMP_VIEWER_PATH = re.compile(r"/amp/(s/)?(.+\..+)", re.DOTALL)
_YAHOO_SEARCH_TARGET = re.compile(r"/RU=([^/]+)/")
_ADDRESS_IN_PATH = re.compile(r"[/~_](https?):?/{1,2}([^/].*)", re.DOTALL | re.IGNORECASE)
_TRANSLATED = ".translate.goog"
_SIGNATURE = re.compile(r":[\w-]{8,}$")  # Disqus signs what it links to
_LIBRARY_PROXY = re.compile(r"(?:^|\.)(?:ez)?proxy\d*\.")
_YAHOO_TARGET = re.compile(r"/\*+-?(https?(?::|%3A)//?.+)", re.DOTALL | re.IGNORECASE)
# Paths and hosts which exist to pass a reader on, whoever runs them, and how they call the target.
_PASSING_PATH = re.compile(
    r".*/(?:redir(?:ect(?:or)?)?|away|out|outbound|go|goto|exit|jump|leave|click|track(?:ing)?)"
    r"(?:\.\w{2,5})?/?",
    re.IGNORECASE,
)
_PASSING_HOST = re.compile(r"(?:out|go|r|l|rd|redir|redirect|clicks?|clk|links?|track)\d?\.")
_TARGETS = frozenset(
    {"url", "u", "to", "target", "dest", "destination", "link", "href", "goto", "redirect", "ziel"}
)
_BASE64_HTTP = "aHR0c"  # how every http(s) address begins in base64
_WRAPPED = re.compile(
    r"/(https?):?/{1,2}([a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?/[^/].*)", re.IGNORECASE
)
_BARE_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?:[/?:].*)?", re.DOTALL | re.IGNORECASE)
_LATER_ADDRESS = re.compile(r"https?://[^\s]+", re.IGNORECASE)


def _spelled_out(parts: SplitUrl, value: str) -> str:
    """The address behind what a few redirectors write instead of it."""
    if parts.host.startswith("urldefense"):
        if parts.path.startswith("/v3/"):
            return value.partition("__;")[0]
        return unquote(value.replace("-", "%").replace("_", "/"))
    if parts.host.endswith("bing.com") and value.startswith("a1"):
        return _from_base64(value[2:])
    if value.startswith("cache:"):
        found = _LATER_ADDRESS.search(value)
        return found[0].rstrip("+") if found else value
    if parts.host == "disq.us":
        return _SIGNATURE.sub("", value)
    return value


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """Redirectors as (host expression, path prefix, parameter), the parameter in lower case."""
    rules = []
    for line in data_lines("redirectors.txt"):
        host, prefix, parameter = line.split()
        if host.endswith(".*"):
            name = re.escape(host[:-2]) + r"(?:\.[a-z]{2,3}){1,2}"
        else:
            name = re.escape(host)
        rules.append((re.compile(rf"(?:[a-z0-9-]+\.)*{name}"), prefix, parameter.casefold()))
    return tuple(rules)


@lru_cache(maxsize=4096)
def _rules_of(host: str) -> tuple[tuple[str, str], ...]:
    """The (path prefix, parameter) rules that count on `host`."""
    return tuple(
        (prefix, parameter) for rule, prefix, parameter in _rules() if rule.fullmatch(host)
    )


def unwrap(parts: SplitUrl) -> str | None:
    """The absolute URL that `parts` passes its reader on to, or None where it is the page itself.

    One layer is taken off; the caller goes on until there is none left.
    """
    return (
        _from_amp_cache(parts)
        or _from_yahoo(parts)
        or _from_translator(parts)
        or _from_library(parts)
        or _from_redirector(parts)
        or _from_any(parts)
    )


def _from_amp_cache(parts: SplitUrl) -> str | None:
    if parts.host.endswith(".cdn.ampproject.org") or parts.host == "cdn.ampproject.org":
        found = _AMP_CACHE_PATH.fullmatch(parts.path)
    elif _AMP_VIEWER.search(parts.host):
        found = _AMP_VIEWER_PATH.fullmatch(parts.path)
    else:
        return None
    if found is None:
        return None
    target = f"{'https' if found[1] else 'http'}://{found[2]}"
    if parts.query:
        target += f"?{parts.query}"
    return target if is_http(target) else None


def _from_yahoo(parts: SplitUrl) -> str | None:
    """Yahoo's `…/*http://target`, maybe several in a row: the last one is the page.

    Its search writes `…/RU=target/RK=…` instead, with the target percent-encoded.
    """
    if not parts.host.endswith("yahoo.com"):
        return None
    searched = _YAHOO_SEARCH_TARGET.search(parts.path)
    if searched and is_http(target := unquote(searched[1])):
        return target
    found = _YAHOO_TARGET.search(parts.path)
    if found is None:
        return None
    target = unquote(found[1]) if "%3a" in found[1][:9].lower() else found[1]
    if parts.query:
        target += f"?{parts.query}"
    return target if is_http(target) else None


def _from_translator(parts: SplitUrl) -> str | None:
    """Google's translated pages: dots of the host are dashes, dashes are doubled."""
    if not parts.host.endswith(_TRANSLATED):
        return None
    host = parts.host.removesuffix(_TRANSLATED)
    target = host.replace("--", "\0").replace("-", ".").replace("\0", "-")
    url = f"https://{target}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    return url if is_http(url) else None


def _from_library(parts: SplitUrl) -> str | None:
    """A library's proxy, which asks its readers to sign in first."""
    if parts.path != "/login" or not _LIBRARY_PROXY.search(parts.host):
        return None
    return _target(parts, "url") or _target(parts, "qurl")


def _from_redirector(parts: SplitUrl) -> str | None:
    path = parts.path.casefold() or "/"
    for prefix, parameter in _rules_of(parts.host):
        if path.startswith(prefix):
            target = _target(parts, parameter)
            if target is not None:
                return target
    return None


def _from_any(parts: SplitUrl) -> str | None:
    """What no rule names but the address itself shows: an archive's path, a publisher's counter."""
    if inside := _WRAPPED.search(parts.path):
        target = f"{inside[1]}://{inside[2]}" + (f"?{parts.query}" if parts.query else "")
        return target if is_http(target) else None
    if not parts.query or not (
        _PASSING_PATH.fullmatch(parts.path) or _PASSING_HOST.match(parts.host)
    ):
        return None
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if not value and is_http(name):  # `?…&https://target`
            return name
        if name.casefold() not in _TARGETS:
            continue
        target = _from_base64(value) if value.startswith(_BASE64_HTTP) else value
        if is_http(target):
            return target
    return None


def _from_base64(value: str) -> str:
    try:
        return urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("utf-8")
    except ValueError:
        return value


def _target(parts: SplitUrl, parameter: str) -> str | None:
    if parameter == "/":  # the path ends with the address, and its query is the address's
        inside = _ADDRESS_IN_PATH.search(parts.path)
        value = f"{inside[1]}://{inside[2]}" if inside else ""
        if value and parts.query:
            value += f"?{parts.query}"
    elif parameter == "?":  # the whole query is the address
        value = parts.query
    else:
        pairs = parse_qsl(parts.query, keep_blank_values=False, max_num_fields=None)
        value = next((v for name, v in pairs if name.casefold() == parameter), "")
    value = _spelled_out(parts, value.strip())
    if is_http(value):
        return value
    if parameter == "text":  # share texts carry the address after some words
        found = _LATER_ADDRESS.search(value)
        return found[0] if found and is_http(found[0]) else None
    if _BARE_HOST.fullmatch(value) and is_http("http://" + value):
        return "http://" + value
    return None

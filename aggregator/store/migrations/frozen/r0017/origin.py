"""Hosts, origins and registrable domains.

Origin: RFC 6454 §4. Reference resolution: RFC 3986 §5. Internationalised hosts: UTS #46.
Public suffixes come from the list that `tld` brings along; nothing is fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import quote, urljoin, urlsplit

import idna
from tld.utils import get_tld

MAX_URL = 8192  # characters; servers refuse longer ones and ours are indexed
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What RFC 3986 forbids in a URL and is no letter of another script: those stay, as in an IRI.
_UNSAFE = re.compile(r"[\s\"<>\\^`{|}\u200b\u2060\ufeff]")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_LONGEST_LABEL = 63  # RFC 1035 §2.3.4
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Schemes that tell a browser which program to open; what is fetched is http (a custom of feed
# readers and podcast players): `feed://host/…`, `feed:https://host/…`, `itpc://host/…`.
_FOR_PROGRAMS = re.compile(
    r"(?:feed|itpc|pcast|rss|podcast):(?://)?(?=(https?://)?)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SplitUrl:
    """The parts of an http(s) URL. `host` is lower-case ASCII, IPv6 in brackets.

    `port` is None where it is the scheme's default or empty; path, query and fragment are as
    written; `userinfo` is the raw text before `@`, None when there is none.
    """

    scheme: str
    userinfo: str | None
    host: str
    port: int | None
    path: str
    query: str
    fragment: str


def split(url: str) -> SplitUrl | None:
    """Take an absolute http(s) URL apart; None for every other string. Never raises.

    Surrounding blanks, and tabs and line breaks anywhere, are ignored as browsers do
    (WHATWG URL §4.4).
    """
    url = clean(url)
    if not url or len(url) > MAX_URL:
        return None
    try:
        url.encode("utf-8")  # a lone surrogate is no text that could be sent
        parts = urlsplit(url)
        port = parts.port
        name = parts.hostname
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not name:
        return None
    ascii_host = canonical_host(name)
    if ascii_host is None:
        return None
    userinfo = parts.netloc.rpartition("@")[0] if "@" in parts.netloc else None
    if port == _DEFAULT_PORTS[scheme]:
        port = None
    return SplitUrl(scheme, userinfo, ascii_host, port, parts.path, parts.query, parts.fragment)


def clean(url: str) -> str:
    """`url` without surrounding blanks and without control characters."""
    return _CONTROL.sub("", url).strip()


def quote_unsafe(url: str) -> str:
    """`url` with blanks and the other characters that may not stand in one percent-encoded.

    RFC 3986 §2.1 and appendix A; letters of other scripts stay (RFC 3987).
    """
    return _UNSAFE.sub(lambda found: quote(found.group()), url.strip())


def web_address(url: str) -> str:
    """The http(s) address that one with `feed:`, `itpc:` or `pcast:` means; others as they are."""
    found = _FOR_PROGRAMS.match(url)
    if found is None:
        return url
    if found[1]:
        return url[found.end() :]
    return f"http://{url[found.end() :]}" if found[0].endswith("//") else url


@lru_cache(maxsize=4096)
def canonical_host(name: str) -> str | None:
    """Lower-case ASCII form of a host name or address; None where it is neither. IPv6 bracketed."""
    name = name.strip("[]").lower()
    if ":" in name:
        try:
            address = ip_address(name)
            # A zone is a name of one machine's own interface (RFC 6874), nothing for a link.
            return None if "%" in name else f"[{address.compressed}]"
        except ValueError:
            return None
    name = name.rstrip(".")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    if len(name) > 253 or not _HOST.fullmatch(name):
        return None
    labels = name.split(".")
    if any(len(label) > _LONGEST_LABEL for label in labels):
        return None
    # A host that ends in a number is an address or nothing (WHATWG URL §3.5).
    if _NUMBER.fullmatch(labels[-1]) and not _is_numeric_address(labels):
        return None
    return name


def _is_numeric_address(labels: list[str]) -> bool:
    """Whether these are one to four numbers in range, as inet_aton and browsers read them."""
    try:
        numbers = [_number(label) for label in labels]
    except ValueError:
        return False
    *high, low = numbers
    return len(high) < 4 and max(high, default=0) < 256 and low < 256 ** (4 - len(high))


def _number(label: str) -> int:
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if label.startswith("0") and label != "0" else int(label)


def host(url: str) -> str | None:
    """The host of an http(s) URL, lower-case and IDNA-encoded, without a port."""
    parts = split(url)
    return parts.host if parts else None


def origin(url: str) -> str | None:
    """Scheme, host and port of an http(s) URL as `scheme://host[:port]`, default ports left out."""
    parts = split(url)
    if parts is None:
        return None
    return f"{parts.scheme}://{parts.host}" + (f":{parts.port}" if parts.port else "")


def same_origin(a: str, b: str) -> bool:
    """Whether both are http(s) URLs of one origin (RFC 6454 §5)."""
    first = origin(a)
    return first is not None and first == origin(b)


@lru_cache(maxsize=16384)
def registrable_domain(name: str) -> str:
    """The domain a registrant owns: one label below the public suffix.

    Addresses, `localhost`, bare labels and public suffixes map to themselves; a port is no part
    of `name` (one that is there is dropped).
    """
    bracketed = name.startswith("[")
    if not bracketed and name.count(":") == 1:
        name = name.partition(":")[0]
    name = name.rstrip(".").lower()
    if bracketed or "." not in name or _is_address(name):
        return name
    try:
        found = get_tld(
            name, fail_silently=True, as_object=True, fix_protocol=True, search_private=True
        )
    except (ValueError, IndexError):
        # `tld` leaves strange hosts ("a..b", bare suffixes) to a plain split, which may fail
        return name
    if found is None:
        labels = name.split(".")
        return ".".join(labels[-2:])
    return found if isinstance(found, str) else found.fld or name


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_http(url: str) -> bool:
    """Whether `url` is an absolute http or https URL with a host that can exist."""
    return split(url) is not None


def resolve(base: str | None, href: str) -> str | None:
    """The absolute http(s) URL that `href` means on a page at `base`; None where it means none.

    Fragment and query stay as written. Never raises.
    """
    href = clean(href)
    if not href or len(href) > MAX_URL:
        return None
    try:
        absolute = urljoin(clean(base), href) if base else href
    except ValueError:
        return None
    return absolute if is_http(absolute) else None


def host_key(url: str) -> str:
    """The name under which a URL's host has its budget: the registrable domain."""
    name = host(url)
    return registrable_domain(name) if name else ""

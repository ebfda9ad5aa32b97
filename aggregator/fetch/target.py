"""Where a URL leads and what is written on the request line (RFC 3986, RFC 9112 §3.2.1).

A feed's URL is somebody's exact words: nothing is normalised, the target is cut out here and
sent as it was configured. Only what cannot stand on a request line is percent-encoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import unquote, urljoin

import idna

from aggregator.fetch.failure import FetchFailed
from aggregator.model.http import FetchError

DEFAULT_PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)", re.IGNORECASE | re.DOTALL)
_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send a request. `host` is ASCII without brackets; `path` is the raw target."""

    url: str  # as given, without userinfo and fragment
    scheme: str
    host: str
    port: int
    path: bytes
    userinfo: tuple[str, str] | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454)."""
        return (self.scheme, self.host, self.port)

    @property
    def base(self) -> str:
        """The origin as a URL with an empty path; its port is always named."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/"

    @property
    def authority(self) -> bytes:
        """The Host header: the host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        named = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return (host + named).encode("ascii")


@lru_cache(maxsize=4096)
def parse_target(url: str) -> Target:
    """Take a URL apart without changing its path.

    `feed:` and `feed://` forms become http. Raises `FetchFailed(BAD_URL)` for other schemes,
    hosts that cannot be encoded, ports out of range and characters no URL may hold.
    """
    text = _unfeed(url.strip())
    match = _URL.fullmatch(text.partition("#")[0])
    if match is None:
        raise _bad("only absolute http and https URLs are fetched")
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    if _UNSENDABLE.search(text) or re.search(r"[\s\\]", authority):
        raise _bad("the URL holds characters no URL may hold")
    login, at, hostport = authority.rpartition("@")
    host, port = _split_port(hostport, scheme)
    target = rest if rest.startswith("/") else "/" + rest
    userinfo = None
    if at:
        user, _, password = login.partition(":")
        userinfo = (unquote(user), unquote(password))
    return Target(
        url=f"{match[1]}://{hostport}{rest}",
        scheme=scheme,
        host=_encode_host(host),
        port=port,
        path=_encode_path(target),
        userinfo=userinfo,
    )


def redirect_url(current: Target, location: bytes) -> str:
    """The absolute URL that a Location header names (RFC 9110 §10.2.2), not yet checked.

    Raises `FetchFailed(BAD_URL)`.
    """
    try:
        text = location.decode("utf-8").strip()
    except UnicodeDecodeError:
        text = location.decode("latin-1").strip()
    if _ABSOLUTE.match(text):
        return text
    try:
        return urljoin(current.url, text)
    except ValueError as error:
        raise _bad("the Location header is no URL") from error


def without_secrets(url: str) -> str:
    """The URL without userinfo and fragment; unchanged where it cannot be read."""
    try:
        return parse_target(url).url
    except FetchFailed:
        return re.sub(r"//[^/?#]*@", "//", url.partition("#")[0])


def _unfeed(url: str) -> str:
    if url[:5].lower() != "feed:":
        return url
    rest = url[5:]
    return "http:" + rest if rest.startswith("//") else rest


def _split_port(hostport: str, scheme: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]+)(?::(\d{0,5}))?", hostport)
    if match is None:
        raise _bad("the URL's host is missing or malformed")
    port = int(match[2]) if match[2] else DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise _bad("the URL's port is out of range")
    return match[1], port


def _encode_host(host: str) -> str:
    if host.startswith("["):
        try:
            return IPv6Address(host[1:-1] if "%" not in host else "").compressed
        except ValueError as error:
            raise _bad("the URL's host is missing or malformed") from error
    encoded = host.lower()
    if not encoded.isascii():
        try:
            encoded = idna.encode(encoded).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise _bad("the URL's host cannot be encoded") from error
    if len(encoded) > 253 or _NAME.fullmatch(encoded) is None:
        raise _bad("the URL's host is missing or malformed")
    return encoded


def _encode_path(target: str) -> bytes:
    try:
        raw = target.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _bad("the URL holds characters no URL may hold") from error
    if raw.isascii() and b" " not in raw:
        return raw
    return b"".join(bytes((octet,)) if 0x20 < octet < 0x7F else b"%%%02X" % octet for octet in raw)


def _bad(detail: str) -> FetchFailed:
    return FetchFailed(FetchError.BAD_URL, detail)

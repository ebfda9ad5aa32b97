"""Cookies of one visit, for servers that answer a first request with a cookie and a redirect.

RFC 6265, narrowed: a cookie goes back to the origin that set it and to no other, whatever its
Domain and Path say, and ends with the visit. Nothing is ever stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from aggregator.fetch.freshness import http_date

MOST = 20
LARGEST = 4096  # bytes of name and value

_PAIR = re.compile(rb"[ \t]*([^\x00-\x20\x7f=;]+)[ \t]*=([^\x00-\x08\x0a-\x1f\x7f;]*)")
_NUMBER = re.compile(rb"-?[0-9]{1,18}")

Origin = tuple[str, str, int]


class Cookies:
    """The jar of one visit. `version` grows with each change of what would be sent."""

    def __init__(self) -> None:
        self.version = 0
        self._held: dict[tuple[Origin, bytes], bytes] = {}

    def learn(self, origin: Origin, lines: Iterable[bytes], now: datetime) -> None:
        """Take over the Set-Cookie lines of an answer from `origin`; what is no cookie is left."""
        for line in lines:
            pair, *attributes = line.split(b";")
            match = _PAIR.fullmatch(pair)
            if match is None or len(match[1]) + len(match[2]) > LARGEST:
                continue
            name, value = match[1], match[2].strip()
            given = _attributes(attributes)
            secure = b"secure" in given
            if (secure and origin[0] != "https") or (
                name.lower().startswith((b"__secure-", b"__host-")) and not secure
            ):
                continue
            self._set(origin, name, None if _is_over(given, now) else value)

    def header(self, origin: Origin) -> bytes | None:
        """The Cookie header for a request to `origin`, None where there is nothing to send."""
        pairs = [
            b"%b=%b" % (name, value) for (at, name), value in self._held.items() if at == origin
        ]
        return b"; ".join(pairs) or None

    def _set(self, origin: Origin, name: bytes, value: bytes | None) -> None:
        key = (origin, name)
        if self._held.get(key) == value or (key not in self._held and len(self._held) >= MOST):
            return
        self.version += 1
        if value is None:
            del self._held[key]
        else:
            self._held[key] = value


def _attributes(parts: Iterable[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for part in parts:
        name, _, value = part.partition(b"=")
        found[name.strip().lower()] = value.strip()
    return found


def _is_over(given: dict[bytes, bytes], now: datetime) -> bool:
    """Whether the server takes the cookie back; Max-Age beats Expires (RFC 6265 §5.3)."""
    age = given.get(b"max-age")
    if age is not None and _NUMBER.fullmatch(age):
        return int(age) <= 0
    until = http_date(given.get(b"expires", b"").decode("ascii", "replace").replace("-", " "))
    return until is not None and until <= (now if now.tzinfo else now.replace(tzinfo=UTC))

"""Hashes and the lasting form of a link, as release 0.1.0 had them."""

from __future__ import annotations

import re
from hashlib import blake2b

from aggregator.store.migrations.frozen.r0012.origin import split

_SESSION = re.compile(r";\w*sess\w*=[^/;]*", re.IGNORECASE)
_PASSING = re.compile(r"utm_|\w*sess\w*id=|sid=[0-9a-f]{32}$", re.IGNORECASE)


def digest(*parts: str) -> str:
    """A 128-bit hash of `parts` in hexadecimal; parts cannot run into each other."""
    hasher = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big"))
        hasher.update(data)
    return hasher.hexdigest()


def lasting_link(link: str | None) -> str:
    """A link as the key of its entry has it; empty where there is none."""
    parts = split(link or "")
    if parts is None:
        return ""
    port = f":{parts.port}" if parts.port else ""
    path = _SESSION.sub("", parts.path).rstrip("/")
    query = "&".join(p for p in parts.query.split("&") if p and not _PASSING.match(p))
    fragment = f"#{parts.fragment}" if parts.fragment.startswith(("!", "/")) else ""
    return f"{parts.host.removeprefix('www.')}{port}{path}?{query}{fragment}"

"""Public ids: the origin's own where it can be kept for good, otherwise a tag URI of ours.

RFC 4287 §4.2.6 asks that an id never change when an entry is republished; RFC 4151 defines `tag:`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from aggregator.identity.hashing import digest

# RFC 3987: a scheme, then nothing that an IRI forbids. Relative references are no ids.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,30}:[^\s<>\"{}|\\^`\x00-\x20\x7f]{2,1000}")
_HTTP = re.compile(r"https?://[^/?#@\s]+\.[^/?#@\s]+(?:[/?#].*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mint:
    """Authority and date of this installation's tag URIs: minted once, never derived again."""

    authority: str
    date: str  # ISO date, when the authority was ours (RFC 4151 §2.1)

    def item(self, source_id: str, key: str) -> str:
        """The tag URI of an item; a private source's key never shows through the hash."""
        return f"tag:{self.authority},{self.date}:item/{digest('item', source_id, key)[:24]}"

    def feed(self, source_id: str) -> str:
        """The tag URI of a source's feed, where its own id is missing or secret."""
        return f"tag:{self.authority},{self.date}:source/{digest('source', source_id)[:24]}"

    def view(self, view_id: str) -> str:
        """The tag URI of a view."""
        return f"tag:{self.authority},{self.date}:view/{quote(view_id, safe='/')}"


def is_lasting_iri(identifier: str | None) -> bool:
    """Whether a publisher's id can serve as ours: an absolute IRI, with a host if it has one."""
    if not identifier or _IRI.fullmatch(identifier) is None:
        return False
    scheme = identifier.split(":", 1)[0].lower()
    if scheme in ("http", "https"):
        return _HTTP.fullmatch(identifier) is not None
    return scheme in ("tag", "urn", "acct", "at", "info", "doi", "nntp", "news", "mid")

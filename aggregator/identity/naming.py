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
_ANY = re.compile(r"\A(?:news|mid):.+", re.IGNORECASE)
# What each scheme asks for: RFC 9110 §4.2, RFC 4151 §2.1, RFC 8141 §2, RFC 7565 §4, RFC 4452 §3,
# RFC 5538 §2, RFC 2392 §2; `doi:` and `at:` as they are written.
_FORMS = {
    "http": _HTTP,
    "https": _HTTP,
    "tag": re.compile(
        r"\Atag:[A-Za-z0-9._%+@-]{1,255},\d{4}(?:-\d\d){0,2}:[^#]*(?:#.*)?", re.IGNORECASE
    ),
    "urn": re.compile(r"\Aurn:[A-Za-z0-9][A-Za-z0-9-]{1,31}:[^?#].*", re.IGNORECASE),
    "acct": re.compile(r"\Aacct:[^@\s]+@[^@\s]+", re.IGNORECASE),
    "at": re.compile(r"\Aat://.+", re.IGNORECASE),
    "info": re.compile(r"\Ainfo:[A-Za-z0-9.+-]+/.+", re.IGNORECASE),
    "doi": re.compile(r"\Adoi:10\.\d{4,9}/.+", re.IGNORECASE),
    "nntp": re.compile(r"\Anntp://.+", re.IGNORECASE),
    "news": _ANY,
    "mid": _ANY,
}


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
    """Whether a publisher's id can serve as ours: an absolute IRI that is valid in its scheme.

    `tag:https://example.org/1` is none: a tag has an authority and a date (RFC 4151 §2.1).
    """
    if not identifier or _IRI.fullmatch(identifier) is None:
        return False
    form = _FORMS.get(identifier.split(":", 1)[0].lower())
    return form is not None and form.fullmatch(identifier) is not None

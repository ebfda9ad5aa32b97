"""What a server says back, without the secrets of the source that was asked (invariant 12).

A server may repeat an address, a header or a password anywhere: in a status line, in the links of
an error page, in a feed's id. Which part of a secret address is the secret nobody can tell, so
all of it is hidden.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, unquote

from aggregator.model.settings import SourceSettings
from aggregator.urls.redact import HIDDEN

_LONGEST = 2000  # characters of an error that are kept
_SHORTEST = 4  # a shorter piece hides nothing and would be found in every sentence
_WORD = 7  # `feed` and `rss` are no secrets: a segment is one if it is longer or has a digit
_DIGIT = re.compile(r"\d")
_ADDRESS = re.compile(r"(https?://[^/?#\s]*)[/?#][^\s\"'<>,]*", re.IGNORECASE)


def hide(text: str | None, source: SourceSettings) -> str | None:
    """`text` with everything replaced that the source is configured with and that is not shown."""
    if text is None:
        return None
    if source.url_is_secret:
        text = _ADDRESS.sub(rf"\1/{HIDDEN}", text)
    for piece in _pieces(source):
        text = text.replace(piece, HIDDEN)
    return text[:_LONGEST]


def unless_secret(text: str | None, source: SourceSettings) -> str | None:
    """`text` as it is, or None where it repeats a piece of what is not shown."""
    if text is None or any(piece in text for piece in _pieces(source)):
        return None
    return text


def _pieces(source: SourceSettings) -> list[str]:
    """Secret strings in the spellings a server may give them, the longest first."""
    found: set[str] = set()
    for value in source.headers.values():
        found.update((value.reveal(), *value.reveal().split()))
    if source.auth:
        user, password = (part.reveal() for part in source.auth)
        found.update((user, password, base64.b64encode(f"{user}:{password}".encode()).decode()))
    if source.url_is_secret:
        found.update(_of_address(source.url))
    found -= {"Basic", "Bearer", "Token"}
    spelled = {spelling for one in found for spelling in (one, unquote(one), quote(one, safe=""))}
    return sorted((one for one in spelled if len(one) >= _SHORTEST), key=len, reverse=True)


def _of_address(url: str) -> set[str]:
    """What stands after the host: as a whole, each parameter's value, each segment but words."""
    rest = re.sub(r"^[a-z]+://[^/?#]*", "", url, flags=re.IGNORECASE)
    path, _, query = rest.partition("?")
    values = (pair.partition("=")[2] or pair for pair in re.split("[&#;]", query))
    segments = (one for one in re.split("[/#]", path) if len(one) > _WORD or _DIGIT.search(one))
    return {rest, query, *segments, *values}

"""What a server says back, without the secrets of the source that was asked (invariant 12).

A server may repeat an address, a header or a password anywhere: in a status line, in the links of
an error page, in a feed's id. Which part of a secret address is the secret nobody can tell, so
all of it is hidden.
"""

from __future__ import annotations

import base64
import codecs
import dataclasses
import json
import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import quote, unquote

from aggregator.model.settings import Secret, Settings, SourceSettings
from aggregator.urls.redact import HIDDEN, redact_text, strip_userinfo

_LONGEST = 2000  # characters of an error that are kept
_SHORTEST = 4  # a shorter piece hides nothing and would be found in every sentence
_WORD = 7  # `feed` and `rss` are no secrets: a segment is one if it is longer or has a digit
_DIGIT = re.compile(r"\d")
# How documents in two or four bytes a character begin (XML 1.0, appendix F).
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"), (b"{\0", "utf-16-le"), (b"\0{", "utf-16-be"),
)  # fmt: skip
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
    return _spelled(found)


def _spelled(found: set[str]) -> list[str]:
    """Secrets in every spelling, the longest first."""
    found = found - {"Basic", "Bearer", "Token"}
    spelled = {spelling for one in found for spelling in (one, unquote(one), quote(one, safe=""))}
    return sorted((one for one in spelled if len(one) >= _SHORTEST), key=len, reverse=True)


def _of_address(url: str) -> set[str]:
    """What stands after the host: as a whole, each parameter's value, each segment but words."""
    rest = re.sub(r"^[a-z]+://[^/?#]*", "", url, flags=re.IGNORECASE)
    path, _, query = rest.partition("?")
    values = (pair.partition("=")[2] or pair for pair in re.split("[&#;]", query))
    segments = (one for one in re.split("[/#]", path) if len(one) > _WORD or _DIGIT.search(one))
    return {rest, query, *segments, *values}


class Scrubber:
    """Takes every secret of an installation out of what strangers may be handed.

    Those are all values that the settings hold as secrets, addresses of sources that are secret,
    and what is handed in besides; and whatever in an address looks like one.
    """

    def __init__(self, settings: Settings, further: Collection[str]) -> None:
        """`further`: values of variables, tokens of subscriptions."""
        found: set[str] = set()
        for value in (*further, *(secret.reveal() for secret in _secrets(settings))):
            found |= {value, *value.split()}
            if "://" in value:
                found |= {*_of_address(value), *(strip_userinfo(value)[1] or ())}
        pieces = {piece for source in settings.sources for piece in _pieces(source)}
        spelled = _spelled(found | pieces)
        escaped = {json.dumps(one)[1:-1] for one in spelled}
        escaped |= {one.replace("&", "&amp;") for one in spelled}
        every = sorted({*spelled, *escaped}, key=len, reverse=True)
        self._pieces = re.compile("|".join(map(re.escape, every))) if every else None

    def text(self, text: str) -> str:
        """A text without them."""
        if self._pieces is not None:
            text = self._pieces.sub(HIDDEN, text)
        return redact_text(text)

    def document(self, body: bytes) -> bytes:
        """The bytes of a document without them, in whatever encoding; all others stay."""
        wide = next((name for mark, name in _WIDE if body.startswith(mark)), None)
        if wide is not None:
            return self.text(body.decode(wide, "replace")).encode(wide, "replace")
        # Bytes that are no UTF-8 come back as they were.
        return self.text(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _secrets(value: object) -> Iterator[Secret]:
    """Every secret in settings, however deep."""
    if isinstance(value, Secret):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _secrets(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, tuple | list | frozenset):
        for one in value:
            yield from _secrets(one)

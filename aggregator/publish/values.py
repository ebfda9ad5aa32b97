"""How single values are written into a feed, whatever its format.

Strings are XML-safe since ingest; the writers still look, because one stray control character makes
a whole document unreadable to a strict reader.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime

from aggregator.markup.text import canonical_to_text, clean, one_line
from aggregator.model.item import CopyRef, ServedItem
from aggregator.urls.origin import quote_unsafe

EXCERPT = 300  # characters of the plain-text excerpt, about two sentences
UNKNOWN_TYPE = "application/octet-stream"

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_WEB = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_FILE = re.compile(r"(?:https?://|ftp://|magnet:)[^\s<>\"]+", re.IGNORECASE)


def rfc3339(moment: datetime) -> str:
    """A moment in UTC to the second, as Atom and JSON Feed write it (RFC 3339 §5.6)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def rfc822(moment: datetime) -> str:
    """A moment in UTC as RSS writes it, with a year of four digits (RFC 822 §5, RFC 2822)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def language_tag(language: str | None) -> str | None:
    """A language tag fit for `xml:lang` (RFC 5646), or None when the value is none."""
    if not language:
        return None
    tag = language.strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def line(text: str) -> str:
    """The text on one line, XML-safe. Most texts are so already, which is cheap to see."""
    if text.isprintable() and "  " not in text and text == text.strip():
        return text
    return one_line(text)


def web_url(url: str | None) -> str | None:
    """An http(s) URL that may stand in an attribute, or None: never `javascript:` or `data:`."""
    return _matching(_WEB, url)


def file_url(url: str | None) -> str | None:
    """The URL of an attached file: http(s), ftp or magnet, else None."""
    return _matching(_FILE, url)


def media_type(value: str | None) -> str | None:
    """A media type without parameters, or None when the value is none (RFC 6838 §4.2)."""
    if not value:
        return None
    name = value.split(";", 1)[0].strip().lower()
    return name if _MEDIA_TYPE.fullmatch(name) else None


def summary_text(item: ServedItem) -> str | None:
    """The summary as plain text on one line."""
    return line(canonical_to_text(item.summary)) or None if item.summary else None


def excerpt(item: ServedItem) -> str | None:
    """The first words of the text, cut at a space where the script has spaces."""
    text = line(" ".join(item.text[: EXCERPT * 2].split())) if item.text else ""
    if len(text) <= EXCERPT:
        return text or None
    head = text[:EXCERPT]
    return (head.rsplit(" ", 1)[0] if " " in head[EXCERPT // 2 :] else head) + "…"


def distinct(values: tuple[str, ...]) -> list[str]:
    """The values on one line each, without empty ones and repetitions, in order."""
    return list(dict.fromkeys(v for v in map(line, values) if v))


def authors(item: ServedItem) -> list[str]:
    """The names of an item's authors, one line each; none where its feed names none."""
    return distinct(item.authors or ((item.author,) if item.author else ()))


def duration(item: ServedItem) -> int | None:
    """How long an item plays in seconds: as its episode says, else its first file that does."""
    if item.episode is not None and item.episode.duration:
        return item.episode.duration
    return next((file.duration for file in item.enclosures if file.duration), None)


def also_in(copy: CopyRef) -> str:
    """The attribution of a copy in words."""
    return f"Also in {line(copy.source_title)}"


def _matching(pattern: re.Pattern[str], url: str | None) -> str | None:
    if not url:
        return None
    safe = url if url.isprintable() else clean(url)
    safe = safe.strip()
    if not pattern.fullmatch(safe):
        safe = quote_unsafe(safe)  # items of an older release have blanks in their addresses
    return safe if pattern.fullmatch(safe) else None

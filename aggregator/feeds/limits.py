"""How much of a document is read (guards against hostile and broken publishers)."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """Sizes in bytes of UTF-8 unless said otherwise. Longer text is cut on a character boundary."""

    document: int = 10 * 1024 * 1024
    entries: int = 5_000  # entries kept; the rest are counted
    title: int = 2_048
    body: int = 1024 * 1024
    author: int = 1_024
    id: int = 4_096
    url: int = 8_192
    label: int = 512  # a category, a language, a type
    many: int = 64  # categories, enclosures, links of one entry
    fallback: int = 2 * 1024 * 1024  # documents that feedparser may see
    fallback_attributes: int = 200  # on one tag, for feedparser
    fallback_comments: int = 2_000  # `<!--` in a document, for feedparser
    guessed_dates: int = 40  # odd date strings a document may have dateparser look at

    def of(self, *, document: int, entries: int) -> ParseLimits:
        """The same limits for documents of another size and number of entries."""
        return replace(self, document=document, entries=entries)


DEFAULT_LIMITS = ParseLimits()

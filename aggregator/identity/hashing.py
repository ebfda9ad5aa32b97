"""Hashes that decide identity: short, stable, independent of dates and of markup."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from html import unescape

_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"\w+")
_MARK = re.compile(r"[^\w\s]")  # no letter, figure or blank is a sign
_SIGNS = frozenset("#%&@*")
_SYMBOLS = ("Sc", "Sm", "So")  # currency, mathematics, others


def digest(*parts: str) -> str:
    """A 128-bit hash of `parts` in hexadecimal; parts cannot run into each other."""
    whole = bytearray()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole += len(data).to_bytes(8, "big")
        whole += data
    return blake2b(whole, digest_size=16).hexdigest()


def words(text: str) -> list[str]:
    """The words of plain text or HTML: tags dropped, references resolved, NFKC, casefolded."""
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "&" in text:
        text = unescape(text)
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def revision_hash(lasting: str, title: str | None) -> str:
    """The hash whose change is a revision: that of the words, with the signs of the title.

    `lasting` is the entry's `content_hash`, which some keys are made from and which never changes
    its form. `C++` and `C#` have the same words; quotes, dashes and stops are typography.
    """
    marks = _MARK.findall(title or "")
    signs = "".join(c for c in marks if c in _SIGNS or unicodedata.category(c) in _SYMBOLS)
    return digest("signs", lasting, signs) if signs else lasting


def content_hash(title: str | None, *bodies: str | None) -> str:
    """The hash of normalised title and text, without dates and markup."""
    texts = [" ".join(words(part)) if part else "" for part in (title, *bodies)]
    return digest("content", *texts)


def hashes_elsewhere(title: str | None, summary: str | None, content: str | None) -> frozenset[str]:
    """The `revision_hash` of an entry whose one text stands as summary, as content, or as both.

    Which element holds it is no matter of words. Empty where the two say different things.
    """
    text = summary or content
    if not text or (summary and content and words(summary) != words(content)):
        return frozenset()
    forms = ((text, None), (None, text), (text, text))
    return frozenset(revision_hash(content_hash(title, *form), title) for form in forms)

"""Which single-byte charset a document is in that declares none, or a wrong one.

The language it declares decides, by the table of HTML (§13.2.3.2, the encoding that is the default
in each locale). Where it names none of these, Cyrillic and Greek are known by their words: all of
their letters are beyond ASCII, where the accents of Western text stand alone.
"""

from __future__ import annotations

import re

_LANGUAGE = re.compile(
    rb"<(?:[\w.\-]{1,20}:)?language\s*>\s*(?:<!\[CDATA\[)?\s*([A-Za-z]{2,3})(?![A-Za-z])"
    rb"|\bxml:lang\s*=\s*[\"']\s*([A-Za-z]{2,3})(?![A-Za-z])"
)
_HEAD = 64 * 1024
_BY_LANGUAGE = {
    **dict.fromkeys(("ar", "fa", "ur", "ps"), "cp1256"),
    **dict.fromkeys(("be", "bg", "ky", "mk", "ru", "sr", "tg", "tt", "uk"), "cp1251"),
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl"), "cp1250"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
    **dict.fromkeys(("az", "ku", "tr"), "cp1254"),
    "el": "cp1253",
    "he": "cp1255",
    "iw": "cp1255",
    "th": "cp874",
    "vi": "cp1258",
}
# What ISO 8859 writes otherwise than Windows; it has no letters in 0x80 to 0x9F.
_ISO = {"cp1250": "iso8859-2", "cp1253": "iso8859-7"}
_WINDOWS_ONLY = re.compile(rb"[\x80-\x9f]")

# The letters that are written most, in the charsets that have them.
_CYRILLIC = frozenset("оеаинтсрвлкмді")
_GREEK = frozenset("αοιετσςνηυρκλπμάέίόήύώ")
_ALPHABETS = (("cp1251", _CYRILLIC), ("koi8-r", _CYRILLIC), ("cp1253", _GREEK))
_WORD = re.compile(rb"[\xa1-\xff]{3,}")
_HIGH = bytes(range(0x80, 0x100))
_SAMPLE = 64 * 1024
_FEWEST = 6  # bytes beyond ASCII
_COMMON = 0.55  # of the letters; read in a wrong charset it is less than half


def single_byte_charset(body: bytes) -> str | None:
    """The codec for a document that is not UTF-8, or None where nothing speaks for any."""
    found = _LANGUAGE.search(body, 0, _HEAD)
    language = (found.group(1) or found.group(2)).decode("ascii").lower() if found else ""
    charset = _BY_LANGUAGE.get(language)
    # A Russian text may be in KOI8-R as well, and its words tell.
    if charset is None or charset in ("cp1251", "cp1253"):
        charset = _by_words(body) or charset
    if charset in _ISO and _WINDOWS_ONLY.search(body) is None:
        return _ISO[charset]
    return charset


def _by_words(body: bytes) -> str | None:
    words = _WORD.findall(body)
    high = len(body) - len(body.translate(None, _HIGH))
    if high < _FEWEST or sum(map(len, words)) < 0.75 * high:
        return None
    sample = b" ".join(words)[:_SAMPLE]
    scores = {
        charset: _share(sample.decode(charset, "ignore"), common) for charset, common in _ALPHABETS
    }
    best = max(scores, key=lambda charset: scores[charset])
    return best if scores[best] >= _COMMON else None


def _share(text: str, common: frozenset[str]) -> float:
    """The share of common letters, those counted whose case stands where case may stand."""
    good = sum(
        1
        for word in text.split()
        if word[1:].islower() or word.isupper()
        for letter in word.lower()
        if letter in common
    )
    return good / max(1, len(text) - text.count(" "))

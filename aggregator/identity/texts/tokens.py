"""Words of a text in any script, comparable across outlets.

Compatibility forms are folded (Unicode NFKC and case folding, UAX #15), optional signs are dropped
(Arabic vowels and tatweel, soft hyphens) and so are accents, which capitals often lack. Scripts
written without spaces become overlapping runs of three characters, so that "four words" means about
as much text everywhere.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

CJK_GRAM = 3

# Scripts without spaces between words: Thai, Lao, Burmese, Khmer; kana, bopomofo, Han.
UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0ede\u1000-\u103f\u1780-\u17d3\u3005-\u3007\u3041-\u30ff\u3105-\u312f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Signs that belong to a word though they are no letters: combining marks, joiners, soft hyphen.
_SIGNS = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u0640\u064b-\u065f"
    "\u0670\u06d6-\u06ed\u0900-\u0903\u093a-\u094f\u0951-\u0963\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a51"
    "\u0a81-\u0acd\u0b01-\u0b57\u0b82-\u0bcd\u0c00-\u0c56\u0c81-\u0cd6\u0d00-\u0d4d\u200b-\u200d\u2060"
)
_LETTER = rf"[^\W\d_{UNSPACED}]"
# In Japan's papers a middle dot is the point of a decimal; the wide comma parts clauses.
_NUMBER = r"\d+(?:[.,\u066b\u066c\uff0e\u30fb]\d+)*"
_TOKEN = re.compile(rf"{_LETTER}+(?:[{_SIGNS}]+{_LETTER}*)*|{_NUMBER}|[{UNSPACED}]+")
_ASCII_TOKEN = re.compile(r"[a-z]+|\d+(?:[.,]\d+)*")
_UNSPACED_RUN = re.compile(rf"[{UNSPACED}]")
_DIGIT_SIGNS = {".": ".", ",": ",", "\u066b": ".", "\u066c": ",", "\uff0e": ".", "\u30fb": "."}
_OPTIONAL = {
    ord(sign): None
    for sign in "\u00ad\u0640\u200b\u200c\u200d\u2060"
    + "".join(map(chr, (*range(0x0591, 0x05BE), *range(0x0610, 0x061B), *range(0x064B, 0x0660))))
    + "\u0670"
}
# Written with or without, in capitals or by another desk: accents, hamza; letters of one sound.
_ACCENTS = dict.fromkeys((*range(768, 880), *range(1619, 1622)))
_ALIKE = str.maketrans("ıىةکیہٱ", "iيهكيها")


@lru_cache(maxsize=16384)
def _fold(token: str) -> str:
    """One token in its comparable form."""
    folded = unicodedata.normalize("NFKC", token.translate(_OPTIONAL)).casefold()
    folded = unicodedata.normalize("NFKC", folded)
    if folded[:1].isdecimal():  # ٣٫٥ is 3.5: outlets differ in the digits they print
        return "".join(
            _DIGIT_SIGNS.get(sign) or str(unicodedata.digit(sign, sign)) for sign in folded
        )
    plain = unicodedata.normalize("NFD", folded).translate(_ACCENTS).translate(_ALIKE)
    return unicodedata.normalize("NFC", plain) or token


def _grams(run: str) -> Iterator[tuple[int, int]]:
    """Where the overlapping grams of an unspaced run of characters start and end."""
    if len(run) <= CJK_GRAM:
        yield 0, len(run)
        return
    for start in range(len(run) - CJK_GRAM + 1):
        yield start, start + CJK_GRAM


def words(text: str) -> list[str]:
    """The comparable tokens of `text`, in order: words, numbers, grams of unspaced scripts."""
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    found = _TOKEN.findall(text)
    if _UNSPACED_RUN.search(text) is None:
        return [token.lower() if token.isascii() else _fold(token) for token in found]
    result: list[str] = []
    for token in found:
        if token.isascii():
            result.append(token.lower())
        elif _UNSPACED_RUN.match(token):
            result.extend(_fold(token[start:end]) for start, end in _grams(token))
        else:
            result.append(_fold(token))
    return result


def word_spans(text: str, most: int = sys.maxsize) -> list[tuple[int, int]]:
    """Start and end (characters of `text`) of every token that `words` gives, in the same order.

    With `most`, those of about so many tokens, and at least that many.
    """
    if text.isascii():
        found_ones = islice(_ASCII_TOKEN.finditer(text.lower()), most)
        return [found.span() for found in found_ones]
    if _UNSPACED_RUN.search(text) is None:
        return [found.span() for found in islice(_TOKEN.finditer(text), most)]
    spans: list[tuple[int, int]] = []
    for found in islice(_TOKEN.finditer(text), most):
        begin = found.start()
        token = found[0]
        if not token.isascii() and _UNSPACED_RUN.match(token):
            spans.extend((begin + start, begin + end) for start, end in _grams(token))
        else:
            spans.append(found.span())
    return spans


def has_unspaced(text: str) -> bool:
    """Whether any of it is in a script without spaces."""
    return not text.isascii() and _UNSPACED_RUN.search(text) is not None


def is_number(token: str) -> bool:
    """Whether a token of `words` is a figure."""
    return token[0].isdecimal()


def is_unspaced(token: str) -> bool:
    """Whether a token of `words` is a gram of a script without spaces."""
    return not token.isascii() and _UNSPACED_RUN.match(token) is not None

"""Whether two texts are the same piece: the guard before one URL makes one item of two entries.

A link blog and the article it points to share a URL and nothing else; a teaser and its article
share a URL and a headline. Cheap set arithmetic on words, enough for texts that share a URL.
"""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.identity.hashing import words

_TEASER_WORDS = 80
_TITLE_SHARE = 0.6
_TEXT_SHARE = 0.5
_SHINGLE = 3


def titles_agree(a: str | None, b: str | None) -> bool:
    """Whether two headlines are the same but for small edits (60 % of the shorter one's words)."""
    if not a or not b:
        return False
    return _contained(_terms(words(a)), _terms(words(b))) >= _TITLE_SHARE


def texts_agree(title_a: str | None, text_a: str, title_b: str | None, text_b: str) -> bool:
    """Whether two entries with one URL are one piece: equal texts, or a teaser of the other.

    Half of the shorter text's three-word runs must be in the other; a text of fewer than 80 words
    is a teaser, and then its headline must agree instead.
    """
    a, b = words(text_a), words(text_b)
    shingles_a, shingles_b = _shingles(a), _shingles(b)
    if shingles_a and shingles_b and _contained(shingles_a, shingles_b) >= _TEXT_SHARE:
        return True
    if min(len(a), len(b)) < _TEASER_WORDS:
        return titles_agree(title_a, title_b)
    return False


def _terms(tokens: Sequence[str]) -> set[str]:
    """Words, or for scripts without spaces the pairs of characters of a long run."""
    terms: set[str] = set()
    for token in tokens:
        if len(token) > 2 and ord(token[0]) >= 0x2E80:
            terms.update(token[i : i + 2] for i in range(len(token) - 1))
        else:
            terms.add(token)
    return terms


def _shingles(tokens: Sequence[str]) -> set[str]:
    if len(tokens) < _SHINGLE:
        return set()
    runs = {" ".join(tokens[i : i + _SHINGLE]) for i in range(len(tokens) - _SHINGLE + 1)}
    long = [t for t in tokens if len(t) > _SHINGLE and ord(t[0]) >= 0x2E80]
    for token in long:
        runs.update(token[i : i + _SHINGLE] for i in range(len(token) - _SHINGLE + 1))
    return runs


def _contained(a: set[str], b: set[str]) -> float:
    smaller = min(len(a), len(b))
    return len(a & b) / smaller if smaller else 0.0

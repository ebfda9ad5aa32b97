"""What a text is compared by: hashed four-word shingles, and the few of them that are indexed.

Winnowing after Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document
Fingerprinting" (SIGMOD 2003), §3: of every window of shingles the smallest is kept, so that two
texts that share a run of `SHINGLE + WINDOW - 1` words share a fingerprint for certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

SHINGLE = 4  # words
WINDOW = 20  # shingles
VERSION = 2  # of everything that changes stored fingerprints: tokens, hashes, window, boilerplate
MAX_FINGERPRINTS = 256  # of one item: a book is found by its first chapters

_MASK = (1 << 64) - 1
_SIGN = 1 << 63
# Odd 64-bit multipliers that keep the order of words apart (a, b, c, d is not d, c, b, a).
_FIRST, _SECOND, _THIRD = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9


@lru_cache(maxsize=16384)  # 3 MB: the words that nine in ten are
def _word_hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def shingles(tokens: Sequence[str]) -> tuple[int, ...]:
    """The hashes of every run of four words, in order: unsigned 64-bit numbers."""
    hashes = [_word_hash(word) for word in tokens]
    return tuple(
        [
            (a * _FIRST + b * _SECOND + c * _THIRD + d) & _MASK
            for a, b, c, d in zip(hashes, hashes[1:], hashes[2:], hashes[3:], strict=False)
        ]
    )


def winnow(hashes: Sequence[int]) -> tuple[int, ...]:
    """The fingerprints of a text: distinct, in order of place, as signed 64-bit numbers.

    A text shorter than one window has one; an empty one has none.
    """
    if not hashes:
        return ()
    count = len(hashes)
    picked: dict[int, None] = {}
    smallest = -WINDOW  # place of the current minimum; none yet
    for end in range(min(WINDOW, count) - 1, count):
        if smallest <= end - WINDOW:
            smallest = begin = end - WINDOW + 1 if end >= WINDOW else 0
            for place in range(begin + 1, end + 1):
                if hashes[place] <= hashes[smallest]:
                    smallest = place
        elif hashes[end] <= hashes[smallest]:
            smallest = end
        else:
            continue
        picked[hashes[smallest]] = None
        if len(picked) == MAX_FINGERPRINTS:
            break
    return tuple(value - (1 << 64) if value & _SIGN else value for value in picked)

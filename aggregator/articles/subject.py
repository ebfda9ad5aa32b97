"""Whether two titles speak of the same subject: shared distinctive words."""

from __future__ import annotations

import re
import unicodedata

from aggregator.articles.lists import word_list

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d{3,}")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_STEM = 6


def subject_words(text: str) -> frozenset[str]:
    """Stems of the words that may name a subject; runs of CJK give pairs of characters.

    Words of fewer than four letters carry grammar in most languages, capitals excepted
    ("UN", "EU", "Xi"); a stem of six letters bridges inflection without a dictionary.
    """
    found: set[str] = set()
    for word in _WORD.findall(text):
        if _CJK.search(word):
            for run in _CJK.findall(word):
                found.update(run[i : i + 2] for i in range(len(run) - 1))
        elif len(word) >= 4 or (len(word) >= 2 and word[0].isupper()):
            plain = unicodedata.normalize("NFKD", word.casefold())
            plain = "".join(c for c in plain if not unicodedata.combining(c))
            if plain not in word_list("common_words"):
                found.add(plain[:_STEM])
    return frozenset(found)


def share_subject(one: frozenset[str], other: frozenset[str], *, cjk_pairs: int = 2) -> bool:
    """Whether two sets of `subject_words` meet: one word, or two pairs of CJK characters."""
    common = one & other
    if not common:
        return False
    if all(_CJK.fullmatch(word) for word in common):
        return len(common) >= cjk_pairs
    return True

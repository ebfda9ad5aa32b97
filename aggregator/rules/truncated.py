"""Whether the text a feed gives is only the beginning of its article."""

from __future__ import annotations

import re

_SHORT = 500  # characters
_ELLIPSES = ("…", "...", "[…]", "[...]", "(...)", "(…)", "[..]")
_READ_ON = re.compile(
    r"(?:read (?:more|on|the (?:full|rest)[\w ]*)|continue reading(?: .{0,40})?"
    r"|full (?:story|article)|weiterlesen|mehr lesen|lire la suite|leer más|seguir leyendo"
    r"|leggi tutto|continua a leggere|ler mais|lees verder|läs mer|les mer|læs mere"
    r"|czytaj (?:więcej|dalej)|читать далее|阅读全文|查看全文|続きを読む|もっと見る)\W*$",
    re.IGNORECASE,
)


def is_truncated(html: str | None, text: str | None) -> bool:
    """Whether a feed's body (sanitised HTML and its text) is a teaser.

    It is empty, ends in an ellipsis or an invitation to read on, or is no more than one or two
    short paragraphs.
    """
    words = (text or "").strip()
    end = words[-80:]
    if not words or end.endswith(_ELLIPSES) or _READ_ON.search(end):
        return True
    short = _SHORT / 2 if _is_dense(words) else _SHORT
    return len(words) < short and (html or "").lower().count("<p") <= 2


def _is_dense(words: str) -> bool:
    """Scripts that say in one character what takes others a word."""
    return sum("\u2e80" <= c <= "\uffef" for c in words) > len(words) // 3

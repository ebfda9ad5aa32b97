"""CDATA sections whose end was forgotten: they would hide the items after them.

An XML parser reads such a section on to the end of the next one, or of the document, and the items
between are words of it. Their publisher closed the element that it stands in, and there it ends.
"""

from __future__ import annotations

import re

_OPEN = "<![CDATA["
_CLOSE = "]]>"
_MISSPELT = re.compile(r"<!\[\s{0,3}CDATA\s{0,3}\[", re.IGNORECASE)
# The start tag that a section stands behind; text may come between.
_TAG = re.compile(r"<([A-Za-z_][\w.:\-]{0,80})(?:\s[^<>]{0,2000})?>[^<>]{0,200}\Z")
_FAR = 2400  # characters before a section within which its element begins


def lacks_an_end(text: str) -> bool:
    """Whether more CDATA sections begin than end: what quotes the marks has as many of each."""
    return text.count(_OPEN) > text.count(_CLOSE)


def close_sections(text: str) -> str:
    """`text` with an end for each CDATA section that lacks one; `text` itself where none does.

    A section lacks its end where another begins, or the document ends, before it, and the element
    that it stands in was closed by then. Its end goes before that end tag.
    """
    if not lacks_an_end(text):
        return text
    parts: list[str] = []
    done = 0
    start = text.find(_OPEN)
    close = -2  # where the next end mark stands; -1 where there is none
    while start >= 0:
        following = text.find(_OPEN, start + len(_OPEN))
        if close != -1 and close < start:
            close = text.find(_CLOSE, start)
        limit = following if following >= 0 else len(text)
        if close < 0 or close > limit:
            end = _end_of_element(text, start, limit)
            if end is not None:
                parts += (text[done:end], _CLOSE)
                done = end
                close = close if close < 0 or close >= end else -2
        start = following
    return "".join((*parts, text[done:])) if parts else text


def spell_sections(text: str) -> str:
    """`text` with the marks of sections in capitals and without blanks, as XML knows them."""
    return _MISSPELT.sub(_OPEN, text)


def _end_of_element(text: str, start: int, limit: int) -> int | None:
    """Where the end tag stands of the element that the section at `start` is in."""
    tag = _TAG.search(text, max(0, start - _FAR), start)
    if tag is None:
        return None
    end = text.find(f"</{tag.group(1)}", start, limit)
    return end if end >= 0 else None

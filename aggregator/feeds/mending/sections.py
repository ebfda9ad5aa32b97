"""CDATA sections whose end was forgotten: they would hide the items after them.

An XML parser reads such a section on to the end of the next one, or of the document, and the items
between are words of it. Their publisher closed the element that it stands in, and there it ends.
"""

from __future__ import annotations

import re

_OPEN = "<![CDATA["
_CLOSE = "]]>"
_MISSPELT = re.compile(r"<!\[\s{0,3}CDATA\s{0,3}\[", re.IGNORECASE)
_START = re.compile(r"<([A-Za-z_][\w.:\-]{0,80})[\s>]")
_BEFORE = 200  # characters of text that may stand between a start tag and a section
_LONGEST = 2000  # characters of a start tag


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
    tag_end = text.rfind(">", max(0, start - _BEFORE), start)
    if tag_end < 0 or text.find("<", tag_end, start) >= 0:
        return None
    tag = _START.match(text, max(0, text.rfind("<", max(0, tag_end - _LONGEST), tag_end)))
    if tag is None or tag.end() > tag_end + 1:
        return None
    end = text.find(f"</{tag.group(1)}", start, limit)
    return end if end >= 0 else None

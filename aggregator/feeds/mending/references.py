"""Numbers in character references mean what HTML reads in them (WHATWG HTML §13.2.5.80).

128 to 159 are Windows-1252, and two halves of a UTF-16 pair are one character: programs that know
Unicode as 16 bits write emoji so. XML forbids the halves and reads control characters in the rest,
so both are put in their place before any reader sees the document.
"""

from __future__ import annotations

import re

_HALF = r"(0*5[5-7]\d{3}|[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2})"
# Both are escaped equally often; HTML in XML has `&amp;#`.
_PAIR = re.compile(rf"&((?:amp;){{0,2}})#{_HALF};&\1#{_HALF};")
_WINDOWS = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&#(0*(?:12[89]|1[345]\d)|[xX]0*[89][0-9a-fA-F]);", re.DOTALL
)
# Most documents have none: one pass from `#` to `#` says so.
_ANY = re.compile(
    r"#(?:0*(?:12[89]|1[345]\d|5[5-7]\d{3})|[xX]0*(?:[89][0-9a-fA-F]|[dD][89abAB][0-9a-fA-F]{2}));"
)


def mend_references(text: str, *, is_xml: bool) -> str:
    """A document with its odd references as the characters they mean.

    In XML, references to 128..159 are of the document itself and not of the HTML in it.
    """
    if _ANY.search(text) is None:
        return text
    text = _PAIR.sub(_whole, text)
    return _WINDOWS.sub(_windows, text) if is_xml else text


def number_of(digits: str) -> int:
    """The number in a reference: decimal, or hexadecimal after an `x`."""
    return int(digits[1:], 16) if digits[0] in "xX" else int(digits)


def _whole(match: re.Match[str]) -> str:
    high, low = number_of(match.group(2)), number_of(match.group(3))
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match.group()
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _windows(match: re.Match[str]) -> str:
    digits = match.group(1)
    if digits is None:  # CDATA
        return match.group()
    return bytes((number_of(digits),)).decode("cp1252", "replace").replace("\ufffd", "")

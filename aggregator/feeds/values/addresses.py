"""What publishers write where an address belongs, and what they meant by it."""

from __future__ import annotations

import html
import re

# Slashes forgotten, too many or leaning the other way are what a browser reads in them (WHATWG URL
# §4.4); a scheme before another scheme, and one without its colon, lead nowhere.
_SCHEME = re.compile(r"(https?)(?::[\\/]*|//+)(?=[^\\/:\s])", re.IGNORECASE)
_SCHEME_TWICE = re.compile(r"https?:/{0,2}(?=https?:/)", re.IGNORECASE)
_PROPER = re.compile(r"https?://(?!https?:)[^\\/:?#\s][^\\?#]*+(?:[?#]|\Z)")
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp|#0{0,4}38|#[xX]0{0,4}26);")
_ANCHOR = re.compile(r"<a\s[^<>]{0,1000}?href\s*=\s*(?:\"([^\"<>]+)\"|'([^'<>]+)')", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]{1,20}:", re.IGNORECASE)
# What begins as a reference does, and what has a slash, an ending or a query inside.
_REFERENCE = re.compile(r"/|\?[^\s?]|\.{1,2}/")
_PATH = re.compile(r"[^\s/?#]+/\S|\S*\w(?:\.\w|\?[^\s?])\S*\Z|[^/?#]+/[^?#]*\w\.\w{2,5}\Z")
_LETTER = re.compile(r"[^\W_]")
_FEWEST = 3  # letters and digits; `N/A` has two


def straightened(address: str) -> str:
    """An address with its beginning as it was meant, and no `&` escaped twice."""
    if "&" in address:
        address = unescaped(address)
    if address[:4].lower() != "http" or _PROPER.match(address):
        return address
    address = _SCHEME_TWICE.sub("", address, count=1)
    found = _SCHEME.match(address)
    if found is None:
        return address
    rest = address[found.end() :]
    if "\\" in rest:
        path = re.split(r"[?#]", rest, maxsplit=1)[0]
        rest = path.replace("\\", "/") + rest[len(path) :]
    return f"{found.group(1)}://{rest}"


def unescaped(address: str) -> str:
    """An address whose `&` were escaped twice, with each of them as it was meant."""
    return _ESCAPED_AMPERSAND.sub("&", address)


def written_in(text: str) -> str | None:
    """The address in a text that stands where one belongs, or None where the words are no address.

    `N/A`, `none` and `#` are what programs write that have none; a link in HTML is its address.
    """
    text = text.strip()
    if "<" in text:
        anchor = _ANCHOR.search(text)
        if anchor is not None:
            text = html.unescape(anchor.group(1) or anchor.group(2)).strip()
    if _ANY_SCHEME.match(text) or _REFERENCE.match(text):
        return text
    is_path = _PATH.match(text) and len(_LETTER.findall(text[:64])) >= _FEWEST
    return text if is_path else None

"""The outlines of an OPML document, damaged ones too (OPML 2.0, http://opml.org/spec2.opml).

An XML parser that recovers from errors loses outlines and changes addresses in silence, so the
tags are read here, one by one, each by itself. A tag whose quotation marks fit is read as XML and
HTML read it; in another one the attributes that OPML knows show where values begin and end. Only
`outline`, `body` and `opml` count as tags: whatever else stands in a value is text. Every step is
linear in the document.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import html5
from itertools import chain, pairwise

MAX_OUTLINES = 100_000
MAX_TAG = 256 * 1024  # characters of one damaged tag that are looked at

_STRUCTURE = r"/?(?:[\w.\-]{1,20}:)?(?:outline|body|opml)(?=[\s/>]|\Z)"
_TOKEN = re.compile(
    r"<!--|<!\[CDATA\[|<\?"
    r"|<(?P<end>/?)(?:[\w.\-]{1,20}:)?(?P<name>outline|body|opml)(?=[\s/>]|\Z)",
    re.IGNORECASE,
)
_OPAQUE = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
# Some editors turn the straight marks into others.
_QUOTES = "\"'“”‘’„″"
_NAME = r"[A-Za-z_:][\w:.\-]*+"
# The rest of a start tag whose quotation marks fit; a value never reaches into the next outline.
_INSIDE = rf"<(?!{_STRUCTURE})"
_VALUE = (
    rf"(?:\"(?:[^\"<]|{_INSIDE})*+\"|'(?:[^'<]|{_INSIDE})*+'|[^\s<>=`{_QUOTES}]++[^\s\"'<>`]*+)"
)
_WHOLE = re.compile(
    rf"(?P<attributes>(?:\s++{_NAME}(?:\s*+=\s*+{_VALUE})?+)*+)\s*+(?P<closed>/?)>", re.IGNORECASE
)
_ATTRIBUTE = re.compile(rf"\s({_NAME})(?:\s*+=\s*+({_VALUE}))?+", re.IGNORECASE)
_NEXT = re.compile(rf"<{_STRUCTURE}", re.IGNORECASE)
_ADDRESS = re.compile(r"xmlurl\s*+=\s*+[^\s&]", re.IGNORECASE)
_ANY_TAG = re.compile(r"<(?=[A-Za-z])")
# In a tag whose quotation marks do not fit: where an attribute that OPML knows begins, or where
# markup within a value begins or ends, in which `title=` is none of ours.
_ANCHOR = re.compile(
    rf"(?P<markup><(?=[A-Za-z/!])|>)|(?<![\w:.\-])(?:(?P<name>text|title|type|description|xmlurl"
    rf"|htmlurl|url|category|language|version|created)\s*+=\s*+(?P<quote>[{_QUOTES}])"
    r"|(?P<bare>xmlurl|htmlurl)\s*+=\s*+(?=[^\s\"'<>]))",
    re.IGNORECASE,
)
_WORDS = frozenset(("text", "title", "description", "category"))  # their values may hold quotes
_CLOSED_BY = {"'": "'", '"': '"'}  # the others by any of them
_CLOSING = {
    marks: re.compile(rf"[{marks}](?=\s++{_NAME}\s*+=\s*+[{_QUOTES}]|\s*+/?\s*+>?\s*+\Z)")
    for marks in ("'", '"', _QUOTES)
}
_TRAILING_NAME = re.compile(rf"\s{_NAME}\s*+=\s*+\Z")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|([A-Za-z][A-Za-z0-9]{0,31}));")


@dataclass(slots=True)
class Outline:
    """One start tag.

    `attributes` have their names in lower case and their references decoded; of several with one
    name the first counts, and `others` are the further values of `xmlurl`. `open_ended` says that
    the address has no closing quotation mark, `cut_off` that the document ends in the tag.
    `mended` says that the quotation marks of the tag did not fit.
    """

    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    closed: bool = False
    mended: bool = False
    open_ended: bool = False
    cut_off: bool = False

    def put(self, name: str, value: str) -> None:
        """Keep a value, unless there is one of that name."""
        name, value = name.lower(), _without_references(value)
        if name not in self.attributes:
            self.attributes[name] = value
        elif name == "xmlurl" and value.strip() != self.attributes[name].strip():
            self.others.append(value)


@dataclass(slots=True)
class Outlines:
    """A document's outlines: a start tag, or None for an end tag, in its order.

    `rest` is the line from which nothing was read because there are too many.
    """

    tags: list[Outline | None] = field(default_factory=list)
    has_root: bool = False
    has_body: bool = False
    rest: int | None = None


def read_outlines(text: str) -> Outlines:
    """Every outline of a document; nothing is expected of what stands around them.

    Args:
        text: the decoded document, lines ending in a line feed.
    """
    found = Outlines()
    lines = _Lines(text)
    starts = 0
    for tag in _tags(text, lines, found):
        starts += tag is not None
        if tag is not None and starts > MAX_OUTLINES:
            found.rest = tag.line
            break
        found.tags.append(tag)
    return found


def _tags(text: str, lines: _Lines, found: Outlines) -> Iterator[Outline | None]:
    """Every start tag, and None for every end tag; what stands around is noted in `found`."""
    at = 0
    missing: set[str] = set()  # ends that stand nowhere in the rest
    while (token := _TOKEN.search(text, at)) is not None:
        yield from _strays(text, at, token.start(), lines)
        name = (token["name"] or "").lower()
        if not name:
            at = _after_opaque(text, token, missing)
        elif name != "outline":
            found.has_root |= name == "opml"
            found.has_body |= name == "body"
            at = token.end()
        elif token["end"]:
            yield None
            at = token.end()
        else:
            outline, at = _start_tag(text, token.end(), lines.at(token.start()))
            yield outline
    yield from _strays(text, at, len(text), lines)


def _strays(text: str, start: int, end: int, lines: _Lines) -> Iterator[Outline]:
    """Subscriptions between two tags: their own tag is damaged, or has another name."""
    if _ADDRESS.search(text, start, end) is None:
        return
    cuts = chain([start], (m.start() for m in _ANY_TAG.finditer(text, start, end)), [end])
    for piece, following in pairwise(cuts):
        address = _ADDRESS.search(text, piece, following)
        if address is not None:
            outline = Outline(lines.at(address.start()), mended=True)
            inside = text[piece : min(following, piece + MAX_TAG)].lstrip("<")
            _mend(inside, outline, at_end=following == len(text))
            outline.closed = True
            yield outline


class _Lines:
    """Line numbers for positions that only grow."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

    def at(self, position: int) -> int:
        self._line += self._text.count("\n", self._at, position)
        self._at = position
        return self._line


def _after_opaque(text: str, token: re.Match[str], missing: set[str]) -> int:
    """Behind a comment, CDATA section or instruction; one without an end hides nothing."""
    end = _OPAQUE[token[0]]
    if end not in missing:
        position = text.find(end, token.end())
        if position >= 0:
            return position + len(end)
        missing.add(end)
    return token.end()


def _start_tag(text: str, start: int, line: int) -> tuple[Outline, int]:
    """The outline whose attributes begin at `start`, and where its tag ends."""
    outline = Outline(line)
    whole = _WHOLE.match(text, start)
    if whole is not None and not _goes_on(text, whole):
        for attribute in _ATTRIBUTE.finditer(whole["attributes"]):
            outline.put(attribute[1], _unquoted(attribute[2] or ""))
        outline.closed = bool(whole["closed"])
        return outline, whole.end()
    following = _NEXT.search(text, start)
    end = following.start() if following else len(text)
    outline.mended = True
    _mend(text[start : min(end, start + MAX_TAG)], outline, at_end=following is None)
    return outline, end


def _goes_on(text: str, whole: re.Match[str]) -> bool:
    """Whether a stray `>` only seems to end the tag: its address stands behind it."""
    if _ADDRESS.search(whole["attributes"]) is not None:
        return False
    end = text.find("<", whole.end())
    return _ADDRESS.search(text, whole.end(), end if end >= 0 else len(text)) is not None


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') else value


def _mend(inside: str, outline: Outline, *, at_end: bool) -> None:
    """Read a start tag whose quotation marks do not fit; it reaches to the next tag."""
    anchors = list(_anchors(inside))
    behind = 0
    for index, anchor in enumerate(anchors):
        stop = anchors[index + 1].start() if index + 1 < len(anchors) else len(inside)
        name = (anchor["name"] or anchor["bare"]).lower()
        segment = inside[anchor.end() : stop]
        value, length = _value(segment, name, anchor["quote"])
        is_first = name not in outline.attributes
        behind = anchor.end() + (len(segment) if length is None else length)
        if length is None and at_end and stop == len(inside):
            outline.cut_off = True  # nobody knows what else belonged to this value
            continue
        if length is None and name == "xmlurl" and is_first:
            outline.open_ended = True
        outline.put(name, value)
    end = inside.find(">", behind)
    if end >= 0:
        outline.closed = inside[behind:end].rstrip().endswith("/")
    elif inside.rstrip().endswith(">"):  # a value without its closing mark took the tag's end
        outline.closed = inside.rstrip().endswith("/>")
    elif at_end:
        outline.cut_off = True
    else:
        outline.closed = "xmlurl" in outline.attributes  # a feed holds no other outlines


def _anchors(inside: str) -> Iterator[re.Match[str]]:
    in_markup = False
    for found in _ANCHOR.finditer(inside):
        if found["markup"]:
            in_markup = found["markup"] == "<"
        elif not in_markup or "xmlurl" in found[0].lower():
            yield found


def _value(segment: str, name: str, quote: str | None) -> tuple[str, int | None]:
    """An attribute's value and where it ends; None where its closing quotation mark is missing.

    `segment` reaches to the next attribute that OPML knows, or to the next tag.
    """
    if quote is None:
        value = re.split(r"[\s>]", segment, maxsplit=1)[0]
        return value, len(value)
    marks = _CLOSED_BY.get(quote, _QUOTES)
    if name in _WORDS:
        closing = _CLOSING[marks].search(segment)
        if closing is not None:
            return segment[: closing.start()], closing.end()
    else:
        position = next((i for i, c in enumerate(segment) if c in marks), -1)
        value = segment[: max(position, 0)]
        following = _TRAILING_NAME.search(value)  # then the mark opens another value
        if position >= 0 and following is None:
            return value, position + 1
        if following is not None:
            segment = value[: following.start()]
    value = segment.rstrip()
    if value.endswith(">"):
        value = value[:-1].rstrip().removesuffix("/").rstrip()
    return value, None


def _without_references(value: str) -> str:
    """Character references decoded as HTML reads them; a bare `&` and unknown names stay."""
    return _REFERENCE.sub(_character, value) if "&" in value else value


def _character(reference: re.Match[str]) -> str:
    name = reference[1]
    if name is not None and f"{name};" not in html5:
        return reference[0]
    return html.unescape(reference[0]) or "\0"  # a character that may not be: to be seen as one

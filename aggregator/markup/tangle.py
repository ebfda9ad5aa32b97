"""Recognise HTML whose nesting makes an HTML5 parser quadratic.

Tree construction (WHATWG HTML §13.2.6) searches the stack of open elements for most tags and
re-opens unclosed formatting elements for every block: measured, 1 MB of `<div>` costs html5ever
three minutes and 100 KB of `<b>` closed by `</i>` costs lexbor one. No honest page comes near the
limits here, so such input is not parsed at all but stripped to its text.
"""

from __future__ import annotations

import html as _html
import re

from aggregator.markup.elements import FORMATTING, SCOPES, SPECIAL, VOID, names

MAX_DEPTH = 400  # open elements, and unclosed formatting elements
MAX_ATTRIBUTES = 400  # on one tag
MAX_AMPERSANDS = 100_000  # html5ever appends each to its text node: 1 MB of `&` costs ten seconds

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{2048,}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_GAP = re.compile(r"[\s/]+")
# `<p>a<p>b` and `<li>a<li>b` close the one before; a row or cell closes back to its table.
_CLOSES_ITSELF = names("p li dt dd option a button")
_CLOSES_BACK_TO = {
    "td": frozenset(("tr", "table")),
    "th": frozenset(("tr", "table")),
    "tr": frozenset(("tbody", "thead", "tfoot", "table")),
}
_LISTS = frozenset(("ol", "ul"))
# One alternative always matches, up to the end if need be: linear, whatever the input.
_ANY_TAG = re.compile(
    r"<!--(?:(?!-->).)*+(?:-->|\Z)|<(script|style)\b(?:(?!</\1).)*+|</?[a-zA-Z!?][^>]*+(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)


def is_tangled(html: str, max_depth: int = MAX_DEPTH) -> bool:
    """Whether parsing `html` may nest deeper than `max_depth` or meet an attribute bomb.

    Linear in the input. It errs on the side of yes: badly closed honest HTML stays well below.
    """
    return (
        html.count("&") > MAX_AMPERSANDS
        or _has_attribute_bomb(html)
        or (html.count("<") > max_depth and _nests_too_deep(html, max_depth))
    )


def strip_tags(html: str) -> str:
    """The text between the tags, a blank for each tag, references decoded. Linear; not exact."""
    return _html.unescape(_ANY_TAG.sub(" ", html))


def _nests_too_deep(html: str, max_depth: int) -> bool:
    stack: list[str] = []
    unclosed = 0  # formatting elements closed over by a block: the parser re-opens them
    for match in _TAG.finditer(html):
        closing, name = match.group(1), match.group(2).lower()
        if name in VOID:
            continue
        if not closing:
            if name in _CLOSES_ITSELF and stack and stack[-1] == name:
                continue
            back_to = _CLOSES_BACK_TO.get(name)
            if back_to is not None:
                unclosed += _close_back(stack, back_to)
            stack.append(name)
            if len(stack) + unclosed > max_depth:
                return True
            continue
        found = _find_open(stack, name)
        if name in FORMATTING:
            # The adoption agency takes the formatting element out and leaves its blocks open.
            if found is not None:
                del stack[found]
            elif unclosed:
                unclosed -= 1
        elif found is not None:
            unclosed += _formatting_among(stack[found + 1 :])
            del stack[found:]
    return False


def _close_back(stack: list[str], stops: frozenset[str]) -> int:
    """Close what is open above the nearest of `stops`; how many formatting elements stay listed."""
    for index in range(len(stack) - 1, max(-1, len(stack) - 65), -1):
        if stack[index] in stops:
            unclosed = _formatting_among(stack[index + 1 :])
            del stack[index + 1 :]
            return unclosed
    return 0


def _formatting_among(names: list[str]) -> int:
    return sum(1 for name in names if name in FORMATTING)


def _find_open(stack: list[str], name: str) -> int | None:
    """Where `</name>` closes an open element; what stands between may keep it from doing so."""
    if name in SCOPES:
        stops: frozenset[str] = frozenset()
    elif name == "p" or name not in SPECIAL:
        stops = SPECIAL if name not in FORMATTING else SCOPES
    else:
        stops = SCOPES | _LISTS if name == "li" else SCOPES
    for index in range(len(stack) - 1, max(-1, len(stack) - 65), -1):
        if stack[index] == name:
            return index
        if stack[index] in stops:
            return None
    return None


def _has_attribute_bomb(html: str) -> bool:
    for match in _LONG_TAG.finditer(html):
        bare = _QUOTED.sub("", match.group())
        if len(_GAP.findall(bare)) > MAX_ATTRIBUTES:
            return True
    return False

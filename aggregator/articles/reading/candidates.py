"""Which reading of the running text to believe.

trafilatura's precision mode is the best on most pages and loses nearly all of some: it takes one
card of a long page for the article. The page's own paragraphs are the evidence: blocks of prose
that stand in one kind of frame. A reading that misses many of them gives way to one that has
them, whatever the size of either; a reading that has most of them gets the few that it lacks.

The quick form of precision mode, without trafilatura's own comparison, is right where it has the
paragraphs; only where it has not, the slower modes are asked (one page in eight).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import trafilatura
from lxml import etree

from aggregator.articles.body_span import BodySpan
from aggregator.articles.page import Page
from aggregator.articles.size import title_size
from aggregator.markup.text import one_line

Mode = dict[str, Any]  # options of trafilatura
Line = tuple[str, str]  # trafilatura's tag (p, head, item, quote, code, cell), text

MAX_LINES = 5_000
_DEFAULT: Mode = {}
_MODES: Sequence[Mode] = (
    {"favor_precision": True, "fast": True},
    {"favor_precision": True},
    _DEFAULT,
    {"favor_recall": True},
)
_COVERED = 0.9  # of the page's own prose: enough not to ask further
_GAIN = 0.05  # what a slower mode has to add
_SHARE = 0.15  # of the page's text outside links: less is suspicious
_ANCHORED = 1 / 3  # of the own prose in a reading: then both speak of the same text
_FRAMELESS = frozenset({"ul", "ol", "dl", "blockquote"})
_LINES = frozenset({"p", "head", "item", "quote", "code", "cell", "list", "table", "row", "div"})
_HOLDS_CODE = frozenset({"p", "head", "item", "quote", "code", "cell"})
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+"
)
_BROKEN = (
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    AssertionError,
    RecursionError,
    etree.LxmlError,
)


@dataclass(frozen=True, slots=True)
class Own:
    """One of the page's own paragraphs in the frame that holds most of the prose."""

    tag: str  # as trafilatura names it: p or item
    text: str
    runs: frozenset[tuple[str, ...]]  # of three words


def read_lines(source: str, page: Page, span: BodySpan, *, article: bool) -> list[Line]:
    """The lines of the text in order, from whichever reading the page's own prose supports.

    Args:
        source: the HTML for trafilatura; `page` is its tree.
        span: where the page's own paragraphs are.
        article: whether the page says that it is an article. On others, such as lists, products
            and threads, precision mode leaves out much of the text; the default mode comes first.
    """
    own = own_paragraphs(page, span)
    prose: frozenset[tuple[str, ...]] = frozenset().union(*(o.runs for o in own))
    if page.heavy:
        return [("p", page.string(n, 20_000)) for n in span.paragraphs]
    free = page.chars[-1] - page.link_chars[-1]
    best: list[Line] = []
    covered = size = 0.0
    for mode in _MODES if article else (_DEFAULT, *(m for m in _MODES if m is not _DEFAULT)):
        lines = lines_of(source, mode)
        length = sum(len(text) for _, text in lines)
        share = _coverage(lines, prose)
        fuller = size < _SHARE * free and length > 2 * size
        if not best or (covered < _COVERED and share >= covered + _GAIN) or fuller:
            best, covered, size = lines, share, length
        if covered >= _COVERED and size >= _SHARE * free:
            break
    if covered >= _ANCHORED:
        return _completed(best, own)
    ours = [("p", page.string(n, 20_000)) for n in span.paragraphs]
    written = sum(len(text) for _, text in ours)
    return ours if size < 250 and written > 2 * size else best


def lines_of(source: str, mode: Mode) -> list[Line]:
    """What one mode of trafilatura finds, a block a line, each letter once."""
    try:
        document = trafilatura.bare_extraction(
            source, include_comments=False, with_metadata=False, **mode
        )
    except _BROKEN:
        return []
    if document is None or isinstance(document, dict) or document.body is None:
        return []
    return list(_lines(document.body))


def _lines(body: etree._Element) -> Iterator[Line]:
    """Runs of text between the borders of blocks: own text and tails, nested blocks apart.

    Code within a line of text belongs to that line.
    """
    parts: list[str] = []
    open_tags = ["p"]
    for event, element in etree.iterwalk(body, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        parent = element.getparent()
        within = tag == "code" and parent is not None and parent.tag in _HOLDS_CODE
        border = tag in _LINES and not within
        if border:
            text = one_line("".join(parts))
            parts.clear()
            if text:
                yield open_tags[-1], text
        if event == "start":
            if border:
                # a paragraph within an item, a quotation or a cell is a line of that kind
                held = tag == "p" and open_tags[-1] in ("item", "quote", "cell")
                open_tags.append(open_tags[-1] if held else tag)
            if tag == "lb":
                parts.append(" ")
            if tag and element.text:
                parts.append(element.text)
        else:
            if border:
                open_tags.pop()
            if element is not body and element.tail:
                parts.append(element.tail)
    if text := one_line("".join(parts)):
        yield "p", text


def own_paragraphs(page: Page, span: BodySpan) -> list[Own]:
    """The prose in the frame, or the frames of one look, that hold most of it.

    A frame is what a paragraph stands in, lists and quotations left out; captions, cookie notes,
    sign-up boxes and teasers stand in frames of their own.
    """
    wanted = frozenset(span.paragraphs)
    pieces: dict[int, list[str]] = {}
    for i, text in enumerate(page.text):
        if text and page.blocks[i] in wanted:
            pieces.setdefault(page.blocks[i], []).append(text)
    frames: dict[int, tuple[str, str, int]] = {}
    weight: Counter[tuple[str, str, int]] = Counter()
    texts: dict[int, str] = {}
    for node, parts in pieces.items():
        texts[node] = " ".join("".join(parts).split())
        up = page.parent[node]
        while up >= 0 and page.tag[up] in _FRAMELESS:
            up = page.parent[up]
        frames[node] = (
            (page.tag[up], page.names[up], len(page.ancestors(up))) if up >= 0 else ("", "", 0)
        )
        weight[frames[node]] += title_size(texts[node])
    if not weight:
        return []
    main = weight.most_common(1)[0][0]
    found = []
    for node in sorted(texts):
        if frames[node] == main:
            tag = "item" if page.tag[node] == "li" else "p"
            found.append(Own(tag, texts[node], _runs(texts[node])))
    return found


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    if len(words) < 3:
        return frozenset({tuple(words)}) if words else frozenset()
    return frozenset((a, b, c) for (a, b), (_, c) in pairwise(pairwise(words)))


def _coverage(lines: Sequence[Line], prose: frozenset[tuple[str, ...]]) -> float:
    """Share of the page's own prose that a reading has."""
    if not prose:
        return 1.0
    seen: set[tuple[str, ...]] = set()
    for _, text in lines:
        seen |= _runs(text)
    return len(seen & prose) / len(prose)


def _completed(lines: list[Line], own: Sequence[Own]) -> list[Line]:
    """A reading with the own paragraphs that it lacks, each behind the one it follows."""
    at: dict[tuple[str, ...], int] = {}
    for number, (_, text) in enumerate(lines[:MAX_LINES]):
        for run in _runs(text):
            at.setdefault(run, number)
    missing: dict[int, list[Line]] = {}
    place, first = -1, 0
    for paragraph in own:
        held = [at[run] for run in paragraph.runs if run in at]
        if held and len(held) * 2 >= len(paragraph.runs):
            number = Counter(held).most_common(1)[0][0]
            first = number if place < 0 else first
            place = max(place, number)
        elif len(held) * 5 <= len(paragraph.runs):
            missing.setdefault(place, []).append((paragraph.tag, paragraph.text))
    out: list[Line] = []
    for number, line in enumerate(lines):
        if number == first:
            out += missing.get(-1, ())
        out.append(line)
        out += missing.get(number, ())
    return out

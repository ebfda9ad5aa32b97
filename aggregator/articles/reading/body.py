"""The running text of an article: trafilatura finds it, the page's own markup dresses it.

trafilatura was the best of the extractors compared (F1 .964 on a public benchmark of 181 pages);
`candidates` chooses between its modes. Asking it for links and formatting as well changes what it
keeps, so the paragraphs it finds are looked up in the page and written out with their inline
markup.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aggregator.articles.body_span import BodySpan
from aggregator.articles.headings import Kind, read_heading
from aggregator.articles.page import BLOCKS, HEADINGS, Page
from aggregator.articles.reading.candidates import Line, read_lines
from aggregator.articles.reading.metadata import Metadata
from aggregator.articles.size import title_size
from aggregator.markup.sanitize import sanitize_html
from aggregator.markup.text import html_to_text

MAX_PARAGRAPHS = 2_000
MAX_TEXT = 400_000
_OPENING = 80  # letters of a line that may open the text outside its block
_INLINE = frozenset({"b", "strong", "i", "em", "code", "sub", "sup", "q", "s", "u", "mark", "cite"})
_LAYOUT = re.compile(r"<(/?)(?:table|tbody|tr|td|th)\b", re.I)
_SPACE = re.compile(r"\s+")
# A last line in brackets with a label signs the text, in whatever language: "(Redakteur: A. Berg)".
_SIGNED = re.compile(r"[(（\[【][^:：()（）]{2,30}[:：][^:：()（）]{2,60}[)）\]】]")
_TAGS = {"head": "h2", "quote": "blockquote", "item": "li", "code": "pre"}


@dataclass(slots=True)
class Body:
    """Plain text, paragraphs on lines of their own, and sanitised HTML."""

    text: str = ""
    html: str = ""
    paragraphs: tuple[str, ...] = ()


def read_body(
    source: str, page: Page, span: BodySpan, noise: Collection[str], facts: Metadata
) -> Body:
    """Extract the text of an article.

    Args:
        source: the page's HTML (`guard.prepared`).
        noise: texts that are not paragraphs: captions, editor and source lines, related titles.
        facts: what the page says of itself. A paragraph that repeats a headline is dropped at the
            top; a page that does not say that it is an article is read more fully.
    """
    if any(page.tag[n] in ("td", "th") for n in span.spine):
        source = _LAYOUT.sub(r"<\1div", source)  # the text stands in a layout table
    found = read_lines(source, page, span, article=facts.says_article)
    where = _blocks(page)
    found = _within(span, found, where)
    unwanted = {_plain(n) for n in noise if n}
    headlines = {_plain(t) for t in facts.titles}
    kept: list[tuple[str, str]] = []
    size = 0
    for (tag, text), following in pairwise([*found[:MAX_PARAGRAPHS], ("head", "")]):
        plain = _plain(text)
        if not plain or plain in unwanted or _ends_in_noise(plain, unwanted):
            continue
        if len(kept) < 3 and plain in headlines:
            continue
        if _astray(page, span, where.get(plain)):
            continue
        reading = read_heading(text)
        if reading is not None and (
            reading.kind is Kind.RELATED or (tag == "head" and following[0] == "head")
        ):
            continue  # its list is no text; where text follows, the heading belongs to that
        whole = _without_tail(text, noise)
        size += len(whole)
        if size > MAX_TEXT:
            break
        kept.append((tag, whole))
    if len(kept) > 1 and _SIGNED.fullmatch(kept[-1][1]):
        kept.pop()
    written = sanitize_html(_dressed(page, kept, where), page.url)
    paragraphs = tuple(html_to_text(f"<p>{html.escape(t)}</p>") for _, t in kept)
    return Body("\n\n".join(paragraphs), written, paragraphs)


def _within(span: BodySpan, lines: Sequence[Line], where: Mapping[str, int]) -> list[Line]:
    """The lines without what frames the article, where one block holds most of them.

    Behind that block stand notes on the author, terms, references and other stories; before it
    short lines such as rubrics and times, but also the opening paragraph.
    """
    places = [where.get(_plain(text), -1) for _, text in lines]
    inside = [n for n, at in enumerate(places) if span.root <= at < span.reach]
    outside = sum(
        len(text)
        for (_, text), at in zip(lines, places, strict=True)
        if at >= 0 and not span.root <= at < span.reach
    )
    if not inside or outside * 5 > sum(len(text) for _, text in lines):
        return list(lines)
    return [
        line
        for n, (line, at) in enumerate(zip(lines, places, strict=True))
        if at < 0
        or span.root <= at < span.reach
        or inside[0] < n < inside[-1]
        or (n < inside[0] and title_size(line[1]) >= _OPENING)
    ]


def _plain(text: str) -> str:
    return _SPACE.sub("", text).casefold().strip("()（）[]【】|:：")


def _ends_in_noise(plain: str, unwanted: Collection[str]) -> bool:
    """A line made of several noise texts and figures ("Source: A Editor: B 2017-06-30")."""
    if len(plain) > 200:
        return False
    rest = plain
    for text in sorted(unwanted, key=len, reverse=True):
        if len(text) >= 4 and text in rest:
            rest = rest.replace(text, "")
    return rest != plain and sum(c.isalpha() for c in rest) <= 2


def _without_tail(text: str, noise: Collection[str]) -> str:
    for line in noise:
        if line.startswith(("(", "（", "[", "【")) and text.endswith(line):
            return text[: -len(line)].rstrip()
    return text


def _astray(page: Page, span: BodySpan, node: int | None) -> bool:
    """A short line or a bare link outside the block that holds the prose (layout tables)."""
    if node is None or span.root < 0 or span.root <= node < page.end[span.root]:
        return False
    in_table = any(page.tag[n] in ("td", "th") for n in span.spine)
    return (in_table and page.size(node) < 80) or page.link_size(node) == page.size(node)


def _blocks(page: Page) -> dict[str, int]:
    """Where the innermost blocks of a page are, by their text."""
    where: dict[str, int] = {}
    for i, tag in enumerate(page.tag):
        if (tag in BLOCKS or tag in ("span", "font")) and 0 < page.size(i) < 20_000:
            up = page.parent[i]
            if up >= 0 and page.size(up) == page.size(i) and tag not in ("li", "p"):
                continue
            if not any(page.tag[c] in BLOCKS for c in page.children(i)):
                where.setdefault(_plain(page.string(i, 20_000)), i)
    return where


def _dressed(page: Page, kept: list[tuple[str, str]], where: Mapping[str, int]) -> str:
    """The paragraphs as HTML, with the inline markup of the block they came from."""
    parts = []
    listed = False
    for tag, text in kept:
        node = where.get(_plain(text))
        name = _TAGS.get(tag, "p")
        if node is not None and page.tag[node] in HEADINGS:
            name = page.tag[node] if page.tag[node] != "h1" else "h2"
        if (name == "li") != listed:
            parts.append("<ul>" if name == "li" else "</ul>")
            listed = name == "li"
        inner = _inline(page, node) if node is not None else html.escape(text, quote=False)
        parts.append(f"<{name}>{inner}</{name}>")
    if listed:
        parts.append("</ul>")
    return "".join(parts)


def _inline(page: Page, node: int) -> str:
    """A block's text with links and emphasis, from the columns (no recursion)."""
    out: list[str] = []
    closing: list[tuple[int, str]] = []
    for i in range(node + 1, page.end[node]):
        while closing and closing[-1][0] <= i:
            out.append(closing.pop()[1])
        tag = page.tag[i]
        if page.text[i]:
            out.append(html.escape(page.text[i], quote=False))
        elif tag == "br":
            out.append("<br>")
        elif tag in _INLINE:
            out.append(f"<{tag}>")
            closing.append((page.end[i], f"</{tag}>"))
        elif tag == "a" and i in page.anchor_at:
            out.append(f'<a href="{html.escape(page.anchor_at[i].url)}">')
            closing.append((page.end[i], "</a>"))
    while closing:
        out.append(closing.pop()[1])
    return "".join(out).strip()

"""The byline a page prints: who wrote the text, between the headline and the first paragraph.

Three kinds, in order of trust: a label ("By", "Von:", "Written by") and the names behind it, in
one element or in several; an element or a link that its class, `rel` or address names an author's;
a name alone and emphasised as the first or the last line of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from aggregator.articles.body_span import BodySpan
from aggregator.articles.headings import read_heading
from aggregator.articles.lists import data_lines
from aggregator.articles.page import Page
from aggregator.articles.reading.names import (
    bare,
    has_label,
    is_label,
    is_name,
    is_person,
    names_of,
    stripped,
)

_ABOVE = 40  # nodes above the headline that may hold the byline
_BELOW = 250  # nodes below it, where no paragraph ends the search
_BEHIND = 10  # texts behind a label that may be names
_NAMED = re.compile(r"author|byline|writer|autor|auteur|verfasser|reporter|journalist")
_NOT_NAMED = re.compile(r"avatar|image|photo|bio|social|related|comment|authoris|authoriz")
_AUTHORS_PAGES = frozenset({"author", "authors", "autor", "autores", "autoren", "auteur"})
_APART = frozenset({"nav", "footer", "form", "h1", "h2"})
_SEPARATORS = re.compile(
    rf"[\s,;&|/·•]*+(?:(?:{'|'.join(data_lines('joints'))})[\s,;&|/·•]*+)?", re.I
)


@dataclass(frozen=True, slots=True)
class Byline:
    """Names as printed. `labelled` when a word says that these are the authors."""

    names: tuple[str, ...] = ()
    labelled: bool = False


def read_bylines(page: Page, body: BodySpan) -> tuple[Byline, ...]:
    """What the page prints of its authors, one entry for each kind that is there, best first."""
    start, stop = _zone(page, body)
    offers = (
        Byline(_labelled(page, start, stop), labelled=True),
        Byline(_by_names(page, start, stop)),
        Byline(_by_links(page, start, stop)),
        Byline(_signed(page, body)),
    )
    return tuple(offer for offer in offers if offer.names)


def _labelled(page: Page, start: int, stop: int) -> tuple[str, ...]:
    for i in range(start, stop):
        text = page.text[i].strip()
        if text and len(text) <= 160 and has_label(text) and not _apart(page, i):
            names = _behind(page, i, stop) if is_label(text) else names_of(text)
            if names:
                return names
    return ()


def _zone(page: Page, body: BodySpan) -> tuple[int, int]:
    """From a little above the last headline before the text to the first paragraph."""
    end = body.first if body.first >= 0 else len(page.tag)
    heads = [i for i in range(end) if page.tag[i] == "h1" and page.size(i)]
    head = heads[-1] if heads else max(0, end - _BELOW)
    return max(0, head - _ABOVE), min(end, head + _BELOW)


def _apart(page: Page, node: int) -> bool:
    return any(page.tag[n] in _APART for n in page.ancestors(node)[:6])


def _behind(page: Page, label: int, stop: int) -> tuple[str, ...]:
    """The names behind a label that stands alone: in elements of their own, joints between them."""
    found: list[str] = []
    texts = [i for i in range(label + 1, min(stop, label + 60)) if page.text[i].strip()]
    for i in texts[:_BEHIND]:
        text = page.text[i].strip()
        if _SEPARATORS.fullmatch(text):
            continue
        if found and page.tag[page.parent[i]] != page.tag[page.parent[texts[0]]]:
            break
        names = names_of(text) if len(text) <= 120 else ()
        if not names or (found and not all(is_person(n) for n in names)):
            break
        found += names
    return tuple(dict.fromkeys(found))


def _by_names(page: Page, start: int, stop: int) -> tuple[str, ...]:
    """Names in the first element whose class or id speaks of an author."""
    for i in range(start, stop):
        if (
            page.names[i]
            and _NAMED.search(page.names[i])
            and 0 < page.size(i) <= 160
            and not _NOT_NAMED.search(page.names[i].replace("author", ""))
            and not _apart(page, i)
        ):
            found = [
                name
                for k in range(i, page.end[i])
                if page.text[k].strip()
                for name in names_of(page.text[k])
                if is_person(name)
            ]
            if found:
                return tuple(dict.fromkeys(found))
    return ()


def _by_links(page: Page, start: int, stop: int) -> tuple[str, ...]:
    """Names in links to an author's page."""
    found: list[str] = []
    for anchor in page.anchors:
        if not start <= anchor.node < stop or _apart(page, anchor.node):
            continue
        segments = frozenset(urlsplit(anchor.url).path.lower().split("/"))
        if "author" in anchor.rel or segments & _AUTHORS_PAGES:
            name = stripped(bare(anchor.text))
            if is_name(name):
                found.append(name)
    return tuple(dict.fromkeys(found))


def _signed(page: Page, body: BodySpan) -> tuple[str, ...]:
    """A name in bold, alone in the block before the first or behind the last paragraph."""
    if not body.paragraphs:
        return ()
    frame = page.parent[body.first]
    beside = [n for n in page.children(frame) if page.size(n)] if frame >= 0 else []
    before = [n for n in beside if n < body.first][-2:]
    after = [n for n in beside if n > body.last][:2]
    for node in (*before, *after):
        text = page.string(node, 100)
        inner = {page.tag[n] for n in range(node, page.end[node])}
        if (
            len(text) > 80
            or text.endswith((":", "："))
            or not inner & {"strong", "b"}
            or page.link_size(node)
        ):
            continue
        names = names_of(text) if read_heading(text) is None else ()
        if names and all(is_person(n) for n in names):
            return names
    return ()

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
_NOT_NAMED = re.compile(r"avatar|image|photo|bio|desc|social|related|comment|authoris|authoriz")
_AUTHORS_PAGES = frozenset({"author", "authors", "autor", "autores", "autoren", "auteur"})
# Pages of people, most of whom write: a link there counts where its text is a person's name.
_PEOPLES_PAGES = frozenset(
    {"by", "columnists", "contributor", "contributors", "journalist", "journalists", "people"}
    | {"profile", "profiles", "reporter", "reporters", "staff", "team", "writer", "writers"}
)
_APART = frozenset({"nav", "footer", "form", "h1", "h2"})
_SEPARATORS = re.compile(
    rf"[\s,;&|/·•]*+(?:(?:{'|'.join(data_lines('joints'))})[\s,;&|/·•]*+)?", re.I
)


@dataclass(frozen=True, slots=True)
class Byline:
    """Names as printed.

    `labelled` when a word says that these are the authors; `joined` when they are one list: in
    one text, or with commas and joints between their elements.
    """

    names: tuple[str, ...] = ()
    labelled: bool = False
    joined: bool = False


def read_bylines(page: Page, body: BodySpan) -> tuple[Byline, ...]:
    """What the page prints of its authors, one entry for each kind that is there, best first."""
    start, stop = _zone(page, body)
    offers = (
        labelled_names(page, start, stop),
        names_by_class(page, start, stop),
        _by_links(page, start, stop),
        Byline(_signed(page, body)),
        Byline(_named_desk(page, start, stop)),
    )
    return tuple(offer for offer in offers if offer.names)


def labelled_names(page: Page, start: int, stop: int) -> Byline:
    """Names behind the first label ("By", "Written by") that has some."""
    for i in range(start, stop):
        text = page.text[i].strip()
        if text and len(text) <= 160 and has_label(text) and not _apart(page, i):
            if is_label(text):
                found = _behind(page, i, stop)
            else:
                found = Byline(names_of(text), labelled=True, joined=True)
            if found.names:
                return found
    return Byline()


def _zone(page: Page, body: BodySpan) -> tuple[int, int]:
    """From a little above the last headline before the text to the first paragraph."""
    end = body.first if body.first >= 0 else len(page.tag)
    heads = [i for i in range(end) if page.tag[i] == "h1" and page.size(i)]
    head = heads[-1] if heads else max(0, end - _BELOW)
    return max(0, head - _ABOVE), min(end, head + _BELOW)


def _apart(page: Page, node: int) -> bool:
    return any(page.tag[n] in _APART for n in page.ancestors(node)[:6])


def _behind(page: Page, label: int, stop: int) -> Byline:
    """The names behind a label that stands alone: in elements of their own, joints between them."""
    found: list[str] = []
    joints = 0
    texts = [i for i in range(label + 1, min(stop, label + 60)) if page.text[i].strip()]
    for i in texts[:_BEHIND]:
        text = page.text[i].strip()
        if _SEPARATORS.fullmatch(text):
            joints += 1
            continue
        if found and page.tag[page.parent[i]] != page.tag[page.parent[texts[0]]]:
            break
        names = names_of(text) if len(text) <= 120 else ()
        if not names or (found and not all(is_person(n) for n in names)):
            found += _alike(page, texts, i)
            break
        found += names
    found = [n for n in found if not _initials(n, found)]
    return Byline(tuple(dict.fromkeys(found)), labelled=True, joined=joints + 1 >= len(found))


def _alike(page: Page, texts: list[int], after: int) -> list[str]:
    """People in elements of the same class as the name before an office: one box for each."""
    last = texts[texts.index(after) - 1] if after != texts[0] else after
    look = page.names[page.parent[last]]
    return [
        name
        for i in texts[texts.index(after) + 1 :]
        if look.strip() and page.names[page.parent[i]] == look
        for name in names_of(page.text[i])
        if is_person(name)
    ]


def _initials(name: str, others: list[str]) -> bool:
    """Whether a text is what a page shows in place of another name's portrait ("RF")."""
    return name.isupper() and any(
        name == "".join(word[0] for word in other.split()).upper() for other in others
    )


def names_by_class(page: Page, start: int, stop: int) -> Byline:
    """People in the first element whose class or id speaks of an author."""
    for i in range(start, stop):
        if _speaks_of_author(page, i):
            texts = [
                [n for n in names_of(page.text[k]) if is_person(n)]
                for k in range(i, page.end[i])
                if page.text[k].strip()
            ]
            found = [name for names in texts for name in names]
            if found:
                return Byline(tuple(dict.fromkeys(found)), joined=sum(map(bool, texts)) == 1)
    return Byline()


def _named_desk(page: Page, start: int, stop: int) -> tuple[str, ...]:
    """All that an author's element says, where it is one name but no person's ("Newsdesk")."""
    for i in range(start, stop):
        if _speaks_of_author(page, i):
            text = page.string(i, 60)
            if is_name(text) and len(text.split()) <= 3 and not is_label(text):
                names = names_of(text)
                if names == (text,):
                    return names
    return ()


def _speaks_of_author(page: Page, node: int) -> bool:
    return bool(
        page.names[node]
        and _NAMED.search(page.names[node])
        and 0 < page.size(node) <= 160
        and not _NOT_NAMED.search(page.names[node].replace("author", ""))
        and not _apart(page, node)
        and page.tag[node] != "button"
        and page.tag[page.parent[node]] != "button"
    )


def _by_links(page: Page, start: int, stop: int) -> Byline:
    """Names in links to an author's page."""
    found: list[str] = []
    places: list[int] = []
    for anchor in page.anchors:
        if not start <= anchor.node < stop or _apart(page, anchor.node):
            continue
        segments = frozenset(urlsplit(anchor.url).path.lower().split("/")[:-1])
        name = stripped(bare(anchor.text))
        authors = "author" in anchor.rel or segments & _AUTHORS_PAGES
        if is_name(name) and (authors or (segments & _PEOPLES_PAGES and is_person(name))):
            found.append(name)
            places.append(anchor.node)
    joined = bool(places) and all(
        _SEPARATORS.fullmatch(page.text[i]) or page.in_link[i] in places
        for i in range(places[0], places[-1])
        if page.text[i].strip()
    )
    return Byline(tuple(dict.fromkeys(found)), joined=joined)


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
        bold = next(n for n in range(node, page.end[node]) if page.tag[n] in ("strong", "b"))
        if page.size(bold) < page.size(node) and text.startswith(page.string(bold, 100)):
            text = page.string(bold, 100)  # an office stands behind the name
        names = names_of(text) if read_heading(text) is None else ()
        if names and all(is_person(n) for n in names):
            return names
    return ()

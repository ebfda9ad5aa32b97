"""Who wrote a text, where only a box behind it says so.

Blogs and magazines present their author below the text: a label and a name, a name in an element
whose class speaks of the author, or a portrait whose description is the name beside it. Lists of
other articles, which name their authors too, begin with a heading of their own; the search ends
there.
"""

from __future__ import annotations

from aggregator.articles.body_span import BodySpan, named_foreign
from aggregator.articles.headings import read_heading
from aggregator.articles.page import HEADINGS, Page
from aggregator.articles.reading.byline import labelled_names, names_by_class
from aggregator.articles.reading.names import folded, is_label, is_person, stripped

_REACH = 120  # nodes behind the last paragraph
_BIOGRAPHY = 40  # nodes before it, since a text about the author may be the last paragraph
_BESIDE = 14  # nodes between a portrait and the name
_LEAST = 6  # letters of a name that a description is searched for


def read_author_box(page: Page, body: BodySpan) -> tuple[str, ...]:
    """The author that a box right behind the text, or a portrait above or below it, names."""
    if not body.paragraphs:
        return ()
    start, stop = body.last, _end(page, body)
    return (
        labelled_names(page, start, stop).names
        or names_by_class(page, start, stop).names
        or _portrayed(page, max(body.first, start - _BIOGRAPHY), stop)
    )


def _end(page: Page, body: BodySpan) -> int:
    """Where something else begins: a heading of a list, an article, comments."""
    limit = min(len(page.tag), page.end[body.last] + _REACH)
    for i in range(page.end[body.last], limit):
        if page.tag[i] == "article" or (page.names[i] and named_foreign(page.names[i])):
            return i
        if page.tag[i] in HEADINGS:
            text = page.string(i, 200)
            if read_heading(text) is not None or not (is_label(text) or len(text) < 30):
                return i
    return limit


def _portrayed(page: Page, start: int, stop: int) -> tuple[str, ...]:
    """A name that stands alone beside a picture whose description is, or holds, the same name."""
    for i in range(start, stop):
        if page.tag[i] != "img" or any(page.tag[n] == "figure" for n in page.ancestors(i)[:4]):
            continue
        said = page.attributes.get(i, {}).get("alt") or ""
        shown = folded(said[:80])
        if len(shown) < _LEAST or len(said) > 60:
            continue
        for k in range(i + 1, min(stop, i + _BESIDE)):
            name = stripped(page.text[k])
            if _capital(name) and is_person(name) and folded(name) in shown:
                return (name,)
    return ()


def _capital(name: str) -> bool:
    """Whether a name is long enough, and in a script that tells names from other words."""
    return len(folded(name)) >= _LEAST and name[0].isupper()

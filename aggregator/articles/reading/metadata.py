"""Title, people, publisher, dates, language and flags of an article page.

Machine-readable statements come first, printed lines second, libraries last: on 258 pages of 181
publishers our own reading dated .965 to the day and htmldate behind it .988.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from urllib.parse import urlsplit

import htmldate
import trafilatura.metadata
from lxml import etree
from lxml import html as lxml_html

from aggregator.articles.body_span import BodySpan
from aggregator.articles.lists import data_lines
from aggregator.articles.page import HEADINGS, Page, absolute
from aggregator.articles.reading.byline import Byline, read_bylines
from aggregator.articles.reading.dates import date_in_url, find_date, parse_date
from aggregator.articles.reading.names import is_person, names_of
from aggregator.articles.reading.picture import FURNITURE
from aggregator.articles.reading.printed import ORGANISATION, Printed, labelled_as
from aggregator.articles.structured import Structured, plain, strings
from aggregator.articles.subject import subject_words
from aggregator.model.article import Robots

_MAX_TITLE = 400
_HEAD = 400  # nodes before the first paragraph that may print the time
_SHORT = 300  # letters of a text that may hold a byline
_SEPARATOR = re.compile(r"(?<!\s)\s++[|–—·•»:-]\s++|(?:(?<!\s)\s*+)?[|｜]\s*+|_")
_BROKEN = (
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    OverflowError,
    RecursionError,
    etree.LxmlError,
)
# Meta names in order of trust.
_PUBLISHED = data_lines("meta_published")
_MODIFIED = data_lines("meta_modified")
_AUTHOR = data_lines("meta_author")


@dataclass(slots=True)
class Metadata:
    """Everything about an article but its text, picture and links."""

    titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    editor: str | None = None
    publisher: str | None = None
    source_line: str | None = None
    place: str | None = None
    published: datetime | None = None
    modified: datetime | None = None
    language: str | None = None
    images: tuple[str, ...] = ()
    canonical: str | None = None
    amp_url: str | None = None
    og_url: str | None = None
    robots: Robots = field(default_factory=Robots)
    paywalled: bool = False
    says_article: bool = False


def read_metadata(
    source: str,
    page: Page,
    span: BodySpan,
    said: Structured,
    printed: Printed,
    feed_title: str | None,
) -> Metadata:
    """Put together what a page states, prints and implies."""
    article = said.article
    publisher = _publisher(said, printed)
    authors = _authors(page, said, printed, read_bylines(page, span), publisher)
    tree = None
    if not authors and not page.heavy:
        tree = _tree(source)
        authors = _guessed_authors(tree, page, _site_names(page, said, publisher))
    published = _first_date(
        article.get("datePublished"),
        *(said.first(name) for name in _PUBLISHED),
        *said.items.get("datePublished", ()),
        article.get("dateCreated"),
    )
    published = published or printed.published or _time_element(page)
    if published is None and not page.heavy:
        published = date_in_url(page.url) or _guessed_date(
            tree if tree is not None else _tree(source), page.url
        )
    published = _refined(published, page, span, printed)
    modified = _first_date(
        article.get("dateModified"),
        *(said.first(name) for name in _MODIFIED),
        *said.items.get("dateModified", ()),
    )
    return Metadata(
        titles=title_candidates(page, said, publisher, feed_title),
        authors=authors,
        editor=_editor(said, printed),
        publisher=publisher,
        source_line=_stated_source(said) or printed.source,
        place=_place(said),
        published=published,
        modified=modified or printed.updated,
        language=_language(page, said),
        images=_images(page, said),
        canonical=_link(page, "link[rel=canonical]", "href"),
        amp_url=_link(page, "link[rel=amphtml]", "href"),
        og_url=absolute(page.url, said.first("og:url") or ""),
        robots=_robots(said),
        paywalled=_paywalled(said),
        says_article=bool(article) or (said.first("og:type") or "").lower() == "article",
    )


# --- titles ----------------------------------------------------------------------------------


def title_candidates(
    page: Page, said: Structured, publisher: str | None, feed_title: str | None
) -> tuple[str, ...]:
    """All titles a page offers, best first.

    The headline of the page (`h1`) is taken when another candidate confirms it; a feed's own
    title decides between candidates that disagree.
    """
    stated = strings(said.article.get("headline"), limit=1)
    headings = [plain(h.text(deep=True) or "", _MAX_TITLE) for h in page.tree.css("h1")[:5]]
    og = [
        _trimmed(t, publisher)
        for n in ("og:title", "twitter:title")
        for t in said.meta.get(n, ())[:1]
    ]
    item = list(said.items.get("headline", ())[:1])
    title = page.tree.css_first("title")
    whole = plain(title.text(deep=True) or "", _MAX_TITLE) if title is not None else ""
    rest = [*stated, *og, *item, _trimmed(whole, publisher)]
    confirmed = [h for h in headings if h and any(_alike(h, other) for other in rest)]
    exact = [t for t in (*stated, *og) if any(_after_kicker(h, t) for h in confirmed)]
    offers = [
        *exact[:1],
        *confirmed,
        *stated,
        *og,
        *item,
        *(h for h in headings if h),
        *rest[-1:],
        whole,
    ]
    unique = list(dict.fromkeys(t[:_MAX_TITLE] for t in offers if t))
    if feed_title:
        wanted = _folded(feed_title)
        unique.sort(key=lambda t: _folded(t) != wanted)
    return tuple(unique[:10])


def _after_kicker(heading: str, title: str) -> bool:
    """Whether a heading is a kicker and then this title, in one element."""
    whole, part = _folded(heading), _folded(title)
    return whole != part and whole.endswith(part) and len(part) * 5 > len(whole) * 3


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _alike(one: str, other: str) -> bool:
    if not other:
        return False
    a, b = _folded(one), _folded(other)
    if not a or not b:
        return False
    if a in b or b in a:
        return min(len(a), len(b)) * 3 > max(len(a), len(b))
    mine, theirs = subject_words(one), subject_words(other)
    return bool(mine) and len(mine & theirs) * 2 > len(mine)


def _trimmed(title: str, publisher: str | None) -> str:
    """A `<title>` without the publication's name at either end."""
    title = plain(title, _MAX_TITLE)
    parts = _SEPARATOR.split(title)
    if len(parts) < 2:
        return title
    if publisher:
        name = _folded(publisher)
        for separator in _SEPARATOR.finditer(title):
            tail = _folded(title[separator.end() :])
            if tail and (tail in name or name in tail) and len(tail) < 2 * len(name) + 8:
                return title[: separator.start()].strip()
    longest = max(parts, key=len)
    if "_" in title or "|" in title or "｜" in title:
        return longest.strip() if len(longest) * 2 > len(title) else title
    last = parts[-1].strip()
    if len(last) <= 30 and len(last) * 3 < len(title) and len(parts) >= 2:
        return title[: title.rfind(last)].rstrip(" |–—·•»:-").strip()
    return title


# --- people and publisher --------------------------------------------------------------------


def _publisher(said: Structured, printed: Printed) -> str | None:
    """Who published the text: stated for machines, printed as its source, or the site's name."""
    for value in (said.article.get("publisher"), said.article.get("sourceOrganization")):
        found = strings(said.resolved(value), limit=1)
        if found:
            return found[0][:200]
    for candidate in (
        *said.items.get("publisher", ())[:1],
        _stated_source(said),
        printed.source,
        said.first("og:site_name", "dc.publisher", "dcterms.publisher", "citation_publisher"),
        said.first("application-name", "publisher", "apple-mobile-web-app-title"),
    ):
        if candidate and not candidate.startswith(("http", "@")):
            return candidate[:200]
    return None


def _stated_source(said: Structured) -> str | None:
    value = said.first("source", "dc.source", "article:source", "mediasource", "source_name")
    return value if value and len(value) <= 80 and not value.startswith("http") else None


def _editor(said: Structured, printed: Printed) -> str | None:
    stated = strings(said.resolved(said.article.get("editor")), limit=1)
    value = stated[0] if stated else None
    for text in strings(said.resolved(said.article.get("author")), limit=3):
        value = value or labelled_as(text, "editor")
    value = (
        value
        or printed.editor
        or said.first("editor", "dc.contributor", "责任编辑", "contenteditor")
    )
    value = value or next(iter(said.items.get("editor", ())), None)
    return value[:200] if value else None


def _authors(
    page: Page,
    said: Structured,
    printed: Printed,
    bylines: Sequence[Byline],
    publisher: str | None,
) -> tuple[str, ...]:
    """Who wrote the text: people stated for machines, else printed.

    The publisher's own name is no author unless the page prints it as one. The site's name or an
    organisation's gives way to people in a printed byline, and so do a name that the page prints
    nowhere (a login) and the editor's.
    """
    site = _site_names(page, said, publisher)
    own = _folded(publisher or "")
    stated = [
        n for n in _stated_authors(said) if not labelled_as(n, "editor") and _folded(n) != own
    ]
    offers = [
        [n for n in line.names if not _of_site(n, site) or (line.labelled and _blogger(n))]
        for line in bylines
    ]
    people = next((names for names in offers if names), [])
    first = [n for n in stated if not _of_site(n, site) and n not in said.organisations]
    if people and printed.editor:
        first = [n for n in first if _folded(n) != _folded(printed.editor)]
    if people and bylines[0].labelled and offers[0] and first:
        text = _folded(" ".join(t for t in page.text if t and len(t) < _SHORT))
        if not any(_folded(n) in text for n in first):
            first = []
    if first or (stated and not people):
        return _once(stated)
    if people:
        return _once(people)
    if bylines:
        return bylines[0].names  # the page says that the site itself wrote the text
    editor = _folded(printed.editor or "")
    return _once([n for n in printed.authors if _folded(n) not in (editor, own)])


def _stated_authors(said: Structured) -> list[str]:
    found: list[str] = []
    value = said.article.get("author")
    for part in value if isinstance(value, list) else [value]:
        found += [n for text in strings(said.resolved(part)) for n in _persons(text)]
    if not found:
        for name in _AUTHOR:
            for text in said.meta.get(name, ()):
                if not text.startswith(("http", "/", "@", "www.")):
                    found += _persons(text)
            if found:
                break
    return found or [n for text in said.items.get("author", ()) for n in _persons(text)]


def _persons(text: str) -> tuple[str, ...]:
    """The names in one statement, which may be a list of them."""
    return names_of(text)


def _site_names(page: Page, said: Structured, publisher: str | None) -> frozenset[str]:
    """What the site calls itself, folded: publisher, site name, the host's own label."""
    host = (urlsplit(page.url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    names = [publisher, said.first("og:site_name", "application-name"), *labels[-3:-1], host]
    return frozenset(f for n in names if n and len(f := _folded(n)) >= 3)


def _of_site(name: str, site: frozenset[str]) -> bool:
    """Whether a name is the site's own, with or without an addition ("Nikkei Inc", "LBCI")."""
    folded = _folded(name)
    if folded in site:
        return True
    return any(
        len(own) >= 4 and folded.startswith(own) and len(folded) - len(own) <= 6 for own in site
    ) and not (is_person(name) and len(name.split()) > 2)


def _blogger(name: str) -> bool:
    """Whether a site's name is that of the person who writes it."""
    return is_person(name) and not ORGANISATION.search(name)


def _once(names: Sequence[str]) -> tuple[str, ...]:
    unique = {_folded(n): n for n in reversed(names) if _folded(n)}
    return tuple(reversed(unique.values()))


def _tree(source: str) -> lxml_html.HtmlElement | None:
    try:
        return lxml_html.fromstring(source)
    except _BROKEN:
        return None


def _guessed_authors(
    tree: lxml_html.HtmlElement | None, page: Page, site: frozenset[str]
) -> tuple[str, ...]:
    """trafilatura's guess, where it is a person's name and no heading or furniture of the page."""
    if tree is None:
        return ()
    try:
        found = trafilatura.metadata.extract_metadata(tree).author
    except _BROKEN:
        return ()
    headings = {_folded(page.string(i, 200)) for i, tag in enumerate(page.tag) if tag in HEADINGS}
    names = [n for part in (found or "").split(";") for n in names_of(part)]
    return _once(
        [n for n in names if is_person(n) and _folded(n) not in headings and not _of_site(n, site)]
    )


# --- dates, language, flags ------------------------------------------------------------------


def _first_date(*values: object) -> datetime | None:
    for value in values:
        for text in strings(value, "@value", 3) if value else ():
            parsed = parse_date(text)
            if parsed is not None:
                return parsed
    return None


def _refined(
    published: datetime | None, page: Page, span: BodySpan, printed: Printed
) -> datetime | None:
    """A day without a time of day gets the time that the page prints for the same day."""
    if published is None or published.time() != time(0):
        return published
    end = span.first if span.first >= 0 else len(page.tag)
    offers = [printed.published, _time_element(page)]
    offers += [
        find_date(text)
        for text in page.text[max(0, end - _HEAD) : end]
        if 10 <= len(text) <= _SHORT and ":" in text
    ]
    return next(
        (o for o in offers if o and o.date() == published.date() and o.time() != time(0)), published
    )


def _time_element(page: Page) -> datetime | None:
    """The first `<time datetime>` after the headline."""
    start = next((i for i, tag in enumerate(page.tag) if tag == "h1" and page.size(i)), 0)
    for i in range(start, len(page.tag)):
        if page.tag[i] == "time" and page.in_link[i] < 0:
            parsed = parse_date(page.attributes.get(i, {}).get("datetime") or page.string(i, 100))
            if parsed is not None:
                return parsed
    return None


def _guessed_date(tree: lxml_html.HtmlElement | None, url: str) -> datetime | None:
    if tree is None:
        return None
    try:
        found = htmldate.find_date(
            tree,
            url=url,
            original_date=True,
            outputformat="%Y-%m-%d",
            min_date=datetime(1995, 1, 1, tzinfo=UTC).replace(tzinfo=None),
            max_date=datetime(2099, 12, 31, tzinfo=UTC).replace(tzinfo=None),
        )
    except _BROKEN:
        return None
    return parse_date(found) if found else None


_LANGUAGE = re.compile(
    r"^([a-zA-Z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?![a-zA-Z])"
)


def _language(page: Page, said: Structured) -> str | None:
    """A BCP 47 tag: of the document, of its metadata, or told by its script."""
    root = page.attributes.get(0, {})
    for value in (
        root.get("lang"),
        root.get("xml:lang"),
        *strings(said.article.get("inLanguage"), limit=1),
        said.first("content-language", "language", "dc.language", "og:locale"),
    ):
        found = _LANGUAGE.match((value or "").strip())
        if found and found[1].lower() not in ("und", "xx"):
            parts = [found[1].lower()]
            if found[2]:
                parts.append(found[2].title())
            if found[3]:
                parts.append(found[3].upper())
            return "-".join(parts)
    return _by_script(page)


def _by_script(page: Page) -> str | None:
    sample = "".join(page.text)[:20_000]
    letters = sum(c.isalpha() for c in sample) or 1
    for pattern, language in (
        (r"[\u3040-\u30ff]", "ja"),
        (r"[\uac00-\ud7af]", "ko"),
        (r"[\u4e00-\u9fff]", "zh"),
        (r"[\u0e00-\u0e7f]", "th"),
        (r"[\u0590-\u05ff]", "he"),
        (r"[\u0370-\u03ff]", "el"),
    ):
        if len(re.findall(pattern, sample)) * 8 > letters:
            return language
    return None


def _images(page: Page, said: Structured) -> tuple[str, ...]:
    stated = [
        *strings(said.resolved(said.article.get("image")), "url", 3),
        *said.meta.get("og:image", ())[:1],
        *said.meta.get("og:image:url", ())[:1],
        *said.meta.get("twitter:image", ())[:1],
    ]
    found = [url for value in stated if (url := absolute(page.url, value)) is not None]
    return tuple(
        u
        for u in dict.fromkeys(found)
        if not re.search(r"logo|default|placeholder", u, re.I) and not FURNITURE.search(u)
    )


def _link(page: Page, selector: str, attribute: str) -> str | None:
    node = page.tree.css_first(selector)
    return absolute(page.url, node.attributes.get(attribute) or "") if node is not None else None


def _robots(said: Structured) -> Robots:
    words = {
        word.strip() for value in said.meta.get("robots", ()) for word in value.lower().split(",")
    }
    none = "none" in words
    return Robots(
        none or "noindex" in words, none or "nofollow" in words, none or "noarchive" in words
    )


def _paywalled(said: Structured) -> bool:
    """schema.org `isAccessibleForFree` of the article or of a part of it, or a locked tier."""
    parts = said.article.get("hasPart")
    stated: list[object] = [said.article]
    stated += parts if isinstance(parts, list) else [parts]
    for value in stated[:20]:
        if isinstance(value, Mapping) and str(value.get("isAccessibleForFree")).lower() == "false":
            return True
    return (said.first("article:content_tier") or "").lower() == "locked"


def _place(said: Structured) -> str | None:
    for value in (
        said.article.get("dateline"),
        said.article.get("contentLocation"),
        said.article.get("locationCreated"),
    ):
        found = strings(said.resolved(value), limit=1)
        if found and len(found[0]) <= 80:
            return found[0]
    value = said.first("geo.placename", "article:location", "dc.coverage")
    return value if value and len(value) <= 80 else None

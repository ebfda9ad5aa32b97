"""Who wrote, edited and published an article: stated for machines, else printed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

from aggregator.articles.lists import data_lines
from aggregator.articles.page import Page
from aggregator.articles.reading.byline import Byline
from aggregator.articles.reading.names import folded, is_person, names_of
from aggregator.articles.reading.printed import ORGANISATION, Printed, labelled_as
from aggregator.articles.structured import Structured, strings

_LOGIN = re.compile(r"[^\W_][\w-]{1,29}")  # a forum's members, who bear figures in their names
_SHORT = 300  # letters of a text that may hold a byline
# Meta names in order of trust.
_AUTHOR = data_lines("meta_author")


def publisher_of(said: Structured, printed: Printed) -> str | None:
    """Who published the text: stated for machines, printed as its source, or the site's name."""
    for value in (said.article.get("publisher"), said.article.get("sourceOrganization")):
        found = strings(said.resolved(value), limit=1)
        if found:
            return found[0][:200]
    for candidate in (
        *said.items.get("publisher", ())[:1],
        stated_source(said),
        printed.source,
        said.first("og:site_name", "dc.publisher", "dcterms.publisher", "citation_publisher"),
        said.first("application-name", "publisher", "apple-mobile-web-app-title"),
    ):
        if candidate and not candidate.startswith(("http", "@")):
            return candidate[:200]
    return None


def stated_source(said: Structured) -> str | None:
    """Whom the page names as its source, for machines."""
    value = said.first("source", "dc.source", "article:source", "mediasource", "source_name")
    return value if value and len(value) <= 80 and not value.startswith("http") else None


def editor_of(said: Structured, printed: Printed) -> str | None:
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


def authors_of(
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
    site = site_names(page, said, publisher)
    own = folded(publisher or "")
    stated = [
        n
        for n in _stated_authors(page, said)
        if not labelled_as(n, "editor") and (folded(n) != own or _writes_alone(n, page, said))
    ]
    offers = [
        [n for n in line.names if not of_site(n, site) or (line.labelled and _blogger(n))]
        for line in bylines
    ]
    people = next((names for names in offers if names), [])
    first = [n for n in stated if not of_site(n, site) and n not in said.organisations]
    if people and printed.editor:
        first = [n for n in first if folded(n) != folded(printed.editor)]
    if people and bylines[0].labelled and offers[0] and first:
        text = folded(" ".join(t for t in page.text if t and len(t) < _SHORT))
        if not any(folded(n) in text for n in first):
            first = []
    if first and (fuller := _fuller(first, bylines, said)):
        return once(fuller)
    if first or (stated and not people):
        return once(stated)
    if people:
        return once(people)
    if bylines:
        return bylines[0].names  # the page says that the site itself wrote the text
    editor = folded(printed.editor or "")
    return once([n for n in printed.authors if folded(n) not in (editor, own)])


def _fuller(stated: Sequence[str], bylines: Sequence[Byline], said: Structured) -> tuple[str, ...]:
    """A list of names that the page prints, where it and the statement share their people.

    Many pages state one author of several: a printed list that names everybody stated, and more,
    is right. Microdata marks reviewers and other contributors as authors too: there the labelled
    byline is right that names some of them alone.
    """
    asked = [folded(n) for n in stated]
    marked = once([n for text in said.items.get("author", ()) for n in names_of(text)])
    for line in bylines:
        named = [folded(n) for n in line.names]
        people = line.joined and (line.labelled or _are_people(line.names))
        if people and len(named) > len(asked) and _within(asked, named):
            return line.names
        if line.labelled and len(named) < len(asked) and _within(named, asked):
            return line.names if tuple(stated) == marked else ()
    return ()


def _are_people(names: Sequence[str]) -> bool:
    """Whether each is a person, and none is a text about another ("About Ines Falk")."""
    whole = [folded(n) for n in names]
    parts = any(one != other and one in other for one in whole for other in whole)
    return not parts and all(is_person(n) for n in names)


def _within(some: Sequence[str], others: Sequence[str]) -> bool:
    return all(any(one in other for other in others) for one in some)


def _stated_authors(page: Page, said: Structured) -> list[str]:
    found: list[str] = []
    value = said.article.get("author")
    for part in value if isinstance(value, list) else [value]:
        found += [n for text in strings(said.resolved(part)) for n in names_of(text)]
    if not found:
        for name in _AUTHOR:
            for text in said.meta.get(name, ()):
                if not text.startswith(("http", "/", "@", "www.")):
                    found += names_of(text)
            if found:
                break
    marked = said.items.get("author", ())
    found = found or [n for text in marked for n in names_of(text)]
    return found or [
        login for login in marked[:1] if _LOGIN.fullmatch(login) and login in page.text
    ]


def site_names(page: Page, said: Structured, publisher: str | None) -> frozenset[str]:
    """What the site calls itself, folded: publisher, site name, the host's own label."""
    host = (urlsplit(page.url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    names = [publisher, said.first("og:site_name", "application-name"), *labels[-3:-1], host]
    return frozenset(f for n in names if n and len(f := folded(n)) >= 3)


def of_site(name: str, site: frozenset[str]) -> bool:
    """Whether a name is the site's own, with or without an addition ("Nikkei Inc", "LBCI")."""
    asked = folded(name)
    if asked in site:
        return True
    return any(
        len(own) >= 4 and asked.startswith(own) and len(asked) - len(own) <= 6 for own in site
    ) and not (is_person(name) and len(name.split()) > 2)


def _writes_alone(name: str, page: Page, said: Structured) -> bool:
    """Whether an author who is the site's namesake is a person: publications own their address.

    A publication's name is that of its host, or its initials; a person who writes alone often
    does so under another one.
    """
    site = said.first("og:site_name", "application-name") or ""
    shown = site if folded(site) == folded(name) else name
    if name in said.organisations or not _blogger(shown) or len(shown.split()) < 2:
        return False
    host = _plain(urlsplit(page.url).hostname or "")
    whole = _plain(name)
    initials = "".join(word[0] for word in shown.split()).casefold()
    return not (
        any(len(word) > 3 and _plain(word) in host for word in name.split())
        or whole in host
        or initials in urlsplit(page.url).netloc.casefold().split(".")
    )


def _plain(text: str) -> str:
    """Letters and figures without case and accents, as hosts are written."""
    return folded("".join(c for c in unicodedata.normalize("NFKD", text) if c.isalnum()))


def _blogger(name: str) -> bool:
    """Whether a site's name is that of the person who writes it."""
    return is_person(name) and not ORGANISATION.search(name)


def once(names: Sequence[str]) -> tuple[str, ...]:
    """The names in their order, each once however it is written."""
    unique = {folded(n): n for n in reversed(names) if folded(n)}
    return tuple(reversed(unique.values()))

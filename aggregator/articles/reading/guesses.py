"""What libraries guess where a page says nothing that we read ourselves."""

from __future__ import annotations

from datetime import UTC, datetime

import htmldate
import trafilatura.metadata
from lxml import etree
from lxml import html as lxml_html

from aggregator.articles.page import HEADINGS, Page
from aggregator.articles.reading.dates import parse_date
from aggregator.articles.reading.names import folded, is_person, names_of
from aggregator.articles.reading.people import of_site, once

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


def tree_of(source: str) -> lxml_html.HtmlElement | None:
    """The page as lxml sees it, as the libraries want it; None where it cannot be read."""
    try:
        return lxml_html.fromstring(source)
    except _BROKEN:
        return None


def guessed_authors(
    tree: lxml_html.HtmlElement | None, page: Page, site: frozenset[str]
) -> tuple[str, ...]:
    """trafilatura's guess, where it is a person's name and no heading or button of the page."""
    if tree is None:
        return ()
    try:
        found = trafilatura.metadata.extract_metadata(tree).author
    except _BROKEN:
        return ()
    headings = {folded(page.string(i, 200)) for i, tag in enumerate(page.tag) if tag in HEADINGS}
    names = [n for part in (found or "").split(";") for n in names_of(part)]
    return once(
        [n for n in names if is_person(n) and folded(n) not in headings and not of_site(n, site)]
    )


def guessed_date(tree: lxml_html.HtmlElement | None, url: str, now: datetime) -> datetime | None:
    """htmldate's guess of the day of publication, not later than now."""
    if tree is None:
        return None
    try:
        found = htmldate.find_date(
            tree,
            url=url,
            original_date=True,
            outputformat="%Y-%m-%d",
            min_date=datetime(1995, 1, 1, tzinfo=UTC).replace(tzinfo=None),
            max_date=now.astimezone(UTC).replace(tzinfo=None),
        )
    except _BROKEN:
        return None
    return parse_date(found) if found else None

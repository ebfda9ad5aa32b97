"""When an article was published: stated for machines, else printed."""

from __future__ import annotations

from datetime import datetime, time

from aggregator.articles.body_span import BodySpan
from aggregator.articles.page import Page
from aggregator.articles.reading.dates import find_date, parse_date
from aggregator.articles.reading.printed import Printed
from aggregator.articles.structured import strings

_HEAD = 400  # nodes before the first paragraph that may print the time
_SHORT = 300  # letters of a text that may print a date


def first_date(*values: object) -> datetime | None:
    """The first that can be read, of texts and of JSON-LD values."""
    for value in values:
        for text in strings(value, "@value", 3) if value else ():
            parsed = parse_date(text)
            if parsed is not None:
                return parsed
    return None


def refined(
    published: datetime | None, page: Page, span: BodySpan, printed: Printed
) -> datetime | None:
    """A day without a time of day gets the time that the page prints for the same day."""
    if published is None or published.time() != time(0):
        return published
    end = span.first if span.first >= 0 else len(page.tag)
    offers = [printed.published, time_element(page)]
    offers += [
        find_date(text)
        for text in page.text[max(0, end - _HEAD) : end]
        if 10 <= len(text) <= _SHORT and ":" in text
    ]
    return next(
        (o for o in offers if o and o.date() == published.date() and o.time() != time(0)), published
    )


def time_element(page: Page) -> datetime | None:
    """The first `<time datetime>` after the headline."""
    start = next((i for i, tag in enumerate(page.tag) if tag == "h1" and page.size(i)), 0)
    for i in range(start, len(page.tag)):
        if page.tag[i] == "time" and page.in_link[i] < 0:
            parsed = parse_date(page.attributes.get(i, {}).get("datetime") or page.string(i, 100))
            if parsed is not None:
                return parsed
    return None

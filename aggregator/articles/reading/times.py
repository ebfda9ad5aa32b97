"""When an article was published: stated for machines, else printed."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from aggregator.articles.body_span import BodySpan
from aggregator.articles.page import Page
from aggregator.articles.reading.dates import find_date, parse_date
from aggregator.articles.reading.printed import Printed
from aggregator.articles.structured import strings

_HEAD = 400  # nodes before the first paragraph that may print the time
_SHORT = 300  # letters of a text that may print a date
_AHEAD = timedelta(days=1)


def first_past(now: datetime, *offers: datetime | None) -> datetime | None:
    """The first that is not in the future: no text was published, or changed, after it was read.

    A day is let pass, for zones that a page does not state and for clocks that are wrong.
    """
    return next((o for o in offers if o is not None and o <= now + _AHEAD), None)


def first_date(now: datetime, *values: object) -> datetime | None:
    """The first that can be read and is not in the future, of texts and of JSON-LD values."""
    texts = (text for value in values if value for text in strings(value, "@value", 3))
    return first_past(now, *map(parse_date, texts))


def refined(
    published: datetime | None, page: Page, span: BodySpan, printed: Printed, now: datetime
) -> datetime | None:
    """A day without a time of day gets the time that the page prints for the same day."""
    if published is None or published.time() != time(0):
        return published
    end = span.first if span.first >= 0 else len(page.tag)
    offers = [printed.published, time_element(page, now)]
    offers += [
        find_date(text)
        for text in page.text[max(0, end - _HEAD) : end]
        if 10 <= len(text) <= _SHORT and ":" in text
    ]
    return next(
        (o for o in offers if o and o.date() == published.date() and o.time() != time(0)), published
    )


def time_element(page: Page, now: datetime) -> datetime | None:
    """The first `<time datetime>` after the headline that is not in the future."""
    start = next((i for i, tag in enumerate(page.tag) if tag == "h1" and page.size(i)), 0)
    for i in range(start, len(page.tag)):
        if page.tag[i] == "time" and page.in_link[i] < 0:
            said = page.attributes.get(i, {}).get("datetime") or page.string(i, 100)
            parsed = first_past(now, parse_date(said))
            if parsed is not None:
                return parsed
    return None

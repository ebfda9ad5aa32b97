"""Dates as pages write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.reading.dates import date_in_url, find_date, parse_date
from tests.articles.pages import article_from


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-06-30T09:12:33+08:00", (2017, 6, 30, 1, 12, 33)),
        ("2017-06-30T09:12:33.123Z", (2017, 6, 30, 9, 12, 33)),
        ("20170630T091233+0800", (2017, 6, 30, 1, 12, 33)),
        ("2017-06-30 09:12", (2017, 6, 30, 9, 12, 0)),
        ("2017-06-30", (2017, 6, 30, 0, 0, 0)),
        ("Fri, 30 Jun 2017 09:12:33 GMT", (2017, 6, 30, 9, 12, 33)),
        ("1498813953", (2017, 6, 30, 9, 12, 33)),
        ("June 30, 2017 9:12 PM", (2017, 6, 30, 21, 12, 0)),
        ("30 June 2017", (2017, 6, 30, 0, 0, 0)),
        ("30. Juni 2017, 09:12 Uhr", (2017, 6, 30, 9, 12, 0)),
        ("30 de junio de 2017", (2017, 6, 30, 0, 0, 0)),
        ("le 30 juin 2017 à 09h12", (2017, 6, 30, 9, 12, 0)),
        ("30 июня 2017, 09:12", (2017, 6, 30, 9, 12, 0)),
        ("30.06.2017 09:12", (2017, 6, 30, 9, 12, 0)),
        ("2017年6月30日 09:12", (2017, 6, 30, 9, 12, 0)),
        ("2017年06月30日09時12分", (2017, 6, 30, 9, 12, 0)),
    ],
)
def test_a_date_is_read_as_utc(text: str, expected: tuple[int, int, int, int, int, int]) -> None:
    assert parse_date(text) == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2017-13-45", "0001-01-01", "9999-12-31", "31 Foo 2017", "12:30", "—"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://a.example/2017/06/30/story", "2017-06-30"),
        ("http://a.example/view/2017-06/30/content_7657471.htm", "2017-06-30"),
        ("https://a.example/a/20170630/story.html", "2017-06-30"),
        ("https://a.example/story-2017", None),
        ("https://a.example/9999/99/99/", None),
    ],
)
def test_a_url_may_name_the_day(url: str, day: str | None) -> None:
    found = date_in_url(url)

    assert (found.date().isoformat() if found else None) == day


_MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2098, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)
_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(_MOMENTS, _ZONES)
def test_what_iso_writes_is_read_back(moment: datetime, zone: timezone) -> None:
    written = moment.replace(tzinfo=zone)

    assert parse_date(written.isoformat()) == written


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    for read in (parse_date, find_date, date_in_url):
        found = read(text)
        assert found is None or found.tzinfo is UTC


def test_a_date_in_the_future_is_none_wherever_it_stands() -> None:
    later = "2031-05-01T08:00:00Z"
    head = "".join(
        f"<meta property=article:{name}_time content={later}>" for name in ("published", "modified")
    )
    prose = "The old quay opens to walkers in June. " * 20
    page = f"<title>The quay opens</title>{head}<body><h1>The quay opens</h1>{{}}<p>{prose}</p>"
    address = "https://ledger.example/2031/05/01/quay"

    for printed in (
        f"<time datetime={later}>soon</time>",
        f"<p>Time: {later}</p>",
        "<p>1 May 2031</p>",
    ):
        article = article_from(page.format(printed), address)
        assert (article.published, article.modified) == (None, None)
    stated_behind = article_from(
        page.format(f"<time datetime={later}>soon</time><time datetime=2024-05-02>2 May</time>"),
        address,
    )
    assert stated_behind.published == datetime(2024, 5, 2, tzinfo=UTC)

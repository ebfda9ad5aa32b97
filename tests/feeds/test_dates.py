"""The dates that publishers write."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.feeds.dates import DateReader


def read(text: str, zone: str | None = None) -> str | None:
    found = DateReader(zone).read(text)
    return found.when.isoformat() if found else None


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("Sat, 07 Sep 2002 00:00:01 GMT", "2002-09-07T00:00:01+00:00"),
        ("Sat,07 Sep 2002 00:00:01 +0000", "2002-09-07T00:00:01+00:00"),
        ("7 Sep 2002 00:00 EST", "2002-09-07T05:00:00+00:00"),
        ("Thu, 01 Jan 04 19:48:21 GMT", "2004-01-01T19:48:21+00:00"),
        ("Thursday, 01-Jan-04 19:48:21 GMT", "2004-01-01T19:48:21+00:00"),
        ("Thu, 5 Apr 2012 23:47:37 +02:00", "2012-04-05T21:47:37+00:00"),
        ("Thu, 5 Apr 2012 23:47:37 GMT+2", "2012-04-05T21:47:37+00:00"),
        ("Fri, 26 Aug 2005 12:00:00 Europe/Paris", "2005-08-26T10:00:00+00:00"),
        ("2003-12-31T10:14:55Z", "2003-12-31T10:14:55+00:00"),
        ("2003-12-31T10:14:55.123456+01:00", "2003-12-31T09:14:55+00:00"),
        ("2003-12-31 10:14:55 -0500", "2003-12-31T15:14:55+00:00"),
        ("2003-12-31T10:14", "2003-12-31T10:14:00+00:00"),
        ("20031231T101455Z", "2003-12-31T10:14:55+00:00"),
        ("2003-12", "2003-12-01T00:00:00+00:00"),
        ("2003", "2003-01-01T00:00:00+00:00"),
        ("2003-335", "2003-12-01T00:00:00+00:00"),
        ("2019-W04-1", "2019-01-21T00:00:00+00:00"),
        ("2020-01-01T24:00:00Z", "2020-01-02T00:00:00+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00"),
        ("2020/1/10 14:33", "2020-01-10T14:33:00+00:00"),
        ("31.12.2003 10:14", "2003-12-31T10:14:00+00:00"),
        ("4. März 2020, 10:11 Uhr", "2020-03-04T10:11:00+00:00"),
        ("12/31/2003 10:14:05 PM", "2003-12-31T22:14:05+00:00"),
        ("31/12/2003 10:14", "2003-12-31T10:14:00+00:00"),
        ("1/2/2024 12:04 AM", "2024-01-02T00:04:00+00:00"),
        ("July 4, 2013 at 3:15 pm EST", "2013-07-04T20:15:00+00:00"),
        ("Mon Jan 2 15:04:05 2006", "2006-01-02T15:04:05+00:00"),
        ("Mon Jan 02 2006 15:04:05 GMT-0700 (MST)", "2006-01-02T22:04:05+00:00"),
        ("Mon, 5 Dez 2016 10:00 +0100", "2016-12-05T09:00:00+00:00"),
        ("5 janv. 2016 10:00", "2016-01-05T10:00:00+00:00"),
        ("12 февраля 2021 08:30", "2021-02-12T08:30:00+00:00"),
        ("2004年05月28日 下午 3:04", "2004-05-28T15:04:00+00:00"),
        ("2004년 7월 8일 오후 11:23:17", "2004-07-08T23:23:17+00:00"),
        ("1700000000", "2023-11-14T22:13:20+00:00"),
        ("1700000000123", "2023-11-14T22:13:20+00:00"),
        ("Wed, 01 Jan 2020 10:00:00 JST", "2020-01-01T01:00:00+00:00"),
        ("Wed, 01 Jul 2020 10:00:00 CEST", "2020-07-01T08:00:00+00:00"),
        ("Wed, 01 Jul 2020 10:00:00 BST", "2020-07-01T09:00:00+00:00"),
        ("jeudi 23 mars 2017 à 12:20", "2017-03-23T12:20:00+00:00"),
    ],
)
def test_a_date_is_read(text: str, when: str) -> None:
    assert read(text) == when


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "Wed, 31 Feb 2016 00:00:00 GMT",
        "0000-00-00 00:00:00",
        "Mon, 01 Jan 0001 00:00:00 +0000",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Tue, 1 Jan 2019 10:00:00 +9900",
        "2019-13-01",
        "99999999999999999999",
        "Mon, 01 Jan 2019 10:00:00 GMT" + " " * 300,
        "1" * 10_000,
    ],
)
def test_what_is_no_believable_date_is_none(text: str) -> None:
    assert read(text) is None


def test_an_ambiguous_zone_is_settled_by_the_zone_of_the_source() -> None:
    text = "Wed, 01 Jan 2020 10:00:00 CST"
    assert read(text, "America/Chicago") == "2020-01-01T16:00:00+00:00"
    assert read(text, "Asia/Shanghai") == "2020-01-01T02:00:00+00:00"
    assert read(text) == "2020-01-01T16:00:00+00:00"


def test_a_time_without_zone_is_in_the_zone_of_the_source() -> None:
    assert read("2020-07-01 10:00", "Europe/Berlin") == "2020-07-01T08:00:00+00:00"
    assert read("2020-07-01 10:00") == "2020-07-01T10:00:00+00:00"
    assert read("2020-07-01 10:00", "Nowhere/Land") == "2020-07-01T10:00:00+00:00"


def test_a_date_without_time_says_so() -> None:
    day = DateReader().read("2020-07-01")
    minute = DateReader().read("2020-07-01 10:00")
    assert day is not None
    assert minute is not None
    assert (day.date_only, minute.date_only) == (True, False)


def test_only_so_many_odd_strings_are_guessed_at() -> None:
    reader = DateReader(guesses=1)
    assert reader.read("jeudi 23 mars 2017 à 12:21") is not None
    assert reader.read("jeudi 23 mars 2017 à 12:22") is None


MOMENTS = st.datetimes(datetime(1990, 1, 2), datetime(2199, 12, 30)).map(
    lambda d: d.replace(microsecond=0, tzinfo=UTC)
)


@given(MOMENTS)
def test_what_the_standards_write_is_read_exactly(moment: datetime) -> None:
    reader = DateReader()
    for text in (
        moment.isoformat(),
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        moment.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        moment.strftime("%d %b %Y %H:%M:%S +0000"),
        moment.strftime("%a %b %d %H:%M:%S %Y"),
    ):
        found = reader.read(text)
        assert found is not None
        assert found.when == moment


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    DateReader(guesses=0).read(text)

"""The dates that publishers write."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.feeds.parse import parse_document
from aggregator.feeds.values.dates import DateReader
from aggregator.feeds.values.months import calendar_of


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
        ("2003-12-31T10:14:55 01:00", "2003-12-31T09:14:55+00:00"),
        ("2003-12-31T10:14:55.123 0100", "2003-12-31T09:14:55+00:00"),
        ("{ts '2003-12-31 10:14:55'}", "2003-12-31T10:14:55+00:00"),
        ("Date: Wed, 31 Dec 2003 10:14:55 GMT", "2003-12-31T10:14:55+00:00"),
        ("Posted on: 31 December 2003", "2003-12-31T00:00:00+00:00"),
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
        # an offset and what it is called: Go, Ruby, Java, RFC 9557, JavaScript
        ("2025-02-03 10:00:00 +0000 UTC", "2025-02-03T10:00:00+00:00"),
        ("2025-02-03 10:00:00 +0100 CET", "2025-02-03T09:00:00+00:00"),
        ("2025-02-03 10:00:00 +0100 +0100", "2025-02-03T09:00:00+00:00"),
        ("2025-02-03 10:00:00.123456789 -0500 EST m=+0.000012345", "2025-02-03T15:00:00+00:00"),
        ("2025-02-03T10:00:00+01:00[Europe/Paris]", "2025-02-03T09:00:00+00:00"),
        ("2025-02-03T10:00+01:00[Europe/Paris]", "2025-02-03T09:00:00+00:00"),
        ("2025-02-03T10:00:00.5+01:00[Europe/Paris][u-ca=gregory]", "2025-02-03T09:00:00+00:00"),
        ("2025-02-03T10:00:00Z[Europe/Paris]", "2025-02-03T10:00:00+00:00"),
        ("2025-02-03T10:00:00[Europe/Paris]", "2025-02-03T09:00:00+00:00"),
        ("2025-02-03T10:00:00-03:00[America/Argentina/Buenos_Aires]", "2025-02-03T13:00:00+00:00"),
        ("Mon Feb 03 10:00:00 CET 2025", "2025-02-03T09:00:00+00:00"),
        ("Mon Feb 03 10:00:00 GMT+01:00 2025", "2025-02-03T09:00:00+00:00"),
        ("Mon Feb 03 10:00:00 +0100 2025", "2025-02-03T09:00:00+00:00"),
        ("Mon Feb  3 10:00:00 AM CET 2025", "2025-02-03T09:00:00+00:00"),
        (
            "Mon Feb 03 2025 10:00:00 GMT+0100 (Central European Standard Time)",
            "2025-02-03T09:00:00+00:00",
        ),
        ("Mon, 03 Feb 2025 10:00:00 +0100 CET", "2025-02-03T09:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 CET +0100", "2025-02-03T09:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 -0500 America/New_York", "2025-02-03T15:00:00+00:00"),
        ("Thu,28 Jul 2022 4:35:5 GMT+9", "2022-07-27T19:35:05+00:00"),
        ("/Date(1738576800000)/", "2025-02-03T10:00:00+00:00"),
        # North America
        ("Mon, 03 Feb 2025 10:00:00 AKST", "2025-02-03T19:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 HST", "2025-02-03T20:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 AST", "2025-02-03T14:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 NST", "2025-02-03T13:30:00+00:00"),
        ("Thu, 03 Jul 2025 10:00:00 NDT", "2025-07-03T12:30:00+00:00"),
        ("Thu, 03 Jul 2025 10:00:00 HDT", "2025-07-03T19:00:00+00:00"),
        ("Thu, 03 Jul 2025 10:00:00 MDT", "2025-07-03T16:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 ET", "2025-02-03T15:00:00+00:00"),
        ("Thu, 03 Jul 2025 10:00:00 ET", "2025-07-03T14:00:00+00:00"),
        ("July 3, 2025 10:00 AM Pacific Daylight Time", "2025-07-03T17:00:00+00:00"),
        ("Feb 3, 2025 10:00:00 AM Eastern Time", "2025-02-03T15:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 US/Eastern", "2025-02-03T15:00:00+00:00"),
        ("Mon, 03 Feb 2025 10:00:00 america/port-au-prince", "2025-02-03T15:00:00+00:00"),
        # months of other languages, which no other language has or the day's name tells
        ("Ke, 30 Lok 2013 11:34:37 +0000", "2013-10-30T11:34:37+00:00"),
        ("Ma, 03 Hel 2025 10:00:00 +0200", "2025-02-03T08:00:00+00:00"),
        ("3. helmikuuta 2025 klo 10.00", "2025-02-03T10:00:00+00:00"),
        ("Po, 03 úno 2025 10:00:00 +0100", "2025-02-03T09:00:00+00:00"),
        ("Pzt, 03 Şub 2025 10:00:00 +0300", "2025-02-03T07:00:00+00:00"),
        ("Δευ, 03 Φεβ 2025 10:00:00 +0200", "2025-02-03T08:00:00+00:00"),
        ("Пн, 03 лют 2025 10:00:00 +0200", "2025-02-03T08:00:00+00:00"),
        ("2025. február 3. 10:00", "2025-02-03T10:00:00+00:00"),
        ("pirmadienis, 2025 m. vasario 3 d. 10:00", "2025-02-03T10:00:00+00:00"),
        ("segunda-feira, 3 de fevereiro de 2025 às 10:00", "2025-02-03T10:00:00+00:00"),
        ("الاثنين, 03 فبراير 2025 10:00:00 +0300", "2025-02-03T07:00:00+00:00"),
        ("३ फ़रवरी 2025", "2025-02-03T00:00:00+00:00"),
        ("3 กุมภาพันธ์ 2025 10:00", "2025-02-03T10:00:00+00:00"),
        ("3 tháng 2, 2025 10:00", "2025-02-03T10:00:00+00:00"),
        ("3 กุมภาพันธ์ 2568 10:00", "2025-02-03T10:00:00+00:00"),
        ("03.02.25 10:00", "2025-02-03T10:00:00+00:00"),
        ("2025-02-03 10:00 (GMT+7)", "2025-02-03T03:00:00+00:00"),
        ("2025-02-03 10:00 (CET)", "2025-02-03T09:00:00+00:00"),
        ("2025-02-03 10:00 (night)", "2025-02-03T10:00:00+00:00"),
        ("Mon, 03/02/2025 10:00", "2025-02-03T10:00:00+00:00"),
        ("Sun, 03/02/2025 10:00", "2025-03-02T10:00:00+00:00"),
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


@pytest.mark.parametrize(
    ("language", "text", "month"),
    [
        ("hr", "3. listopada 2013", 10),
        ("pl", "3 listopada 2013", 11),
        ("cs", "3. srp 2013", 8),
        ("hr", "3. srp 2013", 7),
        ("fi-FI", "3 lokak. 2013", 10),
        ("no", "3. des 2013", 12),
        ("th", "3 ต.ค. 2013", 10),
        ("vi", "Thứ Năm, 3 tháng 10, 2013", 10),
        ("hi", "गुरु, 3 अक्टूबर 2013", 10),
        ("eu", "2013 urriaren 3", 10),
        ("lv", "2013. gada 3. oktobris", 10),
        ("zh-Hant", "2013年10月3日", 10),
        ("de", "Thu, 3 Oct 2013", 10),
        ("xx", "3 October 2013", 10),
        ("", "3 octobre 2013", 10),
    ],
)
def test_the_language_of_the_feed_says_what_a_month_is(
    language: str, text: str, month: int
) -> None:
    found = DateReader(guesses=0, language=language).read(text)
    assert found is not None
    assert (found.when.year, found.when.month, found.when.day) == (2013, month, 3)


@pytest.mark.parametrize(
    ("language", "month"),
    [("", 3), ("en", 3), ("en-US", 3), ("en-GB", 2), ("fr", 2), ("vi", 2), ("de-AT", 2), ("xx", 3)],
)
def test_the_language_says_which_comes_first_of_day_and_month(language: str, month: int) -> None:
    reader = DateReader(guesses=0, language=language)
    for text in ("03/02/2025 10:00", "25/02/2025 10:00"):
        found = reader.read(text)
        assert found is not None
        assert found.when.month == (month if text[0] == "0" else 2)


@pytest.mark.parametrize("language", ["en", "de", "fi", "pl", "el", "ru", "ar", "ja", "ta", "am"])
def test_every_month_of_a_language_is_read_by_its_name(language: str) -> None:
    calendar = calendar_of(language)
    assert calendar is not None
    assert set(calendar.months.values()) == set(range(1, 13))
    for name, month in calendar.months.items():
        if not any(c.isdigit() for c in name):
            found = DateReader(guesses=0, language=language).read(f"3 {name} 2025")
            assert found is not None
            assert (found.when.month, found.when.day) == (month, 3)


def test_the_language_is_taken_from_the_feed() -> None:
    items = "<item><guid>1</guid><pubDate>3. listopada 2013</pubDate></item>"
    for said in ("<language>hr</language>", "<dc:language>hr-HR</dc:language>"):
        document = f"<rss><channel>{said}{items}</channel></rss>"
        found = parse_document(document.encode()).entries[0].published
        assert found is not None
        assert found.month == 10
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="hr"><entry><id>1</id>'
        "<published>3. listopada 2013</published></entry></feed>"
    )
    published = parse_document(atom.encode()).entries[0].published
    assert published is not None
    assert published.month == 10


def test_only_so_many_odd_strings_are_guessed_at() -> None:
    reader = DateReader(guesses=1)
    assert reader.read("the 23rd of March in 2017, 12:21") is not None
    assert reader.read("the 23rd of March in 2017, 12:22") is None


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

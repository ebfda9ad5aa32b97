"""Freshness, Retry-After and Link headers (docs/design/fetching.md, rows 31–37, 48, 106)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch.freshness import freshness_of, http_date, retry_after_of
from aggregator.fetch.links import parse_links
from aggregator.model.http import Freshness

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SENT = datetime(2020, 5, 5, 5, tzinfo=UTC)  # their clock is years behind ours


def date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def seconds(**headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    max_age = freshness_of(named, NOW).max_age
    return None if max_age is None else max_age.total_seconds()


def test_a_silent_response_says_nothing() -> None:
    assert freshness_of({}, NOW) == Freshness()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("max-age=600", 600),
        ("public, MAX-AGE=600", 600),
        ('max-age="600"', 600),
        ("max-age = 600", 600),
        ("max-age=600, max-age=5", 600),
        ("s-maxage=9", None),
        ("max-age=0", 0),
        ("max-age=-1", 0),
        ("max-age=soon", 0),
        ("max-age", 0),
        ("private,,  ,max-age=60,", 60),
        ('ext="a, max-age=9", max-age=60', 60),
    ],
)
def test_row_31_max_age(value: str, expected: float | None) -> None:
    assert seconds(cache_control=value) == expected


def test_row_31_age_is_subtracted_and_never_below_zero() -> None:
    assert seconds(cache_control="max-age=600", age="100") == 500
    assert seconds(cache_control="max-age=600", age="9999") == 0
    assert seconds(cache_control="max-age=600", age="-5") == 600


def test_row_32_max_age_beats_expires() -> None:
    later = date(SENT + timedelta(hours=9))
    assert seconds(cache_control="max-age=60", date=date(SENT), expires=later) == 60
    assert seconds(cache_control="public", date=date(SENT), expires=later) == 9 * 3600


@pytest.mark.parametrize("expires", ["0", "-1", "never", "", date(SENT), date(SENT - NOW + SENT)])
def test_row_33_an_invalid_or_past_expires_is_stale_and_no_error(expires: str) -> None:
    assert seconds(date=date(SENT), expires=expires) == 0


def test_row_34_no_cache_voids_max_age() -> None:
    assert freshness_of({"cache-control": "no-cache, max-age=600"}, NOW) == Freshness(no_cache=True)
    assert freshness_of({"pragma": "no-cache"}, NOW).no_cache


def test_row_34_no_cache_about_a_field_is_about_that_field() -> None:
    found = freshness_of({"cache-control": 'no-cache="set-cookie", max-age=600'}, NOW)
    assert (found.no_cache, found.max_age) == (False, timedelta(seconds=600))


def test_row_35_no_store_is_noted() -> None:
    assert freshness_of({"cache-control": "no-store"}, NOW).no_store


def test_row_36_expires_counts_from_their_date_not_from_our_clock() -> None:
    assert seconds(date=date(SENT), expires=date(SENT + timedelta(hours=1))) == 3600
    assert seconds(expires=date(NOW + timedelta(hours=1))) == 3600


def test_row_37_the_heuristic_is_recorded_beside_no_max_age() -> None:
    old = date(SENT - timedelta(days=10))
    found = freshness_of({"date": date(SENT), "last-modified": old}, NOW)
    assert found == Freshness(heuristic=timedelta(days=1))


def test_row_43_an_absurd_max_age_does_not_overflow() -> None:
    assert (seconds(cache_control="max-age=" + "9" * 40) or 0) > 86400


@given(
    st.dictionaries(
        st.sampled_from(
            ["cache-control", "expires", "date", "age", "last-modified", "pragma", "retry-after"]
        ),
        st.text(max_size=80),
    )
)
def test_no_headers_make_it_fail_or_negative(headers: dict[str, str]) -> None:
    found = freshness_of(headers, NOW)
    retry = retry_after_of(headers, NOW)
    for span in (found.max_age, found.heuristic, retry):
        assert span is None or span >= timedelta(0)


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_all_three_forms_of_a_date_are_read(text: str) -> None:
    assert http_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        (date(SENT + timedelta(minutes=5)), 300),
        (date(SENT - timedelta(minutes=5)), 0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_row_48_retry_after(value: str, expected: float | None) -> None:
    found = retry_after_of({"retry-after": value, "date": date(SENT)}, NOW)
    assert found == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('<http://h/x>; rel="hub"', (("hub", "http://h/x"),)),
        ("<x>;rel=self,<y>;rel=HUB", (("self", "http://b/d/x"), ("hub", "http://b/d/y"))),
        (
            '<x>; title="a;b,c<d>"; rel="next prev"',
            (("next", "http://b/d/x"), ("prev", "http://b/d/x")),
        ),
        ('<x>; rel="self"; rel="hub"', (("self", "http://b/d/x"),)),
        ('<x>; rel="hub"; anchor="http://other/"', ()),
        ("<x>", ()),
        ("junk, <x>; rel=hub", (("hub", "http://b/d/x"),)),
        ("<http://[::1>; rel=hub", ()),
    ],
)
def test_row_106_link_headers(value: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert parse_links(value, "http://b/d/") == expected


@pytest.mark.parametrize("part", ["<", "<a>;", '<a>; rel="', " ", ";a= ", ",", "<a>;r=b;", '"'])
def test_a_hostile_link_header_takes_no_long_time_and_gives_few_links(part: str) -> None:
    value = (part * 65536)[:65536]
    assert len(parse_links("<a>; rel=x, " + value, "http://b/")) <= 50

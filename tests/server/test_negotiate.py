"""Content coding and conditional requests by RFC 9110."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.server.wire.negotiate import accepts_gzip, not_modified

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "gzip"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip; q=0.5", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("identity;q=1, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=1", True),
        ("identity;q=0, *", True),
        ("deflate", False),
        ("gzip;q=nonsense", False),
        ("gzip;q=2", False),
        (",,;;", False),
    ],
)
def test_gzip_is_sent_when_it_is_accepted_and_not_liked_less(
    header: str | None, gzip: bool
) -> None:
    assert accepts_gzip(header) is gzip


@given(st.text())
def test_any_accept_encoding_is_understood_somehow(header: str) -> None:
    assert accepts_gzip(header) in (True, False)


@pytest.mark.parametrize(
    ("none_match", "expected"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"x", {TAG}', True),
        (f'"x",{TAG},"y"', True),
        ("*", True),
        (" * ", True),
        ('"x"', False),
        ("abc", False),
        ("", False),
        ('"a,b", "abc', False),
    ],
)
def test_entity_tags_are_compared_weakly_one_by_one(none_match: str, expected: bool) -> None:
    assert not_modified(TAG, NOON, none_match, None) is expected


def test_a_sent_entity_tag_decides_alone() -> None:
    assert not not_modified(TAG, NOON, '"old"', format_datetime(NOON, usegmt=True))
    past = format_datetime(NOON - timedelta(days=1), usegmt=True)
    assert not_modified(TAG, NOON, TAG, past)


@pytest.mark.parametrize("microseconds", [0, 900_000])
def test_dates_are_compared_to_the_second(microseconds: int) -> None:
    changed = NOON.replace(microsecond=microseconds)
    assert not_modified(TAG, changed, None, format_datetime(NOON, usegmt=True))
    earlier = format_datetime(NOON - timedelta(seconds=1), usegmt=True)
    assert not not_modified(TAG, changed, None, earlier)


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Mar 2026 12:00:00 GMT"])
def test_an_invalid_date_is_ignored(date: str) -> None:
    assert not not_modified(TAG, NOON, None, date)


@given(st.text())
def test_any_condition_is_understood_somehow(text: str) -> None:
    assert not_modified(TAG, NOON, text, None) in (True, False)
    assert not_modified(TAG, NOON, None, text) in (True, False)

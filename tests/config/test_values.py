"""Values as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from aggregator.config.values.addresses import read_network, read_url
from aggregator.config.values.durations import read_duration, read_size, spell
from aggregator.config.values.plain import read_flag, read_id, read_zone, slug


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90), ("0", 0), ("1.5", 1.5), ("30m", 1800), ("1h30m", 5400), ("2 d", 172800),
        ("1 hour 5 minutes", 3900), ("1w", 604800), ("PT1H", 3600), ("P1DT12H", 129600),
        ("P2W", 1209600), ("PT0.5S", 0.5), ("15 Min", 900), ("0.5h", 1800),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert read_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "h", "1x", "-5m", "1h 2", "P", "PT", "P1M", "2 months", "12:30", "1e3", "٣m", "9" * 12],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        read_duration(text)


@given(st.integers(min_value=0, max_value=36500 * 86400))
def test_a_spelled_duration_reads_as_itself(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert read_duration(spell(duration)) == duration


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("5 MiB", 5 << 20), ("5MB", 5 << 20), ("1.5k", 1536), ("2G", 2 << 30)],
)
def test_sizes(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "true", "False", "ON"])
def test_yes_and_no(text: str) -> None:
    assert read_flag(text) is (text.casefold() in ("yes", "on", "true"))


@pytest.mark.parametrize("text", ["1", "0", "y", "maybe", ""])
def test_what_is_neither_yes_nor_no(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        read_flag(text)


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("feed://example.org/rss", "write “https://example.org/rss”"),
        ("feed:https://example.org/rss", "leave out “feed:”"),
        ("htps://example.org/rss", "did you mean “https”?"),
        ("www.example.org", "write “https://www.example.org”"),
        ("file:///etc/passwd", None),
        ("/etc/passwd", None),
        ("https://", None),
        ("https://exa mple.org/", None),
        ("https://example.org:99999/", None),
        ("https://[::1/", None),
    ],
)
def test_what_is_no_address_of_a_feed(text: str, better: str | None) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        read_url(text)
    assert (caught.value.context or {})["suggestion"] == better


@pytest.mark.parametrize(
    "text", ["https://example.org", "HTTP://Ex-ample.ORG:8080/a%20b?c=%zz#d", "https://müller.de/ä"]
)
def test_an_address_stays_as_it_is_written(text: str) -> None:
    assert read_url(text) == text


def test_a_network_with_bits_behind_its_prefix_names_the_right_one() -> None:
    with pytest.raises(PydanticCustomError) as caught:
        read_network("10.0.0.1/8")
    assert (caught.value.context or {})["suggestion"] == "write “10.0.0.0/8”"


@pytest.mark.parametrize("text", ["europe/berlin", "Berlin", "Europe/Berln"])
def test_a_zone_that_is_nearly_right_names_the_right_one(text: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        read_zone(text)
    assert (caught.value.context or {})["suggestion"] == "did you mean “Europe/Berlin”?"


@given(st.text())
def test_a_slug_is_an_id_or_nothing(text: str) -> None:
    made = slug(text)
    assert made == "" or read_id(made) == made

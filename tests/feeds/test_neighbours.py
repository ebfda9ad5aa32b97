"""Entries whose date nobody could read stand among their dated neighbours, never on top."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.feeds.neighbours import place_unread_dates
from aggregator.feeds.parse import parse_document
from aggregator.identity.keys import key_entries
from aggregator.identity.shown import shown_state
from aggregator.model.feed import ParsedEntry, ParsedFeed

DAY = timedelta(days=1)
START = datetime(2025, 2, 1, tzinfo=UTC)


def feed(*days: int | None, updated: datetime | None = None) -> ParsedFeed:
    """A feed with entries of these days of February; None is a date nobody could read."""
    entries = tuple(
        ParsedEntry(
            id=str(at), link=None, title=None, published_raw="when",
            published=None if day is None else START + (day - 1) * DAY,
        )
        for at, day in enumerate(days)
    )  # fmt: skip
    return ParsedFeed("rss", entries, updated=updated)


def placed(found: ParsedFeed) -> list[datetime | None]:
    return [entry.published for entry in place_unread_dates(found).entries]


def test_between_two_neighbours_it_stands_in_the_middle() -> None:
    assert placed(feed(9, None, 5)) == [START + 8 * DAY, START + 6 * DAY, START + 4 * DAY]
    assert placed(feed(9, None, None, 3))[1:3] == [START + 6 * DAY, START + 4 * DAY]
    assert placed(feed(3, None, 5))[1] == START + 3 * DAY


def test_at_the_ends_it_follows_the_order_of_the_document() -> None:
    second = timedelta(seconds=1)
    assert placed(feed(None, None, 9, 5))[:2] == [
        START + 8 * DAY + 2 * second,
        START + 8 * DAY + second,
    ]
    assert placed(feed(9, 5, None))[2] == START + 4 * DAY - second
    assert placed(feed(5, 9, None))[2] == START + 8 * DAY + second
    assert placed(feed(None, 5, 9))[0] == START + 4 * DAY - second


def test_without_dated_neighbours_the_date_of_the_feed_stands_for_all() -> None:
    assert placed(feed(None, None, updated=START)) == [START, START - timedelta(seconds=1)]
    assert placed(feed(None, None)) == [None, None]


def test_it_is_marked_and_the_others_are_not() -> None:
    entries = place_unread_dates(feed(9, None, 5)).entries
    assert [entry.date_inferred for entry in entries] == [False, True, False]


@given(st.lists(st.integers(1, 300) | st.none(), max_size=40))
def test_the_order_of_a_sorted_document_is_kept(days: list[int | None]) -> None:
    known = sorted((day for day in days if day is not None), reverse=True)
    newest_first = [known.pop(0) if day is not None else None for day in days]
    found = placed(feed(*newest_first))
    if any(day is not None for day in days):
        dates = [when for when in found if when is not None]
        assert len(dates) == len(days)
        assert all(later >= earlier - timedelta(seconds=1) for later, earlier in pairwise(dates))


RSS = "<item><guid>{n}</guid><title>t</title><pubDate>{date}</pubDate></item>"
DATES = ("Wed, 05 Feb 2025 10:00:00 GMT", "on a fine morning", "Mon, 03 Feb 2025 10:00:00 GMT")
MIDDLE = datetime(2025, 2, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize("broken", ["", "<x>&</x>", "<b>", "<a>" * 400 + "</a>" * 400])
def test_in_every_tier(broken: str) -> None:
    items = "".join(RSS.format(n=n, date=date) for n, date in enumerate(DATES))
    document = (
        f"<rss><channel><title>t</title>{items}<item><guid>9</guid>{broken}</item></channel></rss>"
    )
    entry = parse_document(document.encode()).entries[1]
    assert (entry.published, entry.date_inferred) == (MIDDLE, True)
    assert entry.published_raw == "on a fine morning"


def test_in_atom_and_json_too() -> None:
    entries = "".join(
        f"<entry><id>{n}</id><updated>{date}</updated></entry>" for n, date in enumerate(DATES)
    )
    atom = parse_document(f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode())
    assert (atom.entries[1].published, atom.entries[1].date_inferred) == (MIDDLE, True)
    for key in ("date_published", "date_modified"):
        items = [{"id": str(n), "title": "t", key: date} for n, date in enumerate(DATES)]
        document = {"version": "https://jsonfeed.org/version/1.1", "items": items}
        entry = parse_document(json.dumps(document).encode()).entries[1]
        assert (entry.published, entry.date_inferred) == (MIDDLE, True)


def test_an_entry_without_any_date_or_with_that_of_its_change_stays_as_it_is() -> None:
    items = RSS.format(n=1, date=DATES[0]) + "<item><guid>2</guid></item>"
    document = f"<rss><channel>{items}</channel></rss>"
    assert parse_document(document.encode()).entries[1].published is None
    changed = RSS.format(n=2, date="soon</pubDate><updated>2025-02-01</updated><pubDate>")
    document = f"<rss><channel>{RSS.format(n=1, date=DATES[0])}{changed}</channel></rss>"
    entry = parse_document(document.encode()).entries[1]
    assert (entry.published, entry.date_inferred) == (None, False)


def test_neither_key_nor_shown_state_move_with_the_neighbours() -> None:
    def keys(*days: int | None) -> list[str]:
        entries = [
            ParsedEntry(
                id=None, link="https://a.example/", title=f"t{at}", published_raw="when",
                published=None if day is None else START + day * DAY,
            )
            for at, day in enumerate(days)
        ]  # fmt: skip
        placed = place_unread_dates(ParsedFeed("rss", tuple(entries))).entries
        return [one.key for one in key_entries(placed, "link+date")]

    assert keys(9, None, 5)[1] == keys(8, None, 2)[1]
    inferred, unread = place_unread_dates(feed(9, None, 5)).entries[1], feed(9, None, 5).entries[1]
    assert shown_state(inferred) == shown_state(unread)

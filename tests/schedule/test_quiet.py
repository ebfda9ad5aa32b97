"""Quiet against the usual rhythm: by what was expected, never by a number of days."""

from __future__ import annotations

import pytest

from aggregator.schedule.quiet import quiet_since
from aggregator.schedule.shape import DAY, HOUR
from aggregator.schedule.state import Doubt, Habits, PolicyState

MONDAY = 4 * DAY  # 5 January 1970


def state(rate: float, days: float, habits: Habits = Habits()) -> PolicyState:  # noqa: B008
    """Something came at noon of a Monday at this rate a day, and nothing for so many days."""
    noon = MONDAY + 12 * HOUR
    return PolicyState(seen_at=noon + days * DAY, doubt=Doubt(since=noon, rate=rate), habits=habits)


@pytest.mark.parametrize(
    ("rate", "days", "quiet"),
    [
        (100.0, 0.9, False), (100.0, 1.1, True),
        (3.0, 2.0, False), (3.0, 2.5, True),
        (0.2, 30.0, False), (0.2, 36.0, True),
        (0.0, 300.0, False),
    ],
)  # fmt: skip
def test_a_source_is_quiet_when_seven_items_are_overdue_and_a_day_has_passed(
    rate: float, days: float, quiet: bool
) -> None:
    assert (quiet_since(state(rate, days), "UTC") is not None) == quiet


def test_a_source_of_working_days_is_not_quiet_at_the_weekend() -> None:
    weekdays = Habits(hour_n=(100.0,) * 24, hour_w=(10.0,) * 24, weekend_n=1.0, weekend_w=100.0)
    friday = 4.0  # days after Monday noon
    since = state(5.0, 0.0).doubt.since or 0.0
    seen = since + friday * DAY
    quiet = PolicyState(
        seen_at=seen + 2.5 * DAY, doubt=Doubt(since=seen, rate=5.0), habits=weekdays
    )
    assert quiet_since(quiet, "UTC") is None
    flat = PolicyState(seen_at=seen + 2.5 * DAY, doubt=Doubt(since=seen, rate=5.0))
    assert quiet_since(flat, "UTC") == seen


def test_a_source_of_which_nothing_is_known_is_not_quiet() -> None:
    assert quiet_since(PolicyState(), "UTC") is None

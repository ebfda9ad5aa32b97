"""Cron lines mean what crontab(5) says, in the source's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.model.poll import PollMode, PollSettings
from aggregator.schedule.cron import check_cron, next_cron
from aggregator.schedule.policy import plan_next
from tests.schedule.polls import DAY, HOUR, MONDAY, max_age, subscribed, unchanged


def after(expression: str, zone: str = "UTC", start: datetime = MONDAY) -> str:
    time = next_cron(expression, zone, start)
    assert time is not None
    assert time.utcoffset() == timedelta(0)
    return time.strftime("%a %d %H:%M")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/15 * * * *", "Mon 02 10:15"),
        ("0 9 * * *", "Tue 03 09:00"),
        ("0 9 * * 1", "Mon 09 09:00"),  # 1 is Monday, as in crontab
        ("0 9 * * 0", "Sun 08 09:00"),
        ("0 9 * * 7", "Sun 08 09:00"),
        ("0 9 * * 1-5", "Tue 03 09:00"),
        ("0 9 * * 6-7", "Sat 07 09:00"),
        ("0 9 * * fri-mon", "Fri 06 09:00"),
        ("0 9 * * */3", "Wed 04 09:00"),
        ("0 9 * * SUN,wed", "Wed 04 09:00"),
        ("0 9 15 * 5", "Fri 06 09:00"),  # both restricted: either will do
        ("0 9 4 * *", "Wed 04 09:00"),
    ],
)
def test_fields_mean_what_crontab_says(expression: str, expected: str) -> None:
    assert after(expression) == expected


def test_the_line_is_read_in_the_sources_zone() -> None:
    assert after("0 9 * * *", "America/New_York") == "Mon 02 14:00"
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert after("0 9 * * *", "America/New_York", summer) == "Wed 01 13:00"


def test_the_next_time_is_later_than_now() -> None:
    nine = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    assert next_cron("0 9 * * *", "UTC", nine) == nine + DAY


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "61 * * * *", "* * * * 8", "* * * * mon-xyz", "* * * * */0", "a b c d e"],
)
def test_an_unreadable_line_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        check_cron(expression)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        check_cron("* * * * *", "Mars/Olympus")


def test_a_line_that_never_comes_due_is_refused() -> None:
    with pytest.raises(ValueError, match="never"):
        check_cron("0 0 30 2 *")


def test_a_cron_source_is_polled_at_its_time_spread_over_a_minute() -> None:
    settings = PollSettings(PollMode.CRON, cron="0 12 * * *", explicit=True)
    state, plan = subscribed(DAY / 40, settings)
    noon = MONDAY.replace(hour=12, minute=0, second=0)
    assert noon <= plan.at < noon + timedelta(minutes=1)
    assert plan.reason == "cron"
    _, after_noon = plan_next(state, unchanged(), settings, plan.at, "source")
    assert noon + DAY <= after_noon.at < noon + DAY + timedelta(minutes=1)


def test_a_cron_default_yields_to_soft_floors_by_skipping_a_time() -> None:
    settings = PollSettings(PollMode.CRON, cron="0 * * * *", jitter=False)
    _, plan = subscribed(DAY / 40, settings, freshness=max_age(2 * HOUR))
    assert plan.at == MONDAY.replace(hour=13, minute=0, second=0)
    assert plan.reason == "max-age"

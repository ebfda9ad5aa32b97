"""Publishers that post at a fixed minute are polled just after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.model.http import Freshness
from aggregator.model.poll import Plan
from aggregator.schedule.policy import plan_next
from aggregator.schedule.snap import LONGEST_LAG, learn_lag, nearest, ready_second
from aggregator.schedule.state import Minutes, PolicyState
from tests.schedule.polls import (
    ADAPTIVE,
    DAY,
    EXACT,
    HOUR,
    MINUTE,
    MONDAY,
    STEADY,
    found,
    max_age,
    unchanged,
)

TOP = MONDAY.replace(minute=0, second=0)


def hourly(freshness: Freshness | None = None) -> tuple[PolicyState, Plan]:
    """A source that has published within two minutes of every full hour."""
    dates = [TOP - HOUR * k + timedelta(seconds=(k * 37) % 110) for k in range(25)]
    past = [date for date in dates if date <= MONDAY]
    first = found(past, overlap=None, conditional=False, freshness=freshness or Freshness())
    return plan_next(PolicyState(), first, replace(STEADY, explicit=True), MONDAY, "source")


def minutes(counts: dict[int, float]) -> Minutes:
    return Minutes(counts=tuple(counts.get(minute, 0.0) for minute in range(60)))


def test_polls_move_to_just_after_the_publishers_minute() -> None:
    _, plan = hourly()
    assert plan.reason == "snap"
    late = plan.at - plan.at.replace(minute=0, second=0, microsecond=0)
    assert timedelta(minutes=2) <= late <= timedelta(minutes=7)


def test_polls_stay_at_the_minute_hour_after_hour() -> None:
    state, plan = hourly()
    for _ in range(30):
        now = plan.at
        new = [now.replace(minute=0, second=20, microsecond=0)]
        state, plan = plan_next(state, found(new, now), EXACT, now, "source")
        assert plan.reason == "snap"
        assert timedelta(minutes=1) <= timedelta(minutes=plan.at.minute) <= 7 * MINUTE
        assert plan.at - now <= 2.1 * HOUR


def test_sources_of_one_minute_do_not_arrive_together() -> None:
    dates = [TOP - HOUR * k + timedelta(seconds=20) for k in range(20)]
    first = found(dates, overlap=None)
    arrivals = {plan_next(PolicyState(), first, EXACT, MONDAY, f"s{k}")[1].at for k in range(40)}
    assert len(arrivals) == 40
    assert max(arrivals) - min(arrivals) > 2 * MINUTE


def test_the_snap_never_undercuts_a_floor_nor_misses_the_hour_for_a_second() -> None:
    state, plan = hourly(freshness=max_age(HOUR))
    for _ in range(60):
        now = plan.at
        answer = unchanged(freshness=max_age(HOUR))
        state, plan = plan_next(state, answer, ADAPTIVE, now, "source")
        assert plan.at >= now + HOUR
        assert plan.at - now < 2 * HOUR + 10 * MINUTE or plan.wish > HOUR  # type: ignore[operator]


def test_twelve_items_of_which_four_fifths_agree_make_a_fixed_minute() -> None:
    assert ready_second(minutes({30: 10, 31: 2, 5: 3})) is not None
    assert ready_second(minutes({30: 9, 31: 2})) is None  # eleven
    assert ready_second(minutes({30: 9, 31: 2, 5: 4})) is None  # eleven of fifteen


def test_the_window_may_straddle_the_full_hour() -> None:
    ready = ready_second(minutes({58: 7, 0: 7}))
    assert ready is not None
    assert ready == 61 * 60 + 60.0  # the end of minute 0 of the next hour, and the lag


def test_nearest_looks_both_ways_but_not_before_the_earliest() -> None:
    hour = 3600.0
    assert nearest(300.0, 10 * hour + 900, 10 * hour) == 10 * hour + 300
    assert nearest(300.0, 10 * hour + 3000, 10 * hour) == 11 * hour + 300
    assert nearest(300.0, 10 * hour + 900, 10 * hour + 400) == 11 * hour + 300
    assert nearest(300.0, 10 * hour + 900, 13 * hour) == 13 * hour + 300


def test_items_that_show_up_late_push_the_moment_back() -> None:
    state = Minutes(lag=60.0)
    for hour in range(40):  # published on the hour, not there at +4 min, there at the next poll
        previous = hour * 3600.0 + 240
        state = learn_lag(state, [hour * 3600.0], previous, previous + 1800)
    assert 180 <= state.lag <= 300
    late = state.lag
    for hour in range(40):
        state = learn_lag(state, [hour * 3600.0], hour * 3600.0 - 1800, hour * 3600.0 + 200)
    assert state.lag < late
    assert 0 <= state.lag <= LONGEST_LAG


def test_an_empty_poll_at_the_minute_is_repeated_once_after_max_age() -> None:
    state, plan = hourly(freshness=max_age(20 * MINUTE))
    slow = replace(EXACT, price=timedelta(hours=6))
    now = plan.at
    state = replace(state, minutes=replace(state.minutes, snapped=True))
    state, retry = plan_next(state, unchanged(), slow, now, "source")
    assert retry.reason == "retry"
    assert retry.at - now == 20 * MINUTE
    _, after = plan_next(state, unchanged(), slow, retry.at, "source")
    assert after.reason != "retry"


def test_dates_without_a_time_make_no_fixed_minute() -> None:
    midnight = MONDAY.replace(hour=0, minute=0, second=0)
    dates = [midnight - DAY * k for k in range(25)]
    _, plan = plan_next(PolicyState(), found(dates, overlap=None), EXACT, MONDAY, "source")
    assert plan.reason == "rate"


def test_a_burst_is_not_held_back_by_the_minute() -> None:
    state, plan = hourly()
    now: datetime = plan.at
    burst = [now - MINUTE * 4 * k for k in range(8)]
    _, after = plan_next(state, found(burst, now), EXACT, now, "source")
    assert after.reason in ("burst", "minimum")

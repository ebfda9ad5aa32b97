"""The square-root law, the warm start and what the rate must not be misled by."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.model.poll import PRICES, PollKind, PollOutcome, PollSettings
from aggregator.schedule.policy import plan_next, replan
from aggregator.schedule.rate import cap_batches, slow_rate, tail
from aggregator.schedule.state import Pace, PolicyState
from aggregator.schedule.warm import document_span, warm_start
from tests.schedule.polls import (
    DAY,
    EXACT,
    HOUR,
    MINUTE,
    MONDAY,
    STEADY,
    found,
    repeat,
    subscribed,
    unchanged,
)


def around_the_clock(per_day: float, days: float, seed: int = 1) -> list[datetime]:
    """Dates of a Poisson source over the days before Monday."""
    rng = random.Random(seed)
    dates: list[datetime] = []
    at = MONDAY
    while True:
        at -= timedelta(days=rng.expovariate(per_day))
        if MONDAY - at > timedelta(days=days):
            return dates
        dates.append(at)


def known_rate(per_day: float) -> PolicyState:
    """A source that has been watched for long and publishes at any hour."""
    pace = Pace(20 * per_day, 20.0, 0.36 * per_day, 0.36, last_item=MONDAY.timestamp())
    return PolicyState(polled_at=MONDAY.timestamp(), seen_at=MONDAY.timestamp(), pace=pace)


def interval_of(per_day: float, settings: PollSettings = EXACT) -> timedelta:
    plan = replan(known_rate(per_day), settings, MONDAY, "source")
    assert plan.reason == "rate"
    return plan.at - MONDAY


def test_a_source_with_four_items_a_day_is_polled_every_hour() -> None:
    assert interval_of(4.0) / HOUR == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(("name", "factor"), [("frugal", 2.0), ("normal", 1.0), ("fresh", 0.5)])
def test_the_price_scales_the_interval(name: str, factor: float) -> None:
    assert interval_of(4.0, replace(EXACT, price=PRICES[name])) / HOUR == pytest.approx(
        factor, rel=0.01
    )


def test_sixteen_times_the_items_are_polled_three_times_as_often() -> None:
    assert interval_of(1.0) / interval_of(16.0) == pytest.approx(16**0.4, rel=0.05)


def test_a_cap_on_requests_can_only_slow_down() -> None:
    plain = interval_of(4.0)
    assert interval_of(4.0, replace(EXACT, slowdown=2.0)) == 2 * plain
    assert interval_of(4.0, replace(EXACT, slowdown=0.1)) == plain


def test_a_new_source_needs_no_learning_period() -> None:
    for per_day in (0.3, 2.0, 20.0, 100.0):
        dates = around_the_clock(per_day, 120 / per_day)[:40]
        known = slow_rate(warm_start(dates, MONDAY).pace)
        assert per_day / 2 < known < per_day * 2


def test_without_dates_half_an_item_a_day_is_assumed() -> None:
    state, plan = plan_next(
        PolicyState(), found([None] * 25, overlap=None, span=None), EXACT, MONDAY, "undated"
    )
    assert plan.rate == pytest.approx(0.5)
    assert state.pace.last_item == MONDAY.timestamp()


def test_a_pinned_ten_year_old_item_does_not_matter() -> None:
    dates = [MONDAY - HOUR * 6 * k for k in range(1, 25)]
    pinned = [*dates, MONDAY - timedelta(days=3650)]
    rate = slow_rate(warm_start(pinned, MONDAY).pace)
    assert slow_rate(warm_start(dates, MONDAY).pace) == pytest.approx(rate, rel=0.1)
    assert document_span(pinned, MONDAY) <= timedelta(days=7)  # type: ignore[operator]


def test_dates_in_the_future_are_ignored_by_the_warm_start() -> None:
    dates = [MONDAY - HOUR * 6 * k for k in range(1, 25)]
    ahead = [*dates, MONDAY + timedelta(days=400)]
    assert warm_start(ahead, MONDAY) == warm_start(dates, MONDAY)


def test_dates_without_a_time_say_nothing_about_hours_and_minutes() -> None:
    midnight = MONDAY.replace(hour=0, minute=0, second=0)
    state = warm_start([midnight - DAY * (k / 2).__floor__() for k in range(25)], MONDAY)
    assert state.minutes.midnight == 1.0
    assert sum(state.habits.hour_n) == 0
    assert sum(state.minutes.counts) == 0
    assert 1.0 < slow_rate(state.pace) < 4.0


def test_more_than_three_items_in_ten_minutes_are_one_batch() -> None:
    assert cap_batches([100.0 + k for k in range(20)]) == [100.0, 101.0, 102.0]
    assert len(cap_batches([k * 300.0 for k in range(10)])) == 10


def watch(
    state: PolicyState,
    start: datetime,
    dates: list[datetime],
    days: float,
    *,
    every: timedelta = HOUR,
    show: bool = True,
) -> PolicyState:
    """Poll a source whose items appear at `dates`, once `every` so often, for so many days."""
    now, previous = start, start
    pending = sorted(dates)
    while now < start + timedelta(days=days):
        now += every
        new = [date for date in pending if previous < date <= now]
        outcome = found([d if show else None for d in new]) if new else unchanged()
        state, _ = plan_next(state, outcome, STEADY, now, "source")
        previous = now
    return state


def published_after(start: datetime, per_day: float, days: float) -> list[datetime]:
    return [start + (MONDAY - date) for date in around_the_clock(per_day, days, seed=3)]


@pytest.mark.parametrize("per_day", [0.5, 5.0, 40.0])
@pytest.mark.parametrize("dated", [True, False])
def test_watching_a_source_finds_its_rate(per_day: float, dated: bool) -> None:
    state = watch(
        warm_start([], MONDAY), MONDAY, published_after(MONDAY, per_day, 28), 28, show=dated
    )
    assert per_day / 2 < slow_rate(state.pace) < per_day * 2


def test_a_week_of_our_being_away_leaves_the_rate_within_a_factor_of_two() -> None:
    start = MONDAY + timedelta(days=28)
    state = watch(warm_start([], MONDAY), MONDAY, published_after(MONDAY, 10, 28), 28)
    missed = [start + HOUR * 2.4 * k for k in range(1, 71)]
    back = start + timedelta(days=7)
    outcome = found(missed[-25:], back, overlap=0.0)
    state, plan = plan_next(state, outcome, STEADY, back, "source")
    assert 5 < slow_rate(state.pace) < 20
    assert state.window.squeeze == 1
    assert plan.at - back <= 1.1 * HOUR


def test_a_flip_of_all_ids_leaves_the_rate_within_a_factor_of_two() -> None:
    state = watch(warm_start([], MONDAY), MONDAY, published_after(MONDAY, 4, 28), 28)
    now = MONDAY + timedelta(days=28, hours=1)
    old = [now - HOUR * 6 * k for k in range(1, 26)]
    state, _ = plan_next(state, found(old, now, overlap=0.0), STEADY, now, "source")
    assert 2 < slow_rate(state.pace) < 8


def test_a_document_written_all_at_once_does_not_look_like_a_flood() -> None:
    state, _ = subscribed(timedelta(0), count=25)
    assert slow_rate(state.pace) < 40
    now = MONDAY
    for day in range(1, 15):  # a digest of 25 a day
        for hour in range(24):
            now = MONDAY + timedelta(days=day, hours=hour)
            outcome = found([now] * 25, now, overlap=0.0) if hour == 12 else unchanged()
            state, _ = plan_next(state, outcome, STEADY, now, "source")
    assert slow_rate(state.pace) < 6  # a batch counts three


def test_the_chance_of_a_poll_is_the_tail_of_a_poisson_distribution() -> None:
    assert tail(0, 3.0) == 1.0
    assert tail(1, 2.0) == pytest.approx(1 - math.exp(-2))
    assert tail(3, 0.33) == pytest.approx(0.00469, rel=0.01)
    assert tail(500, 1.0) == 0.0


@pytest.mark.parametrize("per_day", [0.5, 2.0, 6.0, 15.0])
def test_a_tenfold_burst_is_followed_within_three_polls_that_bring_items(per_day: float) -> None:
    settings = PollSettings(jitter=False, explicit=True, minimum=timedelta(minutes=1))
    state, calm = known_rate(per_day), interval_of(per_day)
    plan = replan(state, settings, MONDAY, "source")
    brought, last, waits = 0, MONDAY, []
    step = DAY / (10 * per_day)
    while brought < 3:
        now = plan.at
        new = [last + step * k for k in range(1, int((now - last) / step) + 1)]
        outcome = found(new, now, overlap=0.8) if new else unchanged()
        state, plan = plan_next(state, outcome, settings, now, "source")
        if new:
            brought, last = brought + 1, new[-1]
            assert plan.wish is not None
            waits.append(plan.wish)
    assert min(waits) <= calm * 10**-0.4 * 1.25  # a known tenfold rate: calm / 2.5


def test_a_burst_fades() -> None:
    now = MONDAY + HOUR
    burst = [now - MINUTE * 7 * k for k in range(6)]
    state, plan = plan_next(known_rate(3.0), found(burst, now), EXACT, now, "source")
    assert plan.reason == "burst"
    assert plan.at - now < interval_of(3.0) / 2
    steps = repeat(state, plan, unchanged(), 40, EXACT)
    assert steps[-1][0].pace.boost == 0.0
    assert steps[-1][2] > interval_of(3.0) * 0.9


def test_a_single_item_of_a_quiet_source_is_no_burst() -> None:
    state, plan = subscribed(timedelta(days=9), EXACT, count=10)
    state, after = plan_next(state, found([plan.at]), EXACT, plan.at, "source")
    assert state.pace.boost == 0.0
    assert plan.wish is not None
    assert after.wish is not None
    assert after.wish > plan.wish / 1.5


def test_a_quiet_source_is_looked_at_every_six_hours_and_a_silent_one_daily() -> None:
    _, quiet = subscribed(timedelta(days=25), EXACT, count=6)
    assert quiet.wish == timedelta(hours=6)
    dead_since = MONDAY - timedelta(days=40)
    dates = [dead_since - timedelta(days=40 * k) for k in range(10)]
    _, silent = plan_next(PolicyState(), found(dates, overlap=None), EXACT, MONDAY, "source")
    assert silent.wish is not None
    assert timedelta(hours=6) < silent.wish <= timedelta(hours=24)
    never = replace(known_rate(0.0), pace=Pace(0.0, 20.0, 0.0, 0.36, last_item=1.0))
    assert replan(never, replace(EXACT, price=PRICES["frugal"]), MONDAY, "s").reason == "silent"


def test_a_push_counts_items_but_does_not_postpone_the_poll() -> None:
    state, plan = subscribed(DAY / 4, STEADY)
    now = MONDAY + 20 * MINUTE
    push = PollOutcome(PollKind.PUSH, new_dates=(now, now), push=True)
    pushed, after = plan_next(state, push, STEADY, now, "source")
    assert pushed.pace.slow_n > state.pace.slow_n
    assert pushed.polled_at == state.polled_at
    assert after.at <= plan.at


def test_the_plan_of_a_source_depends_on_nothing_but_itself() -> None:
    state, plan = subscribed(DAY / 4)
    again_state, again = subscribed(DAY / 4)
    assert (state, plan) == (again_state, again)


def test_the_zone_moves_the_day() -> None:
    mornings = [
        datetime(2026, 2, 1, 8, 10 * k, tzinfo=UTC) + timedelta(days=day)
        for day in range(28)
        for k in range(3)
    ]
    night = datetime(2026, 3, 3, 22, 0, tzinfo=UTC)
    state = warm_start(mornings, night)
    _, late = plan_next(state, unchanged(), EXACT, night, "source")
    _, morning = plan_next(state, unchanged(), EXACT, datetime(2026, 3, 3, 7, 30, tzinfo=UTC), "s")
    assert late.wish is not None
    assert morning.wish is not None
    assert morning.wish < late.wish / 2

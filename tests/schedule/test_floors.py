"""Hints of the publisher and our own gate: floors under the next poll, never ceilings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.model.feed import FeedHints
from aggregator.model.http import Freshness
from aggregator.model.poll import (
    Floor,
    HostFloors,
    PlanReason,
    PollKind,
    PollMode,
    PollOutcome,
    PollSettings,
)
from aggregator.schedule.policy import first_plan, plan_next, refresh_allowed, replan
from aggregator.schedule.state import PolicyState
from tests.schedule.polls import (
    DAY,
    EXACT,
    HOUR,
    MINUTE,
    MONDAY,
    STEADY,
    failed,
    found,
    max_age,
    subscribed,
    unchanged,
)

# Forty items a day at no particular minute: without floors it is polled every 24 minutes or so.
BUSY = DAY / 40.7
FIXED = PollSettings(mode=PollMode.INTERVAL, interval=timedelta(minutes=60), jitter=False)


def floor_names(floors: tuple[Floor, ...]) -> set[str]:
    return {floor.name for floor in floors}


def test_max_age_is_a_floor() -> None:
    _, plan = subscribed(BUSY, STEADY, freshness=max_age(3 * HOUR))
    assert plan.reason == "max-age"
    assert MONDAY + 3 * HOUR <= plan.at <= MONDAY + 3 * HOUR + 3 * MINUTE
    assert "not before 2026-03-02 13:00 UTC, as the server says that its answer" in plan.detail


def test_max_age_is_no_ceiling() -> None:
    _, plan = subscribed(DAY, STEADY, freshness=max_age(5 * MINUTE))
    assert plan.at > MONDAY + HOUR


def test_an_absurd_max_age_is_cut_to_a_day() -> None:
    _, plan = subscribed(BUSY, STEADY, freshness=max_age(timedelta(days=365)))
    assert MONDAY + DAY <= plan.at <= MONDAY + DAY + 3 * MINUTE


def test_no_cache_overrides_max_age() -> None:
    stale = Freshness(max_age=timedelta(hours=5), no_cache=True)
    _, plan = subscribed(BUSY, STEADY, freshness=stale)
    assert "max-age" not in floor_names(plan.floors)


def test_heuristic_freshness_is_never_a_floor() -> None:
    _, plan = subscribed(BUSY, STEADY, freshness=Freshness(heuristic=timedelta(hours=20)))
    assert plan.at < MONDAY + 2 * HOUR


def test_a_304_without_cache_control_keeps_the_max_age_of_the_200() -> None:
    state, plan = subscribed(BUSY, STEADY, freshness=max_age(3 * HOUR))
    _, after = plan_next(state, unchanged(), STEADY, plan.at, "source")
    assert after.reason == "max-age"
    assert after.at >= plan.at + 3 * HOUR


def test_of_two_max_ages_on_200_and_304_the_shorter_holds() -> None:
    state, plan = subscribed(BUSY, STEADY, freshness=max_age(2 * HOUR))
    _, longer = plan_next(state, unchanged(freshness=max_age(9 * HOUR)), STEADY, plan.at, "s")
    _, shorter = plan_next(state, unchanged(freshness=max_age(90 * MINUTE)), STEADY, plan.at, "s")
    assert timedelta(hours=2) <= longer.at - plan.at < timedelta(hours=3)
    assert timedelta(minutes=90) <= shorter.at - plan.at < timedelta(hours=2)


def test_a_200_without_max_age_forgets_the_old_one() -> None:
    state, plan = subscribed(BUSY, STEADY, freshness=max_age(3 * HOUR))
    _, after = plan_next(state, found([plan.at]), STEADY, plan.at, "source")
    assert "max-age" not in floor_names(after.floors)


def test_ttl_is_a_floor_clamped_to_a_day() -> None:
    _, plan = subscribed(BUSY, STEADY, hints=FeedHints(ttl=timedelta(hours=4)))
    _, absurd = subscribed(BUSY, STEADY, hints=FeedHints(ttl=timedelta(days=90)))
    assert plan.reason == "ttl"
    assert MONDAY + 4 * HOUR <= plan.at <= MONDAY + 4.1 * HOUR
    assert absurd.at <= MONDAY + 24.1 * HOUR


def test_the_longest_of_contradicting_hints_holds() -> None:
    hints = FeedHints(ttl=timedelta(minutes=5), syndication=timedelta(hours=2))
    _, plan = subscribed(BUSY, STEADY, hints=hints, freshness=max_age(90 * MINUTE))
    assert plan.reason == "max-age"
    assert {"ttl", "syndication", "max-age"} <= floor_names(plan.floors)


@pytest.mark.parametrize(
    ("period", "hours"), [(timedelta(hours=6), 3), (timedelta(hours=23), 11.5)]
)
def test_syndication_counts_half(period: timedelta, hours: float) -> None:
    _, plan = subscribed(BUSY, STEADY, hints=FeedHints(syndication=period))
    assert plan.reason == "syndication"
    assert hours * HOUR <= plan.at - MONDAY <= (hours + 0.1) * HOUR


def test_syndication_of_a_day_or_more_is_ignored() -> None:
    _, plan = subscribed(BUSY, STEADY, hints=FeedHints(syndication=timedelta(days=1)))
    assert "syndication" not in floor_names(plan.floors)


def test_skipped_hours_are_skipped() -> None:
    hints = FeedHints(skip_hours=frozenset({10, 11, 12}))  # GMT; it is 10:00 now
    _, plan = subscribed(BUSY, STEADY, hints=hints)
    assert plan.reason == "skip-hours"
    assert plan.at.hour == 13
    assert plan.at.minute < 5


def test_skipped_days_are_skipped_whole() -> None:
    saturday = datetime(2026, 3, 7, 9, 0, tzinfo=UTC)
    hints = FeedHints(skip_days=frozenset({5, 6}))
    _, plan = subscribed(BUSY, STEADY, now=saturday, hints=hints)
    assert plan.reason == "skip-days"
    assert plan.at.date() == datetime(2026, 3, 9).date()


def test_a_skipped_hour_after_a_skipped_day_is_skipped_too() -> None:
    sunday = datetime(2026, 3, 8, 23, 0, tzinfo=UTC)
    hints = FeedHints(skip_days=frozenset({6}), skip_hours=frozenset({0, 1}))
    _, plan = subscribed(BUSY, STEADY, now=sunday, hints=hints)
    assert plan.at.date() == datetime(2026, 3, 9).date()
    assert plan.at.hour == 2


def test_lists_of_all_hours_or_all_days_are_ignored() -> None:
    hints = FeedHints(skip_hours=frozenset(range(24)), skip_days=frozenset(range(7)))
    _, plan = subscribed(BUSY, STEADY, hints=hints)
    assert plan.at < MONDAY + 2 * HOUR


def test_without_evidence_the_gate_is_one_hour() -> None:
    _, plan = subscribed(BUSY, STEADY)  # validators there, but not proven yet
    assert plan.reason == "gate"
    assert MONDAY + HOUR <= plan.at <= MONDAY + HOUR + 3 * MINUTE


def working(every: timedelta, freshness: Freshness | None = None) -> tuple[PolicyState, datetime]:
    """A source whose validators have proved themselves."""
    state, plan = subscribed(every, STEADY, freshness=freshness or Freshness())
    for _ in range(3):
        now = plan.at
        state, plan = plan_next(state, unchanged(), STEADY, now, "source")
    return state, now


def test_working_validators_open_the_gate_for_a_busy_source() -> None:
    state, now = working(BUSY)
    plan = replan(state, STEADY, now, "source")
    assert plan.at - now < 40 * MINUTE
    assert "gate" not in floor_names(plan.floors)


def test_a_quiet_source_stays_behind_the_gate() -> None:
    fresh = replace(STEADY, price=timedelta(minutes=10))
    state, now = working(DAY / 5)
    plan = replan(state, fresh, now, "source")
    assert plan.reason == "gate"
    assert plan.at >= now + HOUR


@pytest.mark.parametrize("minutes", [10, 30, 59])
def test_a_publisher_may_invite_us_through_the_gate(minutes: int) -> None:
    fresh = replace(STEADY, price=timedelta(minutes=5))
    state, now = working(DAY / 5, freshness=max_age(timedelta(minutes=minutes)))
    plan = replan(state, fresh, now, "source")
    assert timedelta(minutes=minutes) <= plan.at - now < timedelta(minutes=max(minutes, 15) + 4)


def test_validators_that_do_not_work_close_the_gate_again() -> None:
    state, now = working(BUSY)
    blind = PollOutcome(PollKind.SAME_BODY, 200, conditional=True, had_validators=True)
    for _ in range(4):
        now += HOUR
        state, plan = plan_next(state, blind, STEADY, now, "source")
    assert plan.reason == "gate"


@pytest.mark.parametrize(("size", "hours"), [(100_000, 2), (300_000, 6)])
def test_without_validators_the_gate_grows_with_the_body(size: int, hours: int) -> None:
    _, plan = subscribed(1.013 * DAY, replace(STEADY, price=5 * MINUTE), had_validators=False,
                         body_bytes=size)  # fmt: skip
    assert plan.reason == "gate"
    assert hours * HOUR <= plan.at - MONDAY <= (hours + 0.1) * HOUR


def test_the_blind_gate_does_not_cost_items_of_a_short_document() -> None:
    _, plan = subscribed(HOUR / 10, STEADY, had_validators=False, body_bytes=300_000)
    assert plan.at - MONDAY < 1.5 * HOUR  # 25 items reach back two hours and a half


def test_an_explicit_poll_waives_soft_floors_and_says_so() -> None:
    explicit = replace(FIXED, explicit=True, interval=timedelta(minutes=20))
    hints = FeedHints(ttl=timedelta(hours=5), skip_hours=frozenset({10, 11}))
    _, plan = subscribed(BUSY, explicit, hints=hints, freshness=max_age(3 * HOUR))
    assert plan.at == MONDAY + 20 * MINUTE
    assert plan.reason == "interval"
    assert "its own “poll” goes first, although" in plan.detail
    assert {"ttl", "max-age", "gate"} <= floor_names(plan.floors)


def test_the_default_interval_yields_to_soft_floors() -> None:
    _, plan = subscribed(BUSY, FIXED, freshness=max_age(3 * HOUR))
    assert plan.reason == "max-age"
    assert plan.at >= MONDAY + 3 * HOUR


def test_the_default_interval_is_an_hour() -> None:
    _, plan = subscribed(BUSY, FIXED)
    assert plan.at == MONDAY + HOUR
    assert plan.reason == "interval"
    assert plan.detail.startswith("every 60 min")


def test_torn_documents_halve_the_interval_and_undercut_soft_floors_down_to_an_hour() -> None:
    state, plan = subscribed(DAY / 2, STEADY, freshness=max_age(12 * HOUR))
    torn = found([plan.at - 20 * MINUTE * k for k in range(20)], plan.at, overlap=0.2,
                 freshness=max_age(12 * HOUR))  # fmt: skip
    _, after = plan_next(state, torn, STEADY, plan.at, "source")
    assert HOUR <= after.at - plan.at <= 2 * HOUR


def test_the_interval_never_exceeds_half_of_what_the_document_reaches_back() -> None:
    state, plan = subscribed(HOUR, STEADY, count=8)
    assert plan.at - MONDAY <= timedelta(hours=4)
    slow = replace(FIXED, interval=timedelta(hours=12))
    _, fixed = plan_next(state, found([plan.at], span=timedelta(hours=7)), slow, plan.at, "source")
    assert fixed.reason == "window"
    assert fixed.at - plan.at == timedelta(hours=3.5)


def test_a_verified_push_makes_polling_a_slow_check() -> None:
    _, plan = subscribed(BUSY, STEADY, push=True)
    assert plan.reason == "push"
    assert plan.at >= MONDAY + 6 * HOUR


def test_an_archive_document_is_never_polled_again() -> None:
    _, plan = subscribed(BUSY, STEADY, archive=True)
    assert plan.dead
    assert plan.reason == "archive"
    assert plan.at >= MONDAY + timedelta(days=365)


def test_a_floor_of_the_host_holds_for_an_explicit_poll_too() -> None:
    until = MONDAY + 7 * HOUR
    host = HostFloors((Floor(PlanReason.BREAKER, until, hard=True),))
    outcome = found([MONDAY], overlap=None)
    for settings in (STEADY, EXACT, FIXED, PollSettings(PollMode.CRON, cron="* * * * *")):
        _, plan = plan_next(PolicyState(), outcome, settings, MONDAY, "source", host)
        assert plan.at >= until
        assert plan.reason == "breaker"
    assert first_plan(MONDAY, host).at == until


def test_a_throttled_host_slows_its_sources() -> None:
    state, plan = subscribed(DAY / 4.07, EXACT)
    _, slowed = plan_next(state, unchanged(), EXACT, plan.at, "source", HostFloors(slowdown=4.0))
    _, usual = plan_next(state, unchanged(), EXACT, plan.at, "source")
    assert slowed.wish is not None
    assert usual.wish is not None
    assert slowed.wish / usual.wish == pytest.approx(4.0)
    assert slowed.reason == "throttled"


def test_sources_under_one_floor_do_not_arrive_together() -> None:
    hints = FeedHints(skip_hours=frozenset({10, 11, 12}))
    outcome = found([MONDAY - HOUR * k for k in range(20)], overlap=None, hints=hints)
    arrivals = {
        plan_next(PolicyState(), outcome, STEADY, MONDAY, f"source{k}")[1].at for k in range(50)
    }
    assert len(arrivals) > 40
    assert max(arrivals) - min(arrivals) > MINUTE


def test_jitter_stays_within_five_per_cent_and_spreads() -> None:
    settings = replace(FIXED, jitter=True, explicit=True)
    outcome = found([MONDAY - HOUR * k for k in range(20)], overlap=None)
    waits = [
        (plan_next(PolicyState(), outcome, settings, MONDAY, f"source{k}")[1].at - MONDAY) / HOUR
        for k in range(200)
    ]
    assert 0.95 <= min(waits) < 0.96
    assert 1.04 < max(waits) <= 1.05


def test_a_refresh_by_hand_waits_for_hard_floors_and_a_minute_only() -> None:
    state, plan = subscribed(BUSY, STEADY, freshness=max_age(3 * HOUR))
    soon = refresh_allowed(state, MINUTE, MONDAY + timedelta(seconds=59))
    assert soon is not None
    assert soon.name == "min-refresh"
    assert refresh_allowed(state, MINUTE, MONDAY + MINUTE) is None
    held, _ = plan_next(
        state, failed(429, retry_after=timedelta(hours=2)), STEADY, plan.at, "source"
    )
    floor = refresh_allowed(held, MINUTE, plan.at + HOUR)
    assert floor is not None
    assert floor.name == "retry-after"
    assert refresh_allowed(held, MINUTE, plan.at + 2 * HOUR) is None


def test_a_changed_interval_counts_from_the_last_poll() -> None:
    state, _ = subscribed(DAY, STEADY)
    quick = replace(FIXED, interval=timedelta(minutes=30), explicit=True)
    assert replan(state, quick, MONDAY + 10 * MINUTE, "source").at == MONDAY + 30 * MINUTE
    assert replan(state, quick, MONDAY + 90 * MINUTE, "source").at == MONDAY + 90 * MINUTE


def test_a_source_never_polled_is_polled_at_once() -> None:
    plan = replan(PolicyState(), STEADY, MONDAY, "source")
    assert plan.at == MONDAY
    assert plan.reason == "new"


def test_a_busy_host_postpones_without_teaching_anything() -> None:
    state, plan = subscribed(DAY / 4, STEADY)
    until = plan.at + 3 * MINUTE
    busy = PollOutcome(PollKind.BUSY, retry_at=until)
    after, again = plan_next(state, busy, STEADY, plan.at, "source")
    assert until <= again.at <= until + timedelta(seconds=5)
    assert again.reason == "busy"
    assert replace(after, polls=state.polls) == state

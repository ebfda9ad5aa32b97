"""What holds for every state, answer and hint: floors are kept, plans are finite and repeatable."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.model.feed import FeedHints
from aggregator.model.http import Freshness
from aggregator.model.poll import (
    Floor,
    HostFloors,
    Plan,
    PlanReason,
    PollKind,
    PollMode,
    PollOutcome,
    PollSettings,
)
from aggregator.schedule.policy import plan_next
from aggregator.schedule.state import PolicyState
from tests.schedule.polls import DAY, HOUR, MINUTE, MONDAY

ages = st.none() | st.timedeltas(timedelta(0), timedelta(days=400))
hints = st.builds(
    FeedHints,
    ttl=ages,
    syndication=ages,
    skip_hours=st.frozensets(st.integers(0, 23)),
    skip_days=st.frozensets(st.integers(0, 6)),
)
freshness = st.builds(Freshness, max_age=ages, no_cache=st.booleans(), heuristic=ages)


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[timedelta, PollOutcome]:
    """An answer, and how long after its planned time it came."""
    kind = draw(st.sampled_from(PollKind))
    status = draw(st.sampled_from([None, 200, 204, 304, 401, 403, 404, 410, 429, 500, 503]))
    ago = draw(st.lists(st.none() | st.timedeltas(-2 * DAY, timedelta(days=4000)), max_size=30))
    outcome = PollOutcome(
        kind,
        status,
        draw(st.sampled_from([None, "dns", "http", "html", "bot_challenge"])),
        new_dates=tuple(None if age is None else MONDAY - age for age in ago),
        entries=len(ago),
        overlap=draw(st.none() | st.floats(0, 1)),
        span=draw(ages),
        freshness=draw(freshness),
        hints=draw(st.none() | hints),
        retry_after=draw(ages),
        retry_at=MONDAY,
        conditional=draw(st.booleans()),
        had_validators=draw(st.booleans()),
        body_bytes=draw(st.integers(0, 10_000_000)),
        push=draw(st.booleans()),
    )
    return draw(st.timedeltas(timedelta(0), timedelta(days=3))), outcome


wishes = st.builds(
    PollSettings,
    mode=st.sampled_from(PollMode),
    interval=st.timedeltas(timedelta(minutes=1), timedelta(days=2)),
    cron=st.sampled_from(["* * * * *", "0 9 * * 1-5", "*/20 * * * *", "0 0 1 1 *"]),
    explicit=st.booleans(),
    price=st.timedeltas(timedelta(minutes=5), timedelta(hours=6)),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
    jitter=st.booleans(),
    slowdown=st.floats(1.0, 10.0),
)
host_floors = st.builds(
    lambda waits, slowdown: HostFloors(
        tuple(Floor(PlanReason.BREAKER, MONDAY + wait, hard=True) for wait in waits), slowdown
    ),
    st.lists(st.timedeltas(timedelta(0), timedelta(days=20)), max_size=2),
    st.floats(1.0, 64.0),
)


def run(
    history: list[tuple[timedelta, PollOutcome]], wanted: PollSettings, host: HostFloors
) -> list[tuple[PolicyState, PollOutcome, datetime, PolicyState, Plan]]:
    """Each poll: the state before, the answer, when it came, the state after, the plan."""
    state, now = PolicyState(), MONDAY
    polls = []
    for late, outcome in history:
        before = state
        state, plan = plan_next(before, outcome, wanted, now, "source", host)
        polls.append((before, outcome, now, state, plan))
        now = plan.at + late
    return polls


histories = st.lists(outcomes(), min_size=1, max_size=6)


@settings(max_examples=150)
@given(histories, wishes, host_floors)
def test_no_hard_floor_is_ever_broken(
    history: list[tuple[timedelta, PollOutcome]], wanted: PollSettings, host: HostFloors
) -> None:
    for _, outcome, now, _, plan in run(history, wanted, host):
        if outcome.kind is PollKind.BUSY:
            continue  # nothing was asked; the host's floors met it already
        assert all(plan.at >= floor.until for floor in host.floors)
        if outcome.kind is PollKind.ERROR and outcome.retry_after:
            assert plan.at >= now + min(outcome.retry_after, timedelta(days=30))
        if outcome.kind is PollKind.ERROR and outcome.status in (429, 503):
            assert outcome.retry_after is not None or plan.at >= now + HOUR


@settings(max_examples=150)
@given(histories, wishes)
def test_soft_floors_hold_unless_waived_or_the_window_overflows(
    history: list[tuple[timedelta, PollOutcome]], wanted: PollSettings
) -> None:
    for _, outcome, now, after, plan in run(history, replace(wanted, explicit=False), HostFloors()):
        if outcome.kind not in (PollKind.OK, PollKind.SAME_BODY) or after.window.squeeze:
            continue
        age = outcome.freshness.max_age
        if age is not None and not outcome.freshness.no_cache:
            assert plan.at >= now + min(age, timedelta(hours=24))
        stated = outcome.hints
        if stated is not None:
            assert plan.at >= now + min(stated.ttl or timedelta(0), timedelta(hours=24))
            skipped = stated.skip_hours if len(stated.skip_hours) < 24 else frozenset()
            days = stated.skip_days if len(stated.skip_days) < 7 else frozenset()
            if wanted.mode is not PollMode.CRON:
                assert plan.at.hour not in skipped
                assert plan.at.weekday() not in days


@settings(max_examples=150)
@given(histories, wishes, host_floors)
def test_every_plan_is_ahead_and_not_for_ever(
    history: list[tuple[timedelta, PollOutcome]], wanted: PollSettings, host: HostFloors
) -> None:
    for _, outcome, now, _, plan in run(history, wanted, host):
        assert plan.at >= now
        assert plan.at - now <= timedelta(days=366)
        assert plan.reason
        assert plan.detail
        if wanted.mode is PollMode.ADAPTIVE and outcome.kind in (PollKind.OK, PollKind.ERROR):
            assert plan.at >= now + 15 * MINUTE
        if wanted.mode is PollMode.INTERVAL and outcome.kind in (PollKind.OK, PollKind.ERROR):
            assert plan.at >= now + min(wanted.interval, timedelta(hours=1)) * 0.95


@settings(max_examples=50)
@given(histories, wishes, host_floors)
def test_a_plan_is_the_same_when_it_is_made_twice_and_after_a_restart(
    history: list[tuple[timedelta, PollOutcome]], wanted: PollSettings, host: HostFloors
) -> None:
    for before, outcome, now, after, plan in run(history, wanted, host):
        assert plan_next(before, outcome, wanted, now, "source", host) == (after, plan)
        stored = PolicyState.from_json(after.to_json())
        assert PolicyState.from_json(stored.to_json()) == stored


@settings(max_examples=100)
@given(histories, wishes, st.timedeltas(timedelta(seconds=1), timedelta(hours=2)))
def test_a_hard_floor_just_behind_a_plan_moves_it(
    history: list[tuple[timedelta, PollOutcome]], wanted: PollSettings, later: timedelta
) -> None:
    for before, outcome, now, _, plan in run(history, wanted, HostFloors()):
        if outcome.kind is PollKind.BUSY:
            continue
        floor = Floor(PlanReason.BREAKER, plan.at + later, hard=True)
        _, moved = plan_next(before, outcome, wanted, now, "source", HostFloors((floor,)))
        assert moved.at >= floor.until
        assert floor in moved.floors

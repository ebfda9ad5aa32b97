"""After failures: never faster than usual, patient with endings, ours not theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from aggregator.model.poll import PollKind, PollMode, PollOutcome, PollSettings
from aggregator.schedule.policy import plan_next, take_back
from tests.schedule.polls import (
    DAY,
    EXACT,
    HOUR,
    MONDAY,
    STEADY,
    failed,
    max_age,
    repeat,
    subscribed,
    unchanged,
)

HOURLY = PollSettings(mode=PollMode.INTERVAL, jitter=False)


@pytest.mark.parametrize(
    "outcome",
    [
        failed(500),
        failed(None, "dns"),
        failed(None, "connect"),
        failed(None, "tls"),
        failed(None, "timeout"),
        failed(200, "html"),
        failed(200, "malformed"),
        failed(200, "empty"),
        failed(206),
        failed(302, "redirect"),
    ],
    ids=lambda outcome: f"{outcome.status}-{outcome.error}",
)
def test_errors_double_the_interval_up_to_a_day(outcome: PollOutcome) -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    waits = [wait / HOUR for _, _, wait in repeat(state, plan, outcome, 8, HOURLY)]
    for nth, wait in enumerate(waits):
        usual = min(2.0**nth, 24.0)
        assert max(1.0, usual * 0.9) <= wait <= usual * 1.1
    assert waits[-1] > 21


def test_the_first_failure_is_not_retried_faster_than_usual() -> None:
    for settings in (STEADY, EXACT, HOURLY):
        state, plan = subscribed(DAY / 10, settings)
        _, ill = plan_next(state, failed(), settings, plan.at, "source")
        assert ill.wish is not None
        assert ill.at >= plan.at + ill.wish
        assert ill.reason == "error-backoff"
        assert ill.failures == 1


def test_a_failure_does_not_forget_the_max_age() -> None:
    state, plan = subscribed(DAY / 40, STEADY, freshness=max_age(3 * HOUR))
    _, after = plan_next(state, failed(), STEADY, plan.at, "source")
    assert after.at - plan.at >= 3 * HOUR


def test_a_success_ends_the_back_off() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    state, plan, _ = repeat(state, plan, failed(), 5, HOURLY)[-1]
    state, after = plan_next(state, unchanged(), HOURLY, plan.at, "source")
    assert after.reason == "interval"
    assert after.at - plan.at == HOUR
    assert after.failures == 0


def test_failures_teach_nothing_about_the_rate() -> None:
    state, plan = subscribed(DAY / 4, STEADY)
    after, _ = plan_next(state, failed(), STEADY, plan.at, "source")
    assert (after.pace, after.habits, after.minutes.counts) == (
        state.pace,
        state.habits,
        state.minutes.counts,
    )


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_even_for_an_explicit_poll(status: int) -> None:
    often = replace(HOURLY, explicit=True, interval=timedelta(minutes=5))
    state, plan = subscribed(DAY / 4, often)
    _, after = plan_next(
        state, failed(status, retry_after=timedelta(hours=3)), often, plan.at, "source"
    )
    assert 3 * HOUR <= after.at - plan.at <= 3.1 * HOUR
    assert after.reason == "retry-after"


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("days", [3, 29, 400])
def test_retry_after_holds_at_its_word_up_to_thirty_days_and_is_shown(
    status: int, days: int
) -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    stated = failed(status, retry_after=timedelta(days=days))
    _, after = plan_next(state, stated, HOURLY, plan.at, "source")
    assert min(days, 30) * DAY <= after.at - plan.at <= (min(days, 30) + 0.01) * DAY
    assert (after.reason, "the server asked to come back then" in after.detail) == (
        "retry-after",
        True,
    )


def test_a_short_retry_after_is_no_leave_to_come_sooner_than_usual() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    _, after = plan_next(
        state, failed(429, retry_after=timedelta(seconds=5)), HOURLY, plan.at, "source"
    )
    assert after.at - plan.at >= HOUR


def test_429_without_retry_after_doubles_the_interval_until_three_good_polls() -> None:
    often = replace(HOURLY, explicit=True, interval=timedelta(minutes=40))
    state, plan = subscribed(DAY / 4, often)
    state, plan, wait = repeat(state, plan, failed(429), 1, often)[0]
    assert timedelta(minutes=80) <= wait <= timedelta(minutes=85)
    assert plan.reason == "throttled"
    good = [w for _, _, w in repeat(state, plan, unchanged(), 4, often)]
    assert good[0] == good[1] == timedelta(minutes=80)
    assert good[2] == good[3] == timedelta(minutes=40)


def test_429_without_retry_after_waits_an_hour_at_least() -> None:
    often = replace(HOURLY, explicit=True, interval=timedelta(minutes=5))
    state, plan = subscribed(DAY / 4, often)
    _, after = plan_next(state, failed(429), often, plan.at, "source")
    assert after.at - plan.at >= HOUR


def test_404_backs_off_to_daily_and_ends_after_two_weeks_with_weekly_probes() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    start = plan.at
    steps = repeat(state, plan, failed(404), 25, HOURLY)
    ended = [(before.at, wait) for (_, before, _), (_, plan, wait) in pairwise(steps) if plan.dead]
    assert ended[0][0] - start >= timedelta(days=14)
    assert all(timedelta(days=6) < wait < timedelta(days=8) for _, wait in ended)
    assert all(wait < timedelta(days=1.2) for _, plan, wait in steps if not plan.dead)
    assert steps[-1][1].reason == "missing"


def test_a_long_absence_of_ours_does_not_end_a_source() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    state, plan = plan_next(state, failed(404), HOURLY, plan.at, "source")
    _, plan = plan_next(state, failed(404), HOURLY, plan.at + timedelta(days=40), "source")
    assert not plan.dead


def test_403_is_treated_like_404() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    steps = repeat(state, plan, failed(403), 25, HOURLY)
    assert steps[-1][1].dead
    assert steps[-1][1].reason == "forbidden"
    assert not steps[8][1].dead


def test_410_is_confirmed_once_after_a_day() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    (_, first, wait), (_, second, week) = repeat(state, plan, failed(410), 2, HOURLY)
    assert (first.reason, first.dead) == ("gone-confirm", False)
    assert wait >= DAY
    assert (second.reason, second.dead) == ("gone", True)
    assert timedelta(days=6) < week < timedelta(days=8)


def test_410_asked_again_too_early_confirms_nothing() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    state, _ = plan_next(state, failed(410), HOURLY, plan.at, "source")
    _, early = plan_next(state, failed(410), HOURLY, plan.at + HOUR, "source")
    assert not early.dead


def test_an_ended_source_that_answers_again_lives() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    state, plan, _ = repeat(state, plan, failed(410), 3, HOURLY)[-1]
    _, back = plan_next(state, unchanged(), HOURLY, plan.at, "source")
    assert not back.dead
    assert back.at - plan.at == HOUR


@pytest.mark.parametrize("status", [401, 407])
def test_credentials_are_not_tried_more_than_daily(status: int) -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    for _, after, wait in repeat(state, plan, failed(status), 4, HOURLY):
        assert after.reason == "auth"
        assert 0.9 * DAY <= wait <= 1.1 * DAY


def test_a_bot_challenge_is_met_daily() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    _, after, wait = repeat(state, plan, failed(403, "bot_challenge"), 1, HOURLY)[0]
    assert after.reason == "bot-challenge"
    assert wait >= 0.9 * DAY


def test_204_is_no_change_until_the_third() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    empty = PollOutcome(PollKind.NO_CONTENT, 204)
    steps = repeat(state, plan, empty, 4, HOURLY)
    assert [step[1].failures for step in steps] == [0, 0, 1, 2]
    assert steps[0][2] == HOUR
    assert steps[3][2] > HOUR


def test_our_own_outage_counts_no_failure() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    outage = PollOutcome(PollKind.OUTAGE, error="dns")
    after, again = plan_next(state, outage, HOURLY, plan.at, "source")
    assert replace(after, polls=state.polls) == state
    assert timedelta(minutes=1) <= again.at - plan.at <= timedelta(minutes=5)
    assert again.reason == "outage"


@pytest.mark.parametrize(
    ("gone", "wait"), [(0, 1), (1.05, 2), (3.2, 5), (8.5, 10), (19, 15), (3000, 15)]
)
def test_an_outage_of_ours_is_probed_after_1_2_5_minutes(gone: float, wait: float) -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    outage = PollOutcome(PollKind.OUTAGE, error="dns", outage_for=timedelta(minutes=gone))
    _, again = plan_next(state, outage, HOURLY, plan.at, "source")
    asked = timedelta(minutes=wait)
    assert asked <= again.at - plan.at <= 1.1 * asked


def test_a_failure_that_was_ours_is_taken_back() -> None:
    state, plan = subscribed(DAY / 4, HOURLY)
    once, _ = plan_next(state, failed(None, "dns"), HOURLY, plan.at, "source")
    twice, _ = plan_next(once, failed(None, "dns"), HOURLY, plan.at + HOUR, "source")
    later = plan.at + 2 * HOUR
    none, again = take_back(once, later, "source")
    assert none.trouble == replace(state.trouble, good=0)
    assert (again.reason, again.failures) == ("outage", 0)
    assert later < again.at <= later + timedelta(minutes=5)
    assert take_back(twice, later, "source")[0].trouble.failures == 1


def test_a_failing_cron_source_keeps_to_its_line() -> None:
    nightly = PollSettings(PollMode.CRON, cron="30 4 * * *", explicit=True, jitter=False)
    state, plan = subscribed(DAY / 4, nightly)
    for _, after, wait in repeat(state, plan, failed(), 4, nightly):
        assert (after.at.hour, after.at.minute) == (4, 30)
        assert wait <= timedelta(days=1)
    quarter = replace(nightly, cron="*/15 * * * *")
    state, plan = subscribed(DAY / 4, quarter, now=MONDAY)
    waits = [wait for _, _, wait in repeat(state, plan, failed(), 5, quarter)]
    assert waits[0] == timedelta(minutes=15)
    assert waits[-1] >= timedelta(hours=3)

"""Polls to learn from, as the pipeline would report them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from aggregator.model.feed import FeedHints
from aggregator.model.http import Freshness
from aggregator.model.poll import Plan, PollKind, PollOutcome, PollSettings
from aggregator.schedule.policy import plan_next
from aggregator.schedule.state import PolicyState
from aggregator.schedule.warm import document_span

MONDAY = datetime(2026, 3, 2, 10, 0, 7, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ADAPTIVE = PollSettings()
STEADY = PollSettings(jitter=False)
EXACT = PollSettings(jitter=False, explicit=True)


def first_document(
    every: timedelta, count: int = 25, now: datetime = MONDAY, **facts: object
) -> PollOutcome:
    """A first poll that finds `count` items, one `every` so often until now."""
    dates = [now - every * (k + 0.5) for k in range(count)]
    return found(dates, now=now, **{"conditional": False, "overlap": None, **facts})


def found(dates: Iterable[datetime | None], now: datetime = MONDAY, **facts: object) -> PollOutcome:
    """A poll that brings new items of these dates."""
    new = tuple(dates)
    usual: dict[str, object] = {
        "entries": 25,
        "overlap": max(0.0, 1 - len(new) / 25),
        "span": document_span(new, now) if len(new) > 3 else None,
        "conditional": True,
        "had_validators": True,
        "body_bytes": 50_000,
        "hints": FeedHints(),
    }
    return PollOutcome(PollKind.OK, 200, new_dates=new, **{**usual, **facts})  # type: ignore[arg-type]


def unchanged(**facts: object) -> PollOutcome:
    """A 304."""
    usual = {"conditional": True, "had_validators": True}
    return PollOutcome(PollKind.NOT_MODIFIED, 304, **{**usual, **facts})  # type: ignore[arg-type]


def failed(
    status: int | None = 500, error: str = "http", retry_after: timedelta | None = None
) -> PollOutcome:
    """A poll without a usable feed."""
    return PollOutcome(PollKind.ERROR, status, error, retry_after=retry_after)


def max_age(age: timedelta) -> Freshness:
    """`Cache-Control: max-age`, already reduced by Age."""
    return Freshness(max_age=age)


def subscribed(
    every: timedelta,
    settings: PollSettings = ADAPTIVE,
    now: datetime = MONDAY,
    count: int = 25,
    **facts: object,
) -> tuple[PolicyState, Plan]:
    """State and plan after the first poll of a source with one item `every` so often."""
    outcome = first_document(every, count, now, **facts)
    return plan_next(PolicyState(), outcome, settings, now, "source")


def repeat(
    state: PolicyState,
    plan: Plan,
    outcome: PollOutcome,
    times: int,
    settings: PollSettings = ADAPTIVE,
) -> list[tuple[PolicyState, Plan, timedelta]]:
    """Poll `times` at the planned moments with one outcome: state, plan and wait after each."""
    steps = []
    for _ in range(times):
        now = plan.at
        state, plan = plan_next(state, outcome, settings, now, "source")
        steps.append((state, plan, plan.at - now))
    return steps

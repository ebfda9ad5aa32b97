"""What a wrong clock left behind: times that cannot be, brought back to now.

A poll that was made later than now was planned by a clock that was ahead. Nothing such a clock
planned may silence a source; what a server asked of us keeps its length.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.model.poll import LONGEST_RETRY_AFTER
from aggregator.schedule.hosts import HostHealth
from aggregator.schedule.state import PolicyState

BUILT = datetime(2026, 1, 1, tzinfo=UTC)  # no clock of a running version was ever right before
SLACK = timedelta(minutes=1)  # clocks of several machines may differ by this
SETTLE = timedelta(hours=1)  # after a step nothing irrevocable is decided
_A_TIME = 1e9  # numbers of a state from here on are epoch seconds, smaller ones are lengths


@dataclass(frozen=True, slots=True)
class Furthest:
    """How far ahead of now a time of each kind can ever be.

    `plan` holds for sources of which `slow` are not (cron lines, intervals of months).
    """

    lease: timedelta
    page_lease: timedelta
    gap: timedelta
    page_gap: timedelta
    robots: timedelta
    push: timedelta
    plan: timedelta
    slow_plan: timedelta
    slow: frozenset[str]
    block: timedelta = LONGEST_RETRY_AFTER


def step(before: datetime, now: datetime, elapsed: timedelta) -> timedelta:
    """By how much the clock was set between two looks, `elapsed` apart, in whole seconds.

    Zero within `SLACK`.
    """
    moved = now - before - elapsed
    return timedelta(seconds=round(moved.total_seconds())) if abs(moved) > SLACK else timedelta(0)


def doubt(now: datetime, newest: datetime | None) -> str | None:
    """Why the clock may be wrong: earlier than this version or than what is stored, for people."""
    said = f"the clock says {now:%Y-%m-%d %H:%M} UTC, which is before"
    if now < BUILT:
        return f"{said} this version was made"
    if newest is not None and newest > now + SLACK:
        return f"{said} what is stored ({newest:%Y-%m-%d %H:%M})"
    return None


def is_settled(stepped_at: datetime | None, now: datetime) -> bool:
    """Whether a step of the clock is long enough ago for decisions that count in days."""
    return stepped_at is None or not stepped_at - SLACK <= now < stepped_at + SETTLE


def kept_distance(until: float, made_at: float | None, now: float) -> float | None:
    """A floor or block as long from now as it was when it was made; None when it cannot be.

    Args:
        until: Its end, epoch seconds.
        made_at: When it was made; None where that is not known.
        now: The time.
    """
    if made_at is not None and made_at > now + SLACK.total_seconds():
        until = now + max(0.0, until - made_at)
    return until if until <= now + LONGEST_RETRY_AFTER.total_seconds() else None


def policy_brought_back(state: PolicyState, now: datetime) -> PolicyState:
    """A source's state without times later than now; its hard floor keeps its length."""
    stamp = now.timestamp()
    trouble, floor = state.trouble, state.trouble.floor_until
    if floor is not None:
        trouble = replace(trouble, floor_until=kept_distance(floor, state.polled_at, stamp))
    brought: PolicyState = _not_after(replace(state, trouble=trouble), stamp)
    return brought


def health_brought_back(health: HostHealth, now: datetime, made_at: datetime | None) -> HostHealth:
    """The same of a host; `made_at` is when one of its sources was polled last."""
    stamp = now.timestamp()
    made = made_at.timestamp() if made_at else None
    failing = {name: min(at, stamp) for name, at in health.failing.items()}
    return replace(
        health,
        blocked_until=kept_distance(health.blocked_until, made, stamp) or 0.0,
        failing=failing,
    )


def _not_after(group: Any, stamp: float) -> Any:
    changed: dict[str, Any] = {}
    for part in fields(group):
        value = getattr(group, part.name)
        if is_dataclass(value):
            changed[part.name] = _not_after(value, stamp)
        elif (
            isinstance(value, float)
            and value > max(stamp, _A_TIME)
            and part.name != "floor_until"  # the one time that is meant to be ahead
        ):
            changed[part.name] = stamp
    return replace(group, **changed)

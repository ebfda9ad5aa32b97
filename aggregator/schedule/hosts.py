"""What one source's trouble means for the others of its host.

A 429 or 503 slows the whole host; three failing sources open its circuit breaker, and then one
probe at a time finds out when it is back. The state is a row per host, shared by all workers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from aggregator.model.poll import (
    LONGEST_RETRY_AFTER,
    Floor,
    HostFloors,
    PlanReason,
    PollKind,
    PollOutcome,
)
from aggregator.schedule.backoff import DEEPEST_THROTTLE, GOOD_POLLS, LONGEST
from aggregator.schedule.hints import moment
from aggregator.schedule.shape import DAY, HOUR

BREAKER_SOURCES = 3
BREAKER_FIRST = 300.0
BREAKER_MEMORY = DAY  # a failure that was not repeated for a day is no sign any more
MOST_REMEMBERED = 16

# What a host as a whole answers for. A 404 or a malformed document is the source's own trouble.
_HOST_ERRORS = frozenset({"dns", "connect", "tls", "timeout", "protocol"})


@dataclass(frozen=True, slots=True)
class HostHealth:
    """The state of one host. Times are epoch seconds.

    `failing` holds the sources that failed last, with the time of that failure. `throttle` is how
    often intervals are doubled, `good` counts good polls since that changed, `trips` how often the
    breaker opened without a success in between.
    """

    blocked_until: float = 0.0
    blocked_by: str = ""
    throttle: int = 0
    good: int = 0
    trips: int = 0
    failing: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Compact JSON; `from_json` reads it."""
        kept = {"failing": {name: round(at) for name, at in self.failing.items()}}
        numbers = (self.blocked_until, self.blocked_by, self.throttle, self.good, self.trips)
        return json.dumps([*numbers, kept["failing"]], separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> HostHealth:
        """Read what `to_json` wrote; anything else is a healthy host. Never raises."""
        try:
            until, by, throttle, good, trips, failing = json.loads(text or "")
            return cls(
                float(until),
                str(by),
                int(throttle),
                int(good),
                int(trips),
                {str(name): float(at) for name, at in failing.items()},
            )
        except (ValueError, TypeError, AttributeError):
            return cls()


def host_after(
    health: HostHealth,
    source_id: str,
    outcome: PollOutcome,
    interval: timedelta,
    now: datetime,
) -> HostHealth:
    """The host's state after one of its sources was polled.

    `interval` is the source's usual one.
    """
    stamp = now.timestamp()
    match outcome.kind:
        case PollKind.BUSY | PollKind.OUTAGE | PollKind.PUSH:
            return health
        case PollKind.ERROR if outcome.status in (429, 503):
            return _throttled(health, outcome, interval.total_seconds(), stamp)
        case PollKind.ERROR if _is_hosts_fault(outcome):
            return _failed(health, source_id, stamp)
        case PollKind.ERROR:
            return health
    return _succeeded(health, source_id)


def host_floors(health: HostHealth, now: datetime) -> HostFloors:
    """What the host's state forbids its sources at `now`."""
    floors: tuple[Floor, ...] = ()
    if health.blocked_until > now.timestamp():
        floors = (
            Floor(
                PlanReason.read(health.blocked_by, PlanReason.HOST),
                moment(health.blocked_until),
                hard=True,
            ),
        )
    return HostFloors(floors, 2.0**health.throttle)


def _is_hosts_fault(outcome: PollOutcome) -> bool:
    return outcome.error in _HOST_ERRORS or (outcome.status or 0) >= 500


def _throttled(health: HostHealth, outcome: PollOutcome, interval: float, now: float) -> HostHealth:
    throttle = health.throttle
    if outcome.retry_after is not None:
        wait = max(0.0, min(outcome.retry_after, LONGEST_RETRY_AFTER).total_seconds())
        name = PlanReason.RETRY_AFTER
    else:
        throttle = min(throttle + 1, DEEPEST_THROTTLE)
        wait, name = max(HOUR, min(interval * 2**throttle, LONGEST)), PlanReason.THROTTLED
    return _blocked(replace(health, throttle=throttle, good=0), now + wait, name)


def _failed(health: HostHealth, source_id: str, now: float) -> HostHealth:
    recent = {name: at for name, at in health.failing.items() if now - at < BREAKER_MEMORY}
    recent[source_id] = now
    kept = dict(sorted(recent.items(), key=lambda pair: pair[1])[-MOST_REMEMBERED:])
    health = replace(health, failing=kept, good=0)
    if len(kept) < BREAKER_SOURCES:
        return health
    wait = min(BREAKER_FIRST * 2**health.trips, LONGEST)
    return _blocked(
        replace(health, trips=min(health.trips + 1, 20)), now + wait, PlanReason.BREAKER
    )


def _blocked(health: HostHealth, until: float, name: str) -> HostHealth:
    if until <= health.blocked_until:
        return health
    return replace(health, blocked_until=until, blocked_by=name)


def _succeeded(health: HostHealth, source_id: str) -> HostHealth:
    """One good answer closes the breaker; three ease the throttle by one step."""
    good, throttle = health.good + 1, health.throttle
    if good >= GOOD_POLLS and throttle:
        good, throttle = 0, throttle - 1
    if health.blocked_by == "breaker":
        health = replace(health, blocked_until=0.0, blocked_by="")
    return replace(
        health,
        good=min(good, GOOD_POLLS),
        throttle=throttle,
        trips=0,
        failing={} if health.trips else {k: v for k, v in health.failing.items() if k != source_id},
    )

"""How many requests an hour all plans add up to, and the slowdown that a global cap asks for."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.poll import PRICES
from aggregator.model.settings import PollingSettings
from aggregator.schedule.dispatch import slowdown_for_cap
from aggregator.store import facts
from aggregator.store.sources import polls, states
from aggregator.telemetry import metrics

FACT = "poll slowdown"
_MOST = 64.0
_SHORTEST = 60.0  # seconds: a retry a moment later is no pace
_HOUR = timedelta(hours=1)


def planned_per_hour(connection: Connection) -> float:
    """Requests an hour, as the interval between each source's last and next poll says."""
    return sum(3600 / max(_SHORTEST, seconds) for seconds in states.intervals(connection))


def slowdown(connection: Connection) -> float:
    """The factor on the adaptive intervals in force; at least 1."""
    return factor_of(facts.fact(connection, FACT))


def factor_of(value: str | None) -> float:
    """The factor as the fact says it."""
    return float(value) if value else 1.0


def settle(connection: Connection, polling: PollingSettings, planned: float) -> float:
    """Compare what is `planned` an hour with the cap and keep the slowdown that follows from it.

    The planned requests already contain the present slowdown, so the two multiply. Without a cap
    it is 1.
    """
    before = slowdown(connection)
    cap = polling.requests_per_hour
    factor = 1.0
    if cap:
        unbraked = planned * before
        factor = min(_MOST, slowdown_for_cap(unbraked, cap))
        factor = before + (factor - before) / 2 if before > 1.0 else factor  # no swinging
    if factor != before:
        facts.set_fact(connection, FACT, repr(round(factor, 3)))
    metrics.PLANNED_PER_HOUR.set(planned)
    metrics.SLOWDOWN.set(factor)
    metrics.PRICE_SECONDS.set(price(polling).total_seconds() * factor)
    return factor


def price(polling: PollingSettings) -> timedelta:
    """The interval of a source with four items a day, before any slowdown."""
    price = polling.price
    named = PRICES.get(price, PRICES["normal"]) if isinstance(price, str) else price
    return named * (polling.interval / _HOUR)


def room_under_cap(connection: Connection, cap: int | None, now: datetime) -> int | None:
    """How many polls may start now so that the last hour stays under the cap; None without one."""
    if not cap:
        return None
    return max(0, cap - polls.polls_since(connection, now - _HOUR, cap))

"""What `/metrics` tells of the store, read when it is asked for: how much waits, and since when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.poll import PlanReason
from aggregator.store.following import pages
from aggregator.store.pushing import targets
from aggregator.store.sources import claims, hosts, states, subscriptions
from aggregator.telemetry import metrics

_MOST = 10_000  # counted of what waits
_DELIVERIES = 1000  # the same; each takes a look at its view
_FURTHEST = timedelta(days=1)  # a delivery that is due later was planned by a wrong clock


def measure(connection: Connection, now: datetime) -> None:
    """Set the gauges that the store knows. Every process of an installation tells the same."""
    for state, number in states.source_counts(connection).items():
        metrics.SOURCES.labels(state=state).set(number)
    for state, number in subscriptions.counts(connection).items():
        metrics.SUBSCRIPTIONS.labels(state=state).set(number)
    blocked = hosts.overview(connection, now)
    metrics.HOSTS_BLOCKED.set(len(blocked))
    broken = sum(1 for row in blocked if row.blocked_reason == PlanReason.BREAKER)
    metrics.BREAKERS_OPEN.set(broken)
    due = targets.due(connection, now, _FURTHEST, _DELIVERIES)
    feeds = claims.waiting(connection, now, _MOST)
    metrics.LAG.set(_age(feeds[1], now))
    for work, (number, since) in (
        ("feeds", feeds),
        ("articles", pages.waiting(connection, now, _MOST)),
        ("push", (len(due), min((one.due_at for one in due), default=None))),
    ):
        metrics.WAITING.labels(work=work).set(number)
        metrics.WAITING_SECONDS.labels(work=work).set(_age(since, now))


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())

"""Our own network gone: nobody's failure counts, few probes go out, and the return is quiet.

That it is gone is a fact in the database, so that every process knows. `schedule.outage` decides;
here are the hands: take back what was counted before it could be told, and spread what is overdue
once a server is reached again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.schedule.hosts import HostHealth
from aggregator.schedule.outage import WINDOW, Attempt, own_outage
from aggregator.schedule.policy import take_back
from aggregator.schedule.state import PolicyState
from aggregator.store import facts
from aggregator.store.sources import claims, hosts, polls, states
from aggregator.telemetry import metrics

UNREACHED = ("dns", "connect", "outage")
PROBES = 2  # polls let out at a time while our network is gone
PROBE_EVERY = timedelta(seconds=60)
RETURN = timedelta(minutes=10)  # the longest time over which the overdue are spread
_FACT = "own outage since"


def since(connection: Connection) -> datetime | None:
    """Since when our own network is gone; None while it is there."""
    value = facts.fact(connection, _FACT)
    return datetime.fromisoformat(value) if value else None


def notice(connection: Connection, host: str, now: datetime) -> bool:
    """A poll of `host` failed before it reached anything: is it our own outage?

    When that is first found out, the failures of the same window that were counted already are
    taken back.
    """
    if since(connection) is not None:
        return True
    rows = polls.recent_attempts(connection, now - WINDOW)
    attempts = [Attempt(at, name, word not in UNREACHED) for at, name, word in rows]
    if not own_outage([*attempts, Attempt(now, host, reached=False)], now):
        return False
    facts.set_fact(connection, _FACT, now.isoformat())
    metrics.OWN_OUTAGE.set(1)
    for source_id, name in polls.failed_since(connection, now - WINDOW, UNREACHED):
        _forgive(connection, source_id, name, now)
    return True


def _forgive(connection: Connection, source_id: str, host: str, now: datetime) -> None:
    state = states.feed_state(connection, source_id)
    if state is None or not state.failures:
        return
    policy, plan = take_back(PolicyState.from_json(state.policy), now, source_id)
    forgiven = replace(
        state,
        policy=policy.to_json(),
        failures=max(0, state.failures - 1),
        next_poll_at=plan.at,
        next_reason=plan.reason,
        next_detail=plan.detail,
        outcome="outage",
    )
    states.put_forgiven(connection, forgiven)
    health = HostHealth.from_json(hosts.health(connection, host, lock=True))
    if source_id in health.failing:
        left = {name: at for name, at in health.failing.items() if name != source_id}
        hosts.put_health(connection, host, replace(health, failing=left).to_json())
        hosts.unblock_host(connection, host, "breaker", now)
    metrics.FORGIVEN.inc()


def over(connection: Connection, now: datetime) -> int:
    """A server was reached: the outage, if there was one, is over.

    Returns how many overdue sources were spread over the next minutes.
    """
    if since(connection) is None:
        return 0
    facts.set_fact(connection, _FACT, "")
    metrics.OWN_OUTAGE.set(0)
    return claims.spread_overdue(connection, now, timedelta(0), RETURN)

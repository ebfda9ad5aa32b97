"""Our own network gone: nobody's failure counts, few probes go out, and the return is quiet.

That it is gone is a fact in the database, so that every process knows. `schedule.outage` decides;
here are the hands: take back what was counted before it could be told, and spread what is overdue
once a server is reached again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.http import FetchError
from aggregator.model.states import PollWord
from aggregator.schedule.hosts import HostHealth
from aggregator.schedule.outage import WINDOW, Attempt, Standing, own_failure, own_outage
from aggregator.schedule.policy import take_back
from aggregator.schedule.state import PolicyState
from aggregator.store import facts
from aggregator.store.sources import claims, hosts, polls, states
from aggregator.telemetry import metrics

UNREACHED: tuple[str, ...] = (FetchError.DNS, FetchError.CONNECT, PollWord.OUTAGE)
# How a poll ended that asked nobody: no word on whether anybody can be reached.
UNASKED: tuple[str, ...] = (
    FetchError.BLOCKED,
    FetchError.BAD_URL,
    PollWord.PUSH,
    PollWord.SUPERSEDED,
    PollWord.SKIPPED,
)
PROBES = 2  # polls let out at a time while our network is gone
PROBE_EVERY = timedelta(seconds=60)
RETURN = timedelta(minutes=10)  # the longest time over which the overdue are spread
FACT = "own outage since"


def since(connection: Connection) -> datetime | None:
    """Since when our own network is gone; None while it is there."""
    value = facts.fact(connection, FACT)
    return datetime.fromisoformat(value) if value else None


def notice(
    connection: Connection, host: str, now: datetime, *, own_network: bool
) -> datetime | None:
    """A poll of `host` failed before it reached anything: is it our own outage, and since when?

    `own_network` says that there was no route, or that no resolver answered. When an outage is
    first found out, the failures that were counted since anybody was reached are taken back.
    """
    known = since(connection)
    if known is not None:
        return known
    rows = polls.recent_attempts(connection, now - WINDOW)
    attempts = [
        Attempt(at, name, word not in UNREACHED) for at, name, word in rows if word not in UNASKED
    ]
    standing = None
    if not own_outage([*attempts, Attempt(now, host, reached=False)], now):
        if any(attempt.reached for attempt in attempts):
            return None
        standing = states.standing(connection, UNREACHED, UNASKED)
        if not own_failure(standing, host, now, own_network=own_network):
            return None
    facts.set_fact(connection, FACT, now.isoformat())
    metrics.OWN_OUTAGE.set(1)
    for source_id, name in _suspects(connection, standing, now):
        _forgive(connection, source_id, name, now)
    return now


def _suspects(
    connection: Connection, standing: Standing | None, now: datetime
) -> list[tuple[str, str]]:
    """`(source, host)` of the failures that were ours: of the last minute, or since an answer."""
    start = now - WINDOW
    if standing is None:
        return polls.failed_since(connection, start, UNREACHED)
    answered = standing.answered
    fresh = {
        name for name, since in standing.failing.items() if answered is None or since > answered
    }
    first = min((standing.failing[name] for name in fresh), default=start)
    found = polls.failed_since(connection, min(first, start), UNREACHED)
    return [(source_id, name) for source_id, name in found if name in fresh]


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
    facts.set_fact(connection, FACT, "")
    metrics.OWN_OUTAGE.set(0)
    return claims.spread_overdue(connection, now, timedelta(0), RETURN)

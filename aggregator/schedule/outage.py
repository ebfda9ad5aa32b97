"""Is it them or is it us? When everybody is unreachable at once, it is our own network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)
UNRELATED_HOSTS = 5
SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request that ended at `at`.

    `host` is the registrable domain (or address); `reached` is False when it failed at DNS or
    connect, before anything of the server was seen.
    """

    at: datetime
    host: str
    reached: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How the hosts of the installation stand, by their last polls.

    `hosts` counts them all, those never asked included. `failing` says since when each host that
    was not reached last has failed that way. `answered` is when any host was reached last.
    """

    hosts: int
    failing: Mapping[str, datetime] = field(default_factory=dict)
    answered: datetime | None = None


def own_outage(attempts: Iterable[Attempt], now: datetime) -> bool:
    """Do the attempts of the last 60 s say that our own network is gone?

    True when at least five unrelated hosts and at least 80 % of the attempts failed at DNS or
    connect. While it holds, outcomes are `PollKind.OUTAGE` and those of the same window that were
    already counted are undone with `policy.take_back`.
    """
    recent = [attempt for attempt in attempts if now - WINDOW <= attempt.at <= now]
    failed = [attempt for attempt in recent if not attempt.reached]
    hosts = {attempt.host for attempt in failed}
    return len(hosts) >= UNRELATED_HOSTS and len(failed) >= SHARE * len(recent)


def own_failure(standing: Standing, host: str, now: datetime, *, own_network: bool) -> bool:
    """Is a failure at `host` our own network's, where too few hosts fail for `own_outage`?

    A host that failed already when another was reached has a trouble of its own: it says nothing.
    Else it is ours when there was no route or no resolver answered (`own_network`), or when no
    host of the installation is reached any more and two or more have failed since the last was.
    One host that refuses, or whose name is unknown, says nothing about us. Nobody may have been
    reached in the last 60 s.
    """
    answered = standing.answered
    if answered is not None and now - WINDOW <= answered <= now:
        return False
    failing = {host: now, **standing.failing}
    fresh = {name for name, since in failing.items() if answered is None or since > answered}
    if host not in fresh:
        return False
    return own_network or (len(fresh) > 1 and len(failing) >= standing.hosts)

"""Is it them or is it us? When everybody is unreachable at once, it is our own network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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

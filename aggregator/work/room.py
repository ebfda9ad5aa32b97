"""How many polls may begin now: what our own network and the hourly cap leave of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from aggregator.model.settings import PollingSettings
from aggregator.pipeline.budgets import hour_cap, outage
from aggregator.telemetry import metrics


@dataclass(frozen=True, slots=True)
class Turn:
    """What is remembered from one look for due sources to the next.

    `tokens` are the polls that may begin: a bucket of one second's requests, so that a backlog is
    worked off evenly, never in one burst.
    """

    tokens: float = 0.0
    looked_at: datetime | None = None
    probed_at: datetime | None = None  # when polls last went out in spite of an outage of ours


def earn(turn: Turn, polls: float, a_second: float) -> Turn:
    """The turn with `polls` more allowed, of at most a second's (and at least one) in all."""
    return replace(turn, tokens=min(turn.tokens + polls, max(a_second, 1.0)))


def room(
    connection: Connection, turn: Turn, polling: PollingSettings, now: datetime, under_way: int
) -> tuple[Turn, int]:
    """The turn that follows, and how many polls may begin; `under_way` have begun before."""
    left = int(turn.tokens)
    if outage.since(connection) is not None:
        metrics.OWN_OUTAGE.set(1)
        if turn.probed_at is not None and now - turn.probed_at < outage.PROBE_EVERY:
            return turn, 0
        turn = replace(turn, probed_at=now)
        left = min(left, outage.PROBES)
    under = hour_cap.room_under_cap(connection, polling.requests_per_hour, now)
    return turn, max(0, left if under is None else min(left, under - under_way))

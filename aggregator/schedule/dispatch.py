"""Who goes first among the sources that are due, and how a backlog is let go.

Deficit round-robin (Shreedhar and Varghese 1995) with sources as packets of size one: every host
gets a turn in each round, so that a host with a thousand feeds delays no other; the oldest debt
first within a host, and the host with the oldest debt first in a round.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.schedule.jitter import uniform


@dataclass(frozen=True, slots=True)
class Due:
    """A source whose next poll is due."""

    source_id: str
    host: str
    at: datetime


def fair_order(
    due: Iterable[Due], limit: int, in_flight: Mapping[str, int] | None = None
) -> list[Due]:
    """At most `limit` of the due sources, in the order in which to start them.

    `in_flight` counts what each host is being asked already: that many rounds it sits out.
    """
    queues: dict[str, deque[Due]] = {}
    for one in sorted(due, key=lambda d: (d.at, d.source_id)):
        queues.setdefault(one.host, deque()).append(one)
    debts = {host: (in_flight or {}).get(host, 0) for host in queues}
    order: list[Due] = []
    while queues and len(order) < limit:
        if all(debts[host] > 0 for host in queues):
            paid = min(debts[host] for host in queues)
            debts = {host: debts[host] - paid for host in queues}
        for host in list(queues):
            if debts[host] > 0:
                debts[host] -= 1
                continue
            order.append(queues[host].popleft())
            if not queues[host]:
                del queues[host]
            if len(order) >= limit:
                break
    return order


def backlog_limit(overdue: int, window: timedelta, tick: timedelta, least: int = 1) -> int:
    """How many overdue sources to start in one tick so that the backlog lasts a `window`.

    After a restart or an outage everything may be due at once; nobody is to notice.
    """
    return max(least, math.ceil(overdue * (tick / window)))


def resume_at(source_id: str, due: datetime, now: datetime, window: timedelta) -> datetime:
    """When an overdue source is polled after we were away: somewhere within `window` from now.

    A source that is not overdue keeps its time.
    """
    return due if due > now else now + window * uniform(source_id, 0, "resume")


def slowdown_for_cap(requests_per_hour: float, cap: float | None) -> float:
    """The factor on the price that brings the requests of all sources under a cap; at least 1."""
    if not cap or cap <= 0:
        return 1.0
    return max(1.0, requests_per_hour / cap)

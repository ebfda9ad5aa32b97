"""What a poll says about the health of its host, kept in the host's row for everybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.poll import PlanReason, PollOutcome
from aggregator.schedule.hosts import HostHealth, host_after
from aggregator.store.sources import hosts


def remember(
    connection: Connection,
    host: str,
    before: HostHealth,
    source_id: str,
    outcome: PollOutcome,
    interval: timedelta,
    now: datetime,
) -> str | None:
    """Take one poll's outcome into the host's row; block or unblock the host as it follows.

    Runs in the transaction that stores the poll, which has locked the row: `before` is what it
    said. `interval` is the source's usual one. Returns why the host was blocked, if it was.
    """
    after = host_after(before, source_id, outcome, interval, now)
    if after == before:
        return None
    hosts.put_health(connection, host, after.to_json())
    if after.blocked_until > before.blocked_until:
        until = now + timedelta(seconds=after.blocked_until - now.timestamp())
        hosts.block_host(connection, host, until, after.blocked_by)
        return after.blocked_by
    if before.blocked_by == PlanReason.BREAKER and not after.blocked_by:
        hosts.unblock_host(connection, host, PlanReason.BREAKER, now)
    return None

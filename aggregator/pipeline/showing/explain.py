"""Why a source is polled when it is: its plan with every floor, its last polls, what was noted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.item import FeedState, PollRecord
from aggregator.model.pages import DayOfPolls
from aggregator.model.poll import Plan
from aggregator.model.settings import Settings, SourceSettings
from aggregator.pipeline.budgets import hour_cap, outage
from aggregator.pipeline.polling import planning
from aggregator.pipeline.polling.noticed import notes
from aggregator.pipeline.showing import phrases
from aggregator.schedule.hosts import HostHealth, host_floors
from aggregator.schedule.policy import replan
from aggregator.schedule.state import PolicyState
from aggregator.store.sources import claims, hosts, polls, states, subscriptions
from aggregator.urls.origin import host_key

CHART_DAYS = 14


@dataclass(frozen=True, slots=True)
class NextPoll:
    """A planned poll."""

    source_id: str
    at: datetime
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next polls, what all plans add up to, and what holds polling back as a whole.

    `blocked` are `(host, until, reason)`; `outage_since` says since when our own network is gone.
    """

    polls: tuple[NextPoll, ...]
    sources: int
    per_hour: float
    price: timedelta
    slowdown: float
    blocked: tuple[tuple[str, datetime, str], ...] = ()
    outage_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceReasons:
    """Everything that explains one source. `plan` is what its state alone says under the present
    settings; the stored time may differ until the next poll."""

    source_id: str
    state: FeedState
    host: str
    plan: Plan | None
    polls: tuple[PollRecord, ...]
    notes: tuple[str, ...]


def outlook(connection: Connection, settings: Settings, limit: int, now: datetime) -> Outlook:
    """The next `limit` polls of all sources, in order."""
    rows = claims.next_due(connection, limit)
    return Outlook(
        polls=tuple(
            NextPoll(name, at, reason or "", detail or "") for name, at, reason, detail in rows
        ),
        sources=sum(1 for source in settings.sources if source.enabled),
        per_hour=hour_cap.planned_per_hour(connection),
        price=hour_cap.price(settings.polling),
        slowdown=hour_cap.slowdown(connection),
        blocked=tuple(
            (row.host, row.blocked_until, row.blocked_reason or "")
            for row in hosts.overview(connection, now)
        ),
        outage_since=outage.since(connection),
    )


def reasons(
    connection: Connection, settings: Settings, source: SourceSettings, now: datetime, last: int
) -> SourceReasons | None:
    """Why a source is polled when it is, with its `last` polls; None when it is not stored."""
    state = states.feed_state(connection, source.id)
    if state is None:
        return None
    host = host_key(state.effective_url or source.url)
    health = HostHealth.from_json(hosts.health(connection, host))
    subscribed = subscriptions.of_source(connection, source.id)
    plan = replan(
        PolicyState.from_json(state.policy),
        planning.poll_settings(source, settings.polling, hour_cap.slowdown(connection)),
        now,
        source.id,
        host_floors(health, now),
    )
    return SourceReasons(
        source.id,
        state,
        host,
        plan,
        tuple(polls.polls_of(connection, source.id, last)),
        notes(state) + ((phrases.subscription(subscribed),) if subscribed else ()),
    )


def activity(rows: Iterable[tuple[datetime, bool, int]], now: datetime) -> Sequence[DayOfPolls]:
    """Polls, failures and new items of each of the last `CHART_DAYS` days (UTC), oldest first.

    `rows` are `(when, whether it failed, new items)`.
    """
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(CHART_DAYS))]
    counts = {day: [0, 0, 0] for day in days}
    for at, failed, new in rows:
        count = counts.get(at.date())
        if count is not None:
            count[0] += 1
            count[1] += failed
            count[2] += new
    return [DayOfPolls(day, *counts[day]) for day in days]

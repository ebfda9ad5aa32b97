"""How a poll ends: what it found and what surrounds it decide the plan and the state to be kept.

Pure: `decide_after` reads no clock and no database. `polling.store` writes what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.model.http import FetchResult
from aggregator.model.item import EntryIntent, FeedState, PollRecord
from aggregator.model.poll import Plan, PlanReason, PollKind, PollOutcome
from aggregator.model.settings import PollingSettings, SourceSettings
from aggregator.pipeline.polling import planning, redirects
from aggregator.pipeline.polling.document import Polled
from aggregator.pipeline.polling.noticed import told_apart
from aggregator.pipeline.secrets import hide
from aggregator.schedule.clock import SETTLE
from aggregator.schedule.hosts import HostHealth, host_after, host_floors
from aggregator.schedule.policy import plan_next
from aggregator.schedule.state import PolicyState
from aggregator.urls.origin import host_key

_FINE = (PollKind.OK, PollKind.SAME_BODY, PollKind.NOT_MODIFIED, PollKind.NO_CONTENT)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on besides its source.

    Attributes:
        host: Who answered, or did not: the budget's name of it.
        health: What is remembered of that host.
        slowdown: What the cap on requests an hour asks for, at least 1.
        outage: Our own network was gone before this poll.
        pushed: A verified subscription covers the source.
        settled: The clock was not set within the last hour.
    """

    host: str
    health: HostHealth
    slowdown: float
    outage: bool
    pushed: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """The end of a poll as it is to be written.

    Attributes:
        state: The feed's state with the plan of its next poll.
        record: The row of the poll log, without the counts of what is stored.
        outcome: What the poll told its schedule.
        intents: What is to be done with the document's entries.
        interval: How often the source is usually asked.
        polling_host: Whose budget the next poll belongs to.
        complete: The keys of all entries of a document that says it is the whole feed.
        outage_over: An answer came while our own network counted as gone.
        moved: Another address was adopted with this poll.
        home_since: The configured address is polled again; since then the adopted one was.
    """

    state: FeedState
    record: PollRecord
    outcome: PollOutcome
    intents: Sequence[EntryIntent]
    interval: timedelta
    polling_host: str
    complete: frozenset[str] | None
    outage_over: bool
    moved: bool
    home_since: datetime | None


def decide_after(
    polled: Polled,
    circumstances: Circumstances,
    source: SourceSettings,
    polling: PollingSettings,
    result: FetchResult,
    *,
    started: datetime,
    now: datetime,
) -> Decided:
    """The plan of the next poll and everything that is to be kept of this one.

    Args:
        polled: What the phases before found out.
        circumstances: What surrounds it.
        source: How often the operator wants it polled, and what of it is secret.
        polling: The limits for all sources.
        result: What came from the wire.
        started: When the poll began.
        now: The time.
    """
    before = polled.state
    if polled.outcome.kind is not PollKind.PUSH:
        fine = polled.outcome.kind in _FINE
        polled = replace(
            polled,
            state=redirects.after_poll(
                before, source, result, now, fine=fine, settled=circumstances.settled
            ),
            outcome=replace(polled.outcome, push=circumstances.pushed),
        )
    interval = source.poll.interval or polling.interval
    health = host_after(circumstances.health, source.id, polled.outcome, interval, now)
    policy, plan = plan_next(
        PolicyState.from_json(polled.state.policy),
        polled.outcome,
        planning.poll_settings(source, polling, circumstances.slowdown),
        now,
        source.id,
        host_floors(health, now),
    )
    if plan.dead and policy.trouble.failures and not circumstances.settled:
        plan = _not_yet_dead(plan, now)
    weaker = before.noticed.weaker_policy
    if weaker is not None and weaker.at >= started:
        plan = replace(plan, detail=f"{plan.detail}; {told_apart(polled.state)}")
    advice = redirects.advice(source, result)
    if advice and polled.error:
        polled = replace(polled, error=f"{polled.error}; {advice}")
    elif advice:
        plan = replace(plan, detail=f"{plan.detail}; {advice}")
    record = PollRecord(
        source_id=source.id,
        at=started,
        status=result.status,
        outcome=polled.word,
        error=hide(polled.error, source),
        wire_bytes=result.wire_bytes,
        decoded_bytes=result.decoded_bytes,
        timing=result.timing,
        entries=polled.outcome.entries,
        next_at=plan.at,
        reason=plan.reason,
        reason_detail=plan.detail,
    )
    state = _planned(polled, policy, plan, record, started)
    intents = polled.identified.intents if polled.identified else ()
    return Decided(
        state=state,
        record=record,
        outcome=polled.outcome,
        intents=intents,
        interval=interval,
        polling_host=host_key(state.effective_url or source.url),
        complete=None if result.delta else _complete(polled, intents),
        outage_over=circumstances.outage and planning.is_reached(result),
        moved=state.effective_url not in (None, before.effective_url),
        home_since=_home_since(before, state, result),
    )


def _not_yet_dead(plan: Plan, now: datetime) -> Plan:
    """Days of failures may be a minute of a clock that was set: it is asked once more."""
    floors = [floor.until for floor in plan.floors if floor.hard]
    detail = f"{plan.detail}; the clock was set, so it is asked once more before that counts"
    return replace(
        plan, at=max([now + SETTLE, *floors]), reason=PlanReason.CLOCK, detail=detail, dead=False
    )


def _home_since(before: FeedState, after: FeedState, result: FetchResult) -> datetime | None:
    moved = before.noticed.moved
    came_home = before.effective_url is not None and after.effective_url is None
    if moved is None or not came_home or result.url == before.effective_url:
        return None
    return moved.at


def _complete(polled: Polled, intents: Sequence[EntryIntent]) -> frozenset[str] | None:
    """A whole document that says it is the whole feed takes back what it no longer has."""
    feed = polled.read.feed if polled.read else None
    if feed is None or not feed.complete or feed.error is not None or feed.dropped or not intents:
        return None
    former = {intent.known.key for intent in intents if intent.known is not None}
    return frozenset({intent.key for intent in intents} | former)


def _planned(
    polled: Polled, policy: PolicyState, plan: Plan, record: PollRecord, started: datetime
) -> FeedState:
    state, kind = polled.state, polled.outcome.kind
    if kind is PollKind.PUSH:
        started = state.last_polled_at or started
    return replace(
        state,
        policy=policy.to_json(),
        failures=planning.next_failures(state, kind),
        last_polled_at=started,
        last_success_at=started if kind in _FINE else state.last_success_at,
        document_at=started if kind is PollKind.OK else state.document_at,
        next_poll_at=plan.at,
        next_reason=plan.reason,
        next_detail=plan.detail,
        outcome=record.outcome,
        status=record.status,
        error=record.error,
        noticed=replace(state.noticed, asking=plan.asking, dead=plan.dead),
    )

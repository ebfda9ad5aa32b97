"""Why a source is polled when it is: its plan with every floor, its last polls, what was noted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from aggregator.identity.entries import Identified
from aggregator.model.item import FeedState, PollRecord
from aggregator.model.pages import DayOfPolls
from aggregator.model.poll import Floor, Plan
from aggregator.model.settings import Settings, SourceSettings
from aggregator.pipeline import outage, pace, planning
from aggregator.pipeline.configure import host_key
from aggregator.schedule.hosts import HostHealth, host_floors
from aggregator.schedule.policy import replan
from aggregator.schedule.state import PolicyState
from aggregator.store import claims, hosts, items, sources, subscriptions

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
        per_hour=pace.planned_per_hour(connection),
        price=pace.price(settings.polling),
        slowdown=pace.slowdown(connection),
        blocked=tuple(
            (row.host, row.blocked_until, row.blocked_reason or "")
            for row in hosts.overview(connection, now)
        ),
        outage_since=outage.since(connection),
    )


def reasons(
    connection: Connection, settings: Settings, source: SourceSettings, now: datetime, polls: int
) -> SourceReasons | None:
    """Why a source is polled when it is; None when the database does not know it."""
    state = sources.feed_state(connection, source.id)
    if state is None:
        return None
    host = host_key(state.effective_url or source.url)
    health = HostHealth.from_json(hosts.health(connection, host))
    plan = replan(
        PolicyState.from_json(state.policy),
        planning.poll_settings(source, settings.polling, pace.slowdown(connection)),
        now,
        source.id,
        host_floors(health, now),
    )
    return SourceReasons(
        source.id,
        state,
        host,
        plan,
        tuple(items.polls_of(connection, source.id, polls)),
        notes(state, subscription=subscriptions.state_of(connection, source.id)),
    )


def floor_text(floor: Floor) -> str:
    """A floor in words."""
    kind = "hard" if floor.hard else "soft"
    return f"{floor.name} ({kind}) until {floor.until:%Y-%m-%d %H:%M:%S} UTC"


def noted(
    extra: dict[str, Any],
    identified: Identified,
    now: datetime,
    *,
    before: str | None,
    policy: str,
) -> dict[str, Any]:
    """What a document's identification adds to a source's small facts.

    Flips of ids, floods, single renames, dates that were put right, and a weaker identity policy
    (`before` is the one in force until now; None at the first document).
    """
    new = [intent for intent in identified.intents if intent.kind == "new"]
    dates = [intent.entry.published for intent in new]
    renamed = [intent for intent in identified.intents if intent.kind == "renamed"]
    for name, count in (
        ("guid_flips", int(identified.guid_flip)),
        ("floods", int(identified.flood)),
        ("renames", 0 if identified.guid_flip else len(renamed)),
        ("future_dates", sum(1 for date in dates if date is not None and date > now)),
        ("no_dates", sum(1 for date in dates if date is None)),
    ):
        if count:
            so_far = extra.get(name, {"count": 0})["count"]
            extra = {**extra, name: {"count": so_far + count, "last": now.isoformat()}}
    if before is not None and before != policy:
        extra = {**extra, "weaker_policy": {"from": before, "at": now.isoformat()}}
    return extra


def notes(state: FeedState, *, subscription: str | None = None) -> tuple[str, ...]:
    """Decisions about a source that an operator may ask about, one sentence each."""
    extra, said = state.extra, []
    if state.identity_policy:
        said.append(_policy(state.identity_policy, extra.get("weaker_policy")))
    if flips := extra.get("guid_flips"):
        said.append(
            f"Its ids changed for known texts {_times(flips['count'])}, last "
            f"{_day(flips['last'])}: nothing was taken as new for that."
        )
    if floods := extra.get("floods"):
        said.append(
            f"It brought many old items at once {_times(floods['count'])}, last "
            f"{_day(floods['last'])}: they went to the archive, not on top."
        )
    if renames := extra.get("renames"):
        said.append(
            f"An entry came back under another id {_times(renames['count'])}, last "
            f"{_day(renames['last'])}: it stayed the item it was."
        )
    if future := extra.get("future_dates"):
        said.append(
            f"It gave a date in the future {_times(future['count'])}, last "
            f"{_day(future['last'])}: the time of arrival is shown instead."
        )
    if undated := extra.get("no_dates"):
        said.append(
            f"It gave no date {_times(undated['count'])}, last {_day(undated['last'])}: "
            "the time of arrival is shown instead."
        )
    if state.effective_url:
        why = extra.get("moved", {}).get("why", "redirected for good")
        said.append(
            f"The feed has moved ({why}); its new address is polled. See `aggregator moves`."
        )
    elif state.move_target:
        said.append(f"It redirects for good to another address, seen {len(state.move_seen)} times.")
    if other := extra.get("duplicate_of"):
        said.append(f"It is the same feed as {other}, which is polled for both.")
    if extra.get("dead"):
        said.append("Its feed has ended; it is looked at once in a while.")
    for gap in extra.get("gaps", ())[-1:]:
        how = "and older pages closed the gap" if gap["filled"] else "items may have gone by"
        said.append(f"On {_day(gap['at'])} all {gap['entries']} entries were new, {how}.")
    if subscription:
        said.append(subscription)
    return tuple(said)


def _policy(policy: str, weaker: dict[str, str] | None) -> str:
    said = f"Entries are told apart by {policy}"
    if weaker is None:
        return f"{said}."
    return (
        f"{said}, since {_day(weaker['at'])}: by {weaker['from']} too many were "
        "without one or shared one."
    )


def _day(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp):%Y-%m-%d}"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


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

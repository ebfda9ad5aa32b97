"""From what an operator configured and a host's rows to the arguments of the polling policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

from aggregator.identity.entries import Known
from aggregator.identity.keys import KeyedEntry
from aggregator.model.feed import ParsedFeed
from aggregator.model.http import FetchError, FetchResult
from aggregator.model.item import EntryIntent, FeedState
from aggregator.model.poll import (
    Floor,
    HostFloors,
    PlanReason,
    PollKind,
    PollMode,
    PollOutcome,
    PollSettings,
)
from aggregator.model.settings import PollingSettings, SourceSettings
from aggregator.model.states import EntryKind
from aggregator.pipeline.budgets.hour_cap import price
from aggregator.schedule.warm import document_span
from aggregator.store.sources.hosts import Refusal


def poll_settings(
    source: SourceSettings, polling: PollingSettings, slowdown: float = 1.0
) -> PollSettings:
    """What the operator wants of one source, as the policy takes it; `slowdown` from `pace`."""
    mode = PollMode.ADAPTIVE
    if source.poll.cron is not None:
        mode = PollMode.CRON
    elif source.poll.interval is not None:
        mode = PollMode.INTERVAL
    return PollSettings(
        mode=mode,
        interval=source.poll.interval or polling.interval,
        cron=source.poll.cron,
        explicit=not source.poll.adaptive,
        price=price(polling),
        # Every poll moves the whole document.
        minimum=polling.min_interval if source.validators else 2 * polling.min_interval,
        maximum=polling.max_interval,
        zone=source.timezone.key if source.timezone else "UTC",
        slowdown=slowdown,
    )


def body_hash(body: bytes) -> str:
    """The hash that decides whether there is anything to parse."""
    return blake2b(body, digest_size=16).hexdigest()


def floors_of(block: Refusal | None) -> HostFloors:
    """The hard floor that a host's block puts under its sources."""
    if block is None:
        return HostFloors()
    return HostFloors((Floor(PlanReason.HOST, block.again_at, hard=True),))


def outcome_of(result: FetchResult, *, conditional: bool) -> PollOutcome:
    """What a fetch that brought no document to read tells the policy."""
    kind = PollKind.ERROR
    if result.error is None and result.not_modified:
        kind = PollKind.NO_CONTENT if result.status in (204, 205) else PollKind.NOT_MODIFIED
    return PollOutcome(
        kind=kind,
        status=result.status,
        error=result.error.value if result.error else None,
        freshness=result.freshness,
        retry_after=result.retry_after,
        conditional=conditional,
        had_validators=conditional or bool(result.validators),
        had_etag=result.validators.etag is not None,
    )


def document_outcome(
    result: FetchResult,
    feed: ParsedFeed,
    keyed: Sequence[KeyedEntry],
    known: Known,
    intents: Sequence[EntryIntent],
    now: datetime,
    *,
    conditional: bool,
) -> PollOutcome:
    """What a document that was read tells the policy."""
    counted = [i for i in intents if i.kind == EntryKind.NEW and (known.empty or not i.archived)]
    seen = sum(1 for i in intents if i.kind != EntryKind.NEW)
    return PollOutcome(
        kind=PollKind.OK,
        status=result.status,
        new_dates=tuple(i.entry.published or i.entry.updated for i in counted),
        entries=len(keyed),
        overlap=None if known.empty or not keyed or result.delta else seen / len(keyed),
        span=document_span([e.entry.published for e in keyed], now),
        freshness=result.freshness,
        hints=feed.hints,
        conditional=conditional,
        had_validators=bool(result.validators),
        had_etag=result.validators.etag is not None,
        body_bytes=result.decoded_bytes,
        archive=feed.archive,
    )


def is_local_failure(error: FetchError | None) -> bool:
    """Whether an error may be our own network's: the outage rule looks at these."""
    return error in (FetchError.DNS, FetchError.CONNECT)


def is_reached(result: FetchResult) -> bool:
    """Whether something of the server was seen, if only a failed handshake: we have a network."""
    heard = result.error in (FetchError.TLS, FetchError.PROTOCOL)
    return heard or result.status is not None or result.timing.connect is not None


def next_failures(state: FeedState, kind: PollKind) -> int:
    """Failures in a row after a poll."""
    if kind is PollKind.ERROR:
        return state.failures + 1
    return state.failures if kind in (PollKind.OUTAGE, PollKind.BUSY) else 0

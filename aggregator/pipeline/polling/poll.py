"""Poll one source: fetch → read → identify → prepare → store → plan the next poll.

Each phase hands plain data to the next: `document` is everything between the wire and the store,
`finish` stores what came of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from aggregator.model.http import FetchError, FetchRequest, FetchResult
from aggregator.model.item import FeedState, PollRecord
from aggregator.model.poll import PlanReason, PollKind
from aggregator.model.settings import SourceSettings
from aggregator.model.states import PollWord
from aggregator.pipeline import access
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import redirects
from aggregator.pipeline.polling.document import Polled, understand
from aggregator.pipeline.polling.store import store
from aggregator.store.sources import claims, states
from aggregator.store.sources.claims import Claim
from aggregator.telemetry import metrics, traces
from aggregator.urls.origin import host_key

log = structlog.get_logger("aggregator.poll")


async def poll_source(
    parts: Parts, source: SourceSettings, claim: Claim, state: FeedState | None = None
) -> PollRecord:
    """Poll a source that was claimed; stores everything and gives the lease back.

    `state` is what is remembered of its feed, where the claim brought it along. Never raises for
    what a server does: the record says what happened and when comes the next.
    """
    with traces.span("poll", source=source.id) as span:
        record = await _poll(parts, source, claim, state)
        span.tell(
            failed=record.error is not None, outcome=str(record.outcome), status=record.status,
            entries=record.entries, new=record.new_items, changed=record.changed_items,
        )  # fmt: skip
    return record


async def _poll(
    parts: Parts, source: SourceSettings, claim: Claim, state: FeedState | None
) -> PollRecord:
    started = parts.clock.now()
    if state is None:
        state = await parts.database.run_read(states.feed_state, source.id)
    if state is None:
        raise LookupError(f"source {source.id} is not in the database")
    polled = None
    if redirects.is_look_due(state, started):
        state = redirects.looked_home(state, started)
        polled, result = await _ask(parts, source, state, access.home_request(source, state))
    if polled is None or polled.outcome.kind is PollKind.ERROR:
        polled, result = await _ask(parts, source, state, access.poll_request(source, state))
    if polled is None:
        return await _put_back(parts, claim, result, started)
    with traces.span("store"):
        record = await store(parts, claim, source, polled, result, started)
    report(source, record, parts.clock.now())
    return record


async def _ask(
    parts: Parts, source: SourceSettings, state: FeedState, request: FetchRequest
) -> tuple[Polled | None, FetchResult]:
    """Fetch and understand; None where the host's budget had no room for the request."""
    with traces.span("fetch", host=host_key(request.url)) as span:
        result = await parts.fetcher.fetch(request)
        error = str(result.error) if result.error is not None else None
        span.tell(
            failed=error is not None, status=result.status, bytes=result.wire_bytes, error=error
        )
    if result.error is FetchError.HOST_BUSY:
        return None, result
    with traces.span("read"):
        conditional = bool(request.validators)
        return await understand(parts, source, state, result, conditional=conditional), result


async def _put_back(parts: Parts, claim: Claim, result: FetchResult, now: datetime) -> PollRecord:
    """The host's budget had no room: no request was sent, nothing is learned or counted."""
    at = result.retry_at or now + timedelta(seconds=30)
    detail = result.detail or "its host is not to be contacted before then"
    await parts.database.run_together(claims.postpone, claim, at, PlanReason.HOST, detail)
    return PollRecord(
        source_id=claim.source_id, at=now, status=None, outcome=PollWord.HOST_BUSY,
        next_at=at, reason=PlanReason.HOST, reason_detail=detail,
    )  # fmt: skip


def report(source: SourceSettings, record: PollRecord, now: datetime) -> None:
    """Count a finished poll and log it: one event each, as `docs/reference/logs.md` says."""
    metrics.POLLS.labels(outcome=record.outcome).inc()
    metrics.ITEMS_NEW.inc(record.new_items)
    metrics.ITEMS_CHANGED.inc(record.changed_items)
    metrics.COPIES.inc(record.copies)
    metrics.BYTES_RECEIVED.inc(record.wire_bytes)
    fetched = record.timing.total
    if fetched is not None:
        metrics.FETCH_SECONDS.observe(fetched / 1000)
    level = (
        log.warning
        if record.error
        and record.outcome not in (PollWord.NEW, PollWord.UNCHANGED, PollWord.OUTAGE)
        else log.info
    )
    level(
        "polled",
        source=source.id,
        outcome=record.outcome,
        status=record.status,
        entries=record.entries,
        new=record.new_items,
        changed=record.changed_items,
        copies=record.copies,
        bytes=record.wire_bytes,
        fetch_ms=None if fetched is None else round(fetched),
        total_ms=round((now - record.at).total_seconds() * 1000),
        error=record.error,
        next_at=record.next_at.isoformat() if record.next_at else None,
        reason=record.reason,
        detail=record.reason_detail,
    )

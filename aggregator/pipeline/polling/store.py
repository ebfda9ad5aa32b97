"""The end of a poll: what it found is stored together with the plan of the next one.

The items of a document and the validators that vouch for it are committed together; a poll cut
short anywhere leaves the old validators, so the next poll gets the same document again and stores
what is missing, once. Each transaction holds the lease of its poll: one that outlived it writes
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from aggregator.feeds.version import READER
from aggregator.identity.agreement import texts_agree
from aggregator.identity.naming import is_lasting_iri
from aggregator.model.http import FetchResult
from aggregator.model.item import EntryIntent, PollRecord
from aggregator.model.poll import PlanReason, PollKind
from aggregator.model.settings import SourceSettings
from aggregator.model.states import PollWord
from aggregator.pipeline import access, policy
from aggregator.pipeline.budgets import health, hour_cap, outage
from aggregator.pipeline.following import queue, stated
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import planning, redirects, websub
from aggregator.pipeline.polling.document import Polled
from aggregator.pipeline.polling.ending import Circumstances, Decided, decide_after
from aggregator.pipeline.secrets import unless_secret
from aggregator.schedule.hosts import HostHealth
from aggregator.store import facts
from aggregator.store.items import withdrawals, writing
from aggregator.store.items.ingest import Ingest
from aggregator.store.sources import claims, clock, documents, hosts, polls, states
from aggregator.store.sources.claims import Claim
from aggregator.telemetry import metrics
from aggregator.urls.origin import host_key

log = structlog.get_logger("aggregator.poll")

# Intents up to which a poll shares its transaction with others: SQLite has one writer anyway.
# PostgreSQL has several, and there who stores items waits for whoever else does.
_SMALL = 50
_ANEW = timedelta(minutes=1)  # never at once: two processes may differ in their configuration


@dataclass(frozen=True, slots=True)
class _Finished:
    """A poll as it was stored: its record, the decision, and why its host was blocked by it."""

    record: PollRecord
    decided: Decided
    blocked_by: str | None


async def store(
    parts: Parts,
    claim: Claim,
    source: SourceSettings,
    polled: Polled,
    result: FetchResult,
    started: datetime,
) -> PollRecord:
    """Plan the next poll, store everything in batches, and give the lease back with the last.

    Returns the record as it was logged. Where the source is configured otherwise by now, or the
    lease is another's, nothing more is stored.
    """
    now = parts.clock.now()
    ingest = ingest_of(parts, source, polled, now)
    before = writing.Written()
    intents = polled.identified.intents if polled.identified else ()
    batches = [intents[i : i + writing.BATCH] for i in range(0, len(intents), writing.BATCH)]
    for batch in batches[:-1]:
        done = await parts.database.run_write(_write_batch, claim, source, ingest, batch)
        if done is None:
            return await _superseded(parts, claim, source, result, now)
        before.add(done)
    last = batches[-1] if batches else ()
    kept = await _document(parts, source, polled, result, now)

    def finish(connection: Connection) -> _Finished | None:
        written = _write_batch(connection, claim, source, ingest, last)
        if written is None:
            return None
        written.add(before, first=True)
        around = circumstances(
            connection, source.id, host_key(result.final_url), now,
            websub_on=parts.settings.service.websub,
        )  # fmt: skip
        decided = decide_after(
            polled, around, source, parts.settings.polling, result, started=started, now=now
        )
        if kept is not None:
            documents.put(connection, kept)
        return _write_end(
            connection, parts, claim, source, around, decided, written, polled, result, now
        )

    if not last or (parts.database.is_sqlite and len(last) <= _SMALL):
        finished = await parts.database.run_together(finish)
    else:
        finished = await parts.database.run_write(finish)
    if finished is None:
        return await _superseded(parts, claim, source, result, now)
    await _after(parts, finished, now)
    budget = parts.settings.storage.keep_raw
    if kept is not None and budget is not None and parts.room.add(kept.size, budget):
        parts.room.look(await parts.database.run_write(documents.trim, budget))
    return finished.record


async def _document(
    parts: Parts, source: SourceSettings, polled: Polled, result: FetchResult, now: datetime
) -> documents.Document | None:
    """What came, to be kept as it is, where that is wanted and it was read or should have been."""
    budget, tried = parts.settings.storage.keep_raw, polled.outcome.kind is PollKind.ERROR
    if not budget or result.body is None or not (polled.read or tried):
        return None
    packed = await asyncio.to_thread(documents.pack, result.body)
    if len(packed) > budget:
        return None
    return documents.Document(
        source_id=source.id,
        body_hash=planning.body_hash(result.body),
        at=now,
        part=result.delta,
        readable=polled.read is not None,
        url=None if source.url_is_secret else unless_secret(result.final_url, source),
        content_type=unless_secret(result.content_type, source),
        packed=packed,
    )


async def _after(parts: Parts, finished: _Finished, now: datetime) -> None:
    """What follows from a poll outside of its transaction, once that is committed."""
    if finished.decided.outage_over:
        spread = await parts.database.run_write(outage.over, now)
        log.info("our own network is back", overdue_sources_spread=spread)
    if finished.decided.moved:
        metrics.MOVES.inc()
    if finished.blocked_by is not None:
        metrics.HOST_BLOCKS.labels(reason=finished.blocked_by).inc()


def circumstances(
    connection: Connection, source_id: str, host: str, now: datetime, *, websub_on: bool
) -> Circumstances:
    """What a plan depends on besides its source: the host, the cap, our own network, pushes.

    `host` is who answered, or did not; its row is locked to the end of the transaction.
    """
    known = facts.facts(connection, (hour_cap.FACT, outage.FACT, clock.STEPPED))
    return Circumstances(
        host=host,
        health=HostHealth.from_json(hosts.health(connection, host, lock=True)),
        slowdown=hour_cap.factor_of(known.get(hour_cap.FACT)),
        outage=bool(known.get(outage.FACT)),
        pushed=websub_on and websub.is_active(connection, source_id, now),
        settled=clock.settled_since(known.get(clock.STEPPED), now),
    )


def _write_batch(
    connection: Connection,
    claim: Claim,
    source: SourceSettings,
    ingest: Ingest,
    batch: Sequence[EntryIntent],
) -> writing.Written | None:
    """One batch; None, and nothing is stored, when the poll no longer counts."""
    if not claims.holds(connection, claim) or not access.is_in_force(connection, source):
        return None
    return writing.write_entries(connection, ingest, batch) if batch else writing.Written()


def _write_end(
    connection: Connection,
    parts: Parts,
    claim: Claim,
    source: SourceSettings,
    around: Circumstances,
    decided: Decided,
    written: writing.Written,
    polled: Polled,
    result: FetchResult,
    now: datetime,
) -> _Finished:
    """What the last transaction of a poll holds besides its last items."""
    state = redirects.flag_duplicate(connection, decided.state, decided.record.at)
    record = replace(
        decided.record,
        new_items=len(written.new_items),
        changed_items=len(written.changed_items),
        copies=written.copies,
        next_at=state.next_poll_at,
        reason=state.next_reason,
        reason_detail=state.next_detail,
    )
    if decided.home_since is not None:
        told = (
            "polled at its configured address again, which no longer leads elsewhere: "
            f"{record.new_items} items there were missed since {decided.home_since:%Y-%m-%d}"
        )
        record = replace(record, reason_detail=f"{record.reason_detail}; {told}")
        state = replace(state, next_detail=record.reason_detail)
    states.put_state(connection, state, claim, decided.polling_host)
    polls.log_poll(connection, record)
    stated.meet(connection, parts.settings, written.new_items, now)
    entries = queue.stored_entries(decided.intents)
    queue.after_poll(connection, parts.settings, source, entries, written, now)
    if decided.complete is not None:
        withdrawals.follow_complete(connection, source.id, decided.complete, now)
    if polled.read is not None:
        feed = polled.read.feed
        listed = {entry.id for entry in feed.entries if entry.id}
        withdrawals.follow_deleted(connection, source.id, feed.deleted, listed, now)
    if decided.outcome.kind is PollKind.OK and not result.delta:
        websub.check_by_poll(connection, source.id, decided.outcome.new_dates, now)
        if polled.read is not None:
            websub.discovered(connection, parts.settings, source, result, polled.read.feed, now)
    blocked = health.remember(
        connection, around.host, around.health, source.id, decided.outcome, decided.interval, now
    )
    return _Finished(record, decided, blocked)


async def _superseded(
    parts: Parts, claim: Claim, source: SourceSettings, result: FetchResult, now: datetime
) -> PollRecord:
    """The source's address, access, privacy or lease changed during the poll: polled anew."""
    detail = "its configuration or its lease changed while it was polled"
    at = now + _ANEW
    await parts.database.run_write(claims.postpone, claim, at, PlanReason.ADDRESS, detail)
    return PollRecord(
        source_id=source.id,
        at=now,
        status=result.status,
        outcome=PollWord.SUPERSEDED,
        wire_bytes=result.wire_bytes,
        decoded_bytes=result.decoded_bytes,
        timing=result.timing,
        next_at=at,
        reason=PlanReason.ADDRESS,
        reason_detail=detail,
    )


def ingest_of(parts: Parts, source: SourceSettings, polled: Polled, now: datetime) -> Ingest:
    """Where what a document brought comes from, and how it is named."""
    feed = polled.read.feed if polled.read else None
    own_id = polled.state.feed_id
    lasting = own_id if not source.private and is_lasting_iri(own_id) else None
    updated = min(feed.updated, now) if feed and feed.updated else now
    parts.grouping.settings = parts.settings.dedup
    guids_count = polled.read is not None and polled.read.policy == "guid" and not source.private

    def public_id(intent: EntryIntent) -> tuple[str, str]:
        minted = parts.mint.item(source.id, intent.key)
        guid = unless_secret(intent.guid, source)
        if guids_count and guid and is_lasting_iri(guid):
            return guid, minted
        return minted, minted

    return Ingest(
        source_id=source.id,
        scope=access.scope(source),
        now=now,
        source_ref={
            "title": source.title or polled.state.title or source.id,
            "link": polled.state.link,
            "feed_id": lasting or source.shown_url or parts.mint.feed(source.id),
            "feed_url": source.shown_url,
            "updated": updated.isoformat(),
        },
        public_id=public_id,
        agree=texts_agree,
        grouping=parts.grouping,
        boilerplate=polled.boilerplate,
        reader=READER,
        language=policy.language(source, feed.language if feed else None),
    )

"""The end of a poll: what it found is stored together with the plan of the next one.

The items of a document and the validators that vouch for it are committed together; a poll cut
short anywhere leaves the old validators, so the next poll gets the same document again and stores
what is missing, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.identity.agreement import texts_agree
from aggregator.identity.naming import is_lasting_iri
from aggregator.model.feed import ParsedFeed
from aggregator.model.http import FetchResult
from aggregator.model.item import EntryIntent, FeedState, PollRecord
from aggregator.model.poll import Plan, PollKind
from aggregator.model.settings import SourceSettings
from aggregator.pipeline import access
from aggregator.pipeline.budgets import health, hour_cap, outage
from aggregator.pipeline.following import queue, stated
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import planning, redirects, websub
from aggregator.pipeline.polling.document import Polled
from aggregator.pipeline.secrets import hide, unless_secret
from aggregator.schedule.hosts import HostHealth, host_after, host_floors
from aggregator.schedule.policy import plan_next
from aggregator.schedule.state import PolicyState
from aggregator.store.items import withdrawals, writing
from aggregator.store.sources import claims, hosts, polls, states
from aggregator.urls.origin import host_key

_FINE = (PollKind.OK, PollKind.SAME_BODY, PollKind.NOT_MODIFIED, PollKind.NO_CONTENT)
_ANEW = timedelta(minutes=1)  # never at once: two processes may differ in their configuration


async def store(
    parts: Parts,
    source: SourceSettings,
    polled: Polled,
    result: FetchResult,
    started: datetime,
) -> PollRecord:
    """Plan the next poll, store everything in batches, and give the lease back with the last.

    Returns the record as it was logged. Where the source is configured otherwise by now nothing
    more is stored, and it is polled anew.
    """
    now = parts.clock.now()
    if polled.outcome.kind is not PollKind.PUSH:
        fine = polled.outcome.kind in _FINE
        moved = redirects.after_poll(polled.state, source, result, now, fine=fine)
        covered = parts.settings.service.websub and await parts.database.run_read(
            websub.is_active, source.id, now
        )
        polled = replace(polled, state=moved, outcome=replace(polled.outcome, push=covered))
    host = host_key(result.final_url)  # who answered, or did not
    usual = source.poll.interval or parts.settings.polling.interval
    known_health, slowdown, gone = await parts.database.run_read(_circumstances, host)
    after = host_after(known_health, source.id, polled.outcome, usual, now)
    policy, plan = plan_next(
        PolicyState.from_json(polled.state.policy),
        polled.outcome,
        planning.poll_settings(source, parts.settings.polling, slowdown),
        now,
        source.id,
        host_floors(after, now),
    )
    intents = polled.identified.intents if polled.identified else ()
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
    polling_host = host_key(state.effective_url or source.url)
    ingest = _ingest(parts, source, polled, now)
    written = writing.Written()
    batches = [intents[i : i + writing.BATCH] for i in range(0, len(intents), writing.BATCH)]
    for batch in batches[:-1]:
        done = await parts.database.run_write(_write, source, ingest, batch)
        if done is None:
            return await _superseded(parts, source, record, now)
        written.add(done)
    last = batches[-1] if batches else ()
    if gone and result.status is not None:
        await parts.database.run_write(outage.over, now)

    entries = queue.stored_entries(intents)

    def finish(connection: Connection) -> PollRecord | None:
        if not access.is_in_force(connection, source):
            return None
        done = _finish(connection, ingest, last, written, state, record)
        stated.meet(connection, parts.settings, written.new_items, now)
        queue.after_poll(connection, parts.settings, source, entries, written, now)
        states.set_host(connection, source.id, polling_host)
        if polled.read is not None and not result.delta:
            _follow_complete(connection, source.id, polled.read.feed, intents, now)
        if polled.outcome.kind is PollKind.OK and not result.delta:
            websub.check_by_poll(connection, source.id, polled.outcome.new_dates, now)
            if polled.read is not None:
                feed = polled.read.feed
                websub.discovered(connection, parts.settings, source, result, feed, now)
        health.remember(connection, host, source.id, polled.outcome, usual, now)
        return done

    finished = await parts.database.run_write(finish)
    return finished or await _superseded(parts, source, record, now)


def _follow_complete(
    connection: Connection,
    source_id: str,
    feed: ParsedFeed,
    intents: Sequence[EntryIntent],
    now: datetime,
) -> None:
    """A whole document that says it is the whole feed takes back what it no longer has."""
    if not feed.complete or feed.error is not None or feed.dropped or not intents:
        return
    present = {intent.key for intent in intents}
    present.update(intent.known.key for intent in intents if intent.known is not None)
    withdrawals.follow_complete(connection, source_id, present, now)


def _write(
    connection: Connection,
    source: SourceSettings,
    ingest: writing.Ingest,
    batch: Sequence[EntryIntent],
) -> writing.Written | None:
    """One batch; None, and nothing is stored, when the source is configured otherwise by now."""
    if not access.is_in_force(connection, source):
        return None
    return writing.write_entries(connection, ingest, batch)


async def _superseded(
    parts: Parts, source: SourceSettings, record: PollRecord, now: datetime
) -> PollRecord:
    """The source's address, access or privacy changed during the poll: it is polled anew."""
    detail = "its configuration changed while it was polled"
    at = now + _ANEW
    await parts.database.run_write(claims.postpone, source.id, at, "address", detail)
    return replace(
        record, outcome="superseded", error=None, next_at=at, reason="address", reason_detail=detail
    )


def _circumstances(connection: Connection, host: str) -> tuple[HostHealth, float, bool]:
    """What a plan depends on besides its source: the host, the cap, our own network."""
    known_health = HostHealth.from_json(hosts.health(connection, host))
    return known_health, hour_cap.slowdown(connection), outage.since(connection) is not None


def _finish(
    connection: Connection,
    ingest: writing.Ingest,
    intents: Sequence[EntryIntent],
    before: writing.Written,
    state: FeedState,
    record: PollRecord,
) -> PollRecord:
    """The last transaction of a poll: its last items together with the validators."""
    if intents:
        before.add(writing.write_entries(connection, ingest, intents))
    record = replace(
        record, new_items=len(before.new_items), changed_items=len(before.changed_items)
    )
    state = redirects.flag_duplicate(connection, state, record.at)
    record = replace(
        record, next_at=state.next_poll_at, reason=state.next_reason,
        reason_detail=state.next_detail,
    )  # fmt: skip
    states.put_state(connection, state)
    polls.log_poll(connection, record)
    return record


def _planned(
    polled: Polled, policy: PolicyState, plan: Plan, record: PollRecord, started: datetime
) -> FeedState:
    state, kind = polled.state, polled.outcome.kind
    fine = kind in _FINE
    if kind is PollKind.PUSH:
        started = state.last_polled_at or started
    extra = {k: v for k, v in state.extra.items() if k not in ("unconditional", "dead", "flip")}
    if plan.unconditional:
        extra["unconditional"] = True
    if plan.dead:
        extra["dead"] = True
    return replace(
        state,
        policy=policy.to_json(),
        failures=planning.next_failures(state, kind),
        last_polled_at=started,
        last_success_at=started if fine else state.last_success_at,
        next_poll_at=plan.at,
        next_reason=plan.reason,
        next_detail=plan.detail,
        outcome=record.outcome,
        status=record.status,
        error=record.error,
        extra=extra,
    )


def _ingest(parts: Parts, source: SourceSettings, polled: Polled, now: datetime) -> writing.Ingest:
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

    return writing.Ingest(
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
        learned=polled.furniture,
    )

"""Poll one source: fetch → read → identify → prepare → store → plan the next poll.

Each phase hands plain data to the next. The items of a document and the validators that vouch for
it are committed together; a poll cut short anywhere leaves the old validators, so the next poll
gets the same document again and stores what is missing, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from aggregator.identity.agreement import texts_agree
from aggregator.identity.entries import Identified, Known, identify
from aggregator.identity.keys import KeyedEntry
from aggregator.identity.naming import is_lasting_iri
from aggregator.isolate.pool import WorkerError
from aggregator.model.feed import ParsedFeed
from aggregator.model.http import FetchError, FetchRequest, FetchResult, Validators
from aggregator.model.item import EntryIntent, FeedState, PollRecord
from aggregator.model.poll import Plan, PollKind, PollOutcome
from aggregator.model.settings import SourceSettings
from aggregator.pipeline import (
    explain,
    fulltext,
    gaps,
    health,
    moves,
    outage,
    pace,
    planning,
    revisions,
    websub,
)
from aggregator.pipeline.configure import host_key, is_in_force
from aggregator.pipeline.hiding import hide, unless_secret
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.reading import ReadDocument, prepare_bodies, read_document
from aggregator.schedule.hosts import HostHealth, host_after, host_floors
from aggregator.schedule.policy import plan_next
from aggregator.schedule.state import PolicyState
from aggregator.store import (
    claims,
    copies,
    hosts,
    known,
    sources,
    subscriptions,
    withdrawals,
    writing,
)
from aggregator.telemetry import metrics
from aggregator.urls.origin import split

_FINE = (PollKind.OK, PollKind.SAME_BODY, PollKind.NOT_MODIFIED, PollKind.NO_CONTENT)
_BODIES_AT_ONCE = 100  # entries prepared in one worker task
_ANEW = timedelta(minutes=1)  # never at once: two processes may differ in their configuration

log = structlog.get_logger("aggregator.poll")


@dataclass(frozen=True, slots=True)
class _Polled:
    """What the phases before storing found out."""

    state: FeedState
    outcome: PollOutcome
    word: str  # for the log: new | unchanged | not_modified | an error class
    error: str | None = None
    read: ReadDocument | None = None
    known: Known | None = None
    identified: Identified | None = None
    paragraphs: frozenset[int] = frozenset()  # known as the source's furniture


async def poll_source(parts: Parts, source: SourceSettings, *, owner: str) -> PollRecord:
    """Poll a source that `owner` holds the lease of; stores everything and gives the lease back.

    Never raises for what a server does: the record says what happened and when comes the next.
    """
    started = parts.clock.now()
    state = await parts.database.run_read(sources.feed_state, source.id)
    if state is None:
        raise LookupError(f"source {source.id} is not in the database")
    request = _request(source, state)
    result = await parts.fetcher.fetch(request)
    if result.error is FetchError.HOST_BUSY:
        return await _put_back(parts, source, result, started)
    polled = await _understand(parts, source, state, result, conditional=bool(request.validators))
    record = await _store(parts, source, polled, result, started)
    _report(source, record)
    return record


async def read_pushes(parts: Parts) -> int:
    """Read what WebSub hubs delivered, each like a poll; returns how many documents."""
    known_sources = {source.id: source for source in parts.settings.sources}
    done = 0
    for push in await parts.database.run_read(subscriptions.queued, websub.AT_ONCE):
        source = known_sources.get(push.source_id)
        if source is not None:
            now, lease = parts.clock.now(), parts.settings.polling.lease
            if not await parts.database.run_write(
                claims.claim_one, source.id, now, f"{parts.owner}/push", lease
            ):
                continue  # being polled: next time
            await _read_push(parts, source, push)
        await parts.database.run_write(subscriptions.read, push.number)
        metrics.PUSHES.labels(result="read").inc()
        done += 1
    return done


async def _read_push(parts: Parts, source: SourceSettings, push: subscriptions.Push) -> None:
    started = parts.clock.now()
    state = await parts.database.run_read(sources.feed_state, source.id)
    if state is None:
        return
    result = websub.as_result(push, state.effective_url or source.url)
    polled = await _understand(parts, source, state, result, conditional=False)
    if polled.outcome.kind is PollKind.ERROR:  # the hub's fault: says nothing about the feed
        said = hide(polled.error, source)
        log.warning("a pushed document could not be read", source=source.id, error=said)
        await parts.database.run_write(claims.release, source.id, f"{parts.owner}/push")
        return
    pushed = replace(polled.outcome, kind=PollKind.PUSH, push=True)
    polled = replace(polled, outcome=pushed, word="push")
    _report(source, await _store(parts, source, polled, result, started))


def _request(source: SourceSettings, state: FeedState) -> FetchRequest:
    unconditional = bool(state.extra.get("unconditional"))
    parts = split(source.url)
    return FetchRequest(
        url=state.effective_url or source.url,
        validators=Validators() if unconditional else state.validators,
        headers={name: value.reveal() for name, value in source.headers.items()},
        auth=(source.auth[0].reveal(), source.auth[1].reveal()) if source.auth else None,
        allow_private=source.allow_private,
        configured_port=parts.port if parts else None,
        delta=bool(state.validators) and not unconditional,
    )


async def _put_back(
    parts: Parts, source: SourceSettings, result: FetchResult, now: datetime
) -> PollRecord:
    """The host's budget had no room: no request was sent, nothing is learned or counted."""
    at = result.retry_at or now + timedelta(seconds=30)
    detail = result.detail or "its host is not to be contacted before then"
    await parts.database.run_write(claims.postpone, source.id, at, "host", detail)
    return PollRecord(
        source_id=source.id, at=now, status=None, outcome="host_busy",
        next_at=at, reason="host", reason_detail=detail,
    )  # fmt: skip


async def _understand(
    parts: Parts,
    source: SourceSettings,
    state: FeedState,
    result: FetchResult,
    *,
    conditional: bool,
) -> _Polled:
    """Everything between the wire and the store."""
    outcome = planning.outcome_of(result, conditional=conditional)
    if result.error is not None:
        return await _failed(parts, state, result, outcome)
    if result.body is None:
        kept = _kept(result.validators, source) or state.validators
        word = "not_modified" if outcome.kind is PollKind.NOT_MODIFIED else "no_content"
        return _Polled(replace(state, validators=kept), outcome, word)
    hashed = planning.body_hash(result.body)
    if hashed == state.body_hash and not result.delta:
        same = replace(outcome, kind=PollKind.SAME_BODY, body_bytes=result.decoded_bytes)
        kept = _kept(result.validators, source)
        return _Polled(replace(state, validators=kept), same, "unchanged")
    return await _read(parts, source, state, result, hashed, conditional=conditional)


def _kept(validators: Validators, source: SourceSettings) -> Validators:
    """Validators as they are stored: never with a secret address, whose own need not name it."""
    if not source.url_is_secret:
        return validators
    own = validators.url in (None, source.url.partition("#")[0])
    return replace(validators, url=None) if own else Validators()


async def _failed(
    parts: Parts, state: FeedState, result: FetchResult, outcome: PollOutcome
) -> _Polled:
    error = f"{result.error}: {result.detail}" if result.detail else str(result.error)
    word = str(result.error)
    if planning.is_local_failure(result.error):
        host = host_key(result.final_url)
        if await parts.database.run_write(outage.notice, host, parts.clock.now()):
            return _Polled(state, replace(outcome, kind=PollKind.OUTAGE), "outage", error)
    return _Polled(state, outcome, word, error)


async def _read(
    parts: Parts,
    source: SourceSettings,
    state: FeedState,
    result: FetchResult,
    hashed: str,
    *,
    conditional: bool,
) -> _Polled:
    """Parse in a worker, find out what is new, prepare the bodies of that in a worker."""
    timeout = parts.settings.fetching.parse_timeout.total_seconds()
    failed = planning.outcome_of(result, conditional=conditional)
    try:
        read = await parts.workers.run(
            read_document, result.body, result.content_type, result.final_url,
            state.identity_policy, parts.settings.dedup.tracking_parameters, _zone(source),
            timeout=timeout,
        )  # fmt: skip
        feed = read.feed
        if not feed.entries and feed.error_class is not None:
            word = feed.error_class
            failed = replace(failed, kind=PollKind.ERROR, error=word)
            return _Polled(state, failed, word, _explain(feed))
        found = await parts.database.run_read(_known_of, source.id, read.keyed)
        identified = identify(read.keyed, found)
        document = read
        if not result.delta and gaps.is_gap(identified.intents):
            read, identified, state = await _page_back(parts, source, state, result, read, found)
        paragraphs = await parts.database.run_read(
            copies.learned_paragraphs, source.id, parts.settings.dedup.copies
        )
        intents = await _prepare(parts, identified.intents, paragraphs, timeout)
        if not result.delta and not found.empty and revisions.lists_everything(feed):
            intents = await revisions.find_revisions(
                parts, source, intents, found, paragraphs, timeout
            )
    except WorkerError as error:
        metrics.WORKER_FAILURES.labels(kind=type(error).__name__).inc()
        failed = replace(failed, kind=PollKind.ERROR, error="limit")
        return _Polled(state, failed, "limit", f"the document could not be read: {error}")
    now = parts.clock.now()
    outcome = planning.document_outcome(
        result, feed, document.keyed, found,
        _of_document(intents, document), now, conditional=conditional,
    )  # fmt: skip
    learned = replace(
        state,
        validators=state.validators if result.delta else _kept(result.validators, source),
        body_hash=state.body_hash if result.delta else hashed,
        identity_policy=read.policy,
        title=feed.title or state.title,
        link=unless_secret(feed.link or state.link, source),
        feed_id=unless_secret(feed.id or state.feed_id, source),
        items_seen=len(document.keyed),
        extra=explain.noted(
            dict(state.extra),
            replace(identified, intents=tuple(intents)),
            now,
            before=state.identity_policy,
            policy=read.policy,
        ),
    )
    # An entry may be renamed and have another text at once.
    changed = any(intent.kind == "new" or intent.body is not None for intent in intents)
    return _Polled(
        learned, outcome, "new" if changed else "unchanged", feed.error,
        read, found, replace(identified, intents=tuple(intents)), paragraphs,
    )  # fmt: skip


async def _page_back(
    parts: Parts,
    source: SourceSettings,
    state: FeedState,
    result: FetchResult,
    read: ReadDocument,
    found: Known,
) -> tuple[ReadDocument, Identified, FeedState]:
    """Nothing in the document was known: fetch older pages, or note the gap."""
    timeout = parts.settings.fetching.parse_timeout.total_seconds()
    first = replace(_request(source, state), validators=Validators(), delta=False)

    async def page(url: str) -> ReadDocument | None:
        answer = await parts.fetcher.fetch(replace(first, url=url))
        if answer.body is None:
            return None
        older: ReadDocument = await parts.workers.run(
            read_document, answer.body, answer.content_type, answer.final_url,
            read.policy, parts.settings.dedup.tracking_parameters, _zone(source), timeout=timeout,
        )  # fmt: skip
        return older

    async def knows_any(keyed: Sequence[KeyedEntry]) -> bool:
        known_now = await parts.database.run_read(_known_of, source.id, keyed)
        return bool(known_now.by_key)

    paged = await gaps.page_back(read, result.final_url, page, knows_any, parts.clock)
    if not found.empty:
        state = gaps.note(state, paged, parts.clock.now(), len(read.keyed))
    if paged.keyed:
        read = replace(read, keyed=(*read.keyed, *paged.keyed))
        found = await parts.database.run_read(_known_of, source.id, read.keyed)
    return read, identify(read.keyed, found), state


def _of_document(intents: Sequence[EntryIntent], document: ReadDocument) -> Sequence[EntryIntent]:
    """The intents of the document itself, without those of older pages."""
    keys = {one.key for one in document.keyed}
    return [intent for intent in intents if intent.key in keys]


def _zone(source: SourceSettings) -> str | None:
    return source.timezone.key if source.timezone else None


def _explain(feed: ParsedFeed) -> str:
    text = feed.error or "the document is no feed"
    if feed.alternates:
        text += f"; the page offers {', '.join(link.href for link in feed.alternates[:3])}"
    return text


def _known_of(connection: Connection, source_id: str, keyed: Sequence[KeyedEntry]) -> Known:
    newest, empty = known.newest_published(connection, source_id)
    if empty:
        return Known({}, {}, {}, None, empty=True)
    state = sources.feed_state(connection, source_id)
    keys = [key for one in keyed for key in (one.key, *one.candidates)]
    return Known(
        by_key=known.entries_by_key(connection, source_id, keys),
        by_alias=known.entries_by_alias(
            connection, source_id, [one.alias for one in keyed if one.alias]
        ),
        by_url_key=known.entries_by_url_key(
            connection, source_id, [one.url_key for one in keyed if one.url_key]
        ),
        newest_published=newest,
        empty=state is None or state.last_success_at is None,  # its first poll was cut short
    )


async def _prepare(
    parts: Parts, intents: Sequence[EntryIntent], paragraphs: frozenset[int], timeout: float
) -> list[EntryIntent]:
    """Sanitise the bodies of new and changed entries, and of renamed ones whose text changed."""
    prepared = list(intents)
    wanted = [index for index, intent in enumerate(prepared) if _needs_body(intent)]
    for start in range(0, len(wanted), _BODIES_AT_ONCE):
        some = wanted[start : start + _BODIES_AT_ONCE]
        bodies = await parts.workers.run(
            prepare_bodies, [prepared[index].entry for index in some], paragraphs, timeout=timeout
        )
        for index, (body, text) in zip(some, bodies, strict=True):
            prepared[index] = replace(prepared[index], body=body, prepared=text)
    return prepared


def _needs_body(intent: EntryIntent) -> bool:
    if intent.kind == "renamed":
        return intent.known is None or intent.known.content_hash != intent.content_hash
    return intent.kind in ("new", "changed")


async def _store(
    parts: Parts,
    source: SourceSettings,
    polled: _Polled,
    result: FetchResult,
    started: datetime,
) -> PollRecord:
    now = parts.clock.now()
    if polled.outcome.kind is not PollKind.PUSH:
        fine = polled.outcome.kind in _FINE
        moved = moves.after_poll(polled.state, source, result, now, fine=fine)
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

    entries = fulltext.stored_entries(intents)

    def finish(connection: Connection) -> PollRecord | None:
        if not is_in_force(connection, source):
            return None
        done = _finish(connection, ingest, last, written, state, record)
        fulltext.after_poll(connection, parts.settings, source, entries, written, now)
        sources.set_host(connection, source.id, polling_host)
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
    if not is_in_force(connection, source):
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
    return known_health, pace.slowdown(connection), outage.since(connection) is not None


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
    state = moves.flag_duplicate(connection, state, record.at)
    record = replace(
        record, next_at=state.next_poll_at, reason=state.next_reason,
        reason_detail=state.next_detail,
    )  # fmt: skip
    sources.put_state(connection, state)
    writing.log_poll(connection, record)
    return record


def _planned(
    polled: _Polled, policy: PolicyState, plan: Plan, record: PollRecord, started: datetime
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


def _ingest(parts: Parts, source: SourceSettings, polled: _Polled, now: datetime) -> writing.Ingest:
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
        scope=source.id if source.private else "",
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
        learned=polled.paragraphs,
    )


def _report(source: SourceSettings, record: PollRecord) -> None:
    metrics.POLLS.labels(outcome=record.outcome).inc()
    metrics.ITEMS_NEW.inc(record.new_items)
    metrics.ITEMS_CHANGED.inc(record.changed_items)
    metrics.BYTES_RECEIVED.inc(record.wire_bytes)
    level = log.warning if record.error and record.outcome not in ("new", "unchanged") else log.info
    level(
        "polled",
        source=source.id,
        outcome=record.outcome,
        status=record.status,
        new=record.new_items,
        changed=record.changed_items,
        error=record.error,
        next_at=record.next_at.isoformat() if record.next_at else None,
        reason=record.reason,
    )

"""A feed's document: asked for, read in a worker, compared with what is known, made ready to store.

Everything between the wire and the store. Nothing is written here but that our own network is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from aggregator.feeds.version import READER
from aggregator.identity.entries import Identified, Known, Reading, identify, wants_recent
from aggregator.identity.keys import POLICIES, KeyedEntry
from aggregator.isolate.pool import WorkerBusy, WorkerClosed, WorkerError
from aggregator.model.feed import ParsedEntry, ParsedFeed
from aggregator.model.http import FetchResult, Validators
from aggregator.model.item import EntryIntent, FeedState, KnownEntry
from aggregator.model.poll import PollKind, PollOutcome
from aggregator.model.settings import SourceSettings
from aggregator.model.states import EntryKind, PollWord
from aggregator.pipeline import access, policy
from aggregator.pipeline.budgets import outage
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import corrections, gaps, noticed, planning
from aggregator.pipeline.polling.reading import (
    Prepared,
    ReadDocument,
    Unread,
    prepare_bodies,
    read_document,
    read_with_bodies,
)
from aggregator.pipeline.secrets import unless_secret
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.items import entries
from aggregator.store.items.writing import SEEN_AGAIN
from aggregator.store.sources import states
from aggregator.telemetry import metrics
from aggregator.urls.origin import host_key

_BODIES_AT_ONCE = 100  # entries prepared in one worker task
_WITH_BODIES = 300_000  # bytes of a first document up to which one task does it all
_ALONE = 5.0  # seconds for one that is prepared by itself, since the task with it was ended
_READ_AGAIN = timedelta(minutes=2)  # after this machine had too much to do
_UNREADABLE = 10  # entries; a document with more of them is not read at all


log = structlog.get_logger("aggregator.poll")


@dataclass(frozen=True, slots=True)
class Polled:
    """What the phases before storing found out."""

    state: FeedState
    outcome: PollOutcome
    word: str  # for the log: a `PollWord`, a `FetchError` or a class of parse errors
    error: str | None = None
    read: ReadDocument | None = None
    known: Known | None = None
    identified: Identified | None = None
    boilerplate: frozenset[int] = frozenset()  # paragraphs that its source is known to repeat


async def understand(
    parts: Parts,
    source: SourceSettings,
    state: FeedState,
    result: FetchResult,
    *,
    conditional: bool,
    again: datetime | None = None,
) -> Polled:
    """Read what came and say what is new in it; `conditional` says how it was asked for.

    `again`: when it came, of a kept document that is read once more.
    """
    outcome = planning.outcome_of(result, conditional=conditional)
    if result.error is not None:
        return await _failed(parts, state, result, outcome)
    if result.body is None:
        kept = access.storable(result.validators, source) or state.validators
        unmodified = outcome.kind is PollKind.NOT_MODIFIED
        word = PollWord.NOT_MODIFIED if unmodified else PollWord.NO_CONTENT
        return Polled(replace(state, validators=kept), outcome, word)
    hashed = planning.body_hash(result.body)
    read_before = state.noticed.reader == READER  # a new release reads known bytes once more
    if hashed == state.body_hash and read_before and not result.delta and again is None:
        same = replace(outcome, kind=PollKind.SAME_BODY, body_bytes=result.decoded_bytes)
        kept = access.storable(result.validators, source)
        return Polled(replace(state, validators=kept), same, PollWord.UNCHANGED)
    return await _read(parts, source, state, result, hashed, conditional=conditional, again=again)


async def _failed(
    parts: Parts, state: FeedState, result: FetchResult, outcome: PollOutcome
) -> Polled:
    error = f"{result.error}: {result.detail}" if result.detail else str(result.error)
    word = str(result.error)
    if planning.is_local_failure(result.error):
        host, now = host_key(result.final_url), parts.clock.now()
        since = await parts.database.run_write(
            outage.notice, host, now, own_network=result.own_network
        )
        if since is not None:
            if since == now:
                log.warning(
                    "our own network seems to be down: no failure counts until a server answers"
                )
            ours = replace(outcome, kind=PollKind.OUTAGE, outage_for=now - since)
            return Polled(state, ours, PollWord.OUTAGE, error)
    return Polled(state, outcome, word, error)


async def _read(
    parts: Parts,
    source: SourceSettings,
    state: FeedState,
    result: FetchResult,
    hashed: str,
    *,
    conditional: bool,
    again: datetime | None,
) -> Polled:
    """Parse in a worker, find out what is new, prepare the bodies of that in a worker."""
    timeout = parts.settings.fetching.parse_timeout.total_seconds()
    failed = planning.outcome_of(result, conditional=conditional)
    try:
        read = await _read_first(parts, source, state, result, timeout)
        feed = read.feed
        if not feed.entries and feed.error_class is not None:
            word = feed.error_class
            failed = replace(failed, kind=PollKind.ERROR, error=word)
            return Polled(state, failed, word, _explain(feed))
        found = await parts.database.run_read(_known_of, source.id, read.keyed)
        reading = Reading(
            again or parts.clock.now(), READER, reused=frozenset(state.noticed.reused),
            unlasting=read.policy == POLICIES[-1], again=again is not None,
        )  # fmt: skip
        identified = identify(read.keyed, found, reading)
        document = read
        if not result.delta and gaps.is_gap(identified.intents):
            read, identified, state = await _page_back(
                parts, source, state, result, read, found, reading
            )
        boilerplate = await parts.database.run_read(
            known_boilerplate, source.id, parts.settings.dedup.copies
        )
        # What was prepared with the first document counts if nothing was known of its source.
        ready = {} if boilerplate else _ready(document)
        intents, left_out = await _prepare(
            parts, source, identified.intents, boilerplate, timeout, ready
        )
        if not identified.guid_flip:
            intents = await corrections.part_editions(parts, source, intents, boilerplate)
        if not result.delta and not found.empty and corrections.lists_everything(feed):
            intents = await corrections.find_corrections(
                parts, source, intents, found, boilerplate, timeout
            )
    except WorkerError as error:
        metrics.WORKER_FAILURES.labels(kind=type(error).__name__).inc()
        if isinstance(error, WorkerBusy) and not error.blamed:
            later = parts.clock.now() + _READ_AGAIN
            ours = replace(failed, kind=PollKind.BUSY, retry_at=later)
            return Polled(state, ours, PollWord.BUSY, f"the document was not read: {error}")
        failed = replace(failed, kind=PollKind.ERROR, error=PollWord.LIMIT)
        return Polled(state, failed, PollWord.LIMIT, f"the document could not be read: {error}")
    now = parts.clock.now()
    outcome = planning.document_outcome(
        result, feed, document.keyed, found,
        _of_document(intents, document), now, conditional=conditional,
    )  # fmt: skip
    told = replace(identified, intents=tuple(intents))
    # The rest of an entry that was cut off is asked for, whatever the server says of changes.
    forget = any(one.cut_off for one in feed.entries)
    validators = Validators() if forget else access.storable(result.validators, source)
    learned = replace(
        state,
        validators=state.validators if result.delta else validators,
        body_hash=state.body_hash if result.delta else hashed,
        identity_policy=noticed.policy_after(state.noticed, told, read.policy),
        title=feed.title or state.title,
        link=unless_secret(feed.link or state.link, source),
        feed_id=unless_secret(feed.id or state.feed_id, source),
        items_seen=len(document.keyed),
        noticed=noticed.noted(
            replace(state.noticed, reader=READER),
            told,
            now,
            before=state.identity_policy,
            policy=read.policy,
        ),
    )
    # An entry may be renamed and have another text at once.
    changed = any(
        intent.kind is EntryKind.NEW or (intent.body is not None and not intent.quiet)
        for intent in intents
    )
    return Polled(
        learned, outcome, PollWord.NEW if changed else PollWord.UNCHANGED, feed.error or left_out,
        read, found, told, boilerplate,
    )  # fmt: skip


async def _read_first(
    parts: Parts, source: SourceSettings, state: FeedState, result: FetchResult, timeout: float
) -> ReadDocument:
    """The document as a worker reads it; the first of a source, unless it is large, with bodies.

    Raises:
        WorkerError: it cannot be read.
    """
    how = (
        result.body, result.content_type, result.final_url, state.identity_policy,
        parts.settings.dedup.tracking_parameters, policy.timezone(source),
        policy.parse_limits(parts.settings.fetching),
    )  # fmt: skip
    if state.body_hash is None and len(result.body or b"") <= _WITH_BODIES:
        try:
            return await parts.workers.run(read_with_bodies, *how, timeout=timeout, share=source.id)
        except (WorkerBusy, WorkerClosed):
            raise
        except WorkerError as error:  # one body may be to blame: they are tried one by one
            metrics.WORKER_FAILURES.labels(kind=type(error).__name__).inc()
    return await parts.workers.run(read_document, *how, timeout=timeout, share=source.id)


def _ready(document: ReadDocument) -> dict[int, Prepared | Unread]:
    """The bodies that were prepared with a document, by the identity of their entries."""
    if not document.bodies:
        return {}
    entries = (id(one.entry) for one in document.keyed)
    return dict(zip(entries, document.bodies, strict=True))


async def _page_back(
    parts: Parts,
    source: SourceSettings,
    state: FeedState,
    result: FetchResult,
    read: ReadDocument,
    found: Known,
    reading: Reading,
) -> tuple[ReadDocument, Identified, FeedState]:
    """Nothing in the document was known: fetch older pages, or note the gap."""
    timeout = parts.settings.fetching.parse_timeout.total_seconds()
    first = replace(access.poll_request(source, state), validators=Validators(), delta=False)

    async def page(url: str) -> ReadDocument | None:
        answer = await parts.fetcher.fetch(replace(first, url=url))
        if answer.body is None:
            return None
        older: ReadDocument = await parts.workers.run(
            read_document, answer.body, answer.content_type, answer.final_url,
            read.policy, parts.settings.dedup.tracking_parameters, policy.timezone(source),
            policy.parse_limits(parts.settings.fetching), timeout=timeout,
            share=source.id,
        )  # fmt: skip
        return older

    async def knows_any(keyed: Sequence[KeyedEntry]) -> bool:
        known_now = await parts.database.run_read(_known_of, source.id, keyed)
        return bool(known_now.by_key)

    paged = await gaps.page_back(read, result.final_url, page, knows_any, parts.clock)
    if not found.empty:
        state = gaps.note(state, paged, parts.clock.now(), len(read.keyed))
    if paged.keyed:
        reading = replace(reading, older=frozenset(one.key for one in paged.keyed))
        read = replace(read, keyed=(*read.keyed, *paged.keyed))
        found = await parts.database.run_read(_known_of, source.id, read.keyed)
    return read, identify(read.keyed, found, reading), state


def _of_document(intents: Sequence[EntryIntent], document: ReadDocument) -> Sequence[EntryIntent]:
    """The intents of the document itself, without those of older pages."""
    keys = {one.key for one in document.keyed}
    return [intent for intent in intents if intent.key in keys]


def _explain(feed: ParsedFeed) -> str:
    text = feed.error or "the document is no feed"
    if feed.alternates:
        text += f"; the page offers {', '.join(link.href for link in feed.alternates[:3])}"
    return text


def _known_of(connection: Connection, source_id: str, keyed: Sequence[KeyedEntry]) -> Known:
    newest, empty = entries.newest_published(connection, source_id)
    if empty:
        return Known({}, {}, {}, None, empty=True)
    state = states.feed_state(connection, source_id)
    keys = [key for one in keyed for key in (one.key, *one.candidates)]
    by_key = entries.entries_by_key(connection, source_id, keys)
    recent: Sequence[KnownEntry] = ()
    if state is not None and state.document_at is not None and wants_recent(keyed, by_key):
        recent = entries.recent(connection, source_id, state.document_at - SEEN_AGAIN)
    return Known(
        by_key=by_key,
        by_alias=entries.entries_by_alias(
            connection, source_id, [one.alias for one in keyed if one.alias]
        ),
        by_url_key=entries.entries_by_url_key(
            connection, source_id, [one.url_key for one in keyed if one.url_key]
        ),
        newest_published=newest,
        recent=tuple(recent),
        empty=state is None or state.last_success_at is None,  # its first poll was cut short
    )


async def _prepare(
    parts: Parts,
    source: SourceSettings,
    intents: Sequence[EntryIntent],
    boilerplate: frozenset[int],
    timeout: float,
    ready: Mapping[int, Prepared | Unread],
) -> tuple[list[EntryIntent], str | None]:
    """Sanitise the bodies of new and changed entries, and of renamed ones whose text changed.

    `ready` are those that were with the document, by the identity of their entries.
    An entry whose body cannot be read is left out, or stays as it was before, and no other with
    it. The second value says so.

    Raises:
        WorkerError: more of them than a document may have cannot be read.
    """
    prepared: list[EntryIntent | None] = list(intents)
    unread: list[Unread] = []
    wanted = [index for index, intent in enumerate(intents) if _needs_body(intent)]
    for start in range(0, len(wanted), _BODIES_AT_ONCE):
        some = wanted[start : start + _BODIES_AT_ONCE]
        allowed = _UNREADABLE - len(unread)
        entries = [intents[index].entry for index in some]
        texts = [ready[id(entry)] for entry in entries if id(entry) in ready]
        if len(texts) < len(some):
            texts = await _bodies(parts, source, entries, boilerplate, timeout, allowed)
        for index, text in zip(some, texts, strict=True):
            intent = intents[index]
            if not isinstance(text, Unread):
                prepared[index] = replace(intent, body=text[0], prepared=text[1])
                continue
            unread.append(text)
            known = intent.kind in (EntryKind.CHANGED, EntryKind.REPLACED)
            prepared[index] = replace(intent, kind=EntryKind.TOUCHED) if known else None
    kept = [intent for intent in prepared if intent is not None]
    if not unread:
        return kept, None
    log.warning("entries that cannot be read are left out", source=source.id,
                entries=len(unread), first=unread[0].why)  # fmt: skip
    return kept, f"{len(unread)} entries could not be read within their limits and are left out"


async def _bodies(
    parts: Parts,
    source: SourceSettings,
    entries: Sequence[ParsedEntry],
    boilerplate: frozenset[int],
    timeout: float,
    allowed: int,
) -> list[Prepared | Unread]:
    """`prepare_bodies`; when that is ended, one entry after the other.

    Raises:
        WorkerError: more than `allowed` of them do, or the workers have no time.
    """

    async def prepare(some: Sequence[ParsedEntry], seconds: float) -> list[Prepared | Unread]:
        return await parts.workers.run(
            prepare_bodies, some, boilerplate, timeout=seconds, share=source.id
        )

    try:
        return await prepare(entries, timeout)
    except (WorkerBusy, WorkerClosed):
        raise
    except WorkerError as error:
        metrics.WORKER_FAILURES.labels(kind=type(error).__name__).inc()
    texts: list[Prepared | Unread] = []
    for entry in entries:
        try:
            texts += await prepare([entry], min(timeout, _ALONE))
        except (WorkerBusy, WorkerClosed):
            raise
        except WorkerError as error:
            if sum(isinstance(text, Unread) for text in texts) >= allowed:
                raise
            texts.append(Unread(f"{type(error).__name__}: {error}"))
    return texts


def _needs_body(intent: EntryIntent) -> bool:
    known = intent.known
    if intent.kind == EntryKind.RENAMED and known is not None:
        return (known.content_hash, known.shown) != (intent.content_hash, intent.shown)
    return intent.kind in (EntryKind.NEW, EntryKind.CHANGED, EntryKind.REPLACED)

"""Documents that were kept are read again, after our reading of them changed.

What a poll does with a document is done once more, by the same code: `document.understand` and the
write of a poll. Whatever is read otherwise now is ours and not the publisher's, as after a new
version of our reading (`feeds.version`): it replaces what is shown, without a revision, and nothing
is news. To see what would change, the write is done and rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from aggregator.identity.entries import ON_TOP
from aggregator.model.http import FetchResult
from aggregator.model.item import EntryIntent, FeedState
from aggregator.model.settings import SourceSettings
from aggregator.model.states import EntryKind
from aggregator.pipeline import access, policy
from aggregator.pipeline.following import queue, stated
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.document import understand
from aggregator.pipeline.polling.store import ingest_of
from aggregator.pipeline.secrets import hide
from aggregator.store import schema as t
from aggregator.store.items import writing
from aggregator.store.items.ingest import Ingest
from aggregator.store.rows import batches
from aggregator.store.sources import claims, documents, states

_SHOWN = (
    "title", "link", "author", "language", "published", "comments", "external_url", "image",
    "categories", "enclosures", "details",
)  # fmt: skip
_TEXTS = ("html", "summary", "text")


@dataclass(frozen=True, slots=True)
class Change:
    """What an item shows otherwise: of each field what it was, and what it is.

    Attributes:
        number: The item's.
        title: As it was.
        fields: By name: before and after.
    """

    number: int
    title: str | None
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Missed:
    """An entry that is read now and was not then."""

    title: str | None
    link: str | None
    published: datetime | None
    listed_at: datetime  # when its document came


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of the documents of one source.

    Attributes:
        source_id: Whose.
        documents: How many were read.
        changes: Items that show something else.
        missed: Entries that would be new items, or are, if they were wanted.
        unread: Documents that cannot be read: why.
        busy: It was being polled, or is configured otherwise: nothing more was done.
    """

    source_id: str
    documents: int = 0
    changes: tuple[Change, ...] = ()
    missed: tuple[Missed, ...] = ()
    unread: tuple[str, ...] = ()
    busy: bool = False


class _NotWanted(Exception):
    """Rolls a write back, and carries what it would have done."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__()
        self.changes = changes


async def replay(parts: Parts, source: SourceSettings, *, apply: bool, new: bool) -> Replayed:
    """Read the kept documents of a source again, the newest first.

    An entry is taken from the newest document that shows it; what a later document changed in it
    stays. A running service may go on beside it.

    Args:
        parts: What it is done with.
        source: Whose documents.
        apply: Write what is found; else it is only told.
        new: Write also entries that were not read before, as new items: by their dates where they
            are older than two days, else on top, since nobody has seen them.
    """
    done = Replayed(source.id)
    settled: set[int] = set()  # entries
    told: set[str] = set()  # keys of missed ones
    for body_hash in await parts.database.run_read(documents.hashes, source.id):
        kept = await parts.database.run_read(documents.document, source.id, body_hash)
        state = await parts.database.run_read(states.feed_state, source.id)
        if kept is None or state is None:
            continue
        claim = await _claim(parts, source) if apply else None
        if apply and claim is None:
            return replace(done, busy=True)
        try:
            found = await _read_again(
                parts, source, state, kept, claim, settled=settled, told=told, new=apply and new
            )
        finally:
            if claim is not None:
                await parts.database.run_write(claims.release, claim)
        if found is None:
            return replace(done, busy=True)
        done = Replayed(
            source.id,
            done.documents + found.documents,
            done.changes + found.changes,
            done.missed + found.missed,
            done.unread + found.unread,
        )
    return done


async def _claim(parts: Parts, source: SourceSettings) -> claims.Claim | None:
    now, lease = parts.clock.now(), policy.lease(parts.settings)
    return await parts.database.run_write(claims.claim_one, source.id, now, parts.owner, lease)


async def _read_again(
    parts: Parts,
    source: SourceSettings,
    state: FeedState,
    kept: documents.Document,
    claim: claims.Claim | None,
    *,
    settled: set[int],
    told: set[str],
    new: bool,
) -> Replayed | None:
    """One document; without a claim nothing of it stays. None where it may not be written."""
    url = kept.url or source.url
    result = FetchResult(url, url, 200, body=kept.body, content_type=kept.content_type, delta=True)
    polled = await understand(parts, source, state, result, conditional=False, again=kept.at)
    if polled.identified is None:
        why = hide(polled.error, source) or str(polled.word)
        return Replayed(source.id, unread=(f"of {kept.at:%Y-%m-%d %H:%M}: {why}",))
    now = parts.clock.now()
    known, fresh = _sorted(polled.identified.intents, kept.at, settled, told, now)
    ingest = replace(ingest_of(parts, source, polled, now), again=kept.at)
    changes: list[Change] = []
    intents = [*known, *fresh] if new else known
    for start in range(0, len(intents), writing.BATCH):
        some = intents[start : start + writing.BATCH]
        try:
            written = await parts.database.run_write(_write, parts, source, ingest, some, claim)
        except _NotWanted as told_only:
            written = told_only.changes
        if written is None:
            return None
        changes += written
    missed = tuple(Missed(i.entry.title, i.entry.link, i.entry.published, kept.at) for i in fresh)
    return Replayed(source.id, 1, tuple(changes), missed)


def _sorted(
    intents: Sequence[EntryIntent],
    at: datetime,
    settled: set[int],
    told: set[str],
    now: datetime,
) -> tuple[list[EntryIntent], list[EntryIntent]]:
    """What is to be done with entries that are known, and those that are not.

    An entry under another id is left to the next poll: there its document says which is gone.
    """
    known, fresh = [], []
    for intent in intents:
        if intent.kind is EntryKind.NEW:
            if intent.key not in told:
                told.add(intent.key)
                date = intent.entry.published or intent.entry.updated
                old = date is None or date < now - ON_TOP
                fresh.append(replace(intent, archived=old, withdraws_address=False))
            continue
        entry = intent.known
        later = entry is not None and entry.shown_at is not None and entry.shown_at > at
        if entry is None or entry.entry_id in settled or later:
            continue
        if intent.kind is EntryKind.REPLACED:
            settled.add(entry.entry_id)
            known.append(replace(intent, redated=False))
        elif intent.kind is EntryKind.TOUCHED:
            known.append(replace(intent, redated=False))
    return known, fresh


def _write(
    connection: Connection,
    parts: Parts,
    source: SourceSettings,
    ingest: Ingest,
    intents: Sequence[EntryIntent],
    claim: claims.Claim | None,
) -> list[Change] | None:
    if claim is not None and not claims.holds(connection, claim):
        return None
    if not access.is_in_force(connection, source):
        return None
    items = [one.known.item_id for one in intents if one.known is not None]
    before = _shown(connection, items)
    if claim is None:
        ingest = replace(ingest, grouping=None)  # it remembers what it placed
    written = writing.write_entries(connection, ingest, intents)
    after = _shown(connection, items)
    changes = [
        Change(number, before[number]["title"], fields)
        for number in sorted(before)
        if (fields := _differences(before[number], after[number]))
    ]
    if claim is None:
        raise _NotWanted(changes)
    if written.new_items:
        stated.meet(connection, parts.settings, written.new_items, ingest.now)
        entries = queue.stored_entries(intents)
        queue.after_poll(connection, parts.settings, source, entries, written, ingest.now)
    return changes


def _shown(connection: Connection, items: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    columns = [t.item.c[name] for name in _SHOWN] + [t.item_text.c[name] for name in _TEXTS]
    query = select(t.item.c.id, *columns).join_from(
        t.item, t.item_text, t.item_text.c.item_id == t.item.c.id, isouter=True
    )
    found: dict[int, Mapping[str, Any]] = {}
    for some in batches(items):
        rows = connection.execute(query.where(t.item.c.id.in_(some)))
        found |= {row.id: row._mapping for row in rows}
    return found


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (before[name], after[name])
        for name in (*_SHOWN, *_TEXTS)
        if before[name] != after[name]
    }

"""The one write of a poll: entries, items, revisions and, last, the validators that vouch for them.

Everything happens in the caller's transaction. Keys are checked again inside it: whoever is handed
the same document at the same time stores each entry once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from aggregator.model.item import EntryIntent, KnownEntry, PreparedBody
from aggregator.model.states import DecisionKind, EntryKind
from aggregator.store import changed
from aggregator.store import schema as t
from aggregator.store.changed import show_anew
from aggregator.store.copies import placing
from aggregator.store.copies.groups import log_row
from aggregator.store.copies.placing import NewText
from aggregator.store.database import serialise
from aggregator.store.items.entries import entries_by_key
from aggregator.store.items.ingest import (
    Agree,
    Ingest,
    entry_row,
    entry_state,
    item_row,
    not_later,
    reread_values,
    shown_values,
)
from aggregator.store.items.keys import identity_keys
from aggregator.store.rows import batches, upsert

BATCH = 500  # items in one transaction
SEEN_AGAIN = timedelta(hours=6)  # how exact `last_seen` is: fewer writes


@dataclass(slots=True)
class Written:
    """What a write did, for the log and for what follows."""

    new_items: list[int] = field(default_factory=list)
    joined_items: list[int] = field(default_factory=list)  # a second entry of a known item
    changed_items: list[int] = field(default_factory=list)
    replaced_items: list[int] = field(default_factory=list)  # shown anew without a revision
    new_entries: int = 0
    grown: changed.Grown = field(default_factory=changed.Grown)  # of this batch
    copies: int = 0

    def add(self, other: Written, *, first: bool = False) -> None:
        """Count another batch of the same poll, one that came `first` or after this one."""
        for ours, theirs in (
            (self.new_items, other.new_items),
            (self.joined_items, other.joined_items),
            (self.changed_items, other.changed_items),
            (self.replaced_items, other.replaced_items),
        ):
            place = 0 if first else len(ours)
            ours[place:place] = theirs
        self.new_entries += other.new_entries
        self.copies += other.copies


def write_entries(
    connection: Connection, ingest: Ingest, intents: Sequence[EntryIntent]
) -> Written:
    """Do what the intents say, once; at most `BATCH` of them belong in one transaction."""
    written = Written()
    serialise(connection)
    known = entries_by_key(connection, ingest.source_id, [intent.key for intent in intents])
    new = [i for i in intents if i.kind == EntryKind.NEW and i.key not in known]
    _withdraw(connection, ingest, [i.url_key for i in new if i.withdraws_address and i.url_key])
    texts: list[NewText] = []
    _write_new(connection, ingest, new, written, texts)
    _redate(connection, ingest, [intent for intent in intents if intent.redated])
    touched: list[int] = []
    read_anew: list[int] = []
    for intent in intents:
        if intent.kind == EntryKind.NEW:
            continue
        entry = intent.known
        if entry is None:
            continue
        if intent.kind == EntryKind.RENAMED:
            stored = known.get(intent.key)
            if stored is not None and stored.entry_id != entry.entry_id:
                continue  # another worker stored it as an entry of its own
            _rename(connection, ingest, intent, entry)
        elif intent.url_key and intent.url_key != entry.url_key:
            _rekey(connection, ingest, intent, entry)
        touched.append(entry.entry_id)
        if entry.reader != ingest.reader and not intent.entry.cut_off:
            read_anew.append(entry.entry_id)
        if intent.body is None or (entry.tombstone and intent.kind is not EntryKind.CHANGED):
            continue
        same = intent.kind is EntryKind.RENAMED and (
            entry.content_hash == intent.content_hash or intent.same_words
        )
        if intent.kind is EntryKind.REPLACED or same:
            _replace(connection, ingest, intent, written, texts)
        else:
            _revise(connection, ingest, intent, written, texts)
    if ingest.again is None:  # else it was listed then, not now
        _touch(connection, touched, ingest.now)
    for some in batches(read_anew):
        now_read = update(t.entry).where(t.entry.c.id.in_(some)).values(reader=ingest.reader)
        connection.execute(now_read)
    if ingest.grouping is not None:
        source = placing.Source(ingest.source_id, ingest.boilerplate)
        written.grown = placing.place_items(connection, ingest.grouping, source, texts, ingest.now)
        written.copies = written.grown.copies
    _move_views(connection, ingest, written)
    return written


def _write_new(
    connection: Connection,
    ingest: Ingest,
    new: Sequence[EntryIntent],
    written: Written,
    texts: list[NewText],
) -> None:
    if not new:
        return
    holders = _holders(connection, ingest.scope, new)
    fresh: list[EntryIntent] = []
    owners: dict[int, int] = {}  # index in `new` -> item
    for index, intent in enumerate(new):
        held = _same_piece(intent, holders, ingest.agree)
        if held is not None:
            owners[index] = held.id
            written.joined_items.append(held.id)
        else:
            fresh.append(intent)
    created = iter(_insert_items(connection, ingest, fresh))
    claims: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for index, intent in enumerate(new):
        if index not in owners:
            number = owners[index] = next(created)
            written.new_items.append(number)
            texts += _text(ingest, intent, number, changed=False)
            claims += [
                {"scope": ingest.scope, "key": key, "item_id": number}
                for key in identity_keys(intent)
            ]
            rows.append(entry_row(ingest, intent, number, joined=False))
        else:
            rows.append(entry_row(ingest, intent, owners[index], joined=True))
    connection.execute(t.entry.insert(), rows)
    upsert(connection, t.url_key, claims, update=False)
    written.new_entries += len(rows)


def _text(ingest: Ingest, intent: EntryIntent, number: int, *, changed: bool) -> list[NewText]:
    """What the copy step needs of an entry whose text was just written."""
    if intent.prepared is None:
        return []
    published = not_later(intent.entry.published, ingest.now)
    text = intent.body.text if intent.body else ""
    return [
        NewText(
            number, text, intent.prepared, intent.entry.title, published or ingest.now,
            intent.content_hash, changed=changed,
        )
    ]  # fmt: skip


def _holders(connection: Connection, scope: str, new: Sequence[EntryIntent]) -> dict[str, Row[Any]]:
    """The items that already hold these entries' URL keys, with their words."""
    found: dict[str, Row[Any]] = {}
    i, k = t.item.c, t.url_key.c
    for some in batches(key for intent in new for key in identity_keys(intent)):
        rows = connection.execute(
            select(k.key, i.id, i.title, i.source_id, i.purged_at, t.item_text.c.text)
            .join(t.item, i.id == k.item_id)
            .join(t.item_text, t.item_text.c.item_id == i.id, isouter=True)
            .where(k.scope == scope, k.key.in_(some))
        )
        found |= {row.key: row for row in rows}
    return found


def _same_piece(intent: EntryIntent, holders: dict[str, Row[Any]], agree: Agree) -> Row[Any] | None:
    for key in identity_keys(intent):
        held = holders.get(key)
        if held is None:
            continue
        text = intent.body.text if intent.body else ""
        # Of a purged item only the key is left: nothing speaks against it.
        if held.purged_at is not None or agree(
            held.title, held.text or "", intent.entry.title, text
        ):
            return held
    return None


def _insert_items(
    connection: Connection, ingest: Ingest, fresh: Sequence[EntryIntent]
) -> list[int]:
    if not fresh:
        return []
    names = [ingest.public_id(intent) for intent in fresh]
    taken: set[str] = set()
    for some in batches(name for pair in names for name in pair):
        taken.update(
            connection.scalars(select(t.item.c.public_id).where(t.item.c.public_id.in_(some)))
        )
    rows = []
    for intent, (preferred, minted) in zip(fresh, names, strict=True):
        name = preferred if preferred not in taken else minted
        taken.add(name)
        rows.append(item_row(ingest, intent, name))
    ids = list(
        connection.scalars(
            t.item.insert().returning(t.item.c.id, sort_by_parameter_order=True), rows
        )
    )
    for some in batches(ids):
        connection.execute(
            update(t.item)
            .where(t.item.c.id.in_(some))
            .values(group_id=t.item.c.id, story_id=t.item.c.id)
        )
    texts = [
        {
            "item_id": number,
            "html": intent.body.html,
            "summary": intent.body.summary,
            "text": intent.body.text,
            "sanitizer_version": intent.body.sanitizer_version,
        }
        for number, intent in zip(ids, fresh, strict=True)
        if intent.body is not None
    ]
    if texts:
        connection.execute(t.item_text.insert(), texts)
    return ids


def _rekey(connection: Connection, ingest: Ingest, intent: EntryIntent, known: KnownEntry) -> None:
    """Keep the key that today's rules give the link of an entry, if the link is the same one.

    A publisher who changes links with every poll changes nothing here.
    """
    e = t.entry.c
    done = connection.execute(
        update(t.entry)
        .where(e.id == known.entry_id, e.link == intent.entry.link)
        .values(url_key=intent.url_key)
    )
    if done.rowcount:
        _claim(connection, ingest, intent, known.item_id)


def _claim(connection: Connection, ingest: Ingest, intent: EntryIntent, item_id: int) -> None:
    """Let an item be found by the addresses of an entry, where no other item holds them."""
    claims = [
        {"scope": ingest.scope, "key": key, "item_id": item_id} for key in identity_keys(intent)
    ]
    upsert(connection, t.url_key, claims, update=False)


def _withdraw(connection: Connection, ingest: Ingest, addresses: Sequence[str]) -> None:
    """Take addresses from this source's items: new editions appear there."""
    k, i = t.url_key.c, t.item.c
    for some in batches(addresses):
        ours = select(i.id).where(i.source_id == ingest.source_id)
        connection.execute(
            delete(t.url_key).where(k.scope == ingest.scope, k.key.in_(some), k.item_id.in_(ours))
        )


def _redate(connection: Connection, ingest: Ingest, intents: Sequence[EntryIntent]) -> None:
    """Keep the dates by which equal entries are told apart; what their items show stays."""
    for intent in intents:
        if intent.known is not None:
            connection.execute(
                update(t.entry)
                .where(t.entry.c.id == intent.known.entry_id)
                .values(published=not_later(intent.entry.published, ingest.now))
            )


def _rename(connection: Connection, ingest: Ingest, intent: EntryIntent, known: KnownEntry) -> None:
    """Give an entry its new key; the old one stays as an alias, and the new address is its item's.

    Where its text showed what it is, the log keeps the evidence and the entry's former names.
    """
    e = t.entry.c
    former = connection.execute(
        select(e.key, e.guid, e.alias, e.url_key, e.link, e.title).where(e.id == known.entry_id)
    ).one_or_none()
    if former is None or former.key == intent.key:
        return
    old = {"source_id": ingest.source_id, "key": former.key, "entry_id": known.entry_id}
    upsert(connection, t.entry_alias, [old], update=False)
    connection.execute(
        update(t.entry)
        .where(e.id == known.entry_id)
        .values(key=intent.key, guid=intent.guid, alias=intent.alias, url_key=intent.url_key,
                link=intent.entry.link, why=intent.why)
    )  # fmt: skip
    _claim(connection, ingest, intent, known.item_id)
    if intent.decision is not None:
        row = log_row(
            ingest.now, DecisionKind.CORRECTION, known.item_id, None, None, intent.decision.score,
            intent.decision.reason,
            asdict(intent.decision.evidence)
            | {
                "former": former._asdict(), "key": intent.key, "ids": ingest.public_id(intent),
                "revision": connection.scalar(
                    select(t.item.c.revision).where(t.item.c.id == known.item_id)
                ),
            },
        )  # fmt: skip
        connection.execute(t.merge_log.insert(), [row])


def _revise(
    connection: Connection,
    ingest: Ingest,
    intent: EntryIntent,
    written: Written,
    texts: list[NewText],
) -> None:
    """Keep the earlier state of an item whose own text changed, and put the new one."""
    known, body = intent.known, intent.body
    if known is None or body is None:
        return
    done = connection.execute(
        update(t.entry)
        .where(t.entry.c.id == known.entry_id, t.entry.c.content_hash != intent.content_hash)
        .values(entry_state(ingest, intent, known))
    )
    if done.rowcount == 0:
        return  # another worker did it
    i, x = t.item.c, t.item_text.c
    row = connection.execute(
        select(i.id, i.source_id, i.revision, i.title, i.content_hash, i.purged_at, x.html, x.text)
        .join(t.item_text, x.item_id == i.id, isouter=True)
        .where(i.id == known.item_id)
    ).one()
    lead = connection.scalar(
        select(func.min(t.entry.c.id)).where(
            t.entry.c.item_id == row.id, t.entry.c.source_id == row.source_id
        )
    )
    if lead != known.entry_id or row.content_hash == intent.content_hash:
        return  # another source's wording of the item: its entry remembers it, the item stays
    if row.purged_at is None:  # of a tombstone there is no earlier text to keep
        connection.execute(
            t.revision.insert().values(
                item_id=row.id,
                number=row.revision,
                at=ingest.now,
                title=row.title,
                html=row.html,
                text=row.text,
                content_hash=row.content_hash,
            )
        )
    values = shown_values(ingest, intent) | {
        "content_hash": intent.content_hash,
        "revision": row.revision + 1,
        "updated": ingest.now,
        "purged_at": None,
    }
    connection.execute(update(t.item).where(i.id == row.id).values(values))
    _put_text(connection, row.id, body)
    written.changed_items.append(row.id)
    texts += _text(ingest, intent, row.id, changed=True)


def _replace(
    connection: Connection,
    ingest: Ingest,
    intent: EntryIntent,
    written: Written,
    texts: list[NewText],
) -> None:
    """Put what is shown otherwise though its words are the same: no revision, no `updated`.

    The words may differ where a new release reads them otherwise: that is no publisher's change.
    """
    known, body = intent.known, intent.body
    if known is None or body is None:
        return
    e, i = t.entry.c, t.item.c
    ours = ingest.again is not None or known.reader != ingest.reader
    mended = reread_values(ingest, intent, known) if ours else {}
    state = entry_state(ingest, intent, known)
    if "published" in mended:
        state["published"] = mended["published"]
    connection.execute(update(t.entry).where(e.id == known.entry_id).values(state))
    row = connection.execute(
        select(i.id, i.source_id, i.content_hash).where(i.id == known.item_id)
    ).one()
    lead = connection.scalar(
        select(func.min(e.id)).where(e.item_id == row.id, e.source_id == row.source_id)
    )
    if lead != known.entry_id:
        return
    hashed = {"content_hash": intent.content_hash}
    values = shown_values(ingest, intent) | mended
    if ours and values["image"] is None:
        del values["image"]  # there may be one that its page gave
    if ours and _is_as_shown(connection, row.id, values, body):
        connection.execute(update(t.item).where(i.id == row.id).values(hashed))
        return
    connection.execute(update(t.item).where(i.id == row.id).values(values | hashed))
    _put_text(connection, row.id, body)
    if not intent.quiet:
        written.replaced_items.append(row.id)
    if row.content_hash != intent.content_hash:
        texts += _text(ingest, intent, row.id, changed=True)


def _is_as_shown(
    connection: Connection, item_id: int, values: dict[str, Any], body: PreparedBody
) -> bool:
    """Whether an item shows all this already: then no view has to move."""
    texts = {"html": body.html, "summary": body.summary, "text": body.text}
    wanted = {name: value for name, value in values.items() if name != "changed_at"} | texts
    columns = [t.item_text.c[name] if name in texts else t.item.c[name] for name in wanted]
    row = connection.execute(
        select(*columns)
        .join_from(t.item, t.item_text, t.item_text.c.item_id == t.item.c.id, isouter=True)
        .where(t.item.c.id == item_id)
    ).one()
    return all(_plain(row._mapping[name]) == _plain(value) for name, value in wanted.items())


def _plain(value: Any) -> Any:
    """A value of a column as its database gives it back."""
    return json.loads(json.dumps(value)) if isinstance(value, list | dict) else value


def _put_text(connection: Connection, item_id: int, body: PreparedBody) -> None:
    row = {
        "item_id": item_id,
        "html": body.html,
        "summary": body.summary,
        "text": body.text,
        "sanitizer_version": body.sanitizer_version,
    }
    upsert(connection, t.item_text, [row], update=True)


def _touch(connection: Connection, entry_ids: Sequence[int], now: datetime) -> None:
    for some in batches(entry_ids):
        connection.execute(
            update(t.entry)
            .where(
                t.entry.c.id.in_(some),
                t.entry.c.last_seen < now - SEEN_AGAIN,
            )
            .values(last_seen=now)
        )


def _move_views(connection: Connection, ingest: Ingest, written: Written) -> None:
    """Move the version of every view that may show what changed, in this same transaction."""
    came = written.new_items or written.joined_items
    show_anew(
        connection,
        ingest.now,
        sources=[ingest.source_id] if came else [],
        items=written.changed_items + written.replaced_items + written.joined_items,
        grown=written.grown,
    )

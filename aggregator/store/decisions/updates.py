"""Taking back an update: the entry that was taken as a corrected state becomes an item of its own.

The log row of the update says which names the entry had before it; the revision of that moment
holds the earlier text. Both items keep what readers got: the first its public id, and its history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from aggregator.identity.texts.copies import prepare_text
from aggregator.markup.sanitize import SANITIZER_VERSION, sanitize_html
from aggregator.model.copies import CopyThresholds
from aggregator.model.states import DecisionKind
from aggregator.store import schema as t
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.copies.fingerprints import index_text
from aggregator.store.items.entries import entries_by_key

_OWN = ("id", "public_id", "entry_key", "first_seen", "sort_at", "updated", "revision",
        "withdrawn_at", "withdrawn_reason", "group_id", "story_id")  # fmt: skip
_NAMES = ("key", "guid", "alias", "url_key", "link", "title")  # of an entry, as the log keeps them


@dataclass(frozen=True, slots=True)
class Update:
    """An entry under an id of its own that was taken as a later state of an item."""

    at: datetime
    score: float
    reason: str
    evidence: Mapping[str, Any]


def updates_of(connection: Connection, item_id: int) -> list[Update]:
    """The updates of an item that came under another id and were not taken back, oldest first."""
    m = t.merge_log.c
    rows = connection.execute(
        select(m.at, m.score, m.reason, m.evidence)
        .where(m.item_id == item_id, m.kind == DecisionKind.CORRECTION)
        .order_by(m.id)
    ).all()
    if not rows:
        return []
    source = connection.scalar(select(t.item.c.source_id).where(t.item.c.id == item_id)) or ""
    keys = [row.evidence["key"] for row in rows if row.evidence]  # none of a purged item
    known = entries_by_key(connection, source, keys)
    mine = {key for key, entry in known.items() if entry.item_id == item_id}
    return [Update(*row) for row in rows if row.evidence.get("key") in mine]


def take_back(
    connection: Connection,
    item_id: int,
    evidence: Mapping[str, Any],
    now: datetime,
    limits: CopyThresholds,
) -> int:
    """Give the update's entry an item of its own and the item its earlier text; the new number.

    `evidence` is that of the last of `updates_of`. Groups and the log are the caller's.
    """
    e, i = t.entry.c, t.item.c
    item = connection.execute(select(t.item).where(i.id == item_id)).one()._asdict()
    known = entries_by_key(connection, item["source_id"], [evidence["key"]])[evidence["key"]]
    entry = connection.execute(select(t.entry).where(e.id == known.entry_id)).one()._asdict()
    number = _new_item(connection, item, evidence, now, limits)
    _restore(connection, item, evidence, now)
    former = evidence["former"]
    earlier = connection.scalar(select(i.content_hash).where(i.id == item_id))
    connection.execute(
        delete(t.entry_alias).where(
            t.entry_alias.c.source_id == item["source_id"],
            t.entry_alias.c.key == former["key"],
        )
    )
    connection.execute(
        update(t.entry)
        .where(e.id == known.entry_id)
        .values(content_hash=earlier, **{name: former[name] for name in _NAMES})
    )
    own = {name: value for name, value in entry.items() if name != "id"}
    own |= {
        "item_id": number,
        "first_seen": now,
        "sort_at": now,
        "why": "an operator's decision",
        "joined": False,
    }
    new_entry = connection.scalar(insert(t.entry).values(own).returning(e.id))
    connection.execute(
        update(t.entry_alias)
        .where(
            t.entry_alias.c.source_id == item["source_id"],
            t.entry_alias.c.key == evidence["key"],
        )
        .values(entry_id=new_entry)
    )
    if entry["url_key"] and entry["url_key"] != former["url_key"]:
        k = t.url_key.c
        connection.execute(
            update(t.url_key)
            .where(k.scope == item["scope"], k.key == entry["url_key"], k.item_id == item_id)
            .values(item_id=number)
        )
    return number


def _new_item(
    connection: Connection,
    item: Mapping[str, Any],
    evidence: Mapping[str, Any],
    now: datetime,
    limits: CopyThresholds,
) -> int:
    i, x = t.item.c, t.item_text.c
    preferred, minted = evidence["ids"]
    taken = connection.scalar(select(i.id).where(i.public_id == preferred))
    row = {name: value for name, value in item.items() if name not in _OWN}
    row |= {
        "public_id": minted if taken is not None else preferred, "entry_key": evidence["key"],
        "first_seen": now, "sort_at": now, "updated": now, "changed_at": now,
    }  # fmt: skip
    number: int = connection.execute(insert(t.item).values(row).returning(i.id)).scalar_one()
    connection.execute(
        update(t.item).where(i.id == number).values(group_id=number, story_id=number)
    )
    text = connection.execute(select(t.item_text).where(x.item_id == item["id"])).first()
    if text is not None:
        connection.execute(insert(t.item_text).values(text._asdict() | {"item_id": number}))
        boilerplate = known_boilerplate(connection, item["source_id"], limits)
        index_text(connection, number, prepare_text(text.text, boilerplate), limits)
    return number


def _restore(
    connection: Connection, item: Mapping[str, Any], evidence: Mapping[str, Any], now: datetime
) -> None:
    """Put the text from before the update; the present one is kept as a further revision."""
    i, r, x = t.item.c, t.revision.c, t.item_text.c
    earlier = connection.execute(
        select(t.revision).where(r.item_id == item["id"], r.number == evidence["revision"])
    ).first()
    present = connection.execute(select(t.item_text).where(x.item_id == item["id"])).first()
    if earlier is None or present is None:
        return  # the update had the same text
    connection.execute(
        insert(t.revision).values(
            item_id=item["id"], number=item["revision"], at=now, title=item["title"],
            html=present.html, text=present.text, content_hash=item["content_hash"],
        )
    )  # fmt: skip
    connection.execute(
        update(t.item)
        .where(i.id == item["id"])
        .values(
            title=earlier.title, link=evidence["former"]["link"],
            content_hash=earlier.content_hash, revision=item["revision"] + 1, updated=now,
            changed_at=now,
        )
    )  # fmt: skip
    # Nobody knows which sanitiser an earlier version went through.
    html = sanitize_html(earlier.html or "", evidence["former"]["link"])
    connection.execute(
        update(t.item_text)
        .where(x.item_id == item["id"])
        .values(
            html=html, summary=None, text=earlier.text or "", sanitizer_version=SANITIZER_VERSION
        )
    )

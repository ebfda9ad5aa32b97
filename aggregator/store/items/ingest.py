"""What a poll brings, as the columns in which it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from aggregator.identity.shown import is_passing
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import EntryIntent, KnownEntry, PreparedBody
from aggregator.store.copies.memory import Grouping
from aggregator.store.items import details

_ARCHIVE_BEHIND = timedelta(hours=48)

Agree = Callable[[str | None, str, str | None, str], bool]


@dataclass(frozen=True, slots=True)
class Ingest:
    """Where a poll's entries come from and how they are named.

    `public_id` gives the public id that an item should have, and the one where that is taken;
    `agree` says whether two texts with one URL are one piece; `source_ref` is pinned into each new
    item (title, link, feed_id, feed_url).
    """

    source_id: str
    scope: str
    now: datetime
    source_ref: dict[str, Any]
    public_id: Callable[[EntryIntent], tuple[str, str]]  # (preferred, minted)
    agree: Agree
    grouping: Grouping | None = None  # None: every item stays its own group
    boilerplate: frozenset[int] = frozenset()  # paragraphs left out of the prepared texts
    reader: int = 0  # the version of our reading
    language: str | None = None  # of entries that name none: their feed's, or as configured
    again: datetime | None = None  # when it came, of a document that is read once more


def item_row(ingest: Ingest, intent: EntryIntent, public_id: str) -> dict[str, Any]:
    """The columns of a new item."""
    entry = intent.entry
    published = not_later(entry.published, ingest.now)
    return {
        "public_id": public_id,
        "scope": ingest.scope,
        "source_id": ingest.source_id,
        "entry_key": intent.key,
        "first_seen": ingest.now,
        "sort_at": _sort_at(intent, published, ingest.now),
        "published": published,
        "updated": _updated(entry, published, ingest.now),
        "language": entry.language or ingest.language,
        "source_ref": ingest.source_ref,
        "content_hash": intent.content_hash,
        **shown_values(ingest, intent),
    }


def _updated(entry: ParsedEntry, published: datetime | None, now: datetime) -> datetime:
    """The publisher's `updated`, else `published`; not later than now nor before `published`."""
    stated = min(entry.updated or published or now, now)
    return max(stated, published or stated)


def not_later(published: datetime | None, now: datetime) -> datetime | None:
    """A future date is clamped to when the item was first seen."""
    return None if published is None else min(published, now)


def _sort_at(intent: EntryIntent, published: datetime | None, now: datetime) -> datetime:
    """Where an item stands in a view, for good: when it came, or in the archive by its date.

    Of the item itself this is for views of all sources. An entry says it for views of its source:
    an item that another source had before is news to those who read only this one (invariant 11).
    """
    if not intent.archived:
        return now
    return min(published or now - _ARCHIVE_BEHIND, now)


def entry_row(ingest: Ingest, intent: EntryIntent, item_id: int, *, joined: bool) -> dict[str, Any]:
    """The columns of a new entry; `joined` where its item was there before."""
    entry = intent.entry
    published = not_later(entry.published, ingest.now)
    return {
        "source_id": ingest.source_id,
        "key": intent.key,
        "item_id": item_id,
        "guid": intent.guid,
        "alias": intent.alias,
        "url_key": intent.url_key,
        "title": entry.title,
        "link": entry.link,
        "published": published,
        "content_hash": intent.content_hash,
        "why": intent.why,
        "first_seen": ingest.now,
        "last_seen": ingest.again or ingest.now,
        "sort_at": _sort_at(intent, published, ingest.now),
        "joined": joined,
        # What is missing was lost on the way: that it comes later is no publisher's change.
        "reader": 0 if entry.cut_off else ingest.reader,
        "shown": intent.shown,
        "shown_at": ingest.now,
    }


def entry_state(ingest: Ingest, intent: EntryIntent, known: KnownEntry) -> dict[str, Any]:
    """What is kept of an entry that is shown otherwise from now on."""
    entry = intent.entry
    return {
        "content_hash": intent.content_hash,
        "title": entry.title,
        "link": entry.link,
        "reader": ingest.reader,
        "shown": intent.shown,
        "shown_before": known.shown_before if intent.shown == known.shown else known.shown,
        "shown_at": known.shown_at if ingest.again else ingest.now,
        "passing": intent.shown is not None and is_passing(intent.shown, known),
    }


def reread_values(ingest: Ingest, intent: EntryIntent, known: KnownEntry) -> dict[str, Any]:
    """What a new version of our reading mends besides: the date and the language, not the place."""
    values: dict[str, Any] = {"language": intent.entry.language or ingest.language}
    published = intent.entry.published
    if published is not None and (known.published is None or published < known.published):
        values["published"] = not_later(published, ingest.now)
    return values


def shown_values(ingest: Ingest, intent: EntryIntent) -> dict[str, Any]:
    """What an item shows of its entry, text apart."""
    entry, body = intent.entry, intent.body or PreparedBody("", "")
    return {
        "title": entry.title,
        "link": entry.original_link or entry.link,
        "author": entry.author,
        "comments": entry.comments,
        "external_url": entry.external_url,
        "image": body.image or entry.image,
        "categories": list(entry.categories),
        "enclosures": [asdict(one) for one in entry.enclosures],
        "details": details.packed(entry),
        "changed_at": ingest.now,
    }

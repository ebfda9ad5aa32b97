"""Stored things as JSON: plain names, times as RFC 3339 in UTC, nothing that is secret.

An item is what it is in our JSON Feeds, with its number and where its page is: a program that reads
those reads this.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aggregator.model.item import PollRecord, RelatedRef, ServedItem
from aggregator.model.pages import (
    DecisionLine,
    EntryLine,
    ItemPage,
    MoreThan,
    ReadyState,
    RelatedLine,
    RevisionLine,
    SourceOverview,
    SourcePage,
    ViewOverview,
    Wish,
)
from aggregator.publish.jsonfeed import item_object
from aggregator.publish.values import rfc3339

Json = dict[str, Any]


def item(shown: ServedItem, root: str) -> Json:
    """An item as JSON Feed 1.1 has it, with its `number`, `page` and `source`.

    `root` is the address of the service.
    """
    return {
        "number": shown.number,
        "page": f"{root}/items/{shown.number}",
        "source": shown.source.id,
        "first_seen": rfc3339(shown.first_seen),
        **item_object(shown, f"{root}/about"),
    }


def item_details(shown: ItemPage, root: str) -> Json:
    """An item with everything that was decided about it."""
    return {
        **item(shown.item, root),
        "views": list(shown.views),
        "entries": [_entry(one) for one in shown.entries],
        "related": [_related(one) for one in shown.related],
        "revisions": [_revision(one) for one in shown.revisions],
        "decisions": [_decision(one) for one in shown.decisions],
        "coverage": [_coverage(one) for one in shown.coverage],
    }


def story(shown: ItemPage, root: str) -> Json:
    """The event that an item tells: the item, and others about the same event."""
    return {"item": item(shown.item, root), "coverage": [_coverage(one) for one in shown.coverage]}


def view(shown: ViewOverview, root: str) -> Json:
    """A merged feed with its addresses."""
    return {
        "id": shown.id,
        "title": shown.title,
        "description": shown.description,
        "updated": _time(shown.updated),
        **_counted(shown.items),
        "feeds": {fmt: f"{root}/feeds/{shown.id}.{fmt}" for fmt in ("atom", "rss", "json")},
    }


def source(shown: SourceOverview) -> Json:
    """A source with its state; `feed_url` is null where it holds a secret."""
    return {
        "id": shown.id,
        "title": shown.title,
        "state": str(shown.health),
        "site": shown.link,
        "feed_url": shown.feed_url,
        "tags": list(shown.tags),
        "private": shown.private,
        **_counted(shown.items),
        "last_polled_at": _time(shown.last_polled_at),
        "last_success_at": _time(shown.last_success_at),
        "next_poll_at": _time(shown.next_poll_at),
        "next_reason": shown.next_reason,
        "next_detail": shown.next_detail,
        "failures": shown.failures,
        "status": shown.status,
        "error": shown.error,
    }


def source_details(shown: SourcePage) -> Json:
    """A source with the reasons for its state."""
    return {
        **source(shown.source),
        "views": list(shown.views),
        "notes": list(shown.notes),
        "not_before": [f"{rfc3339(until)}: {why}" for until, why in shown.floors],
        "related": dict(shown.related),
    }


def poll(record: PollRecord) -> Json:
    """One line of the log of polls."""
    return {
        "at": rfc3339(record.at),
        "outcome": str(record.outcome),
        "status": record.status,
        "error": record.error,
        "bytes": record.wire_bytes,
        "entries": record.entries,
        "new_items": record.new_items,
        "changed_items": record.changed_items,
        "next_at": _time(record.next_at),
        "reason": record.reason,
    }


def wish(shown: Wish) -> Json:
    """What became of a wish to poll a source now."""
    return {"said": shown.said, "at": rfc3339(shown.at)}


def ready(state: ReadyState) -> Json:
    """Whether the service can do its work."""
    return {
        "ready": state.ready,
        "checks": [
            {"name": name, "fine": fine, "detail": detail} for name, fine, detail in state.checks
        ],
    }


def _counted(items: int) -> Json:
    return {"items": int(items), "items_more": isinstance(items, MoreThan)}


def _entry(line: EntryLine) -> Json:
    return {
        "source": line.source_id,
        "link": line.link,
        "first_seen": rfc3339(line.first_seen),
        "last_seen": rfc3339(line.last_seen),
    }


def _related(line: RelatedLine) -> Json:
    return {
        "url": line.url,
        "title": line.title,
        "state": line.state,
        "heading": line.heading,
        "position": line.position,
        "reason": line.reason,
        "number": line.item_number,
    }


def _coverage(ref: RelatedRef) -> Json:
    return {"url": ref.url, "title": ref.title, "id": ref.item_id, "number": ref.number}


def _revision(line: RevisionLine) -> Json:
    return {
        "number": line.number,
        "at": rfc3339(line.at),
        "title": line.title,
        "changes": [list(change) for change in line.changes],
    }


def _decision(line: DecisionLine) -> Json:
    return {
        "kind": str(line.kind),
        "why": line.why,
        "at": _time(line.at),
        "other": line.other_number,
        "evidence": dict(line.evidence),
    }


def _time(at: datetime | None) -> str | None:
    return rfc3339(at) if at else None

"""What is done to a document in a worker process: read it, key its entries, prepare bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.feeds.parse import parse_document
from aggregator.feeds.prepare import prepare_body
from aggregator.identity.keys import KeyedEntry, choose_policy, key_entries
from aggregator.model.feed import ParsedEntry, ParsedFeed
from aggregator.model.item import PreparedBody


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document with its entries keyed under the source's identity policy."""

    feed: ParsedFeed
    policy: str
    keyed: tuple[KeyedEntry, ...]


def read_document(
    body: bytes, content_type: str | None, url: str, policy: str | None
) -> ReadDocument:
    """Parse a feed document and key its entries. Runs in a worker process."""
    feed = parse_document(body, content_type=content_type, url=url)
    if not feed.entries:
        return ReadDocument(feed, policy or "guid", ())
    chosen = choose_policy(feed.entries, policy)
    return ReadDocument(feed, chosen, tuple(key_entries(feed.entries, chosen)))


def prepare_bodies(entries: Sequence[ParsedEntry]) -> list[PreparedBody]:
    """Sanitise the bodies of new and changed entries. Runs in a worker process."""
    return [prepare_body(entry) for entry in entries]

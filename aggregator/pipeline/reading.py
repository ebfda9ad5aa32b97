"""What is done to a document in a worker process: read it, key its entries, prepare bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.feeds.parse import parse_document
from aggregator.feeds.prepare import prepare_body
from aggregator.identity.copies import prepare_text
from aggregator.identity.keys import KeyedEntry, choose_policy, key_entries
from aggregator.model.copies import PreparedText
from aggregator.model.feed import ParsedEntry, ParsedFeed
from aggregator.model.item import PreparedBody


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document with its entries keyed under the source's identity policy."""

    feed: ParsedFeed
    policy: str
    keyed: tuple[KeyedEntry, ...]


def read_document(
    body: bytes,
    content_type: str | None,
    url: str,
    policy: str | None,
    tracking_parameters: Sequence[str] = (),
    timezone: str | None = None,
) -> ReadDocument:
    """Parse a feed document and key its entries. Runs in a worker process.

    `timezone` is the source's IANA zone: what its ambiguous dates are told by.
    """
    feed = parse_document(body, content_type=content_type, url=url, timezone=timezone)
    if not feed.entries:
        return ReadDocument(feed, policy or "guid", ())
    extra = tuple(tracking_parameters)
    chosen = choose_policy(feed.entries, policy)
    return ReadDocument(feed, chosen, tuple(key_entries(feed.entries, chosen, extra)))


def prepare_bodies(
    entries: Sequence[ParsedEntry], learned: frozenset[int] = frozenset()
) -> list[tuple[PreparedBody, PreparedText]]:
    """Sanitise the bodies of new and changed entries and fingerprint their texts.

    `learned` are the paragraphs that the source is known to repeat. Runs in a worker process.
    """
    bodies = [prepare_body(entry) for entry in entries]
    return [(body, prepare_text(body.text, learned)) for body in bodies]

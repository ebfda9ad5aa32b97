"""What is done to a document in a worker process: read it, key its entries, prepare bodies.

The process that asks for it needs the functions by name alone: what they read with, `IN_WORKERS`,
is loaded in the workers only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aggregator.feeds.limits import ParseLimits
from aggregator.identity.corrections import judge_correction
from aggregator.identity.keys import KeyedEntry, choose_policy, key_entries
from aggregator.identity.texts.copies import comparable, prepare_text, restore
from aggregator.model.copies import CopyDecision, CopyThresholds, PreparedText
from aggregator.model.feed import ParsedEntry, ParsedFeed
from aggregator.model.item import PreparedBody
from aggregator.model.states import Mark

IN_WORKERS = ("aggregator.feeds.parse", "aggregator.feeds.prepare")
Prepared = tuple[PreparedBody, PreparedText]


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry whose body could not be prepared, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document with its entries keyed under the source's identity policy."""

    feed: ParsedFeed
    policy: str
    keyed: tuple[KeyedEntry, ...]
    bodies: tuple[Prepared | Unread, ...] = ()  # of `keyed`, where they were asked for


def read_document(
    body: bytes,
    content_type: str | None,
    url: str,
    policy: str | None,
    tracking_parameters: Sequence[str],
    timezone: str | None,
    limits: ParseLimits,
    *,
    bodies: bool = False,
) -> ReadDocument:
    """Parse a feed document and key its entries. Runs in a worker process.

    `timezone` is the source's IANA zone: what its ambiguous dates are told by. With `bodies` those
    of all entries are prepared too, as of a source that is not known to repeat any paragraph.
    """
    from aggregator.feeds.parse import parse_document

    feed = parse_document(
        body, content_type=content_type, url=url, limits=limits, timezone=timezone
    )
    if not feed.entries:
        return ReadDocument(feed, policy or "guid", ())
    extra = tuple(tracking_parameters)
    chosen = choose_policy(feed.entries, policy)
    keyed = tuple(key_entries(feed.entries, chosen, extra))
    ready = prepare_bodies([one.entry for one in keyed], frozenset()) if bodies else ()
    return ReadDocument(feed, chosen, keyed, tuple(ready))


def read_with_bodies(*how: Any) -> ReadDocument:
    """`read_document` with the bodies, for a first document: all of its entries are new."""
    return read_document(*how, bodies=True)


def prepare_bodies(
    entries: Sequence[ParsedEntry], boilerplate: frozenset[int]
) -> list[Prepared | Unread]:
    """Sanitise the bodies of new and changed entries and fingerprint their texts.

    An entry that cannot be read says why; the others do not suffer for it.

    `boilerplate` are the paragraphs that the source is known to repeat. Runs in a worker process.
    """
    return [_prepared(entry, boilerplate) for entry in entries]


def _prepared(entry: ParsedEntry, boilerplate: frozenset[int]) -> Prepared | Unread:
    from aggregator.feeds.prepare import prepare_body

    try:
        body = prepare_body(entry)
        return body, prepare_text(body.text, boilerplate)
    except MemoryError:
        raise  # the worker's end, not the entry's
    except Exception as error:  # noqa: BLE001 - an entry of strangers loses itself, whatever it found
        return Unread(f"{type(error).__name__}: {error}"[:200])


def judge_corrections(
    pairs: Sequence[tuple[PreparedText, str, timedelta, bool, Mark]],
    boilerplate: frozenset[int],
    thresholds: CopyThresholds,
) -> list[CopyDecision]:
    """Compare new entries with the earlier items they may be. Runs in a worker process.

    `pairs` are the new text, the earlier one, the time between them, whether the earlier one was
    taken out of the document, and what both have in common; `boilerplate` as in `prepare_bodies`.
    """
    return [
        judge_correction(
            restore(new), comparable(earlier, boilerplate),
            apart=apart, taken_out=taken_out, mark=mark, thresholds=thresholds,
        )
        for new, earlier, apart, taken_out, mark in pairs
    ]  # fmt: skip

"""When every item of a poll is new, some may have gone by: page back (RFC 5005), or say so.

A document shows a window. If nothing in it was known before, the window moved past what was seen
last; the pages that the feed links to (`prev-archive`, `next`) hold what is missing. The same for
a new subscription, once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.identity.keys import KeyedEntry
from aggregator.model.feed import ParsedFeed
from aggregator.model.item import EntryIntent, FeedState
from aggregator.model.noticed import Gap
from aggregator.model.states import EntryKind
from aggregator.pipeline.polling.reading import ReadDocument
from aggregator.telemetry import metrics
from aggregator.telemetry.clock import Clock
from aggregator.urls.origin import resolve, same_origin

PAGES = 5
LONGEST = timedelta(seconds=60)  # of a lease of two minutes
_REMEMBERED = 5
_RELATIONS = ("prev-archive", "next")

Page = Callable[[str], Awaitable[ReadDocument | None]]
KnowsAny = Callable[[Sequence[KeyedEntry]], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Paged:
    """What paging back brought: further entries, pages read, and whether a known one was met."""

    keyed: tuple[KeyedEntry, ...] = ()
    pages: int = 0
    met: bool = False


def is_gap(intents: Sequence[EntryIntent]) -> bool:
    """Whether nothing in a document was known before."""
    return bool(intents) and all(intent.kind == EntryKind.NEW for intent in intents)


async def page_back(
    first: ReadDocument, url: str, read: Page, knows_any: KnowsAny, clock: Clock
) -> Paged:
    """Read at most `PAGES` older pages of the same origin, up to one with a known entry.

    `read` fetches and reads a page, or gives None when it cannot be had. A page that was read
    before ends it: archives may link in a circle.
    """
    started = clock.now()
    seen = {url}
    keys = {one.key for one in first.keyed}
    found: list[KeyedEntry] = []
    page, pages, at = first.feed, 0, url
    while pages < PAGES and clock.now() - started < LONGEST:
        link = _older(page, at)
        if link is None or link in seen or not same_origin(url, link):
            break
        seen.add(link)
        document = await read(link)
        if document is None:
            break
        pages += 1
        fresh = [one for one in document.keyed if one.key not in keys]
        keys.update(one.key for one in fresh)
        found += fresh
        if await knows_any(document.keyed):
            return Paged(tuple(found), pages, met=True)
        page, at = document.feed, link
    return Paged(tuple(found), pages)


def _older(feed: ParsedFeed, base: str) -> str | None:
    for relation in _RELATIONS:
        for link in feed.links:
            if link.rel == relation:
                return resolve(base, link.href)
    return None


def note(state: FeedState, paged: Paged, now: datetime, entries: int) -> FeedState:
    """Remember a gap with the source: when, and whether paging back closed it."""
    metrics.GAPS.labels(result="filled" if paged.met else "open").inc()
    gap = Gap(now, entries, paged.pages, filled=paged.met)
    gaps = (*state.noticed.gaps, gap)[-_REMEMBERED:]
    return replace(state, noticed=replace(state.noticed, gaps=gaps))

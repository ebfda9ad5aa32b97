"""Where an entry stands whose date nobody could read: among its dated neighbours in the document.

Without this it would count as published now, and items of last year would stand on top of today's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.model.feed import ParsedEntry, ParsedFeed

_STEP = timedelta(seconds=1)


def place_unread_dates(feed: ParsedFeed) -> ParsedFeed:
    """The feed with a publication date, marked as inferred, for entries whose own is unreadable.

    Between two dated neighbours such entries are spread evenly; before the first and after the last
    they follow the order of the document by seconds. Where no entry is dated, the date of the feed
    itself stands for all of them; without one they stay undated. Entries that name no date, and
    those with a date of their last change, are left as they are.
    """
    unread = [at for at, entry in enumerate(feed.entries) if _is_unread(entry)]
    if not unread:
        return feed
    dated = [(at, when) for at, e in enumerate(feed.entries) if (when := e.published or e.updated)]
    entries = list(feed.entries)
    newest_first = not dated or dated[0][1] >= dated[-1][1]
    step = -_STEP if newest_first else _STEP
    following = 0  # index in `dated` of the first dated entry after the one looked at
    for at in unread:
        while following < len(dated) and dated[following][0] < at:
            following += 1
        before = dated[following - 1] if following > 0 else None
        after = dated[following] if following < len(dated) else None
        when = _between(at, before, after, step)
        if when is None and feed.updated is not None:
            when = feed.updated + at * step
        if when is not None:
            entries[at] = replace(entries[at], published=when, date_inferred=True)
    return replace(feed, entries=tuple(entries))


def _is_unread(entry: ParsedEntry) -> bool:
    return entry.published is None and entry.updated is None and entry.published_raw is not None


def _between(
    at: int,
    before: tuple[int, datetime] | None,
    after: tuple[int, datetime] | None,
    step: timedelta,
) -> datetime | None:
    if before is not None and after is not None:
        share = (at - before[0]) / (after[0] - before[0])
        return (before[1] + (after[1] - before[1]) * share).replace(microsecond=0)
    if before is not None:
        return before[1] + (at - before[0]) * step
    if after is not None:
        return after[1] - (after[0] - at) * step
    return None

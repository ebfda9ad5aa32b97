"""What the dates of a first document tell: no learning period for a new source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.schedule.rate import (
    MIDNIGHT_SHARE,
    Watched,
    cap_batches,
    count_habits,
    count_pace,
)
from aggregator.schedule.shape import DAY, utc_offset
from aggregator.schedule.snap import count_minutes
from aggregator.schedule.state import PolicyState


def document_span(dates: Iterable[datetime | None], now: datetime) -> timedelta | None:
    """How far a document reaches back: from its 5th percentile date to now; None if undated.

    One pinned ten-year-old entry must not make a short window look long.
    """
    past = sorted(date.timestamp() for date in dates if date is not None and date <= now)
    if not past:
        return None
    return timedelta(seconds=now.timestamp() - past[_oldest_that_counts(len(past))])


def warm_start(
    dates: Sequence[datetime | None],
    now: datetime,
    zone: str = "UTC",
    state: PolicyState | None = None,
) -> PolicyState:
    """State of a source whose first document holds entries of these dates (aware UTC).

    Items are counted against the time since the 5th percentile date. Without a usable date the
    state keeps its prior of half an item a day. `zone` is an IANA name.
    """
    state = state or PolicyState()
    end = now.timestamp()
    stamps = sorted(date.timestamp() for date in dates if date is not None and date <= now)
    offset = utc_offset(zone, end)
    newest = stamps[-1] if stamps else end
    pace, habits = replace(state.pace, last_item=newest), state.habits
    minutes = replace(state.minutes, midnight=_midnight_share(stamps, offset))
    if len(stamps) >= 2:
        start = stamps[_oldest_that_counts(len(stamps))]
        # The window begins at an item, which is not counted itself: n items span n - 1 gaps.
        counted = cap_batches(stamp for stamp in stamps if stamp > start)
        watched = Watched.between(start, end, None)
        if minutes.midnight < MIDNIGHT_SHARE:
            habits = count_habits(habits, counted, watched, offset)
            minutes = count_minutes(minutes, counted)
        pace = count_pace(pace, habits, counted, watched, offset)
    return replace(state, seen_at=end, pace=pace, habits=habits, minutes=minutes)


def is_midnight(stamp: float, offset: float) -> bool:
    """Does a date say 00:00:00, in UTC or in the source's zone?"""
    return stamp % DAY == 0 or (stamp + offset) % DAY == 0


def _midnight_share(stamps: Sequence[float], offset: float) -> float:
    if not stamps:
        return 0.0
    return sum(is_midnight(stamp, offset) for stamp in stamps) / len(stamps)


def _oldest_that_counts(size: int) -> int:
    return max(1, size // 20) if size >= 4 else 0

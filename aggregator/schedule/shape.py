"""The learned shape of a source's day and week: when it publishes, relative to its mean rate.

A shape is 48 factors, `weekend * 24 + hour` in the source's zone, whose mean over a week is 1.
Times are seconds since the epoch; `offset` is the zone's distance from UTC in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aggregator.schedule.state import HOURS, Habits

HOUR = 3600.0
DAY = 86400.0
PSEUDO_COUNT = 12.0  # how many items' worth of belief in a flat day
FLAT: tuple[float, ...] = (1.0,) * (2 * HOURS)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None  # the configuration refuses unknown zones; a feed's own may be anything


def utc_offset(zone: str, at: float) -> float:
    """Seconds that `zone` is ahead of UTC at that time; 0 for a zone nobody knows."""
    known = _zone(zone)
    if known is None or zone == "UTC":
        return 0.0
    offset = datetime.fromtimestamp(at, UTC).astimezone(known).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def slot(local: float) -> int:
    """Index into a shape for a local time (epoch seconds plus offset)."""
    # 1970-01-01 was a Thursday: day 2 and 3 after it are the weekend.
    weekend = (int(local // DAY) + 3) % 7 >= 5
    return int(local % DAY // HOUR) + (HOURS if weekend else 0)


_WEEK = tuple(slot(hour * HOUR) for hour in range(7 * HOURS))  # from the epoch's Thursday on


@lru_cache(maxsize=4)  # a poll counts the same time for its rate and for its shape
def hour_spans(start: float, end: float) -> tuple[tuple[float, float, int], ...]:
    """Cut [start, end] at full hours of local time: start and seconds of each piece, and its slot.

    The first document of a source is counted against 60 days: 1,440 pieces.
    """
    if start >= end:
        return ()
    first, last = int(start // HOUR), int(end // HOUR)
    if first == last:
        return ((start, end - start, slot(start)),)
    spans = [(start, (first + 1) * HOUR - start, slot(start))]
    spans += [(hour * HOUR, HOUR, _WEEK[hour % len(_WEEK)]) for hour in range(first + 1, last)]
    if last * HOUR < end:
        spans.append((last * HOUR, end - last * HOUR, slot(last * HOUR)))
    return tuple(spans)


@lru_cache(maxsize=1024)
def shape(habits: Habits) -> tuple[float, ...]:
    """The shape that habits make, pulled towards flat by `PSEUDO_COUNT` items.

    Hours are compared by their rate, not their count: a first document that reaches back six
    hours says nothing about the other eighteen.
    """
    count, days = sum(habits.hour_n), sum(habits.hour_w)
    if count <= 0 or days <= 0:
        return FLAT
    mean = count / days
    n, w = _smooth(habits.hour_n), _smooth(habits.hour_w)
    belief = PSEUDO_COUNT / HOURS
    hours = [(n[h] + belief) / (mean * w[h] + belief) for h in range(HOURS)]
    off = _ratio(habits.weekend_n, mean * habits.weekend_w, PSEUDO_COUNT * 2 / 7)
    work = _ratio(count - habits.weekend_n, mean * (days - habits.weekend_w), PSEUDO_COUNT * 5 / 7)
    scale = HOURS * 7 / (sum(hours) * (5 * work + 2 * off))
    return tuple([h * work * scale for h in hours] + [h * off * scale for h in hours])


def _ratio(seen: float, expected: float, belief: float) -> float:
    return (max(seen, 0.0) + belief) / (max(expected, 0.0) + belief)


def _smooth(values: Sequence[float]) -> list[float]:
    """Circular smoothing over neighbouring hours, weights 1-2-1."""
    size = len(values)
    return [(values[i - 1] + 2 * values[i] + values[(i + 1) % size]) / 4 for i in range(size)]


def time_until(
    amount: float, weights: Sequence[float], start: float, offset: float, limit: float
) -> float:
    """Smallest t with ∫ weights over [start, start + t] ≥ amount; at most `limit`. Seconds."""
    local = start + offset
    end = local + limit
    while local < end:
        weight = weights[slot(local)]
        step = min(end, (local // HOUR + 1) * HOUR) - local
        if weight * step >= amount:
            return local + amount / weight - start - offset
        amount -= weight * step
        local += step
    return limit

"""Publishers that post at a fixed minute of the hour, and being there just after.

Many newsrooms and every script run by cron publish at :00 or :30. Once four fifths of a source's
items fall into one five-minute window, its polls move to the moment at which nine of ten items
have become visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from aggregator.schedule.shape import HOUR
from aggregator.schedule.state import MINUTES, Minutes

WINDOW = 5  # minutes
ENOUGH_ITEMS = 12.0
SHARE = 0.8
MEMORY = 48.0  # items after which older ones count half
LAG_STEP = 60.0
LONGEST_LAG = 1200.0
SPREAD = (30.0, 180.0)  # seconds after the moment, so that sources do not arrive together


def count_minutes(minutes: Minutes, stamps: Sequence[float]) -> Minutes:
    """Count items (epoch seconds) by their minute of the hour."""
    if not stamps:
        return minutes
    counts = list(minutes.counts)
    for stamp in stamps:
        counts[int(stamp % HOUR // 60)] += 1.0
    if sum(counts) > MEMORY:
        counts = [count / 2 for count in counts]
    return replace(minutes, counts=tuple(counts))


def learn_lag(minutes: Minutes, stamps: Sequence[float], previous: float, now: float) -> Minutes:
    """Track the 90th percentile of visible − published from items found at `now`.

    An item dated before the `previous` poll, which did not show it, was late by at least the
    difference. A stochastic quantile: nine small steps down for one large step up.
    """
    if not stamps:
        return minutes
    lag = minutes.lag
    for stamp in stamps:
        late, seen_after = previous - stamp, now - stamp
        if late > lag and seen_after < HOUR:
            lag += 0.9 * LAG_STEP
        elif late <= 0 and seen_after <= lag + SPREAD[1] + WINDOW * 60:
            lag -= 0.1 * LAG_STEP
    return replace(minutes, lag=min(max(lag, 0.0), LONGEST_LAG))


@lru_cache(maxsize=1024)
def ready_second(minutes: Minutes) -> float | None:
    """Second of the hour at which a fixed-minute publisher's items are there, else None."""
    total = sum(minutes.counts)
    if total < ENOUGH_ITEMS:
        return None
    counts = minutes.counts
    best, start = max(
        (sum(counts[(first + k) % MINUTES] for k in range(WINDOW)), first)
        for first in range(MINUTES)
        if counts[first]
    )
    if best < SHARE * total:
        return None
    seen, length = 0.0, 0
    while length < WINDOW and seen < 0.9 * best:
        seen += counts[(start + length) % MINUTES]
        length += 1
    return (start + length) * 60.0 + minutes.lag


def nearest(ready: float, at: float, earliest: float) -> float:
    """The time nearest to `at`, not before `earliest`, that is `ready` seconds into an hour."""
    before = (at - ready) // HOUR * HOUR + ready
    after = before + HOUR
    if before >= earliest and at - before <= after - at:
        return before
    while after < earliest:
        after += HOUR
    return after

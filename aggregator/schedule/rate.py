"""How often a source publishes: a slow and a fast decayed count, and the surprise between them.

Both count items against exposure, so that a window too short to be seen whole, an outage of ours
or a quiet night bias neither. Exposure is weighted by the daily shape: an hour at four in the
morning weighs little, and a busy morning is no burst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aggregator.schedule.shape import DAY, hour_spans, shape, slot
from aggregator.schedule.state import HOURS, Habits, Pace

SLOW_HALF_LIFE = 14 * DAY
FAST_HALF_LIFE = DAY / 4
SHAPE_HALF_LIFE = 28 * DAY
PRIOR = 0.5  # items a day of a source we know nothing about
PRIOR_ITEMS = 0.05  # how many items' worth of belief in that
FAST_BELIEF = 2.0  # items at the slow rate mixed into the fast count: one item is no burst
BATCH_SECONDS = 600.0
BATCH_ITEMS = 3  # more items than this within ten minutes are one batch
LONGEST_EXPOSURE = 60 * DAY  # decays make what lies further back irrelevant
MIDNIGHT_SHARE = 0.8  # of dates at 00:00:00, from which on they tell no hours and minutes


def slow_rate(pace: Pace) -> float:
    """Items a day over the last weeks."""
    return (pace.slow_n + PRIOR_ITEMS) / (pace.slow_w + PRIOR_ITEMS / PRIOR)


def fast_rate(pace: Pace) -> float:
    """Items a day over the last hours, leaning on the slow rate while there are few."""
    return (pace.fast_n + FAST_BELIEF) / (pace.fast_w + FAST_BELIEF / slow_rate(pace))


def rate(pace: Pace) -> float:
    """Items a day to expect on average, before the daily shape."""
    return max(slow_rate(pace), fast_rate(pace))


@dataclass(frozen=True, slots=True)
class Watched:
    """The time from `start` to `end` (epoch seconds) in which no item can have escaped us.

    `idle` is the time since the counts were last decayed, in seconds.
    """

    start: float
    end: float
    idle: float

    @classmethod
    def between(cls, start: float, end: float, since: float | None) -> Watched:
        """Watched from `start` to `end`; the counts are as of `since`, None when there are none."""
        idle = 0.0 if since is None else max(0.0, end - since)
        return cls(min(max(start, end - LONGEST_EXPOSURE), end), end, idle)


def cap_batches(times: Iterable[float]) -> list[float]:
    """Sorted times of which at most `BATCH_ITEMS` stand within any `BATCH_SECONDS`."""
    kept: list[float] = []
    for time in sorted(times):
        if len(kept) < BATCH_ITEMS or time - kept[-BATCH_ITEMS] >= BATCH_SECONDS:
            kept.append(time)
    return kept


def decayed(age: float, half_life: float) -> float:
    """Weight of something `age` seconds ago."""
    return math.exp2(-age / half_life)


def count_pace(
    pace: Pace, habits: Habits, times: Sequence[float], watched: Watched, offset: float
) -> Pace:
    """Count the items at `times` (epoch seconds, capped by `cap_batches`) for the rate."""
    end = watched.end
    slow_keep = decayed(watched.idle, SLOW_HALF_LIFE)
    fast_keep = decayed(watched.idle, FAST_HALF_LIFE)
    slow_w, fast_w = pace.slow_w * slow_keep, pace.fast_w * fast_keep
    factors = shape(habits)
    half, local_end = math.exp2, end + offset  # the loop of a first poll runs 1,440 times
    for begin, length, index in hour_spans(watched.start + offset, local_end):
        weighted = length / DAY * factors[index]
        age = local_end - begin - length / 2
        slow_w += weighted * half(-age / SLOW_HALF_LIFE)
        fast_w += weighted * half(-age / FAST_HALF_LIFE)
    ages = [max(0.0, end - time) for time in times]
    return replace(
        pace,
        slow_n=pace.slow_n * slow_keep + sum(decayed(age, SLOW_HALF_LIFE) for age in ages),
        slow_w=slow_w,
        fast_n=pace.fast_n * fast_keep + sum(decayed(age, FAST_HALF_LIFE) for age in ages),
        fast_w=fast_w,
    )


def count_habits(habits: Habits, times: Sequence[float], watched: Watched, offset: float) -> Habits:
    """Count the items at `times` for the shape of day and week; `offset` from UTC in seconds."""
    keep = decayed(watched.idle, SHAPE_HALF_LIFE)
    hour_n = [n * keep for n in habits.hour_n]
    hour_w = [w * keep for w in habits.hour_w]
    weekend_n, weekend_w = habits.weekend_n * keep, habits.weekend_w * keep
    half, local_end = math.exp2, watched.end + offset
    for begin, length, index in hour_spans(watched.start + offset, local_end):
        seen = length / DAY * half(-(local_end - begin) / SHAPE_HALF_LIFE)
        hour_w[index % HOURS] += seen
        weekend_w += seen if index >= HOURS else 0.0
    for time in times:
        index = slot(time + offset)
        weight = decayed(max(0.0, watched.end - time), SHAPE_HALF_LIFE)
        hour_n[index % HOURS] += weight
        weekend_n += weight if index >= HOURS else 0.0
    return Habits(tuple(hour_n), tuple(hour_w), weekend_n, weekend_w)


def expected(pace: Pace, habits: Habits, watched: Watched, offset: float) -> float:
    """Items to expect between two times at the slow rate and the shape of those hours."""
    factors = shape(habits)
    spans = hour_spans(watched.start + offset, watched.end + offset)
    return slow_rate(pace) * sum(length * factors[index] for _, length, index in spans) / DAY


def tail(count: int, mean: float) -> float:
    """The chance of `count` items or more from a Poisson source that brings `mean`."""
    term = math.exp(-mean)
    below = 0.0
    for k in range(count):
        below += term
        term *= mean / (k + 1)
    return max(0.0, 1.0 - below)

"""How often a source publishes: a slow and a fast decayed count, and the surprise between them.

Both count items against exposure, so that a window too short to be seen whole, an outage of ours
or a quiet night bias neither. Exposure is weighted by the daily shape: an hour at four in the
morning weighs little, and a busy morning is no burst.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from aggregator.schedule.shape import DAY, hour_spans, shape, slot
from aggregator.schedule.state import HOURS, PolicyState

SLOW_HALF_LIFE = 14 * DAY
FAST_HALF_LIFE = DAY / 4
SHAPE_HALF_LIFE = 28 * DAY
PRIOR = 0.5  # items a day of a source we know nothing about
PRIOR_ITEMS = 0.05  # how many items' worth of belief in that
FAST_BELIEF = 2.0  # items at the slow rate mixed into the fast count: one item is no burst
BATCH_SECONDS = 600.0
BATCH_ITEMS = 3  # more items than this within ten minutes are one batch
SURPRISE = 0.01
LONGEST_EXPOSURE = 60 * DAY  # decays make what lies further back irrelevant


def slow_rate(state: PolicyState) -> float:
    """Items a day over the last weeks."""
    return (state.slow_n + PRIOR_ITEMS) / (state.slow_w + PRIOR_ITEMS / PRIOR)


def fast_rate(state: PolicyState) -> float:
    """Items a day over the last hours, leaning on the slow rate while there are few."""
    slow = slow_rate(state)
    return (state.fast_n + FAST_BELIEF) / (state.fast_w + FAST_BELIEF / slow)


def rate(state: PolicyState) -> float:
    """Items a day to expect on average, before the daily shape."""
    return max(slow_rate(state), fast_rate(state))


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


def observe(
    state: PolicyState, times: Sequence[float], start: float, end: float, offset: float
) -> PolicyState:
    """Count the items at `times` against having watched from `start` to `end`.

    `times` are epoch seconds (capped by `cap_batches`), `offset` the zone's from UTC. What was
    counted before is decayed from `state.seen_at` to `end`.
    """
    idle = max(0.0, end - state.seen_at) if state.seen_at is not None else 0.0
    factors = shape(state)
    slow_keep, fast_keep = decayed(idle, SLOW_HALF_LIFE), decayed(idle, FAST_HALF_LIFE)
    shape_keep = decayed(idle, SHAPE_HALF_LIFE)
    slow_n, slow_w = state.slow_n * slow_keep, state.slow_w * slow_keep
    fast_n, fast_w = state.fast_n * fast_keep, state.fast_w * fast_keep
    hour_n = [n * shape_keep for n in state.hour_n]
    hour_w = [w * shape_keep for w in state.hour_w]
    weekend_n, weekend_w = state.weekend_n * shape_keep, state.weekend_w * shape_keep

    for begin, length in hour_spans(max(start, end - LONGEST_EXPOSURE) + offset, end + offset):
        index = slot(begin)
        age = end + offset - begin - length / 2
        days = length / DAY
        weighted = days * factors[index]
        slow_w += weighted * decayed(age, SLOW_HALF_LIFE)
        fast_w += weighted * decayed(age, FAST_HALF_LIFE)
        seen = days * decayed(age, SHAPE_HALF_LIFE)
        hour_w[index % HOURS] += seen
        if index >= HOURS:
            weekend_w += seen
    for time in times:
        age = max(0.0, end - time)
        slow_n += decayed(age, SLOW_HALF_LIFE)
        fast_n += decayed(age, FAST_HALF_LIFE)
        if state.midnight < MIDNIGHT_SHARE:
            index = slot(time + offset)
            weight = decayed(age, SHAPE_HALF_LIFE)
            hour_n[index % HOURS] += weight
            if index >= HOURS:
                weekend_n += weight
    return replace(
        state,
        slow_n=slow_n,
        slow_w=slow_w,
        fast_n=fast_n,
        fast_w=fast_w,
        hour_n=tuple(hour_n),
        hour_w=tuple(hour_w),
        weekend_n=weekend_n,
        weekend_w=weekend_w,
    )


MIDNIGHT_SHARE = 0.8
"""From this share of dates at 00:00:00 on, dates say nothing about hours and minutes."""


def expected(state: PolicyState, start: float, end: float, offset: float) -> float:
    """Items to expect between two times at the present rate."""
    factors = shape(state)
    watched = hour_spans(max(start, end - LONGEST_EXPOSURE) + offset, end + offset)
    return rate(state) * sum(length * factors[slot(begin)] for begin, length in watched) / DAY


def is_surprise(count: int, mean: float) -> bool:
    """Would `count` items or more be improbable (P < .01) for a Poisson source of this mean?"""
    if count < 2:  # a single item of a slow source is always improbable, and never a burst
        return False
    term = below = math.exp(-mean)
    for k in range(1, count):
        term *= mean / k
        below += term
    return 1.0 - below < SURPRISE

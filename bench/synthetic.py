"""Synthetic publishers for the simulation, each drawn from its own seed.

A larger population begins with the smaller one. Rates are log-normal; most have a daily wave by
their zone and quieter weekends, all have a burst now and then, some publish on the minute or at
fixed times of the day.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aggregator.schedule.shape import utc_offset

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
START = datetime(2026, 1, 5, tzinfo=UTC).timestamp()  # a Monday
HISTORY = 60 * DAY  # items published before the subscription
# Items a day at the height of a burst. A document of 25 entries under a max-age of an hour cannot
# be followed beyond this by anybody who respects it.
DENSEST = 240.0
ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
)


@dataclass(frozen=True)
class Publisher:
    """A synthetic feed: its items (epoch seconds, by visibility) and what its server says."""

    id: str
    rate: float  # items a day, nominal
    zone: str
    published: list[float]
    visible: list[float]
    window: int = 25  # items the document holds
    max_age: float | None = None  # seconds
    validators: bool = True


@dataclass(frozen=True)
class Horizon:
    """The time that is simulated, and the part of it that is scored (epoch seconds)."""

    start: float
    scored: float
    end: float

    @classmethod
    def of(cls, days: float, warm_up: float) -> Horizon:
        """So many days, of which the first `warm_up` are not scored."""
        return cls(START, START + warm_up * DAY, START + days * DAY)

    @property
    def days(self) -> float:
        """Days that are scored."""
        return (self.end - self.scored) / DAY


def generate(seed: int, count: int, horizon: Horizon, *, hints: bool = False) -> list[Publisher]:
    """`count` publishers; with `hints`, 30 % state max-age 1 h and 10 % have no validators."""
    return [_publisher(seed, index, horizon, hints=hints) for index in range(count)]


def homogeneous(seed: int, count: int, rate: float, horizon: Horizon) -> list[Publisher]:
    """Publishers that are all alike: `rate` items a day, at any time, without a shape."""
    feeds = []
    for index in range(count):
        rng = random.Random(f"{seed}/{index}/alike")
        items = _poisson(rng, horizon, lambda _: rate)
        feeds.append(_feed(rng, f"alike{index}", rate, "UTC", items))
    return feeds


def _publisher(seed: int, index: int, horizon: Horizon, *, hints: bool) -> Publisher:
    rng = random.Random(f"{seed}/{index}")
    rate = _rate(seed, index)
    zone = rng.choice(ZONES)
    kind, hint = rng.random(), rng.random()
    density = _density(rng, rate, zone, horizon)
    if kind < 0.15:
        minute, wobble = rng.choice((0, 0, 0, 30, 15, 5)) * MINUTE, rng.uniform(5, 90)
        items = [
            math.ceil((item - minute) / HOUR) * HOUR + minute + rng.uniform(0, wobble)
            for item in _poisson(rng, horizon, density)
        ]
    elif rate < 3 and kind < 0.27:
        items = _daily_slots(rng, rate, zone, horizon)
    else:
        items = _poisson(rng, horizon, density)
    feed = _feed(rng, f"{seed}-{index}", rate, zone, items)
    if not hints:
        return feed
    return Publisher(
        feed.id,
        rate,
        zone,
        feed.published,
        feed.visible,
        max_age=HOUR if hint < 0.3 else None,
        validators=not 0.3 <= hint < 0.4,
    )


def _rate(seed: int, index: int) -> float:
    """Items a day: log-normal, median 2, σ 1.7, within 0.03 and 150.

    The quantiles follow van der Corput's sequence from a seeded start, so that a few dozen feeds
    already have the spread of a few hundred.
    """
    quantile, scale, rest = random.Random(seed).random(), 0.5, index + 1
    while rest:
        quantile += scale * (rest & 1)
        scale, rest = scale / 2, rest >> 1
    z = statistics.NormalDist().inv_cdf(min(max(quantile % 1.0, 1e-6), 1 - 1e-6))
    return min(max(2.0 * math.exp(1.7 * z), 0.03), 150.0)


def _feed(rng: random.Random, name: str, rate: float, zone: str, items: list[float]) -> Publisher:
    lag = rng.uniform(5, 90)
    pairs = sorted((item + rng.uniform(0, lag), item) for item in items)
    return Publisher(name, rate, zone, [p for _, p in pairs], [v for v, _ in pairs])


def _density(
    rng: random.Random, rate: float, zone: str, horizon: Horizon
) -> Callable[[float], float]:
    """Items a day around a time: a daily sine for 70 %, weekends, and a burst now and then."""
    swing = rng.uniform(0.6, 1.0) if rng.random() < 0.7 else 0.0
    peak, weekend = rng.uniform(10, 17), rng.uniform(0.2, 1.1)
    offset = utc_offset(zone, START)
    bursts: list[tuple[float, float]] = []
    at = horizon.start - HISTORY
    while rng.random() < 0.99:
        at += rng.expovariate(1 / (12 * DAY))
        if at > horizon.end:
            break
        bursts.append((at, at + rng.uniform(2, 8) * HOUR))

    def density(at: float) -> float:
        local = at + offset
        value = rate * (1 + swing * math.cos((local % DAY / HOUR - peak) / 24 * 2 * math.pi))
        if (int(local // DAY) + 3) % 7 >= 5:
            value *= weekend
        if any(begin <= at < end for begin, end in bursts):
            value *= 6
        return min(value, DENSEST)

    return density


def _poisson(
    rng: random.Random, horizon: Horizon, density: Callable[[float], float]
) -> list[float]:
    """Items of a Poisson process whose rate is constant within each hour."""
    items = []
    hour = horizon.start - HISTORY
    while hour < horizon.end:
        mean = density(hour + HOUR / 2) / 24
        limit, product = math.exp(-mean), rng.random()
        while product > limit:
            items.append(hour + rng.random() * HOUR)
            product *= rng.random()
        hour += HOUR
    return items


def _daily_slots(rng: random.Random, rate: float, zone: str, horizon: Horizon) -> list[float]:
    slots = [rng.uniform(6, 22) * HOUR for _ in range(max(1, round(rate)))]
    chance = min(1.0, rate / len(slots))
    day = horizon.start - HISTORY - utc_offset(zone, START)
    items = []
    while day < horizon.end:
        items += [day + s + rng.uniform(0, 10 * MINUTE) for s in slots if rng.random() < chance]
        day += DAY
    return [item for item in items if item < horizon.end]

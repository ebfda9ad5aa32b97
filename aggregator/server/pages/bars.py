"""Bars side by side, two parts on top of each other: shapes that stretch to any width.

No word stands inside: what the bars mean is HTML around them, which a phone does not shrink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.model.pages import HourOfWork

HEIGHT = 100  # user units
_STEP, _WIDE = 10, 8


@dataclass(frozen=True, slots=True)
class Bars:
    """Paths of the lower and the upper parts, and of the bands behind them; `most` is the highest
    bar's number."""

    lower: str
    upper: str
    bands: str
    most: int
    width: int
    height: int = HEIGHT


def draw_bars(parts: Sequence[tuple[int, int]], marked: Sequence[bool] = ()) -> Bars:
    """A bar for each pair of numbers, those that are `marked` with a band behind them."""
    most = max((low + high for low, high in parts), default=0)
    scale = HEIGHT / max(1, most)
    lower, upper = [], []
    for at, (low, high) in enumerate(parts):
        foot = HEIGHT - low * scale
        if low:
            lower.append(_box(at, HEIGHT, low * scale))
        if high:
            upper.append(_box(at, foot, high * scale))
    bands = [f"M{at * _STEP} 0h{_STEP}v{HEIGHT}h-{_STEP}z" for at, on in enumerate(marked) if on]
    return Bars("".join(lower), "".join(upper), "".join(bands), most, max(1, len(parts)) * _STEP)


def _box(at: int, foot: float, height: float) -> str:
    """Upwards from a foot; what is there at all can be seen."""
    up = max(height, 1.0)
    return f"M{at * _STEP + 1} {foot:.4g}v-{up:.4g}h{_WIDE}v{up:.4g}z"


def hours_down(
    hours: Sequence[HourOfWork], outages: Sequence[tuple[datetime, datetime | None]]
) -> list[bool]:
    """Whether our own network was down in some part of each hour."""
    return [
        any(
            start < hour.at + timedelta(hours=1) and (end is None or end > hour.at)
            for start, end in outages
        )
        for hour in hours
    ]

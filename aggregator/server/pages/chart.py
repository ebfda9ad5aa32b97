"""The picture of a source's last two weeks: new items upwards, polls downwards, a day a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.model.pages import DayOfPolls

WIDTH, HEIGHT = 720, 144  # user units
_MIDDLE = 88  # items stand on this line, polls hang from it
_UP, _DOWN = 70, 48  # the longest bars
_GAP = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; `kind` is `items`, `polls` or `failed`."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Column:
    """One day with its bars, and a sentence for those who point at it."""

    bars: tuple[Bar, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole picture; `most_items` and `most_polls` are what the longest bars stand for.

    No word stands inside: `first` names the day where it begins.
    """

    columns: tuple[Column, ...]
    most_items: int
    most_polls: int
    summary: str
    first: str
    middle: int = _MIDDLE
    width: int = WIDTH
    height: int = HEIGHT


def draw_days(days: Sequence[DayOfPolls]) -> Chart | None:
    """A chart of days, oldest first; None when there was no poll at all."""
    if not any(day.polls for day in days):
        return None
    most_items = max(1, *(day.new_items for day in days))
    most_polls = max(1, *(day.polls for day in days))
    step = WIDTH / len(days)
    columns = []
    for position, day in enumerate(days):
        x, width = position * step + _GAP / 2, step - _GAP
        up = _UP * day.new_items / most_items
        down = _DOWN * day.polls / most_polls
        failed = _DOWN * day.failed / most_polls
        bars = [
            Bar(round(x, 1), round(_MIDDLE - up, 1), round(width, 1), round(up, 1), "items"),
            Bar(round(x, 1), _MIDDLE + 1, round(width, 1), round(down - failed, 1), "polls"),
            Bar(
                round(x, 1), round(_MIDDLE + 1 + down - failed, 1),
                round(width, 1), round(failed, 1), "failed",
            ),
        ]  # fmt: skip
        columns.append(
            Column(
                tuple(bar for bar in bars if bar.height > 0),
                f"{day.day.isoformat()}: {_times(day.new_items, 'new item')}, "
                f"{_times(day.polls, 'poll')}, {day.failed} failed",
            )
        )
    summary = (
        f"{_times(sum(day.new_items for day in days), 'new item')} in "
        f"{_times(sum(day.polls for day in days), 'poll')} over {len(days)} days"
    )
    first = f"{days[0].day.day} {days[0].day:%b}"
    return Chart(tuple(columns), most_items, most_polls, summary, first)


def _times(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

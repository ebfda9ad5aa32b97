"""When each outlet told a story, and when it changed what it had said: a strip for each outlet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.model.pages import Publication

WIDTH = 1000  # user units of a strip
_EDGE = 15  # on both sides, so that no dot is cut
_MOST = 12  # outlets


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a time: `told` or `changed`; `x` in user units."""

    x: float
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Strip:
    """The marks of one outlet, in order."""

    source_title: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All strips over one span of time; `hidden` counts the outlets left out."""

    strips: tuple[Strip, ...]
    start: datetime
    end: datetime
    hidden: int = 0
    width: int = WIDTH


def draw_times(published: Sequence[Publication]) -> Timeline | None:
    """Strips in the order in which the outlets came; None where everything is at one time."""
    events = [
        (at, kind, one)
        for one in published
        for kind, times in (("told", (one.at,)), ("changed", one.updates))
        for at in times
    ]
    if not events:
        return None
    start, end = min(at for at, _, _ in events), max(at for at, _, _ in events)
    if start == end:
        return None
    by_outlet: dict[str, list[Mark]] = {}
    titles: dict[str, str] = {}
    for at, kind, one in sorted(events, key=lambda event: (event[0], event[2].number)):
        x = _EDGE + (WIDTH - 2 * _EDGE) * ((at - start) / (end - start))
        by_outlet.setdefault(one.source_id, []).append(Mark(round(x, 1), kind, at))
        titles.setdefault(one.source_id, one.source_title)
    strips = tuple(Strip(titles[source], tuple(marks)) for source, marks in by_outlet.items())
    return Timeline(strips[:_MOST], start, end, max(0, len(strips) - _MOST))

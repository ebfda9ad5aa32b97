"""The last polls of a source as a line of bars: high where much was new, red where one failed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.model.pages import PollMark

MOST = 30  # polls
_STEP, HEIGHT = 3, 20  # user units
WIDTH = MOST * _STEP
_LOW = 2


@dataclass(frozen=True, slots=True)
class Spark:
    """Paths of upright bars, by what they stand for; `label` says the same in words."""

    quiet: str
    new: str
    failed: str
    label: str


def draw_polls(marks: Sequence[PollMark]) -> Spark | None:
    """The line of polls, the latest at its end; None where there was none."""
    if not marks:
        return None
    paths: dict[str, list[str]] = {"quiet": [], "new": [], "failed": []}
    start = MOST - len(marks[-MOST:])
    for at, mark in enumerate(marks[-MOST:], start):
        kind = "failed" if mark.failed else "new" if mark.new_items else "quiet"
        high = {"failed": HEIGHT, "quiet": _LOW}.get(kind) or _height(mark.new_items)
        paths[kind].append(f"M{at * _STEP + 1} {HEIGHT}v-{high}")
    counted = {kind: len(bars) for kind, bars in paths.items()}
    said = [
        f"{counted['new']} brought something new",
        f"{counted['quiet']} nothing",
        f"{counted['failed']} failed",
    ]
    number = sum(counted.values())
    label = f"The last {'poll' if number == 1 else f'{number} polls'}: {', '.join(said)}"
    quiet, new, failed = ("".join(bars) for bars in paths.values())
    return Spark(quiet, new, failed, label)


def _height(items: int) -> int:
    """Each doubling of what was new is as much higher again."""
    return min(HEIGHT, 4 + round(3 * math.log2(items)))

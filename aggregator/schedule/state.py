"""What is remembered of a source between polls: plain numbers, kept as JSON in its row.

Times are seconds since the epoch (UTC), durations are seconds, exposures are days.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TypeGuard, TypeVar

HOURS = 24
MINUTES = 60
NO_HOURS = (0.0,) * HOURS
NO_MINUTES = (0.0,) * MINUTES


@dataclass(frozen=True, slots=True)
class Pace:
    """Decayed item counts and the exposure (days, weighted by the daily shape) they were seen in.

    Half-lives are 14 d (`slow`) and 6 h (`fast`). `run_n` and `run_mean` are the items found and
    expected in the present run of crowded polls. `boost` is 1 while that is improbable and halves
    with each ordinary poll.
    """

    slow_n: float = 0.0
    slow_w: float = 0.0
    fast_n: float = 0.0
    fast_w: float = 0.0
    run_n: int = 0
    run_mean: float = 0.0
    boost: float = 0.0
    last_item: float | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """Items and exposure (days) by hour of the day in the source's zone, and on weekends."""

    hour_n: tuple[float, ...] = NO_HOURS
    hour_w: tuple[float, ...] = NO_HOURS
    weekend_n: float = 0.0
    weekend_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Minutes:
    """Items by minute of the hour, and how late they become visible.

    `lag` is the 90th percentile of visible − published, `midnight` the decayed share of dates
    that say 00:00:00. `snapped`: the planned poll waits for a publisher's minute. `retry`: such a
    poll came a little too early.
    """

    counts: tuple[float, ...] = NO_MINUTES
    lag: float = 60.0
    midnight: float = 0.0
    snapped: bool = False
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """How far the document reaches back, and how often two in a row shared few of their ids."""

    span: float | None = None
    squeeze: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Failures in a row and their kind, the throttle of 429 and 503, the source's hard floor.

    `failing_since` times a run of one kind. The interval is doubled `throttle` times; `good`
    counts the good polls since that last changed. `empties` counts 204 and 205 in a row.
    """

    failures: int = 0
    failing_since: float | None = None
    error: str = ""
    empties: int = 0
    throttle: int = 0
    good: int = 0
    floor_until: float | None = None
    floor_reason: str = ""


@dataclass(frozen=True, slots=True)
class Hints:
    """What the publisher last stated (seconds), and how conditional requests fare.

    `works` is the decayed share of conditional requests that were answered by 304 or a changed
    body. `skip_days` counts from Monday = 0.
    """

    max_age: float | None = None
    no_cache: bool = False
    ttl: float | None = None
    syndication: float | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    validators: bool = False
    etag: bool = False
    works: float = 0.5
    body_bytes: int = 0
    push: bool = False
    archive: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """What speaks against a server's 304s (see `doubt`).

    Items last came at `since`, when `rate` a day were expected; `checks` requests without
    validators have found nothing from then on. `looking`: the planned poll is one. `lies` counts
    those that found what a 304 had denied, up to 2.
    """

    since: float | None = None
    rate: float = 0.0
    checks: int = 0
    looking: bool = False
    lies: int = 0


@dataclass(frozen=True, slots=True)
class PolicyState:
    """Everything the policy knows of one source. A new source starts with `PolicyState()`.

    `polls` counts the plans made: it is behind the jitter. `polled_at` is the last poll,
    `seen_at` the last time we knew what the source holds, `full_at` the last whole body.
    """

    polls: int = 0
    polled_at: float | None = None
    seen_at: float | None = None
    full_at: float | None = None
    pace: Pace = field(default_factory=Pace)
    habits: Habits = field(default_factory=Habits)
    minutes: Minutes = field(default_factory=Minutes)
    window: Window = field(default_factory=Window)
    trouble: Trouble = field(default_factory=Trouble)
    hints: Hints = field(default_factory=Hints)
    doubt: Doubt = field(default_factory=Doubt)

    def to_json(self) -> str:
        """Compact JSON of what differs from a new source's state."""
        return _changed(self, NEW_SOURCE)

    @classmethod
    def from_json(cls, text: str | None) -> PolicyState:
        """Read what `to_json` wrote, also by another version.

        Unknown names are dropped and anything unusable falls back to its default: a state is
        learned again in days, while a source that cannot be polled is lost. Never raises.
        """
        try:
            raw = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            raw = {}
        return _restored(NEW_SOURCE, raw)


NEW_SOURCE = PolicyState()
_NAMES: dict[type, tuple[str, ...]] = {}
_USUAL: dict[type, dict[str, object]] = {}
_Group = TypeVar("_Group")
_REFUSED = object()
_LENGTHS = {"hour_n": HOURS, "hour_w": HOURS, "counts": MINUTES}


def _changed(group: object, default: object) -> str:
    """What differs, written out at once: it is stored at every poll."""
    changed = []
    for name in _names(group):
        value, usual = getattr(group, name), getattr(default, name)
        if value is not usual and value != usual:
            text = _changed(value, usual) if is_dataclass(usual) else _written(value)
            changed.append(f'"{name}":{text}')
    return "{" + ",".join(changed) + "}"


def _written(value: object) -> str:
    # A tenth of a second is enough for a time, five digits are enough for a count.
    if isinstance(value, tuple):
        text = ("%.5g," * len(value) % value)[:-1]
        if "e" in text:
            text = ",".join(map(_written, value))
        return f"[{text}]"
    if isinstance(value, float):
        text = f"{value:.5g}"
        if value <= 1e6 and "e" not in text:
            return text
        short = round(value, 1) if value > 1e6 else float(text)
        return json.dumps(int(short) if short == int(short) else short)
    return json.dumps(value)


def _restored(default: _Group, raw: object) -> _Group:
    if not isinstance(raw, dict):
        return default
    usual = _defaults(default)
    kept: dict[str, object] = {}
    for name, value in raw.items():
        if name in usual:
            accepted = _accepted(name, value, usual[name])
            if accepted is not _REFUSED:
                kept[name] = accepted
    return type(default)(**kept) if kept else default


def _names(group: object) -> tuple[str, ...]:
    kind = type(group)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(part.name for part in fields(group))  # type: ignore[arg-type]
    return _NAMES[kind]


def _defaults(group: object) -> dict[str, object]:
    """The values of a group of a new source by name; looked up once, and read at every poll."""
    kind = type(group)
    if kind not in _USUAL:
        _USUAL[kind] = {name: getattr(group, name) for name in _names(group)}
    return _USUAL[kind]


def _accepted(name: str, value: object, default: object) -> object:
    kind = type(default)
    if default is None or kind is float or kind is int:
        if not _is_number(value):
            return _REFUSED
        return int(value) if kind is int else float(value)
    if isinstance(default, tuple):
        if not isinstance(value, list) or not _are_numbers(value):
            return _REFUSED
        if name in _LENGTHS:
            return tuple(map(float, value)) if len(value) == _LENGTHS[name] else _REFUSED
        return tuple(map(int, value))
    if kind is bool or kind is str:
        return value if isinstance(value, kind) else _REFUSED
    return _restored(default, value)


def _are_numbers(values: list[object]) -> TypeGuard[list[int | float]]:
    # One look at all of them: a state has a hundred, and is read at every poll.
    if not values:
        return True
    if not {float, int}.issuperset(map(type, values)):
        return False
    numbers: list[float] = values  # type: ignore[assignment]
    total = sum(numbers) if min(numbers) >= 0 and max(numbers) <= 1e11 else math.nan
    return not math.isnan(total)  # as that of a list which holds one


def _is_number(value: object) -> TypeGuard[int | float]:
    """A finite number that is no nonsense: nothing here is negative or beyond the year 5138."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= 1e11

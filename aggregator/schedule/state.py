"""What is remembered of a source between polls: plain numbers, kept as JSON in its row.

Times are seconds since the epoch (UTC), durations are seconds, exposures are days.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from typing import TypeGuard

HOURS = 24
MINUTES = 60
NO_HOURS = (0.0,) * HOURS
NO_MINUTES = (0.0,) * MINUTES


@dataclass(frozen=True, slots=True)
class PolicyState:
    """Everything the policy knows of one source. A new source starts with `PolicyState()`.

    `slow_*` and `fast_*` are decayed item counts and the exposure (days, weighted by the daily
    shape) in which they were counted; half-lives 14 d and 6 h. `hour_*` and `weekend_*` are the
    same for the hour of the day in the source's zone (28 d). `minutes` counts items by minute of
    the hour, decayed per item.
    """

    # Attempts
    polls: int = 0  # plans made so far: the counter behind the jitter
    polled_at: float | None = None  # last attempt that reached for the source
    seen_at: float | None = None  # last time we knew what the source holds
    full_at: float | None = None  # last time a whole body came
    # Rate
    slow_n: float = 0.0
    slow_w: float = 0.0
    fast_n: float = 0.0
    fast_w: float = 0.0
    last_item: float | None = None
    boost: float = 0.0  # 1 after an improbable poll, halving with each ordinary one
    # Shape of day and week
    hour_n: tuple[float, ...] = NO_HOURS
    hour_w: tuple[float, ...] = NO_HOURS
    weekend_n: float = 0.0
    weekend_w: float = 0.0
    # Minute of the hour
    minutes: tuple[float, ...] = NO_MINUTES
    lag: float = 60.0  # p90 of visible − published
    midnight: float = 0.0  # decayed share of dates that say 00:00:00
    snapped: bool = False  # the planned poll waits for a publisher's minute
    retry: bool = False  # a snapped poll came a little too early
    # Window
    span: float | None = None
    squeeze: int = 0  # how often two documents in a row shared under half of their ids
    # Failures and endings
    failures: int = 0
    failing_since: float | None = None
    error: str = ""  # the kind of the current run of failures
    empties: int = 0  # 204 or 205 in a row
    throttle: int = 0  # 429/503 level: the interval is doubled this often
    good: int = 0  # good polls since the throttle last changed
    floor_until: float | None = None  # hard, of this source
    floor_reason: str = ""
    # Hints as last stated
    max_age: float | None = None
    no_cache: bool = False
    ttl: float | None = None
    syndication: float | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    # Validators
    validators: bool = False
    works: float = 0.5  # how well conditional requests work, 0..1
    body_bytes: int = 0
    push: bool = False
    archive: bool = False

    def to_json(self) -> str:
        """Compact JSON of what differs from a new source's state."""
        changed: dict[str, object] = {}
        for name, default in _DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                changed[name] = _rounded(value)
        return json.dumps(changed, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> PolicyState:
        """Read what `to_json` wrote, also by another version.

        Unknown names are dropped and anything unusable falls back to its default: a state is
        learned again in days, while a source that cannot be polled is lost. Never raises.
        """
        try:
            raw = json.loads(text) if text else {}
        except ValueError:
            return cls()
        if not isinstance(raw, dict):
            return cls()
        kept = {
            name: value
            for name, default in _DEFAULTS.items()
            if name in raw and (value := _accepted(name, raw[name], default)) is not _REFUSED
        }
        return cls(**kept)  # type: ignore[arg-type]


_REFUSED = object()
_DEFAULTS: dict[str, object] = {f.name: f.default for f in fields(PolicyState)}
_LENGTHS = {"hour_n": HOURS, "hour_w": HOURS, "minutes": MINUTES}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        # A second is enough for a time of day; six digits are enough for a count.
        return round(value, 1) if abs(value) > 1e6 else float(f"{value:.6g}")
    if isinstance(value, tuple):
        return [_rounded(part) for part in value]
    return value


def _accepted(name: str, value: object, default: object) -> object:
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(_is_number(part) for part in value):
            return _REFUSED
        if name in _LENGTHS:
            whole = len(value) == _LENGTHS[name] and all(part >= 0 for part in value)
            return tuple(float(part) for part in value) if whole else _REFUSED
        return tuple(int(part) for part in value)
    if isinstance(default, bool):
        return value if isinstance(value, bool) else _REFUSED
    if isinstance(default, str):
        return value if isinstance(value, str) else _REFUSED
    if not _is_number(value) or value < 0:
        return _REFUSED
    return int(value) if isinstance(default, int) else float(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

"""From an interval to a time: jitter, soft floors, a publisher's minute, hard floors, cron."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aggregator.model.meanings import PLANNED
from aggregator.model.poll import Floor, PlanReason, PollMode, PollSettings
from aggregator.schedule.backoff import Verdict
from aggregator.schedule.hints import skip_floor
from aggregator.schedule.jitter import uniform
from aggregator.schedule.shape import HOUR
from aggregator.schedule.snap import SPREAD, nearest, ready_second
from aggregator.schedule.state import PolicyState
from aggregator.schedule.wish import Wish, cron_after

JITTER = 0.05
LEAST_UNDERCUT = HOUR  # a window about to overflow may shorten soft floors down to this
FLOOR_SPREAD = 180.0
CRON_SPREAD = 60.0
SNAP_TOLERANCE = 600.0  # a poll this late after the minute still belongs to it (see `snapped`)


@dataclass(frozen=True, slots=True)
class Place:
    """A time on its way to becoming the plan: epoch seconds, what decided it, a sentence."""

    at: float
    reason: PlanReason
    detail: str


def placed(
    state: PolicyState,
    settings: PollSettings,
    base: float,
    wish: Wish,
    verdict: Verdict | None,
    source_id: str,
) -> Place:
    """The wish or the verdict as a time, with its jitter."""
    if verdict is not None:
        # A cron line's own next time is the normal one: only what exceeds its gap is waited for.
        gap = wish.seconds if settings.mode is PollMode.CRON else 0.0
        return Place(base + max(0.0, verdict.wait - gap), verdict.reason, verdict.detail)
    if settings.mode is PollMode.CRON:
        return Place(base, wish.reason, wish.detail)
    wait = wish.seconds
    if settings.jitter:
        wait *= uniform(source_id, state.polls, "jitter", 1 - JITTER, 1 + JITTER)
    if settings.mode is PollMode.ADAPTIVE:
        wait = max(wait, settings.minimum.total_seconds())
    return Place(base + wait, wish.reason, wish.detail)


def waived(place: Place, soft: Sequence[Floor]) -> Place:
    """Name the soft floors that an explicit `poll:` passes over."""
    waived = [PLANNED[floor.name] for floor in soft if floor.until.timestamp() > place.at]
    if not waived:
        return place
    return replace(
        place, detail=f"{place.detail}; its own “poll” goes first, although {', and '.join(waived)}"
    )


def above_soft(
    place: Place,
    state: PolicyState,
    soft: list[Floor],
    base: float,
    wish: Wish,
    source_id: str,
) -> Place:
    """Lift a time above the soft floors; adds the skipped hours it met to `soft`."""
    latest = base + max(LEAST_UNDERCUT, wish.seconds) if wish.urgent else float("inf")
    top = max(soft, key=lambda floor: floor.until, default=None)
    if top is not None:
        to = min(top.until.timestamp(), latest)
        if to > place.at:
            place = _lifted(place, to, top, base, state, source_id)
    skipped = skip_floor(state.hints, place.at)
    if skipped is not None and skipped.until.timestamp() <= latest:
        soft.append(skipped)
        place = _lifted(place, skipped.until.timestamp(), skipped, base, state, source_id)
    return place


def above_hard(
    place: Place, state: PolicyState, hard: Sequence[Floor], base: float, source_id: str
) -> Place:
    """Lift a time above the latest hard floor."""
    top = max(hard, key=lambda floor: floor.until, default=None)
    if top is None or top.until.timestamp() <= place.at:
        return place
    return _lifted(place, top.until.timestamp(), top, base, state, source_id)


def _lifted(
    place: Place, to: float, floor: Floor, base: float, state: PolicyState, source_id: str
) -> Place:
    """Just after a floor: sources under one floor must not all arrive at its end."""
    widest = min(FLOOR_SPREAD, JITTER * max(0.0, to - base))
    if state.window.squeeze and not floor.hard:
        widest = 0.0  # entries may be falling out of the document: every minute counts
    spread = uniform(source_id, state.polls, floor.name) * widest
    return Place(to + spread, floor.name, f"{place.detail}; {clause(floor)}")


def may_snap(state: PolicyState, settings: PollSettings) -> bool:
    """Is there nothing more urgent than a publisher's usual minute?"""
    return settings.mode is PollMode.ADAPTIVE and not (
        state.trouble.failures
        or state.minutes.retry
        or state.pace.boost
        or state.window.squeeze
        or state.hints.archive
    )


def snapped(
    place: Place,
    state: PolicyState,
    settings: PollSettings,
    base: float,
    soft: Sequence[Floor],
    source_id: str,
) -> Place:
    """Move a time to just after the minute at which this publisher's items are there."""
    ready = ready_second(state.minutes)
    if ready is None:
        return place
    earliest = base + settings.minimum.total_seconds()
    if not settings.explicit:
        earliest = max([earliest, *(floor.until.timestamp() for floor in soft)])
    moment_ready = nearest(ready, place.at, earliest - SNAP_TOLERANCE)
    spread = uniform(source_id, state.polls, "snap", *SPREAD)
    at = max(moment_ready + spread, earliest)
    if not settings.explicit and skip_floor(state.hints, at) is not None:
        return place
    minute = int(ready % HOUR // 60)
    return Place(at, PlanReason.SNAP, f"{place.detail}; items come just before minute {minute}")


def on_cron(
    place: Place, state: PolicyState, settings: PollSettings, base: float, source_id: str
) -> Place:
    """The first time of the line that is not before `place`."""
    normal = cron_after(settings, base)
    at = normal if place.at <= normal else cron_after(settings, place.at - 1.0)
    late = at > normal or state.trouble.failures
    spread = uniform(source_id, state.polls, "cron", 0.0, CRON_SPREAD) if settings.jitter else 0.0
    return Place(at + spread, place.reason if late else PlanReason.CRON, place.detail)


def clause(floor: Floor) -> str:
    """A floor for people."""
    return f"not before {floor.until:%Y-%m-%d %H:%M} UTC, as {PLANNED[floor.name]}"

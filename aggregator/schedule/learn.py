"""From what a poll found to what a source's state says about its rate, shape and window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aggregator.model.poll import PollKind, PollOutcome, PollSettings
from aggregator.schedule.rate import MIDNIGHT_SHARE, cap_batches, expected, is_surprise, observe
from aggregator.schedule.shape import HOUR, utc_offset
from aggregator.schedule.snap import count_minutes, learn_lag
from aggregator.schedule.state import PolicyState
from aggregator.schedule.warm import is_midnight, warm_start

LATE = HOUR  # a date this far before the previous poll may still be a publication just seen
LEAST_WATCHED = 600.0
LOW_OVERLAP = 0.5
TIGHTEST_SQUEEZE = 2
MIDNIGHT_WEIGHT = 0.1
USUAL_MINUTE = 0.5  # items expected in the last hour that make an empty snapped poll too early


@dataclass(frozen=True, slots=True)
class _Placed:
    """New items in time: all of them, and those whose own date could be believed."""

    times: list[float]
    genuine: list[float]


def learn_items(
    state: PolicyState, outcome: PollOutcome, settings: PollSettings, now: float
) -> PolicyState:
    """Count what one successful poll or push found; the first one starts warm. `now` in seconds."""
    if state.seen_at is None:
        moment = datetime.fromtimestamp(now, UTC)
        state = warm_start(outcome.new_dates, moment, settings.zone, state)
        return _learn_window(state, outcome, first=True)
    offset = utc_offset(settings.zone, now)
    start = min(state.seen_at, now)
    placed = _place(state, outcome.new_dates, start, now)
    counted = cap_batches(placed.times)
    watched = _watched_from(outcome, start, now)
    surprise = is_surprise(len(counted), expected(state, watched, now, offset))
    boost = 1.0 if surprise else state.boost / 2
    state = _learn_midnights(state, outcome.new_dates, offset)
    retry = (
        state.snapped
        and not placed.times
        and expected(state, now - HOUR, now, offset) >= USUAL_MINUTE
    )
    state = learn_lag(state, placed.genuine, now)
    state = observe(state, counted, watched, now, offset)
    if state.midnight < MIDNIGHT_SHARE:
        state = count_minutes(state, cap_batches(placed.genuine))
    newest = max(placed.times, default=0.0)
    return replace(
        _learn_window(state, outcome, first=False),
        boost=boost if boost > 0.1 else 0.0,
        retry=retry,
        last_item=max(state.last_item or 0.0, newest) or None,
        seen_at=now,
    )


def _place(
    state: PolicyState, dates: Sequence[datetime | None], start: float, now: float
) -> _Placed:
    """Put each new item where it was most likely published.

    A date between the previous poll (and an hour before it) and now is believed. Other dated
    items are put at the middle of the interval, where `cap_batches` sees them as one batch:
    most likely old ones that reappeared. Undated ones are spread evenly.
    """
    times: list[float] = []
    genuine: list[float] = []
    undated = 0
    for date in dates:
        if date is None:
            undated += 1
            continue
        stamp = date.timestamp()
        if start - LATE <= stamp <= now and state.midnight < MIDNIGHT_SHARE:
            genuine.append(stamp)
            times.append(stamp)
        else:
            times.append((start + now) / 2)
    times += [start + (now - start) * (k + 0.5) / undated for k in range(undated)]
    return _Placed(times, genuine)


def _watched_from(outcome: PollOutcome, start: float, now: float) -> float:
    """Since when nothing can have escaped us.

    A document that shares nothing with its predecessor may have lost what came before it.
    """
    torn = outcome.kind is PollKind.OK and outcome.new_dates and not outcome.overlap
    if not torn or outcome.span is None:
        return start
    return max(start, now - max(outcome.span.total_seconds(), LEAST_WATCHED))


def _learn_midnights(
    state: PolicyState, dates: Sequence[datetime | None], offset: float
) -> PolicyState:
    share = state.midnight
    for date in dates:
        if date is not None:
            seen = 1.0 if is_midnight(date.timestamp(), offset) else 0.0
            share += MIDNIGHT_WEIGHT * (seen - share)
    return replace(state, midnight=share) if share != state.midnight else state


def _learn_window(state: PolicyState, outcome: PollOutcome, *, first: bool) -> PolicyState:
    """Remember how far the document reaches back, and whether two in a row hang together."""
    if outcome.kind is PollKind.PUSH:  # a hub may send single entries
        return state
    span = state.span if outcome.span is None else outcome.span.total_seconds()
    squeeze = state.squeeze
    if not first:
        torn = outcome.overlap is not None and outcome.overlap < LOW_OVERLAP
        squeeze = min(squeeze + 1, TIGHTEST_SQUEEZE) if torn else max(squeeze - 1, 0)
    return replace(state, span=span, squeeze=squeeze)

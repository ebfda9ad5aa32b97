"""From what a poll found to what a source's state says about its rate, shape and window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aggregator.model.poll import PollKind, PollOutcome, PollSettings
from aggregator.schedule.rate import (
    MIDNIGHT_SHARE,
    Watched,
    cap_batches,
    count_habits,
    count_pace,
    expected,
    tail,
)
from aggregator.schedule.shape import HOUR, utc_offset
from aggregator.schedule.snap import count_minutes, learn_lag
from aggregator.schedule.state import Habits, Minutes, Pace, PolicyState, Window
from aggregator.schedule.warm import is_midnight, warm_start

LATE = HOUR  # a date this far before the previous poll may still be a publication just seen
LEAST_WATCHED = 600.0
LOW_OVERLAP = 0.5
HIGH_OVERLAP = 0.75  # from which on a squeeze is eased
TIGHTEST_SQUEEZE = 2
MIDNIGHT_WEIGHT = 0.1
SURPRISE = 0.01  # chance below which a run of polls is a burst
USUAL = 0.3  # chance above which it is nothing
LONGEST_RUN = 8  # items
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
        return replace(state, window=_window(state.window, outcome, first=True))
    offset = utc_offset(settings.zone, now)
    start = min(state.seen_at, now)
    pace, habits, minutes = state.pace, state.habits, state.minutes
    placed = _place(minutes, outcome.new_dates, start, now)
    counted = cap_batches(placed.times)
    watched = Watched.between(_watched_from(outcome, start, now), now, state.seen_at)
    mean = expected(pace, habits, watched, offset)
    return replace(
        state,
        seen_at=now,
        pace=replace(
            _burst(count_pace(pace, habits, counted, watched, offset), pace, len(counted), mean),
            last_item=max([pace.last_item or 0.0, *placed.times]) or None,
        ),
        habits=_habits(habits, minutes, counted, watched, offset),
        minutes=_minutes(state, outcome, placed, now, offset),
        window=_window(state.window, outcome, first=False),
    )


def _burst(pace: Pace, before: Pace, count: int, mean: float) -> Pace:
    """Notice that more came than was expected: `count` items where `mean` were likely.

    Evidence is gathered over a run of polls, since those that bring an item each make a burst as
    well, though none is improbable alone. A run ends when chance explains it. It is kept short:
    over many items any error of the rate or the shape would look like a burst.
    """
    run_n, run_mean = before.run_n + count, before.run_mean + mean
    chance = tail(count, mean)
    if run_n <= LONGEST_RUN:
        chance = min(chance, tail(run_n, run_mean))
    # A single item of a slow source is always improbable, and never a burst.
    boost = 1.0 if count and run_n > 1 and chance < SURPRISE else before.boost / 2
    if not run_n or run_n > LONGEST_RUN or tail(run_n, run_mean) > USUAL:
        run_n, run_mean = 0, 0.0
    return replace(pace, run_n=run_n, run_mean=run_mean, boost=boost if boost > 0.1 else 0.0)


def _habits(
    habits: Habits, minutes: Minutes, counted: list[float], watched: Watched, offset: float
) -> Habits:
    if minutes.midnight >= MIDNIGHT_SHARE:
        return habits
    return count_habits(habits, counted, watched, offset)


def _minutes(
    state: PolicyState, outcome: PollOutcome, placed: _Placed, now: float, offset: float
) -> Minutes:
    """What the poll taught about the publisher's minute, and whether to look again shortly."""
    minutes = state.minutes
    previous = state.seen_at if state.seen_at is not None else now
    retry = minutes.snapped and not placed.times
    if retry:
        last_hour = Watched.between(now - HOUR, now, None)
        retry = expected(state.pace, state.habits, last_hour, offset) >= USUAL_MINUTE
    midnight = minutes.midnight
    for date in outcome.new_dates:
        if date is not None:
            seen = 1.0 if is_midnight(date.timestamp(), offset) else 0.0
            midnight += MIDNIGHT_WEIGHT * (seen - midnight)
    if retry != minutes.retry or midnight != minutes.midnight:
        minutes = replace(minutes, retry=retry, midnight=midnight)
    minutes = learn_lag(minutes, placed.genuine, previous, now)
    return count_minutes(minutes, cap_batches(placed.genuine))


def _place(minutes: Minutes, dates: Sequence[datetime | None], start: float, now: float) -> _Placed:
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
        if start - LATE <= stamp <= now and minutes.midnight < MIDNIGHT_SHARE:
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


def _window(window: Window, outcome: PollOutcome, *, first: bool) -> Window:
    """Remember how far the document reaches back, and whether two in a row hang together."""
    if outcome.kind is PollKind.PUSH:  # a hub may send single entries
        return window
    span = window.span if outcome.span is None else outcome.span.total_seconds()
    squeeze = window.squeeze
    if not first:
        overlap = 1.0 if outcome.overlap is None else outcome.overlap
        if overlap < LOW_OVERLAP:
            squeeze = min(squeeze + 1, TIGHTEST_SQUEEZE)
        elif overlap >= HIGH_OVERLAP:
            squeeze = max(squeeze - 1, 0)
    return Window(span, squeeze)

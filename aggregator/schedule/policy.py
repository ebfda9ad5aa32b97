"""When a source is polled next, and why: the one door to this room.

The adaptive interval follows the square-root law of Sia, Cho and Cho (2007): the total delay of
all items is least when a source's interval is proportional to 1/√rate. We poll again when
∫ rate(t)^0.4 dt reaches a price that is the same for every source, so that sources do not depend
on each other; 0.4 instead of 0.5 is a little kinder to quiet ones. `docs/design/polling.md`.

Everything here is pure: the clock is an argument, and the jitter is drawn from the source's id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.model.poll import (
    Floor,
    HostFloors,
    Plan,
    PollKind,
    PollMode,
    PollOutcome,
    PollSettings,
)
from aggregator.schedule.backoff import (
    LONGEST,
    Verdict,
    count_empty,
    count_failure,
    count_success,
    hold,
    judge,
)
from aggregator.schedule.cron import next_cron
from aggregator.schedule.hints import moment, remember, skip_floor, soft_floors
from aggregator.schedule.jitter import uniform
from aggregator.schedule.learn import learn_items
from aggregator.schedule.rate import rate
from aggregator.schedule.shape import DAY, HOUR, shape, time_until, utc_offset
from aggregator.schedule.snap import SPREAD, nearest, ready_second
from aggregator.schedule.state import PolicyState

EXPONENT = 0.4
REFERENCE_RATE = 4.0  # items a day of the source that is polled once per `price`
SILENT = 30 * DAY
JITTER = 0.05
LEAST_UNDERCUT = HOUR  # a window about to overflow may shorten soft floors down to this
SHORTEST_SPAN = HOUR  # a document all written at once has no span to speak of
BUSY_SPREAD = 5.0
OUTAGE_WAIT = (60.0, 300.0)
NEVER = 365 * DAY
UNCONDITIONAL_AFTER = 30 * DAY
FLOOR_SPREAD = 180.0
CRON_SPREAD = 60.0
SNAP_TOLERANCE = 600.0  # a poll this late after the minute still belongs to it (see `_snapped`)

_NO_HOST = HostFloors()


@dataclass(frozen=True, slots=True)
class _Wish:
    """The interval before floors: seconds, what decided it, a clause for people."""

    seconds: float
    reason: str
    detail: str
    urgent: bool = False  # the document's window may overflow: soft floors yield


@dataclass(frozen=True, slots=True)
class _Place:
    """A time on its way to becoming the plan: epoch seconds, what decided it, a sentence."""

    at: float
    reason: str
    detail: str


def plan_next(
    state: PolicyState,
    outcome: PollOutcome,
    settings: PollSettings,
    now: datetime,
    source_id: str,
    host: HostFloors = _NO_HOST,
) -> tuple[PolicyState, Plan]:
    """Learn from one poll that ended at `now` and plan the next.

    Pure and deterministic in its arguments. Returns the state to store and the plan; the plan
    never lies before a hard floor, neither the source's own nor one of `host`.
    """
    stamp = now.timestamp()
    if outcome.kind is PollKind.BUSY:
        return replace(state, polls=state.polls + 1), _after_busy(state, outcome, now, source_id)
    state = _learn(state, outcome, settings, stamp)
    state = replace(state, polls=state.polls + 1)
    if outcome.kind is PollKind.OUTAGE:
        return state, _after_outage(state, now, source_id, host)
    if outcome.kind is PollKind.PUSH:
        plan = replan(state, settings, now, source_id, host)
    else:
        state = replace(state, polled_at=stamp)
        plan = _decide(state, settings, stamp, source_id, host)
    snapped = plan.reason == "snap"
    if snapped != state.minutes.snapped:
        state = replace(state, minutes=replace(state.minutes, snapped=snapped))
    return state, plan


def replan(
    state: PolicyState,
    settings: PollSettings,
    now: datetime,
    source_id: str,
    host: HostFloors = _NO_HOST,
) -> Plan:
    """The plan under changed settings, counted from the last poll; never before `now`."""
    if state.polled_at is None:
        return first_plan(now, source_id, host)
    plan = _decide(state, settings, min(state.polled_at, now.timestamp()), source_id, host)
    return replace(plan, at=max(plan.at, now))


def first_plan(now: datetime, source_id: str, host: HostFloors = _NO_HOST) -> Plan:
    """A source that was never polled is polled at once, within what its host allows."""
    at, reason, detail = now.timestamp(), "new", "never polled yet"
    for floor in host.floors:
        if floor.until.timestamp() > at:
            at, reason = floor.until.timestamp(), floor.name
            detail = f"never polled yet; {_clause(floor)}"
    return Plan(moment(at), reason, detail, host.floors)


def refresh_allowed(
    state: PolicyState, min_refresh: timedelta, now: datetime, host: HostFloors = _NO_HOST
) -> Floor | None:
    """What forbids a person's refresh at `now`: a hard floor or the minimum between two; or None.

    A refresh waives the plan and every soft floor. It stays conditional.
    """
    floors = [*_own_floors(state), *host.floors]
    if state.polled_at is not None:
        floors.append(Floor("min-refresh", moment(state.polled_at) + min_refresh, hard=True))
    latest = max(floors, key=lambda floor: floor.until, default=None)
    return latest if latest is not None and latest.until > now else None


def _learn(
    state: PolicyState, outcome: PollOutcome, settings: PollSettings, now: float
) -> PolicyState:
    match outcome.kind:
        case PollKind.OK | PollKind.SAME_BODY | PollKind.NOT_MODIFIED:
            state = replace(
                state,
                trouble=count_success(state.trouble),
                hints=remember(state.hints, outcome),
            )
            if outcome.kind is PollKind.OK or not outcome.conditional:
                state = replace(state, full_at=now)
            return learn_items(state, outcome, settings, now)
        case PollKind.PUSH:
            return learn_items(state, outcome, settings, now)
        case PollKind.NO_CONTENT:
            return replace(state, trouble=count_empty(state.trouble, outcome, now))
        case PollKind.ERROR:
            trouble = count_failure(state.trouble, outcome, now)
            normal = _wish(state, settings, now).seconds
            return replace(state, trouble=hold(trouble, outcome, now, normal, settings))
        case _:
            return state


def _decide(
    state: PolicyState, settings: PollSettings, base: float, source_id: str, host: HostFloors
) -> Plan:
    """The plan that follows from a state alone, for a poll that ended at `base`."""
    wish = _slowed(state, _wish(state, settings, base), host)
    soft = (
        []
        if state.hints.archive
        else soft_floors(state.hints, state.pace, state.window, settings, base)
    )
    hard = [*_own_floors(state), *host.floors]
    verdict = None
    if state.trouble.failures and not state.hints.archive:
        waits = [] if settings.explicit else [floor.until.timestamp() - base for floor in soft]
        verdict = judge(state.trouble, max([wish.seconds, *waits]), base, source_id, state.polls)
    place = _placed(state, settings, base, wish, verdict, source_id)
    if settings.explicit:
        place = _waived(place, soft)
    else:
        place = _above_soft(place, state, soft, base, wish, source_id)
    if _may_snap(state, settings):
        place = _snapped(place, state, settings, base, soft, source_id)
    place = _above_hard(place, state, hard, base, source_id)
    if settings.mode is PollMode.CRON and not state.hints.archive:
        place = _on_cron(place, state, settings, base, source_id)
    return Plan(
        at=moment(place.at),
        reason=place.reason,
        detail=place.detail,
        floors=(*soft, *hard),
        wish=timedelta(seconds=wish.seconds),
        rate=rate(state.pace),
        unconditional=_wants_whole_body(state, base),
        dead=state.hints.archive or (verdict is not None and verdict.dead),
        failures=state.trouble.failures,
    )


def _wish(state: PolicyState, settings: PollSettings, base: float) -> _Wish:
    match settings.mode:
        case PollMode.CRON:
            return _cron_wish(settings, base)
        case PollMode.INTERVAL:
            wish = _Wish(
                settings.interval.total_seconds(), "interval", f"every {_span(settings.interval)}"
            )
            return wish if settings.explicit else _within_window(state, wish, HOUR)
    return _adaptive_wish(state, settings, base)


def _adaptive_wish(state: PolicyState, settings: PollSettings, base: float) -> _Wish:
    expected = rate(state.pace)
    shortest = settings.minimum.total_seconds()
    last = state.pace.last_item
    silent = last is not None and base - last > SILENT
    longest = (settings.silent_maximum if silent else settings.maximum).total_seconds()
    price = settings.price.total_seconds() * max(1.0, settings.slowdown)
    amount = price * (REFERENCE_RATE / expected) ** EXPONENT
    weights = [factor**EXPONENT for factor in shape(state.habits)]
    wait = time_until(amount, weights, base, utc_offset(settings.zone, base), longest)
    detail = f"{expected:.2g} items a day expected"
    reason = "rate"
    if wait >= longest:
        reason = "silent" if silent else "maximum"
    if state.pace.boost > 0.1:
        wait /= 1.0 + state.pace.boost
        reason, detail = "burst", f"{detail}, more than usual just now"
    if state.minutes.retry:
        again = max(shortest, state.hints.max_age or 0.0)
        if again < wait:
            wait, reason = again, "retry"
            detail = f"{detail}; its usual minute brought nothing yet"
    if wait < shortest:
        wait, reason = shortest, "minimum"
    return _within_window(state, _Wish(wait, reason, detail), shortest)


def _within_window(state: PolicyState, wish: _Wish, shortest: float) -> _Wish:
    """Shorten an interval in which the document's window may overflow (items would be lost)."""
    wait, reason, detail = wish.seconds, wish.reason, wish.detail
    if state.window.squeeze:
        wait /= 2.0**state.window.squeeze
        reason, detail = "overlap", f"{detail}; the last documents shared few entries"
    span = state.window.span
    if span is not None and span >= SHORTEST_SPAN and wait > span / 2:
        wait, reason = span / 2, "window"
        detail = f"{detail}; the document reaches back only {_span(timedelta(seconds=span))}"
    if reason == wish.reason:
        return wish
    wait = min(wish.seconds, max(wait, shortest))
    return _Wish(wait, reason, detail, urgent=state.window.squeeze > 0)


def _cron_wish(settings: PollSettings, base: float) -> _Wish:
    """The gap between the next two times of the line: what back-off multiplies."""
    first = _cron_after(settings, base)
    return _Wish(_cron_after(settings, first) - first, "cron", f"cron {settings.cron}")


def _cron_after(settings: PollSettings, stamp: float) -> float:
    time = next_cron(settings.cron or "", settings.zone, moment(stamp))
    return stamp + NEVER if time is None else time.timestamp()


def _slowed(state: PolicyState, wish: _Wish, host: HostFloors) -> _Wish:
    if state.hints.archive:
        return _Wish(NEVER, "archive", "an archive document (RFC 5005) never changes")
    factor = max(host.slowdown, 2.0**state.trouble.throttle)
    if factor <= 1.0:
        return wish
    seconds = max(wish.seconds, min(max(wish.seconds * factor, HOUR), LONGEST))
    return _Wish(seconds, "throttled", f"{wish.detail}; its host asked for fewer requests")


def _placed(
    state: PolicyState,
    settings: PollSettings,
    base: float,
    wish: _Wish,
    verdict: Verdict | None,
    source_id: str,
) -> _Place:
    """The wish or the verdict as a time, with its jitter."""
    if verdict is not None:
        # A cron line's own next time is the normal one: only what exceeds its gap is waited for.
        gap = wish.seconds if settings.mode is PollMode.CRON else 0.0
        return _Place(base + max(0.0, verdict.wait - gap), verdict.reason, verdict.detail)
    if settings.mode is PollMode.CRON:
        return _Place(base, wish.reason, wish.detail)
    wait = wish.seconds
    if settings.jitter:
        wait *= uniform(source_id, state.polls, "jitter", 1 - JITTER, 1 + JITTER)
    if settings.mode is PollMode.ADAPTIVE:
        wait = max(wait, settings.minimum.total_seconds())
    return _Place(base + wait, wish.reason, wish.detail)


def _waived(place: _Place, soft: Sequence[Floor]) -> _Place:
    waived = [_clause(floor) for floor in soft if floor.until.timestamp() > place.at]
    if not waived:
        return place
    return replace(place, detail=f"{place.detail}; waived by `poll:`: {', '.join(waived)}")


def _above_soft(
    place: _Place,
    state: PolicyState,
    soft: list[Floor],
    base: float,
    wish: _Wish,
    source_id: str,
) -> _Place:
    """Lift a time above the soft floors; adds the skipped hours it met to `soft`."""
    latest = base + max(LEAST_UNDERCUT, wish.seconds) if wish.urgent else float("inf")
    top = max(soft, key=lambda floor: floor.until, default=None)
    if top is not None and min(top.until.timestamp(), latest) > place.at:
        place = _lifted(place, min(top.until.timestamp(), latest), top, base, state, source_id)
    skipped = skip_floor(state.hints, place.at)
    if skipped is not None and skipped.until.timestamp() <= latest:
        soft.append(skipped)
        place = _lifted(place, skipped.until.timestamp(), skipped, base, state, source_id)
    return place


def _above_hard(
    place: _Place, state: PolicyState, hard: Sequence[Floor], base: float, source_id: str
) -> _Place:
    top = max(hard, key=lambda floor: floor.until, default=None)
    if top is None or top.until.timestamp() <= place.at:
        return place
    return _lifted(place, top.until.timestamp(), top, base, state, source_id)


def _lifted(
    place: _Place, to: float, floor: Floor, base: float, state: PolicyState, source_id: str
) -> _Place:
    """Just after a floor: sources under one floor must not all arrive at its end."""
    widest = min(FLOOR_SPREAD, JITTER * max(0.0, to - base))
    if state.window.squeeze and not floor.hard:
        widest = 0.0  # entries may be falling out of the document: every minute counts
    spread = uniform(source_id, state.polls, floor.name) * widest
    return _Place(to + spread, floor.name, f"{place.detail}; {_clause(floor)}")


def _may_snap(state: PolicyState, settings: PollSettings) -> bool:
    return settings.mode is PollMode.ADAPTIVE and not (
        state.trouble.failures
        or state.minutes.retry
        or state.pace.boost
        or state.window.squeeze
        or state.hints.archive
    )


def _snapped(
    place: _Place,
    state: PolicyState,
    settings: PollSettings,
    base: float,
    soft: Sequence[Floor],
    source_id: str,
) -> _Place:
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
    return _Place(at, "snap", f"{place.detail}; items come just before minute {minute}")


def _on_cron(
    place: _Place, state: PolicyState, settings: PollSettings, base: float, source_id: str
) -> _Place:
    """The first time of the line that is not before `place`."""
    normal = _cron_after(settings, base)
    at = normal if place.at <= normal else _cron_after(settings, place.at - 1.0)
    late = at > normal or state.trouble.failures
    spread = uniform(source_id, state.polls, "cron", 0.0, CRON_SPREAD) if settings.jitter else 0.0
    return _Place(at + spread, place.reason if late else "cron", place.detail)


def _own_floors(state: PolicyState) -> list[Floor]:
    if state.trouble.floor_until is None:
        return []
    return [
        Floor(
            state.trouble.floor_reason or "retry-after",
            moment(state.trouble.floor_until),
            hard=True,
        )
    ]


def _after_busy(state: PolicyState, outcome: PollOutcome, now: datetime, source_id: str) -> Plan:
    until = max(outcome.retry_at or now, now)
    spread = uniform(source_id, state.polls, "busy", 0.0, BUSY_SPREAD)
    floor = Floor("busy", until, hard=True)
    return Plan(
        until + timedelta(seconds=spread),
        "busy",
        "not sent: its host had no free slot",
        (floor,),
        rate=rate(state.pace),
        failures=state.trouble.failures,
    )


def _after_outage(state: PolicyState, now: datetime, source_id: str, host: HostFloors) -> Plan:
    base = now.timestamp()
    wait = uniform(source_id, state.polls, "outage", *OUTAGE_WAIT)
    place = _Place(base + wait, "outage", "our own network was gone; no failure of the source")
    hard = [*_own_floors(state), *host.floors]
    place = _above_hard(place, state, hard, base, source_id)
    return Plan(
        moment(place.at),
        place.reason,
        place.detail,
        tuple(hard),
        rate=rate(state.pace),
        failures=state.trouble.failures,
    )


def _wants_whole_body(state: PolicyState, base: float) -> bool:
    """A month of 304s from a source that was active: do its validators lie?"""
    if state.full_at is None or state.pace.last_item is None or not state.hints.validators:
        return False
    return (
        base - state.full_at > UNCONDITIONAL_AFTER
        and state.full_at - state.pace.last_item < UNCONDITIONAL_AFTER
    )


def _clause(floor: Floor) -> str:
    return f"{floor.name} holds until {floor.until:%Y-%m-%d %H:%M} UTC"


def _span(duration: timedelta) -> str:
    minutes = round(duration.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.3g} h" if minutes < 2880 else f"{minutes / 1440:.3g} d"

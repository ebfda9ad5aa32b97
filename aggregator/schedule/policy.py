"""When a source is polled next, and why: the one door to this room.

The adaptive interval follows the square-root law of Sia, Cho and Cho (2007): the total delay of
all items is least when a source's interval is proportional to 1/√rate. We poll again when
∫ rate(t)^0.4 dt reaches a price that is the same for every source, so that sources do not depend
on each other; 0.4 instead of 0.5 is a little kinder to quiet ones. `docs/design/polling.md`.

Everything here is pure: the clock is an argument, and the jitter is drawn from the source's id.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from aggregator.model.poll import (
    Asking,
    Floor,
    HostFloors,
    Plan,
    PlanReason,
    PollKind,
    PollMode,
    PollOutcome,
    PollSettings,
)
from aggregator.schedule.backoff import (
    count_empty,
    count_failure,
    count_success,
    forgive,
    hold,
    judge,
)
from aggregator.schedule.doubt import asking, learn_doubt
from aggregator.schedule.hints import moment, remember, soft_floors
from aggregator.schedule.jitter import uniform
from aggregator.schedule.learn import learn_items
from aggregator.schedule.place import (
    Place,
    above_hard,
    above_soft,
    clause,
    may_snap,
    on_cron,
    placed,
    snapped,
    waived,
)
from aggregator.schedule.rate import rate
from aggregator.schedule.state import PolicyState
from aggregator.schedule.wish import slowed, wish_of

BUSY_SPREAD = 5.0
_DOUBTED = "half as often, since its 304s were wrong and it is asked for the whole document"
OUTAGE_WAITS = (60.0, 120.0, 300.0, 600.0, 900.0)  # between tries while our network is gone

_NO_HOST = HostFloors()
_CLOCKS_DIFFER = 60.0  # seconds: a poll later than this was made by a wrong clock


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
        return state, _after_outage(state, now, source_id, host, outcome.outage_for)
    if outcome.kind is PollKind.PUSH:
        plan = replan(state, settings, now, source_id, host)
    else:
        state = replace(state, polled_at=stamp)
        plan = _decide(state, settings, stamp, source_id, host)
    looking = plan.asking is Asking.LOOK
    if looking != state.doubt.looking:
        state = replace(state, doubt=replace(state.doubt, looking=looking))
    snapped = plan.reason == PlanReason.SNAP
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
        return first_plan(now, host)
    plan = _decide(state, settings, min(state.polled_at, now.timestamp()), source_id, host)
    return replace(plan, at=max(plan.at, now))


def first_plan(now: datetime, host: HostFloors = _NO_HOST) -> Plan:
    """A source that was never polled is polled at once, within what its host allows."""
    at, reason, detail = now.timestamp(), PlanReason.NEW, "never polled yet"
    for floor in host.floors:
        if floor.until.timestamp() > at:
            at, reason = floor.until.timestamp(), floor.name
            detail = f"never polled yet; {clause(floor)}"
    return Plan(moment(at), reason, detail, host.floors)


def take_back(
    state: PolicyState, now: datetime, source_id: str, host: HostFloors = _NO_HOST
) -> tuple[PolicyState, Plan]:
    """Undo the last counted failure: it has turned out to be our own outage (see `outage`).

    For the few sources that failed before an outage could be told from failures of their own.
    """
    state = replace(state, polls=state.polls + 1, trouble=forgive(state.trouble))
    return state, _after_outage(state, now, source_id, host, timedelta(0))


def refresh_allowed(
    state: PolicyState, min_refresh: timedelta, now: datetime, host: HostFloors = _NO_HOST
) -> Floor | None:
    """What forbids a person's refresh at `now`: a hard floor or the minimum between two; or None.

    A refresh waives the plan and every soft floor. It stays conditional.
    """
    floors = [*_own_floors(state), *host.floors]
    if state.polled_at is not None and state.polled_at <= now.timestamp() + _CLOCKS_DIFFER:
        floors.append(
            Floor(PlanReason.MIN_REFRESH, moment(state.polled_at) + min_refresh, hard=True)
        )
    latest = max(floors, key=lambda floor: floor.until, default=None)
    return latest if latest is not None and latest.until > now else None


def _learn(
    state: PolicyState, outcome: PollOutcome, settings: PollSettings, now: float
) -> PolicyState:
    before = state
    match outcome.kind:
        case PollKind.OK | PollKind.SAME_BODY | PollKind.NOT_MODIFIED:
            state = replace(
                state,
                trouble=count_success(state.trouble),
                hints=remember(state.hints, outcome),
            )
            if outcome.kind is not PollKind.NOT_MODIFIED:
                state = replace(state, full_at=now)
            return learn_doubt(before, learn_items(state, outcome, settings, now), outcome, now)
        case PollKind.PUSH:
            return learn_doubt(before, learn_items(state, outcome, settings, now), outcome, now)
        case PollKind.NO_CONTENT:
            return replace(state, trouble=count_empty(state.trouble, outcome, now))
        case PollKind.ERROR:
            trouble = count_failure(state.trouble, outcome, now)
            normal = wish_of(state, settings, now).seconds
            return replace(state, trouble=hold(trouble, outcome, now, normal))
        case _:
            return state


def _decide(
    state: PolicyState, settings: PollSettings, base: float, source_id: str, host: HostFloors
) -> Plan:
    """The plan that follows from a state alone, for a poll that ended at `base`."""
    how = asking(state, base)
    wish = slowed(state, wish_of(state, settings, base), host)
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
    place = placed(state, settings, base, wish, verdict, source_id)
    if settings.explicit:
        place = waived(place, soft)
    else:
        place = above_soft(place, state, soft, base, wish, source_id)
    if how is Asking.WHOLE and verdict is None and settings.mode is not PollMode.CRON:
        place = Place(2 * place.at - base, place.reason, f"{place.detail}; {_DOUBTED}")
    if may_snap(state, settings):
        place = snapped(place, state, settings, base, soft, source_id)
    place = above_hard(place, state, hard, base, source_id)
    if settings.mode is PollMode.CRON and not state.hints.archive:
        place = on_cron(place, state, settings, base, source_id)
    return Plan(
        at=moment(place.at),
        reason=place.reason,
        detail=place.detail,
        floors=(*soft, *hard),
        wish=timedelta(seconds=wish.seconds),
        rate=rate(state.pace),
        asking=how,
        dead=state.hints.archive or (verdict is not None and verdict.dead),
        failures=state.trouble.failures,
    )


def _own_floors(state: PolicyState) -> list[Floor]:
    if state.trouble.floor_until is None:
        return []
    return [
        Floor(
            PlanReason.read(state.trouble.floor_reason, PlanReason.RETRY_AFTER),
            moment(state.trouble.floor_until),
            hard=True,
        )
    ]


def _after_busy(state: PolicyState, outcome: PollOutcome, now: datetime, source_id: str) -> Plan:
    until = max(outcome.retry_at or now, now)
    spread = uniform(source_id, state.polls, "busy", 0.0, BUSY_SPREAD)
    floor = Floor(PlanReason.BUSY, until, hard=True)
    return Plan(
        until + timedelta(seconds=spread),
        PlanReason.BUSY,
        "not read: this machine has too much to do",
        (floor,),
        rate=rate(state.pace),
        failures=state.trouble.failures,
    )


def _after_outage(
    state: PolicyState, now: datetime, source_id: str, host: HostFloors, gone: timedelta
) -> Plan:
    """Try again after 1, 2, 5 … minutes: the longer the outage lasts, the longer the wait."""
    base, passed, wait = now.timestamp(), 0.0, OUTAGE_WAITS[0]
    for wait in OUTAGE_WAITS:
        passed += wait
        if gone.total_seconds() < passed:
            break
    wait *= uniform(source_id, state.polls, "outage", 1.0, 1.1)
    place = Place(
        base + wait, PlanReason.OUTAGE, "our own network seems to be down; no failure of the source"
    )
    hard = [*_own_floors(state), *host.floors]
    place = above_hard(place, state, hard, base, source_id)
    return Plan(
        moment(place.at),
        place.reason,
        place.detail,
        tuple(hard),
        rate=rate(state.pace),
        failures=state.trouble.failures,
    )

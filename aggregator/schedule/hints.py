"""What a publisher says about when to come back, and our own gate: the soft floors.

RFC 9111 §4.2 and §5.2 (freshness), RSS 2.0 (`ttl`, `skipHours`, `skipDays`), the RSS 1.0
syndication module (`sy:`). All are floors, never ceilings; where they differ the longest holds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aggregator.model.poll import Floor, PlanReason, PollKind, PollOutcome, PollSettings
from aggregator.schedule.rate import rate
from aggregator.schedule.shape import DAY, HOUR
from aggregator.schedule.state import Hints, Pace, Window

SYNDICATION_SHARE = 0.5  # many a blog engine says "hourly" without meaning it
GATE = HOUR
OFTEN = 12.0  # items a day from which a source may be polled faster than the gate
INVITATION = (600.0, HOUR)  # a max-age or ttl in this range invites us
SMALL_BODY = 256 * 1024
GATE_BLIND_SMALL = 2 * HOUR  # no validators at all: every poll moves the whole body
GATE_BLIND_LARGE = 6 * HOUR
WORKING = 0.55
WORKS_WEIGHT = 0.2
PUSHED = 6 * HOUR


def remember(hints: Hints, outcome: PollOutcome) -> Hints:
    """Take over freshness, document hints and how well validators worked from one answer."""
    max_age, no_cache = _freshness(hints, outcome)
    works = hints.works
    if outcome.conditional:
        worked = 0.0 if outcome.kind is PollKind.SAME_BODY else 1.0
        works += WORKS_WEIGHT * (worked - works)
    stated = outcome.hints
    if stated is not None:
        hints = replace(
            hints,
            ttl=_seconds(stated.ttl),
            syndication=_seconds(stated.syndication),
            skip_hours=tuple(sorted({hour % 24 for hour in stated.skip_hours})),
            skip_days=tuple(sorted({day % 7 for day in stated.skip_days})),
        )
    return replace(
        hints,
        max_age=max_age,
        no_cache=no_cache,
        works=works,
        validators=outcome.had_validators,
        etag=outcome.had_etag,
        body_bytes=outcome.body_bytes or hints.body_bytes,
        push=outcome.push,
        archive=outcome.archive or hints.archive,
    )


def _freshness(hints: Hints, outcome: PollOutcome) -> tuple[float | None, bool]:
    fresh = outcome.freshness
    stated = _seconds(fresh.max_age)
    if outcome.kind is not PollKind.NOT_MODIFIED:
        return stated, fresh.no_cache
    # Servers forget Cache-Control on a 304, or send the default of another layer: the 200's word
    # stands, and of two words the shorter.
    if stated is None:
        return hints.max_age, hints.no_cache or fresh.no_cache
    return (stated if hints.max_age is None else min(stated, hints.max_age)), fresh.no_cache


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else max(0.0, duration.total_seconds())


def soft_floors(
    hints: Hints, pace: Pace, window: Window, settings: PollSettings, base: float
) -> list[Floor]:
    """Floors counted from the poll at `base` (epoch seconds), skipped hours and days excepted."""
    cap = settings.floor_cap.total_seconds()
    waits: list[tuple[PlanReason, float]] = []
    if hints.max_age and not hints.no_cache:
        waits.append((PlanReason.MAX_AGE, min(hints.max_age, cap)))
    if hints.ttl:
        waits.append((PlanReason.TTL, min(hints.ttl, cap)))
    if hints.syndication and hints.syndication < DAY:
        waits.append((PlanReason.SYNDICATION, min(hints.syndication * SYNDICATION_SHARE, cap)))
    if hints.push:
        waits.append((PlanReason.PUSH, PUSHED))
    closed = gate(hints, pace, window)
    if closed:
        waits.append((PlanReason.GATE, closed))
    return [Floor(name, moment(base + wait), hard=False) for name, wait in waits if wait > 0]


def gate(hints: Hints, pace: Pace, window: Window) -> float:
    """Seconds between polls that we grant ourselves at most; 0 when the publisher wants more."""
    if not hints.validators:
        blind = GATE_BLIND_SMALL if hints.body_bytes < SMALL_BODY else GATE_BLIND_LARGE
        # This gate is our own idea: it must not cost items that fall out of a short document.
        return blind if window.span is None else max(GATE, min(blind, window.span / 2))
    if hints.works < WORKING:
        return GATE
    if rate(pace) >= OFTEN:
        return 0.0
    stated = [age for age in (None if hints.no_cache else hints.max_age, hints.ttl) if age]
    invited = [age for age in stated if INVITATION[0] <= age < INVITATION[1]]
    return max(invited) if invited else GATE


def skip_floor(hints: Hints, at: float) -> Floor | None:
    """The end of the skipped hours or days (GMT) that `at` falls into, None outside of them.

    A list of all 24 hours or all 7 days says nothing and is ignored.
    """
    hours = hints.skip_hours if len(hints.skip_hours) < 24 else ()
    days = hints.skip_days if len(hints.skip_days) < 7 else ()
    if not hours and not days:
        return None
    name, time = None, at
    while True:
        if (int(time // DAY) + 3) % 7 in days:  # 1970-01-01 was a Thursday
            name, time = PlanReason.SKIP_DAYS, (time // DAY + 1) * DAY
        elif int(time % DAY // HOUR) in hours:
            name, time = PlanReason.SKIP_HOURS, (time // HOUR + 1) * HOUR
        else:
            return Floor(name, moment(time), hard=False) if name else None


def moment(stamp: float) -> datetime:
    """Epoch seconds as aware UTC."""
    return datetime.fromtimestamp(stamp, UTC)

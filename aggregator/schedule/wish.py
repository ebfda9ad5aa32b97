"""How long a source may wait before floors: the square-root law, an interval or a cron line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aggregator.model.poll import HostFloors, PlanReason, PollMode, PollSettings
from aggregator.schedule.backoff import LONGEST
from aggregator.schedule.cron import next_cron
from aggregator.schedule.hints import moment
from aggregator.schedule.rate import rate
from aggregator.schedule.shape import DAY, HOUR, shape, time_until, utc_offset
from aggregator.schedule.state import PolicyState

EXPONENT = 0.4
REFERENCE_RATE = 4.0  # items a day of the source that is polled once per `price`
SILENT = 30 * DAY
SHORTEST_SPAN = HOUR  # a document all written at once has no span to speak of
NEVER = 365 * DAY


@dataclass(frozen=True, slots=True)
class Wish:
    """The interval before floors: seconds, what decided it, a clause for people."""

    seconds: float
    reason: PlanReason
    detail: str
    urgent: bool = False  # the document's window may overflow: soft floors yield


def wish_of(state: PolicyState, settings: PollSettings, base: float) -> Wish:
    """The interval after a poll that ended at `base` (epoch seconds), by the configured mode."""
    match settings.mode:
        case PollMode.CRON:
            return _cron(settings, base)
        case PollMode.INTERVAL:
            wish = Wish(
                settings.interval.total_seconds(),
                PlanReason.INTERVAL,
                f"every {span_text(settings.interval)}",
            )
            return wish if settings.explicit else _within_window(state, wish, HOUR)
    return _adaptive(state, settings, base)


def _adaptive(state: PolicyState, settings: PollSettings, base: float) -> Wish:
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
    reason = PlanReason.RATE
    if wait >= longest:
        reason = PlanReason.SILENT if silent else PlanReason.MAXIMUM
    detail = f"{detail}, worth a poll every {span_text(timedelta(seconds=wait))} at this hour"
    if state.pace.boost > 0.1:
        wait /= 1.0 + state.pace.boost
        reason, detail = PlanReason.BURST, f"{detail}, more than usual just now"
    if state.minutes.retry:
        again = max(shortest, state.hints.max_age or 0.0)
        if again < wait:
            wait, reason = again, PlanReason.RETRY
            detail = f"{detail}; its usual minute brought nothing yet"
    if wait < shortest:
        wait, reason = shortest, PlanReason.MINIMUM
    return _within_window(state, Wish(wait, reason, detail), shortest)


def _within_window(state: PolicyState, wish: Wish, shortest: float) -> Wish:
    """Shorten an interval in which the document's window may overflow (items would be lost)."""
    wait, reason, detail = wish.seconds, wish.reason, wish.detail
    if state.window.squeeze:
        wait /= 2.0**state.window.squeeze
        reason, detail = PlanReason.OVERLAP, f"{detail}; the last documents shared few entries"
    span = state.window.span
    if span is not None and span >= SHORTEST_SPAN and wait > span / 2:
        wait, reason = span / 2, PlanReason.WINDOW
        detail = f"{detail}; the document reaches back only {span_text(timedelta(seconds=span))}"
    if reason == wish.reason:
        return wish
    wait = min(wish.seconds, max(wait, shortest))
    return Wish(wait, reason, detail, urgent=state.window.squeeze > 0)


def _cron(settings: PollSettings, base: float) -> Wish:
    """The gap between the next two times of the line: what back-off multiplies."""
    first = cron_after(settings, base)
    return Wish(
        cron_after(settings, first) - first,
        PlanReason.CRON,
        f"at the times of the cron line {settings.cron}",
    )


def cron_after(settings: PollSettings, stamp: float) -> float:
    """The first time of the configured line after `stamp`, epoch seconds; far off if none."""
    time = next_cron(settings.cron or "", settings.zone, moment(stamp))
    return stamp + NEVER if time is None else time.timestamp()


def slowed(state: PolicyState, wish: Wish, host: HostFloors) -> Wish:
    """The wish of a source, or of a host, that was told to slow down (429, 503)."""
    if state.hints.archive:
        return Wish(NEVER, PlanReason.ARCHIVE, "its document is an archive, which never changes")
    factor = max(host.slowdown, 2.0**state.trouble.throttle)
    if factor <= 1.0:
        return wish
    seconds = max(wish.seconds, min(max(wish.seconds * factor, HOUR), LONGEST))
    return Wish(seconds, PlanReason.THROTTLED, f"{wish.detail}; its host asked for fewer requests")


def span_text(duration: timedelta) -> str:
    """A duration for people: `58 min`, `6 h`, `2.5 d`."""
    minutes = round(duration.total_seconds() / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes / 60:.3g} h" if minutes < 2880 else f"{minutes / 1440:.3g} d"

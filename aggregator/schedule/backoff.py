"""After a poll that brought nothing usable: how long to wait, and when a source has ended.

Nothing here ever polls faster than the normal interval. Endings are confirmed before they are
believed (410 once more after a day, 404 and 403 for two weeks) and are probed weekly afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aggregator.model.http import FetchError
from aggregator.model.poll import LONGEST_RETRY_AFTER, PlanReason, PollOutcome
from aggregator.schedule.jitter import uniform
from aggregator.schedule.shape import DAY, HOUR
from aggregator.schedule.state import Trouble

LONGEST = DAY
PROBE = 7 * DAY  # between looks at a source that has ended
CONFIRM_GONE = DAY
PATIENCE = 14 * DAY  # of 404 or 403 before a source counts as ended
PATIENT_TRIES = 5  # and at least so many answers: two weeks of our being off are no evidence
EMPTY_ANSWERS = 3  # 204 or 205 in a row are an error from here on
DEEPEST_THROTTLE = 6
GOOD_POLLS = 3  # that ease a throttle by one step


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run of failures means: seconds to wait, the reason, a sentence, and if it is over."""

    wait: float
    reason: PlanReason
    detail: str
    dead: bool = False


def failure_kind(outcome: PollOutcome) -> PlanReason:
    """The kind of a failure, as far as its treatment differs."""
    if outcome.error == FetchError.BOT_CHALLENGE:
        return PlanReason.BOT_CHALLENGE
    match outcome.status:
        case 401 | 407:
            return PlanReason.AUTH
        case 403:
            return PlanReason.FORBIDDEN
        case 404:
            return PlanReason.MISSING
        case 410:
            return PlanReason.GONE
        case 429 | 503:
            return PlanReason.THROTTLED
    return PlanReason.ERROR_BACKOFF


def count_failure(trouble: Trouble, outcome: PollOutcome, now: float) -> Trouble:
    """One more failure. A run of one kind is timed from its first answer."""
    kind = failure_kind(outcome)
    since = trouble.failing_since if trouble.error == kind else None
    return replace(
        trouble,
        failures=trouble.failures + 1,
        failing_since=now if since is None else since,
        error=kind,
        good=0,
    )


def count_success(trouble: Trouble) -> Trouble:
    """A good poll ends a run of failures and, the third in a row, eases a throttle."""
    good, throttle = trouble.good + 1, trouble.throttle
    if good >= GOOD_POLLS and throttle:
        good, throttle = 0, throttle - 1
    return replace(
        trouble,
        failures=0,
        failing_since=None,
        error="",
        empties=0,
        good=good,
        throttle=throttle,
        floor_until=None,
        floor_reason="",
    )


def count_empty(trouble: Trouble, outcome: PollOutcome, now: float) -> Trouble:
    """A 204 or 205 is no change, until there are `EMPTY_ANSWERS` of them in a row."""
    trouble = replace(trouble, empties=trouble.empties + 1)
    return count_failure(trouble, outcome, now) if trouble.empties >= EMPTY_ANSWERS else trouble


def hold(trouble: Trouble, outcome: PollOutcome, now: float, normal: float) -> Trouble:
    """Set the hard floor a failed answer asks for (RFC 9110 §10.2.3, RFC 6585 §4).

    Retry-After is taken at its word up to `LONGEST_RETRY_AFTER`. A 429 or 503 without it, or one
    that follows another, doubles the interval (`normal`, seconds), to an hour at least.
    """
    stated = None
    if outcome.retry_after is not None:
        stated = max(0.0, min(outcome.retry_after, LONGEST_RETRY_AFTER).total_seconds())
    if failure_kind(outcome) is not PlanReason.THROTTLED:
        if not stated:
            return trouble
        return replace(trouble, floor_until=now + stated, floor_reason=PlanReason.RETRY_AFTER)
    repeated = trouble.failures > 1
    throttle = trouble.throttle
    if stated is None or repeated:
        throttle = min(throttle + 1, DEEPEST_THROTTLE)
    wait = stated if stated is not None else max(HOUR, min(normal * 2**throttle, LONGEST))
    return replace(
        trouble,
        throttle=throttle,
        floor_until=now + wait,
        floor_reason=PlanReason.THROTTLED if stated is None else PlanReason.RETRY_AFTER,
    )


def judge(trouble: Trouble, normal: float, now: float, source_id: str, polls: int) -> Verdict:
    """How long to wait after these failures; `normal` is the usual interval, seconds."""
    since = trouble.failing_since if trouble.failing_since is not None else now
    lasting = now - since
    nth = f"failure {trouble.failures} in a row"
    kind = PlanReason.read(trouble.error, PlanReason.ERROR_BACKOFF)
    match kind:
        case PlanReason.GONE if lasting >= CONFIRM_GONE:
            return _ended(
                PlanReason.GONE,
                "the server said twice, a day apart, that the feed is gone",
                source_id,
                polls,
            )
        case "gone":
            wait = max(normal, CONFIRM_GONE * uniform(source_id, polls, "backoff", 1.0, 1.1))
            return Verdict(
                wait,
                PlanReason.GONE_CONFIRM,
                "the server says that the feed is gone; it is asked once more in a day",
            )
        case PlanReason.AUTH | PlanReason.BOT_CHALLENGE:
            wait = max(normal, _spread(LONGEST, source_id, polls))
            what = "wants a user and a password"
            if kind is PlanReason.BOT_CHALLENGE:
                what = "sends a test for people instead of the feed"
            return Verdict(wait, kind, f"the server {what}: tried once a day until it stops")
        case PlanReason.MISSING | PlanReason.FORBIDDEN if (
            lasting >= PATIENCE and trouble.failures >= PATIENT_TRIES
        ):
            status = 404 if kind is PlanReason.MISSING else 403
            return _ended(kind, f"status {status} for {lasting / DAY:.0f} days", source_id, polls)
        case "throttled":
            # `normal` is already doubled by the throttle, for as long as that lasts.
            return Verdict(
                normal, PlanReason.THROTTLED, f"the server asks for fewer requests; {nth}"
            )
    steps = max(0, trouble.failures - 1)
    wait = min(normal * 2 ** min(steps, 20), max(LONGEST, normal))
    wait = max(normal, _spread(wait, source_id, polls))
    return Verdict(wait, kind, f"{nth}: the interval is doubled with each")


def _ended(kind: PlanReason, why: str, source_id: str, polls: int) -> Verdict:
    wait = _spread(PROBE, source_id, polls)
    return Verdict(wait, kind, f"the feed has ended: {why}; it is asked once a week", dead=True)


def _spread(wait: float, source_id: str, polls: int) -> float:
    return wait * uniform(source_id, polls, "backoff", 0.9, 1.1)


def forgive(trouble: Trouble) -> Trouble:
    """Take back the last counted failure: it turned out to be our own outage (`outage`)."""
    left = max(0, trouble.failures - 1)
    if left:
        return replace(trouble, failures=left)
    return replace(trouble, failures=0, failing_since=None, error="")

"""Whether a source that answers has gone quiet against its usual rhythm.

Items come as from a Poisson source at the rate that there was when the last one came, by the
learned shape of day and week. It is quiet when none came for a day though so many were expected
that none has a chance below one in a thousand: `exp(-DUE)`.
"""

from __future__ import annotations

from aggregator.schedule.shape import DAY, hour_spans, shape, utc_offset
from aggregator.schedule.state import PolicyState

DUE = 7.0  # items
LEAST = DAY
_MOST = 400 * DAY  # looked through: a source without a word for a year is quiet


def quiet_since(state: PolicyState, zone: str) -> float | None:
    """Since when (epoch seconds) a source is quiet; None for one that is not.

    Judged by what was seen: the time until the last answer that told what the source holds.
    """
    since, seen = state.doubt.since, state.seen_at
    if since is None or seen is None or seen - since < LEAST:
        return None
    offset = utc_offset(zone, seen)
    factors = shape(state.habits)
    spans = hour_spans(since + offset, min(seen, since + _MOST) + offset)
    due = state.doubt.rate * sum(length * factors[index] for _, length, index in spans) / DAY
    return since if due >= DUE else None

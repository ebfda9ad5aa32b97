"""Servers that answer 304 for ever: seen through by a request without validators now and then.

A conditional request is only as good as the server's word. Where the rate that a source had when
something last came says that `DUE` items should be there by now, one request without validators
looks: not before a day, then after 2, 4, 8 … days while nothing comes. A server that is caught is
asked by its entity tag only, since most such servers compare dates wrongly; one that has none, or
whose tag lies as well, is asked without validators at half its rate.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aggregator.model.poll import Asking, PollKind, PollOutcome
from aggregator.schedule.rate import slow_rate
from aggregator.schedule.shape import DAY
from aggregator.schedule.state import PolicyState

DUE = 5.0  # items
FIRST = DAY
PROOF = 2  # new items older than the last 304: one may be a date set back
_MOST_DOUBLINGS = 10


def learn_doubt(
    before: PolicyState, after: PolicyState, outcome: PollOutcome, now: float
) -> PolicyState:
    """`after` a poll, with what it says of the server's 304s; `before` as it was planned."""
    doubt = before.doubt
    looked = doubt.looking and outcome.kind in (PollKind.OK, PollKind.SAME_BODY)
    if outcome.new_dates or doubt.since is None:
        caught = looked and _was_there(outcome, before.polled_at)
        lies = min(doubt.lies + caught, 2)
        doubt = replace(doubt, since=now, rate=slow_rate(after.pace), checks=0, lies=lies)
    elif looked:
        doubt = replace(doubt, checks=min(doubt.checks + 1, _MOST_DOUBLINGS))
    return after if doubt == after.doubt else replace(after, doubt=doubt)


def _was_there(outcome: PollOutcome, last: float | None) -> bool:
    """Whether items came that the server had when it last said that nothing was new."""
    if last is None:
        return False
    held = [date for date in outcome.new_dates if date is None or _is_before(date, last)]
    return len(held) >= PROOF


def _is_before(date: datetime, stamp: float) -> bool:
    return date.timestamp() < stamp


def asking(state: PolicyState, base: float) -> Asking:
    """How the poll after the one that ended at `base` asks."""
    doubt = state.doubt
    if doubt.lies and not (doubt.lies == 1 and state.hints.etag):
        return Asking.WHOLE
    if _looks(state, base):
        return Asking.LOOK
    return Asking.BY_ETAG if doubt.lies else Asking.CONDITIONAL


def _looks(state: PolicyState, base: float) -> bool:
    doubt = state.doubt
    if doubt.since is None or state.full_at is None or not state.hints.validators:
        return False
    waited = base - max(doubt.since, state.full_at)
    due = doubt.rate * (base - doubt.since) / DAY
    return waited >= FIRST * 2.0**doubt.checks and due >= DUE

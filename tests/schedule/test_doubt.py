"""A server that answers 304 for ever is seen through, an honest one hardly notices (row 63)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from aggregator.model.poll import Asking, Plan, PollKind, PollOutcome
from aggregator.schedule.policy import plan_next
from aggregator.schedule.state import PolicyState
from tests.schedule.polls import DAY, HOUR, MONDAY, STEADY, found, subscribed, unchanged


@dataclass
class Server:
    """Publishes one item `every` so often from `start` on; its 304s may be wrong.

    `believes` holds the ways of asking that it answers with 304 although something is new.
    """

    every: timedelta
    believes: tuple[Asking, ...]
    etag: bool = True
    honest_until: datetime = MONDAY

    def answer(self, asking: Asking, seen: datetime, now: datetime) -> PollOutcome:
        """What a poll at `now` finds, of a reader who knows everything before `seen`."""
        count = int((now - seen) / self.every)
        new = [seen + self.every * (k + 1) for k in range(count)]
        whole = asking in (Asking.LOOK, Asking.WHOLE)
        if whole and not new:
            return PollOutcome(PollKind.SAME_BODY, 200, had_validators=True, had_etag=self.etag)
        if not new or asking in self.believes:
            return unchanged(had_etag=self.etag)
        return found(new, now, conditional=not whole, had_etag=self.etag)


def follow(
    server: Server, days: float, every: timedelta | None = None
) -> tuple[list[tuple[datetime, Asking, PollOutcome]], Plan]:
    """Poll a server for some days: when, how, and what came. The first poll is not among them."""
    state, plan = subscribed(every or server.every, STEADY, had_etag=server.etag)
    seen, polls = MONDAY, []
    while plan.at < MONDAY + timedelta(days=days):
        now = plan.at
        outcome = server.answer(plan.asking, seen, now)
        if outcome.kind is PollKind.OK:
            seen = max([seen, *(date for date in outcome.new_dates if date is not None)])
        polls.append((now, plan.asking, outcome))
        state = PolicyState.from_json(state.to_json())
        state, plan = plan_next(state, outcome, STEADY, now, "source")
    return polls, plan


def looks(polls: list[tuple[datetime, Asking, PollOutcome]]) -> list[timedelta]:
    return [at - MONDAY for at, asking, _ in polls if asking is Asking.LOOK]


LIAR = (Asking.CONDITIONAL,)
DEEP = (Asking.CONDITIONAL, Asking.BY_ETAG)


@pytest.mark.parametrize("hours", [1, 4, 12, 24, 48])
def test_a_liar_is_seen_through_once_five_items_are_due_and_not_before_a_day(hours: int) -> None:
    server = Server(timedelta(hours=hours), LIAR)
    polls, _ = follow(server, 20)
    first = looks(polls)[0]
    assert max(DAY, 4 * server.every) <= first <= max(DAY, 6 * server.every) + DAY
    assert {asking for at, asking, _ in polls if at - MONDAY > first} == {Asking.BY_ETAG}


def test_a_liar_with_a_tag_is_asked_by_it_and_gives_everything() -> None:
    server = Server(DAY / 8, LIAR)
    polls, _ = follow(server, 10)
    came = sum(len(outcome.new_dates) for _, _, outcome in polls)
    assert came >= 10 * 8 - 3


def test_one_without_a_tag_is_asked_for_the_whole_document_at_half_its_rate() -> None:
    polls, plan = follow(Server(DAY / 8, LIAR, etag=False), 10)
    assert plan.asking is Asking.WHOLE
    honest, same = follow(Server(DAY / 8, ()), 10)
    half = [at for at, _, _ in polls if at > MONDAY + 3 * DAY]
    usual = [at for at, _, _ in honest if at > MONDAY + 3 * DAY]
    assert len(half) <= 0.6 * len(usual)
    assert same.asking is Asking.CONDITIONAL
    assert "304s were wrong" in plan.detail


def test_one_whose_tag_lies_as_well_is_found_out_in_turn() -> None:
    polls, plan = follow(Server(DAY / 8, DEEP), 20)
    assert plan.asking is Asking.WHOLE
    assert len(looks(polls)) == 2


def test_an_honest_source_that_falls_silent_is_looked_at_ever_more_rarely() -> None:
    silent = Server(timedelta(days=999), LIAR)
    polls, plan = follow(silent, 64, every=DAY / 4)
    waits = [b - a for a, b in zip([timedelta(), *looks(polls)], looks(polls), strict=False)]
    assert len(waits) <= 6
    for number, wait in enumerate(waits):
        assert wait >= 2**number * DAY
    assert plan.asking in (Asking.CONDITIONAL, Asking.LOOK)


@pytest.mark.parametrize("hours", [1, 6, 24, 100])
def test_an_honest_server_is_never_asked_without_validators(hours: int) -> None:
    polls, _ = follow(Server(timedelta(hours=hours), ()), 30)
    assert {asking for _, asking, _ in polls} == {Asking.CONDITIONAL}


def test_items_that_come_just_then_prove_nothing() -> None:
    state, plan = subscribed(DAY / 8, STEADY, had_etag=True)
    while plan.asking is not Asking.LOOK:
        last = plan.at
        state, plan = plan_next(state, unchanged(had_etag=True), STEADY, plan.at, "source")
    fresh = [last + (plan.at - last) * share for share in (0.2, 0.5, 0.8)]
    after, then = plan_next(
        state,
        found(fresh, plan.at, conditional=False, had_etag=True), STEADY, plan.at, "source",
    )  # fmt: skip
    assert (after.doubt.lies, then.asking) == (0, Asking.CONDITIONAL)


def test_a_push_proves_nothing_and_ends_the_wait() -> None:
    state, plan = subscribed(DAY / 8, STEADY)
    while plan.asking is not Asking.LOOK:
        state, plan = plan_next(state, unchanged(), STEADY, plan.at, "source")
    dates = [plan.at - 3 * HOUR, plan.at - 20 * HOUR]
    pushed = PollOutcome(PollKind.PUSH, new_dates=tuple(dates))
    after, then = plan_next(state, pushed, STEADY, plan.at, "source")
    assert (after.doubt.lies, then.asking) == (0, Asking.CONDITIONAL)

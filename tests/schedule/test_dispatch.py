"""Who goes first, how a backlog is let go, and a clock that jumps."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.schedule.dispatch import (
    Due,
    backlog_limit,
    fair_order,
    resume_at,
    slowdown_for_cap,
)
from tests.schedule.polls import HOUR, MINUTE, MONDAY


def due(host: str, count: int, at: datetime = MONDAY) -> list[Due]:
    return [Due(f"{host}/{k}", host, at + k * timedelta(seconds=1)) for k in range(count)]


def test_a_host_with_many_feeds_delays_no_other() -> None:
    order = fair_order([*due("big", 1000, MONDAY - HOUR), *due("a", 1), *due("b", 2)], 5)
    assert [one.host for one in order] == ["big", "a", "b", "big", "b"]


def test_within_a_host_the_oldest_goes_first() -> None:
    late, early = Due("late", "h", MONDAY), Due("early", "h", MONDAY - HOUR)
    assert fair_order([late, early], 10) == [early, late]


def test_hosts_that_are_being_asked_sit_out() -> None:
    order = fair_order([*due("asked", 2), *due("idle", 2)], 4, {"asked": 1})
    assert [one.host for one in order] == ["idle", "asked", "idle", "asked"]


@given(
    st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 100)), max_size=40),
    st.integers(0, 50),
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 5)),
)
def test_everyone_due_gets_a_turn_and_nobody_two(
    pairs: list[tuple[str, int]], limit: int, in_flight: dict[str, int]
) -> None:
    waiting = [
        Due(f"s{k}", host, MONDAY + second * timedelta(seconds=1))
        for k, (host, second) in enumerate(pairs)
    ]
    order = fair_order(waiting, limit, in_flight)
    assert len(order) == min(limit, len(waiting))
    assert len({one.source_id for one in order}) == len(order)
    assert set(order) <= set(waiting)


def test_a_backlog_lasts_its_window() -> None:
    assert backlog_limit(1200, timedelta(minutes=10), timedelta(seconds=1)) == 2
    assert backlog_limit(3, timedelta(minutes=10), timedelta(seconds=1)) == 1


def test_overdue_sources_resume_spread_over_the_window_and_others_keep_their_time() -> None:
    times = [resume_at(f"s{k}", MONDAY - HOUR, MONDAY, 5 * MINUTE) for k in range(300)]
    assert min(times) >= MONDAY
    assert max(times) < MONDAY + 5 * MINUTE
    assert max(times) - min(times) > 4 * MINUTE
    assert resume_at("s", MONDAY + HOUR, MONDAY, 5 * MINUTE) == MONDAY + HOUR


def test_a_cap_only_slows_down() -> None:
    assert slowdown_for_cap(600, 300) == 2.0
    assert slowdown_for_cap(100, 300) == 1.0
    assert slowdown_for_cap(100, None) == 1.0

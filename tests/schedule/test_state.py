"""The state survives its JSON, another version's JSON and nonsense."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.schedule.policy import plan_next, replan
from aggregator.schedule.state import HOURS, Habits, PolicyState
from tests.schedule.polls import DAY, HOUR, MONDAY, STEADY, failed, found, subscribed, unchanged


def lived() -> PolicyState:
    state, plan = subscribed(DAY / 7, STEADY)
    for outcome in (unchanged(), found([plan.at]), failed(429), unchanged()):
        state, plan = plan_next(state, outcome, STEADY, plan.at, "source")
    return state


def test_a_new_state_is_an_empty_object() -> None:
    assert PolicyState().to_json() == "{}"
    assert PolicyState.from_json("{}") == PolicyState()


def test_what_is_stored_plans_the_same_poll_again() -> None:
    state = lived()
    stored = PolicyState.from_json(state.to_json())
    now = MONDAY + DAY
    ours, theirs = replan(state, STEADY, now, "s"), replan(stored, STEADY, now, "s")
    assert abs(ours.at - theirs.at).total_seconds() < 2
    assert ours.reason == theirs.reason
    assert ours.rate == pytest.approx(theirs.rate, rel=1e-4)


def test_storing_twice_changes_nothing_more() -> None:
    once = PolicyState.from_json(lived().to_json())
    assert PolicyState.from_json(once.to_json()) == once


def test_a_state_is_small() -> None:
    assert len(lived().to_json()) < 1500


def test_names_of_another_version_are_dropped_and_missing_ones_filled() -> None:
    text = json.dumps({"polls": 7, "charm": 3, "pace": {"slow_n": 4, "spin": 1}, "hints": None})
    state = PolicyState.from_json(text)
    assert state.polls == 7
    assert state.pace.slow_n == 4.0
    assert state.hints == PolicyState().hints


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "nonsense",
        "[]",
        "3",
        "null",
        '{"polls": "many"}',
        '{"polls": -4}',
        '{"pace": {"slow_n": NaN}}',
        '{"pace": {"slow_n": 1e300}}',
        '{"habits": {"hour_n": [1, 2]}}',
        '{"minutes": {"counts": ["a"]}}',
        '{"minutes": {"snapped": 1}}',
    ],
)
def test_nonsense_is_a_new_source(text: str | None) -> None:
    assert PolicyState.from_json(text) == PolicyState()


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-1", "true", "null", '"3"', "1e12", "9" * 400])
@pytest.mark.parametrize("place", [0, 11, 23])
def test_a_number_that_is_none_in_a_row_of_numbers_spoils_the_row(odd: str, place: int) -> None:
    numbers = ["1", "2.5", "0"] * 8
    numbers[place] = odd
    text = f'{{"habits": {{"hour_n": [{", ".join(numbers)}], "weekend_n": 3}}}}'
    assert PolicyState.from_json(text) == PolicyState(habits=Habits(weekend_n=3.0))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5)
    | st.dictionaries(
        st.sampled_from(["polls", "seen_at", "pace", "slow_n", "slow_w", "trouble", "failures",
                         "throttle", "hints", "max_age", "skip_hours", "window", "span",
                         "squeeze", "polled_at", "floor_until", "error", "x"]),
        inner,
        max_size=8,
    ),
    max_leaves=30,
)  # fmt: skip


@given(_json)
def test_whatever_is_stored_a_poll_can_be_planned(raw: object) -> None:
    state = PolicyState.from_json(json.dumps(raw))
    for outcome in (unchanged(), found([MONDAY]), failed()):
        after, plan = plan_next(state, outcome, STEADY, MONDAY, "source")
        assert plan.at >= MONDAY + HOUR / 4
        assert PolicyState.from_json(after.to_json()) is not None


@given(
    st.lists(st.floats(0, 1e9) | st.floats(0, 1) | st.integers(0, 24).map(float), min_size=HOURS,
             max_size=HOURS)
)  # fmt: skip
def test_numbers_are_kept_to_five_digits_and_times_to_a_tenth_of_a_second(
    numbers: list[float],
) -> None:
    state = PolicyState(polled_at=numbers[0], habits=Habits(hour_n=tuple(numbers)))
    stored = json.loads(state.to_json())
    short = [round(n, 1) if n > 1e6 else float(f"{n:.5g}") for n in numbers]
    assert stored.get("polled_at") == short[0]
    assert stored.get("habits", {"hour_n": [0] * HOURS})["hour_n"] == short
    assert not re.search(r"\.0[,\]}]", state.to_json())  # whole numbers are written as such

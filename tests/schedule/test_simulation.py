"""The policy against its rivals at equal requests, at a small size (`make simulate` is the large).

The limits are those of the full simulation; the seeds are fixed, so that the result is the same
everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from aggregator.model.poll import PRICES, PollSettings
from bench.simulate import (
    Comparison,
    compare,
    fixed_at,
    medians,
    run_policy,
    settings_for,
    total,
)
from bench.synthetic import HOUR, Horizon, generate, homogeneous

HORIZON = Horizon.of(days=20, warm_up=7)
FEEDS, SEEDS = 24, range(3)
NORMAL = PRICES["normal"]


@pytest.fixture(scope="module")
def without_floors() -> list[Comparison]:
    return [compare(seed, FEEDS, HORIZON, floors=False) for seed in SEEDS]


@pytest.fixture(scope="module")
def with_hints() -> list[Comparison]:
    return [compare(seed, FEEDS, HORIZON, floors=True) for seed in SEEDS]


def numbers(runs: list[Comparison]) -> dict[str, float]:
    return medians([run.row(run.ours) for run in runs])


def test_rivals_send_as_many_requests(without_floors: list[Comparison]) -> None:
    for run in without_floors:
        ours = total(run.ours).requests
        assert total(run.fixed).requests == pytest.approx(ours, rel=0.03)
        assert total(run.one_over_rate).requests == pytest.approx(ours, rel=0.03)


def test_mean_delay_is_under_half_of_a_fixed_interval(without_floors: list[Comparison]) -> None:
    assert numbers(without_floors)["mean/fixed"] <= 0.45


def test_mean_delay_is_little_over_half_of_one_over_rate(without_floors: list[Comparison]) -> None:
    assert numbers(without_floors)["mean/1:rate"] <= 0.55


def test_the_slowest_items_are_faster_too(without_floors: list[Comparison]) -> None:
    assert numbers(without_floors)["p95/fixed"] <= 0.75


def test_under_the_same_floors_the_gain_remains(with_hints: list[Comparison]) -> None:
    assert numbers(with_hints)["mean/fixed"] <= 0.60


def test_no_item_is_lost(without_floors: list[Comparison], with_hints: list[Comparison]) -> None:
    assert sum(total(run.ours).lost for run in [*without_floors, *with_hints]) == 0


def test_alike_sources_are_polled_as_by_a_fixed_interval() -> None:
    feeds = homogeneous(1, 12, 6.0, HORIZON)
    ours = [run_policy(f, settings_for(f, NORMAL, floors=False), HORIZON) for f in feeds]
    fixed = fixed_at(feeds, total(ours).requests, HORIZON, floors=False)
    assert total(ours).mean / total(fixed).mean == pytest.approx(1.0, abs=0.05)


def test_every_stated_max_age_holds(with_hints: list[Comparison]) -> None:
    feeds = generate(0, FEEDS, HORIZON, hints=True)
    stated = [k for k, feed in enumerate(feeds) if feed.max_age]
    assert len(stated) > FEEDS / 6
    for k in stated:
        assert all(b - a >= HOUR - 1e-3 for a, b in pairwise(with_hints[0].ours[k].times))


def test_adding_sources_changes_nobody_elses_times(without_floors: list[Comparison]) -> None:
    few = generate(0, 4, HORIZON)
    for feed, score in zip(few, without_floors[0].ours, strict=False):
        alone = run_policy(feed, settings_for(feed, NORMAL, floors=False), HORIZON)
        assert alone.times == score.times


def test_a_price_buys_delay() -> None:
    feeds = generate(5, 8, HORIZON)

    def mean(price: timedelta) -> float:
        wanted = PollSettings(price=price, explicit=True)
        return total([run_policy(f, replace(wanted, zone=f.zone), HORIZON) for f in feeds]).mean

    assert mean(PRICES["fresh"]) < mean(NORMAL) < mean(PRICES["frugal"])

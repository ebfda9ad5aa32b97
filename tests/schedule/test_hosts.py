"""One source's trouble, its host's other sources, and our own network."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from aggregator.schedule.hosts import HostHealth, host_after, host_floors
from aggregator.schedule.outage import Attempt, Standing, own_failure, own_outage
from tests.schedule.polls import DAY, HOUR, MINUTE, MONDAY, failed, unchanged


def after(health: HostHealth, source: str, outcome, now=MONDAY) -> HostHealth:  # type: ignore[no-untyped-def]
    return host_after(health, source, outcome, HOUR, now)


def test_retry_after_blocks_the_host() -> None:
    health = after(HostHealth(), "a", failed(429, retry_after=2 * HOUR))
    floors = host_floors(health, MONDAY)
    assert [(f.name, f.until, f.hard) for f in floors.floors] == [
        ("retry-after", MONDAY + 2 * HOUR, True)
    ]
    assert floors.slowdown == 1.0
    assert host_floors(health, MONDAY + 2 * HOUR).floors == ()


def test_a_host_is_left_alone_for_the_thirty_days_that_it_asks_for() -> None:
    for days, kept in ((3, 3), (30, 30), (400, 30)):
        health = after(HostHealth(), "a", failed(503, retry_after=days * DAY))
        assert host_floors(health, MONDAY).floors[0].until == MONDAY + kept * DAY


def test_a_shorter_retry_after_does_not_lift_a_longer_one() -> None:
    health = after(HostHealth(), "a", failed(503, retry_after=2 * HOUR))
    health = after(health, "b", failed(503, retry_after=MINUTE))
    assert host_floors(health, MONDAY).floors[0].until == MONDAY + 2 * HOUR


def test_429_without_retry_after_slows_all_sources_until_three_good_polls() -> None:
    health = after(HostHealth(), "a", failed(429))
    assert host_floors(health, MONDAY).slowdown == 2.0
    assert host_floors(health, MONDAY).floors[0].until == MONDAY + 2 * HOUR
    for source in ("a", "b"):
        health = after(health, source, unchanged(), MONDAY + 3 * HOUR)
    assert host_floors(health, MONDAY + 3 * HOUR).slowdown == 2.0
    health = after(health, "c", unchanged(), MONDAY + 3 * HOUR)
    assert host_floors(health, MONDAY + 3 * HOUR).slowdown == 1.0


def test_three_failing_sources_open_the_breaker_and_a_success_closes_it() -> None:
    health = HostHealth()
    for source in ("a", "a", "b"):
        health = after(health, source, failed(500))
    assert host_floors(health, MONDAY).floors == ()
    health = after(health, "c", failed(None, "timeout"))
    first = host_floors(health, MONDAY).floors[0]
    assert first.name == "breaker"
    probe = after(health, "a", failed(500), first.until)
    assert host_floors(probe, first.until).floors[0].until - first.until > first.until - MONDAY
    closed = after(probe, "a", unchanged(), first.until)
    assert host_floors(closed, first.until).floors == ()


def test_a_source_that_recovers_does_not_count_towards_the_breaker() -> None:
    health = after(HostHealth(), "a", failed(500))
    health = after(health, "b", failed(500))
    health = after(health, "a", unchanged())
    health = after(health, "c", failed(500))
    assert host_floors(health, MONDAY).floors == ()


def test_yesterdays_failures_do_not_open_the_breaker() -> None:
    health = after(HostHealth(), "a", failed(500))
    health = after(health, "b", failed(500))
    health = after(health, "c", failed(500), MONDAY + timedelta(days=2))
    assert host_floors(health, MONDAY + timedelta(days=2)).floors == ()


@pytest.mark.parametrize("outcome", [failed(404), failed(410), failed(403), failed(200, "html")])
def test_a_sources_own_trouble_is_not_its_hosts(outcome) -> None:  # type: ignore[no-untyped-def]
    health = HostHealth()
    for source in "abcd":
        health = after(health, source, outcome)
    assert health == HostHealth()


def test_the_state_of_a_host_survives_its_json() -> None:
    health = HostHealth()
    for source in "abc":
        health = after(health, source, failed(500))
    health = after(health, "d", failed(429))
    stored = HostHealth.from_json(health.to_json())
    assert host_floors(stored, MONDAY) == host_floors(health, MONDAY)
    assert set(stored.failing) == set(health.failing)
    for nonsense in (None, "", "{}", "[1]", '["x",1,2,3,4,5]'):
        assert HostHealth.from_json(nonsense) == HostHealth()


def attempts(unreached: int, reached: int, *, hosts: int = 100, age: int = 10) -> list[Attempt]:
    at = MONDAY - timedelta(seconds=age)
    gone = [Attempt(at, f"gone{k % hosts}.example", reached=False) for k in range(unreached)]
    return gone + [Attempt(at, f"there{k}.example", reached=True) for k in range(reached)]


def test_when_everybody_is_unreachable_it_is_us() -> None:
    assert own_outage(attempts(5, 0), MONDAY)
    assert own_outage(attempts(8, 2), MONDAY)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (attempts(4, 0), "too few hosts"),
        (attempts(50, 0, hosts=4), "many sources of few hosts"),
        (attempts(7, 3), "a third of the attempts arrive"),
        (attempts(20, 0, age=61), "too long ago"),
        ([], "nothing was tried"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_is_not_us(given: list[Attempt], why: str) -> None:
    assert not own_outage(given, MONDAY), why


def ago(minutes: float) -> datetime:
    return MONDAY - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("standing", "own_network", "ours"),
    [
        pytest.param(Standing(1), True, True, id="no route at the first start, one source"),
        pytest.param(Standing(1, {"a": ago(9)}), True, True, id="still no route"),
        pytest.param(Standing(1), False, False, id="one host refuses"),
        pytest.param(Standing(1, {}, ago(90)), False, False, id="it answered before"),
        pytest.param(Standing(1, {}, ago(90)), True, True, id="the resolver fell silent"),
        pytest.param(Standing(3, {}, ago(0.5)), True, False, id="another answered just now"),
        pytest.param(
            Standing(2, {"a": ago(90)}, ago(30)), True, False, id="it failed while others answered"
        ),
        pytest.param(Standing(2, {"b": ago(1)}), False, True, id="both hosts, never reached"),
        pytest.param(Standing(3, {"b": ago(1)}), False, False, id="the third was not asked yet"),
        pytest.param(Standing(3, {"b": ago(1), "c": ago(1)}, ago(60)), False, True, id="all three"),
        pytest.param(
            Standing(2, {"b": ago(900)}, ago(60)), False, False, id="the other was dead long before"
        ),
    ],
)
def test_a_failure_is_ours_whatever_the_number_of_sources(
    standing: Standing, own_network: bool, ours: bool
) -> None:
    assert own_failure(standing, "a", MONDAY, own_network=own_network) is ours

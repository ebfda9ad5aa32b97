"""Times that a wrong clock left in the future are brought back; what is right stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aggregator.model.settings import Settings
from aggregator.model.states import Held
from aggregator.pipeline.policy import furthest
from aggregator.schedule.hosts import HostHealth
from aggregator.schedule.state import PolicyState, Trouble
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.sources import claims, clock, hosts, states

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def add(database: Database, name: str, **values: Any) -> None:
    row = states.SourceRow(name, None, "u", "c", None, (), False, f"{name}.example", active=True)
    with database.write() as connection:
        states.put_source(connection, row, values["next_poll_at"], url_changed=False)
        connection.execute(update(t.feed).where(t.feed.c.source_id == name).values(values))


def bring_back(database: Database, now: datetime = NOON) -> clock.Brought:
    with database.write() as connection:
        return clock.bring_back(connection, now, furthest(_settings()))


def _settings() -> Settings:
    return Settings()


def feed(database: Database, name: str) -> Any:
    with database.read() as connection:
        return connection.execute(select(t.feed).where(t.feed.c.source_id == name)).one()


def test_what_a_clock_ahead_planned_is_due_now_in_its_order(database: Database) -> None:
    learned = PolicyState(polled_at=(NOON + 3 * DAY).timestamp()).to_json()
    for number, name in enumerate(("late", "later")):
        add(database, name, last_polled_at=NOON + 3 * DAY, policy=learned,
            next_poll_at=NOON + 3 * DAY + (number + 1) * HOUR)  # fmt: skip
    add(database, "fine", last_polled_at=NOON - HOUR, next_poll_at=NOON + HOUR)
    assert bring_back(database).plans == 2
    assert feed(database, "late").next_poll_at == NOON
    assert feed(database, "later").next_poll_at == NOON + timedelta(seconds=1)
    assert feed(database, "fine").next_poll_at == NOON + HOUR
    assert PolicyState.from_json(feed(database, "late").policy).polled_at == NOON.timestamp()
    with database.write() as connection:
        due = claims.claim_due(connection, NOON + MINUTE, 9, "me", MINUTE)
    assert {one.source_id for one in due} == {"late", "later"}
    assert not bring_back(database)


def test_what_a_server_asked_for_keeps_its_length(database: Database) -> None:
    then = NOON + 3 * DAY
    trouble = Trouble(failures=1, floor_until=(then + 2 * HOUR).timestamp())
    learned = PolicyState(polled_at=then.timestamp(), trouble=trouble).to_json()
    add(database, "a", last_polled_at=then, next_poll_at=then + 2 * HOUR, policy=learned)
    health = HostHealth(blocked_until=(then + HOUR).timestamp(), blocked_by="retry-after")
    with database.write() as connection:
        hosts.block_host(connection, "a.example", then + HOUR, "retry-after")
        hosts.put_health(connection, "a.example", health.to_json())
    bring_back(database)
    assert feed(database, "a").next_poll_at == NOON + 2 * HOUR
    with database.read() as connection:
        block = hosts.blocked(connection, "a.example", NOON)
        assert block == hosts.Refusal(NOON + HOUR, Held.BLOCKED, "retry-after")


@pytest.mark.parametrize(
    ("reason", "ahead", "brought"),
    [
        ("rate", 200 * DAY, True),  # longer than any setting allows
        ("archive", 200 * DAY, False),
        ("host", 3 * DAY, True),  # its host is not blocked for so long
        ("rate", 20 * DAY, False),  # a Retry-After may be so long
    ],
)
def test_a_plan_further_ahead_than_it_can_be_is_due(
    database: Database, reason: str, ahead: timedelta, brought: bool
) -> None:
    add(database, "a", last_polled_at=NOON, next_poll_at=NOON + ahead, next_reason=reason)
    assert bool(bring_back(database).plans) is brought


def test_leases_gaps_blocks_and_budgets_end(database: Database) -> None:
    add(database, "a", last_polled_at=NOON, next_poll_at=NOON, lease_owner="me",
        lease_until=NOON + 5 * DAY)  # fmt: skip
    with database.write() as connection:
        hosts.take_slot(connection, "a.example", "me/1", NOON + 5 * DAY, MINUTE, gap=MINUTE)
        hosts.block_host(connection, "b.example", NOON + 40 * DAY, "throttled")
        connection.execute(
            insert(t.follow_budget).values(host="b.example", day="2026-04-01", pages=9)
        )
        connection.execute(
            insert(t.poll_log).values(source_id="a", at=NOON + 5 * DAY, outcome="new")
        )
    bring_back(database)
    assert feed(database, "a").lease_until is None
    with database.write() as connection:
        assert hosts.in_flight(connection, NOON) == 0
        assert hosts.blocked(connection, "b.example", NOON) is None
        assert hosts.take_slot(connection, "a.example", "me/2", NOON, MINUTE) is None
        assert connection.execute(select(t.follow_budget)).all() == []
        assert connection.scalar(select(t.poll_log.c.at)) == NOON


def test_a_step_unsettles_for_an_hour(database: Database) -> None:
    with database.write() as connection:
        assert clock.settled(connection, NOON)
        clock.note_step(connection, NOON)
        assert not clock.settled(connection, NOON + 59 * MINUTE)
        assert clock.settled(connection, NOON + 61 * MINUTE)
        assert clock.settled(connection, NOON - DAY)  # noted by a clock that was ahead

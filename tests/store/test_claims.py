"""Who may poll what, and when a host may be contacted: rows that every process respects."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from aggregator.model.states import Held
from aggregator.store.database import Database
from aggregator.store.sources import claims, hosts, states

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=120)


def add(database: Database, name: str, host: str, due: datetime = NOON) -> None:
    row = states.SourceRow(name, None, "u", "c", None, (), False, host, active=True)
    with database.write() as connection:
        states.put_source(connection, row, due, url_changed=False)


def claim(database: Database, now: datetime, limit: int = 10, owner: str = "me") -> list[str]:
    with database.write() as connection:
        return [c.source_id for c in claims.claim_due(connection, now, limit, owner, LEASE)]


def test_due_sources_are_claimed_longest_overdue_first(database: Database) -> None:
    for number in range(5):
        add(database, f"s{number}", f"h{number}", NOON - timedelta(minutes=number))
    add(database, "later", "h9", NOON + timedelta(minutes=1))
    assert claim(database, NOON, 3) == ["s4", "s3", "s2"]
    assert claim(database, NOON) == ["s1", "s0"]
    assert claim(database, NOON) == []


def test_a_lease_that_ended_is_free_again_and_a_restarted_instance_takes_its_own_back(
    database: Database,
) -> None:
    add(database, "a", "h")
    assert claim(database, NOON, owner="service-x/1") == ["a"]
    assert claim(database, NOON + LEASE - timedelta(seconds=1)) == []
    with database.write() as connection:
        assert claims.release_owned(connection, "service-x") == 1
    assert claim(database, NOON) == ["a"]
    assert claim(database, NOON + LEASE) == ["a"]


def test_one_claim_takes_one_source_of_a_host(database: Database) -> None:
    for number in range(6):
        add(database, f"s{number}", "same.example")
    add(database, "other", "other.example")
    assert sorted(c[:1] for c in claim(database, NOON)) == ["o", "s"]


def test_no_source_of_a_busy_resting_or_blocked_host_is_claimed(database: Database) -> None:
    for host in ("busy", "resting", "blocked"):
        add(database, f"on-{host}", host)
    add(database, "free", "free")
    with database.write() as connection:
        hosts.take_slot(connection, "busy", "x", NOON, LEASE)
        hosts.take_slot(connection, "resting", "y", NOON, LEASE)
        hosts.give_slot(connection, "resting", "y", NOON + timedelta(seconds=5))
        hosts.block_host(connection, "blocked", NOON + timedelta(hours=1), "answered 429")
    assert claim(database, NOON) == ["free"]
    assert claim(database, NOON + timedelta(seconds=5)) == ["on-resting"]
    due = claim(database, NOON + timedelta(hours=1))
    assert sorted(due) == ["free", "on-blocked", "on-busy", "on-resting"]
    assert due[-1] == "on-blocked"  # it moved to the end of the block


def test_two_workers_never_claim_one_source(database: Database) -> None:
    for number in range(40):
        add(database, f"s{number}", f"h{number}")
    claimed: list[str] = []
    barrier = threading.Barrier(4)

    def work(name: str) -> None:
        barrier.wait()
        for _ in range(5):
            claimed.extend(claim(database, NOON, 4, name))

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claimed += claim(database, NOON, 40)
    assert sorted(claimed) == sorted({f"s{n}" for n in range(40)})


def test_a_host_has_one_slot_and_rests_between_requests(database: Database) -> None:
    with database.write() as connection:
        assert hosts.take_slot(connection, "h", "a", NOON, LEASE) is None
        refused = hosts.take_slot(connection, "h", "b", NOON, LEASE)
        assert refused == hosts.Refusal(NOON + LEASE, Held.BUSY)
        hosts.give_slot(connection, "h", "a", NOON + timedelta(seconds=1))
        refused = hosts.take_slot(connection, "h", "b", NOON, LEASE)
        assert refused == hosts.Refusal(NOON + timedelta(seconds=1), Held.GAP)
        assert hosts.take_slot(connection, "h", "b", NOON + timedelta(seconds=1), LEASE) is None


def test_a_block_is_never_shortened(database: Database) -> None:
    with database.write() as connection:
        hosts.block_host(connection, "h", NOON + timedelta(hours=2), "answered 503")
        hosts.block_host(connection, "h", NOON + timedelta(hours=1), "answered 429")
        block = hosts.blocked(connection, "h", NOON)
        assert block == hosts.Refusal(NOON + timedelta(hours=2), Held.BLOCKED, "answered 503")
        assert hosts.blocked(connection, "h", NOON + timedelta(hours=2)) is None

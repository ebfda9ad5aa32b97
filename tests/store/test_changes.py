"""Versions of views: they move with every commit, and no writer waits for another one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.store import changed
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from aggregator.store.sources import states
from aggregator.store.views import rendered
from tests.patience import PATIENCE

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOURCES = ("alpha", "beta", "gamma", "delta")


def fill(database: Database) -> None:
    """Four sources; a view of all of them, and one of alpha alone."""
    with database.write() as connection:
        for name in SOURCES:
            row = states.SourceRow(
                name, f"https://{name}.example/feed", name, "c", None, (), False,
                f"{name}.example", active=True,
            )  # fmt: skip
            states.put_source(connection, row, NOON, url_changed=False)
        for view, sources in (("all", SOURCES), ("one", SOURCES[:1])):
            rendered.put_view(
                connection, view, feed_id=f"tag:{view}", config_hash="h", sources=sources, now=NOON
            )


def version(database: Database, view: str) -> int:
    with database.read() as connection:
        state = rendered.view_state(connection, view)
        assert state is not None
        return state.version


def change(database: Database, source: str, at: datetime = NOON) -> None:
    with database.write() as connection:
        changed.show_anew(connection, at, sources=[source])


@pytest.fixture
def shared(postgres_url: str) -> Iterator[Database]:
    """A database that several may write at once."""
    made = Database(postgres_url)
    migrate(made)
    fill(made)
    yield made
    made.close()


def test_a_version_moves_once_for_each_commit_that_its_view_may_show(database: Database) -> None:
    fill(database)
    before = version(database, "all"), version(database, "one")
    change(database, "beta")
    change(database, "alpha")
    assert (version(database, "all"), version(database, "one")) == (before[0] + 2, before[1] + 1)


def test_adding_the_changes_up_moves_no_version_and_leaves_no_row(database: Database) -> None:
    fill(database)
    change(database, "alpha", NOON + 2 * MINUTE)
    change(database, "alpha", NOON + MINUTE)
    with database.read() as connection:
        before = rendered.view_states(connection)
    with database.write() as connection:
        assert changed.add_up(connection) == 4
        assert changed.add_up(connection) == 0
    with database.read() as connection:
        assert rendered.view_states(connection) == before
    assert before["all"].changed_at == NOON + 2 * MINUTE


def test_four_writers_over_one_view_wait_for_nobody(shared: Database) -> None:
    """All four hold what they wrote until each has written: one lock among them would end it."""
    before = version(shared, "all")
    everybody = threading.Barrier(4, timeout=PATIENCE)

    def write(number: int) -> None:
        with shared.write() as connection:
            names = SOURCES if number % 2 else SOURCES[::-1]
            changed.show_anew(connection, NOON, sources=names)
            everybody.wait()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert version(shared, "all") == before + 4


@contextmanager
def held(database: Database, source: str) -> Iterator[None]:
    """A change that is written and not committed yet."""
    with database.write() as connection:
        changed.show_anew(connection, NOON, sources=[source])
        yield


def test_a_change_that_commits_after_a_later_one_moves_the_version_too(shared: Database) -> None:
    with held(shared, "alpha"):
        change(shared, "beta")
        seen = version(shared, "all")
    assert version(shared, "all") == seen + 1


def test_changes_are_added_up_beside_writers_and_beside_each_other(shared: Database) -> None:
    before = version(shared, "all")
    for _ in range(20):
        change(shared, "alpha")

    def add_up(_: int) -> int:
        with shared.write() as connection:
            return changed.add_up(connection)

    with held(shared, "beta"), ThreadPoolExecutor(3) as pool:
        added = sum(pool.map(add_up, range(3)))
    assert added == 40  # 20 of each view; what was not committed is left for the next time
    assert version(shared, "all") == before + 21

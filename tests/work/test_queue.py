"""What the queue promises, and the traps of its engine that we went around."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.sources import claims, turns
from aggregator.work import queue
from aggregator.work.queue import JobQueue, Queue, Task, job_queue

pytestmark = pytest.mark.required("postgres")

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(postgres_with_tables_url: str) -> Iterator[Database]:
    """A store with the queue's tables."""
    made = Database(postgres_with_tables_url)
    with made.write() as connection:
        queue.prepare(connection)
    yield made
    made.close()


def opened(store: Database, work: Callable[[JobQueue], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        made = job_queue(store, connections=2)
        async with made.app.open_async():
            return await work(made)

    return asyncio.run(run())


def put(store: Database, *hosts: str, kind: Queue = Queue.FEEDS) -> int:
    """Queue a job for each host; returns how many did not wait already."""
    task = Task.FEEDS if kind is Queue.FEEDS else Task.ARTICLES
    with store.write() as connection:
        return queue.defer(
            connection, [queue.job(task, kind, lock=h, about=h, host=h, most=1) for h in hosts]
        )


def states(store: Database) -> list[tuple[str, str]]:
    with store.read() as connection:
        rows = connection.execute(
            text("SELECT lock, status::text FROM procrastinate_jobs ORDER BY id")
        )
        return [(row[0], row[1]) for row in rows]


def add_source(store: Database, name: str, host: str) -> None:
    with store.write() as connection:
        connection.execute(
            t.source.insert().values(
                id=name, url=f"https://{host}/{name}", url_hash="u", config_hash="c", tags=[],
                private=False, added_at=NOW,
            )
        )  # fmt: skip
        connection.execute(
            t.feed.insert().values(source_id=name, active=True, host=host, next_poll_at=NOW)
        )


def test_a_job_waits_once_and_the_others_of_its_batch_are_queued_all_the_same(
    store: Database,
) -> None:
    assert put(store, "a", "b") == 2
    assert put(store, "b", "c") == 1
    assert states(store) == [("a", "todo"), ("b", "todo"), ("c", "todo")]


def test_a_job_is_queued_with_the_transaction_that_found_its_source_due_or_not_at_all(
    store: Database,
) -> None:
    with suppress(RuntimeError), store.write() as connection:
        queue.defer(connection, [queue.job(Task.FEEDS, Queue.FEEDS, lock="a", about="a")])
        raise RuntimeError("the transaction fails")
    assert states(store) == []


def test_a_hosts_feeds_go_before_its_pages_and_never_beside_them(store: Database) -> None:
    put(store, "a", kind=Queue.ARTICLES)
    put(store, "a")

    async def work(made: JobQueue) -> list[str | None]:
        worker = await made.jobs.register_worker()
        taken: list[str | None] = []
        for _ in range(3):
            job = await made.jobs.fetch_job(None, worker)
            taken.append(None if job is None else job.queue)
            if job is None and len(taken) == 2:
                await made.jobs.drop(dict(made.jobs.taken))
        return taken

    assert opened(store, work) == ["feeds", None, "articles"]


def test_the_job_of_a_worker_that_is_gone_is_done_by_another(store: Database) -> None:
    put(store, "a")

    async def work(made: JobQueue) -> tuple[int, int, bool]:
        lost = await made.jobs.register_worker()
        await made.jobs.fetch_job(None, lost)
        alive = await queue.retry_stalled(made.jobs)
        silence(store)
        given = await queue.retry_stalled(made.jobs)
        other = await made.jobs.register_worker()
        return alive, given, await made.jobs.fetch_job(None, other) is not None

    assert opened(store, work) == (0, 1, True)


def test_a_lost_job_for_which_another_waits_already_ends_instead(store: Database) -> None:
    """Retrying it would make two that wait for one thing, which the engine refuses."""
    put(store, "a")

    async def work(made: JobQueue) -> None:
        await made.jobs.fetch_job(None, await made.jobs.register_worker())
        put(store, "a")
        silence(store)
        await queue.retry_stalled(made.jobs)

    opened(store, work)
    assert states(store) == [("a", "todo")]


def test_a_job_that_a_living_worker_lost_is_found_by_its_age(store: Database) -> None:
    """Its end was never told, so its host would be locked as long as that worker lives."""
    put(store, "a")

    async def work(made: JobQueue) -> int:
        await made.jobs.fetch_job(None, await made.jobs.register_worker())
        with store.write() as connection:
            connection.execute(text("UPDATE procrastinate_events SET at = at - interval '1 hour'"))
        return await queue.retry_stalled(made.jobs)

    assert opened(store, work) == 1
    assert states(store) == [("a", "todo")]


def test_a_job_that_others_ended_is_no_trouble_for_who_thought_it_had_it(store: Database) -> None:
    put(store, "a")

    async def work(made: JobQueue) -> dict[int, Any]:
        await made.jobs.fetch_job(None, await made.jobs.register_worker())
        with store.write() as connection:
            connection.execute(text("DELETE FROM procrastinate_jobs"))
        await made.jobs.drop(dict(made.jobs.taken))
        return made.jobs.taken

    assert opened(store, work) == {}


def silence(store: Database) -> None:
    """Let the time pass after which a worker counts as gone."""
    with store.write() as connection:
        connection.execute(
            text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
        )


def test_schedulers_take_turns_and_skip_what_another_has_locked(store: Database) -> None:
    for number in range(4):
        add_source(store, f"s{number}", f"h{number // 2}")
    with store.write() as connection:
        turns.put(connection, {})
    with store.write() as first, store.write() as second:
        assert turns.take(first) == {}
        assert turns.take(second) is None
        assert claims.due_hosts(first, NOW, 10, 20, ()) == {"h0": 2, "h1": 2}
        assert claims.due_hosts(second, NOW, 10, 20, ()) == {}
    with store.write() as third:
        assert claims.due_hosts(third, NOW, 3, 20, ()) == {"h0": 2, "h1": 1}
        assert claims.due_hosts(third, NOW, 10, 1, {"h0"}) == {"h1": 1}


def test_one_scheduler_looks_after_the_store_until_it_leaves_or_falls_silent(
    store: Database,
) -> None:
    def asks(owner: str, after: float) -> bool:
        now = NOW + timedelta(seconds=after)
        with store.write() as connection:
            return turns.keep(connection, owner, now, now + timedelta(seconds=15))

    assert asks("a", 0)
    assert not asks("b", 5)
    assert asks("a", 10)
    assert not asks("b", 20)
    assert asks("b", 26)  # nothing was heard of a
    with store.write() as connection:
        turns.leave(connection, "b", NOW + timedelta(seconds=27))
    assert asks("a", 28)


def test_two_workers_share_the_sources_of_a_host_and_wait_while_it_rests(store: Database) -> None:
    for number in range(3):
        add_source(store, f"s{number}", "h")

    def take(owner: str, after: float = 0) -> list[str]:
        with store.write() as connection:
            now = NOW + timedelta(seconds=after)
            leased = claims.claim_host(connection, "h", now, 2, owner, timedelta(minutes=2))
            return [claim.source_id for claim in leased]

    assert sorted(take("a") + take("b")) == ["s0", "s1", "s2"]
    with store.write() as connection:
        rest = NOW + timedelta(minutes=10)
        connection.execute(t.host.insert().values(host="h", blocked_until=rest))
    assert take("c", after=180) == []
    assert take("c", after=660) == ["s0", "s1"]


def test_the_queues_tables_are_made_once_and_refused_where_they_are_newer(store: Database) -> None:
    with store.write() as connection:
        assert queue.is_prepared(connection)
        queue.prepare(connection)
        connection.execute(
            text("UPDATE instance SET value = '99.00.00_01' WHERE name = 'schema of the queue'")
        )
        with pytest.raises(Exception, match="newer version of procrastinate"):
            queue.prepare(connection)

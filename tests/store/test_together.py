"""Group commit: small writes of many callers in one transaction, and each its own fate."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event

from aggregator.store import facts
from aggregator.store.database import Database, DatabaseUnusable


def write(connection: Connection, name: str) -> str:
    facts.set_fact(connection, name, "written")
    return name


def fail(connection: Connection, name: str) -> str:
    write(connection, name)
    raise ValueError(name)


def broken(connection: Connection, name: str) -> str:
    write(connection, name)
    connection.exec_driver_sql("SELECT no_such_column FROM instance")
    return name


@contextmanager
def told(database: Database) -> Iterator[list[str]]:
    """What happens to transactions, in order."""
    seen: list[str] = []

    def begun(_: Connection) -> None:
        seen.append("begin")

    def committed(_: Connection) -> None:
        seen.append("commit")

    event.listen(database.engine, "begin", begun)
    event.listen(database.engine, "commit", committed)
    yield seen
    event.remove(database.engine, "begin", begun)
    event.remove(database.engine, "commit", committed)


def there(database: Database, *names: str) -> set[str]:
    with database.read() as connection:
        return set(facts.facts(connection, names))


def test_what_is_written_at_about_the_same_time_is_one_transaction(database: Database) -> None:
    async def work() -> list[str]:
        names = [f"fact {number}" for number in range(20)]
        return await asyncio.gather(*(database.run_together(write, name) for name in names))

    with told(database) as seen:
        done = asyncio.run(work())
    assert seen == ["begin", "commit"]
    assert there(database, *done) == set(done)


def test_a_caller_is_answered_after_the_commit(database: Database) -> None:
    order: list[str] = []

    async def one(name: str) -> None:
        await database.run_together(write, name)
        order.append(f"answered, {len(seen)} events")

    async def work() -> None:
        await asyncio.gather(one("a"), one("b"))

    with told(database) as seen:
        asyncio.run(work())
    assert order == ["answered, 2 events"] * 2


@pytest.mark.parametrize("bad", [fail, broken])
def test_one_that_raises_is_taken_out_and_the_others_are_stored(
    database: Database, bad: Callable[[Connection, str], str]
) -> None:
    async def work() -> Sequence[str | BaseException]:
        return await asyncio.gather(
            database.run_together(write, "first"),
            database.run_together(bad, "bad"),
            database.run_together(write, "last"),
            return_exceptions=True,
        )

    first, error, last = asyncio.run(work())
    assert (first, last) == ("first", "last")
    assert isinstance(error, Exception)
    assert there(database, "first", "bad", "last") == {"first", "last"}


def test_where_the_commit_fails_it_failed_for_all(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Connection) -> None:
        raise DatabaseUnusable("the disk is full")

    async def work() -> Sequence[str | BaseException]:
        calls = [database.run_together(write, name) for name in ("a", "b")]
        return await asyncio.gather(*calls, return_exceptions=True)

    event.listen(database.engine, "commit", refuse)
    assert [type(error) for error in asyncio.run(work())] == [DatabaseUnusable] * 2
    event.remove(database.engine, "commit", refuse)
    assert there(database, "a", "b") == set()


def test_one_whose_caller_is_gone_before_it_began_is_left_out(database: Database) -> None:
    async def work() -> None:
        gone = asyncio.create_task(database.run_together(write, "gone"))
        stays = asyncio.create_task(database.run_together(write, "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    asyncio.run(work())
    assert there(database, "gone", "stays") == {"stays"}

"""What a poll asks of the database, and that polls which share a transaction share no trouble."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from aggregator.model.settings import SourceSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import store
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.polling.refresh import refresh
from aggregator.store import schema as t
from aggregator.store.sources import claims, states
from tests.origin import Origin
from tests.pipeline.conftest import House, claimed, rss


@contextmanager
def counted(engine: Engine) -> Iterator[dict[str, int]]:
    """How many transactions and statements there are."""
    seen = {"transactions": 0, "statements": 0}

    def begun(_: Any) -> None:
        seen["transactions"] += 1

    def executed(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen["statements"] += not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))

    event.listen(engine, "begin", begun)
    event.listen(engine, "before_cursor_execute", executed)
    yield seen
    event.remove(engine, "begin", begun)
    event.remove(engine, "before_cursor_execute", executed)


@pytest.mark.parametrize(("many", "gap", "statements"), [(20, 0, 11), (1, 1, 17)])
def test_polls_that_find_nothing_share_few_transactions_of_few_statements(
    house: House, origin: Origin, many: int, gap: int, statements: int
) -> None:
    """With a gap between the requests to a host, its slot is taken and given back too."""
    names = [f"s{number:02}" for number in range(many)]
    for name in names:
        origin.answer(f"/{name}", body=rss(1, site=name), headers={"ETag": '"1"'})
    house.configure(
        sources=tuple(SourceSettings(name, origin.url(f"/{name}")) for name in names),
        polling=replace(house.settings.polling, host_gap=timedelta(seconds=gap), concurrency=many),
    )

    async def work(parts: Parts) -> tuple[set[str], dict[str, int]]:
        await refresh(parts, house.settings.sources)
        house.clock.move(hours=1)
        for name in names:
            origin.answer(f"/{name}", 304, headers={"ETag": '"1"'})
        with counted(parts.database.engine) as seen:
            records = await refresh(parts, house.settings.sources)
        return {record.outcome for record in records}, seen

    outcomes, seen = house.run(work)
    assert outcomes == {"not_modified"}
    assert seen["statements"] <= many * statements
    assert seen["transactions"] <= max(many, 4)  # how many share one depends on the moment


def test_a_poll_that_fails_at_any_statement_takes_no_other_with_it(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its items and validators stay as they were, and come with its next poll, once."""
    current = threading.local()
    left = [0]
    write_batch = store._write_batch

    def told(connection: Any, claim: Any, source: SourceSettings, *rest: Any) -> Any:
        current.source = source.id
        return write_batch(connection, claim, source, *rest)

    def executed(_: Any, __: Any, statement: str, *___: Any) -> None:
        if getattr(current, "source", "") != "alpha" or not statement[:6].strip().isupper():
            return
        if statement.startswith(("RELEASE", "SAVEPOINT", "ROLLBACK", "BEGIN")):
            current.source = ""  # the end of its own part
            return
        left[0] -= 1
        if left[0] == 0:
            current.source = ""
            raise RuntimeError("at this statement")

    monkeypatch.setattr(store, "_write_batch", told)

    async def poll(parts: Parts, name: str) -> None:
        source = next(one for one in house.settings.sources if one.id == name)
        claim = await claimed(parts, source)
        try:
            await poll_source(parts, source, claim)
        except RuntimeError:
            await parts.database.run_write(claims.release, claim)

    def stored(connection: Any) -> dict[str, int]:
        keys = connection.scalars(select(t.entry.c.source_id))
        names = list(keys)
        return {name: names.count(name) for name in ("alpha", "beta")}

    async def work(parts: Parts) -> int:
        event.listen(parts.database.engine, "before_cursor_execute", executed)
        for number in range(1, 100):
            for name in ("alpha", "beta"):
                items = rss(*range(1, number + 1), site=name)
                origin.answer(f"/{name}", body=items, headers={"ETag": f'"{number}"'})
            left[0] = number
            await asyncio.gather(poll(parts, "alpha"), poll(parts, "beta"))
            raised = left[0] <= 0
            left[0] = 0
            found = await parts.database.run_read(stored)
            state = await parts.database.run_read(states.feed_state, "alpha")
            assert found["beta"] == number
            assert state is not None
            assert found["alpha"] == number - raised
            assert (state.validators.etag == f'"{number}"') != raised
            if not raised:
                return number - 1  # so many statements, and each failed once
            await poll(parts, "alpha")
            assert (await parts.database.run_read(stored))["alpha"] == number
            house.clock.move(hours=1)
        raise AssertionError("it never came through")

    assert house.run(work) >= 15

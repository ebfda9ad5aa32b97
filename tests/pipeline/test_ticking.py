"""What the scheduler says of itself: work that fails inside is logged, and is no tick."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from aggregator.model.errors import StorageTrouble
from aggregator.model.settings import SourceSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition
from aggregator.store.sources import claims
from aggregator.work import polls
from aggregator.work.tick import Ticker
from tests.origin import Origin
from tests.pipeline.conftest import House


def test_a_tick_that_fails_inside_is_told_and_does_not_count_as_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_words: Any, **_named: Any) -> None:
        raise RuntimeError("a mistake of ours")

    async def work(parts: Parts) -> tuple[Any, Any]:
        condition = Condition()
        ticker = Ticker(parts, condition)
        job = ticker._guarded(ticker.tick)
        with monkeypatch.context() as patched, capture_logs() as said:
            patched.setattr(claims, "claim_due", fail)
            await job()
        assert [line["event"] for line in said if line["log_level"] == "error"] == [
            "a scheduled job failed"
        ]
        failed = condition.ticked
        await job()
        await ticker.engine.idle()
        return failed, condition.ticked

    failed, went_well = house.run(work)
    assert failed is None
    assert went_well == house.clock.elapsed()


def test_a_job_that_is_cut_off_by_a_stop_ends_quietly(house: House) -> None:
    async def work(parts: Parts) -> None:
        ticker = Ticker(parts, Condition())
        begun = asyncio.Event()

        async def job() -> None:
            begun.set()
            await asyncio.sleep(3600)

        task = asyncio.ensure_future(ticker._guarded(job)())
        await begun.wait()
        ticker._stopping = True
        task.cancel()
        await task
        assert not task.cancelled()

    house.run(work)


def test_leases_of_polls_that_could_not_be_stored_are_given_back_once_whoever_asks(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.configure(sources=tuple(SourceSettings(f"s{n}", origin.url(f"/{n}")) for n in range(4)))

    async def no_storage(*_words: Any, **_named: Any) -> None:
        raise StorageTrouble("the disk is full")

    async def work(parts: Parts) -> tuple[int, list[claims.Claim | None]]:
        told: list[StorageTrouble] = []
        made = polls.Polls(parts, told.append)
        lease = timedelta(minutes=2)
        for source in parts.settings.sources:
            claim = await parts.database.run_write(
                claims.claim_one, source.id, parts.clock.now(), "a", lease
            )
            assert claim is not None
            with monkeypatch.context() as patched:
                patched.setattr(polls, "poll_source", no_storage)
                await made.poll(claim)
        await asyncio.gather(*(made.give_back() for _ in range(3)))
        again = [
            await parts.database.run_write(
                claims.claim_one, source.id, parts.clock.now(), "b", lease
            )
            for source in parts.settings.sources
        ]
        return len(told), again

    told, again = house.run(work)
    assert told == 4
    assert None not in again

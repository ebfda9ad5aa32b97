"""What the scheduler says of itself: work that fails inside is logged, and is no tick."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition
from aggregator.store.sources import claims
from aggregator.work.tick import Ticker
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

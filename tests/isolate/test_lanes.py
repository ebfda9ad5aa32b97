"""Slow work waits for itself: what is quick finds a worker, whoever else is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

import aggregator.isolate.pool
from aggregator.isolate import WorkerBusy, WorkerPool, WorkerTimeout
from aggregator.isolate.lanes import LaneFull, SlowLane
from tests.patience import PATIENCE

from . import tasks

Scene = Callable[[WorkerPool], Awaitable[None]]


def play(scene: Scene, workers: int = 2) -> None:
    async def whole() -> None:
        async with WorkerPool(workers, idle=60) as pool:
            await scene(pool)

    asyncio.run(whole())


def test_healthy_sources_are_served_while_twenty_poisonous_ones_have_not_come_to_an_end() -> None:
    async def scene(pool: WorkerPool) -> None:
        poisons = [
            asyncio.ensure_future(pool.run(tasks.loop_in_c, timeout=PATIENCE, share=f"poison {n}"))
            for n in range(20)
        ]
        await asyncio.sleep(0)
        healthy = [
            await pool.run(tasks.add, n, n, timeout=PATIENCE, share=f"healthy {n}")
            for n in range(20)
        ]
        assert healthy == [2 * n for n in range(20)]
        # One is being tried to its end and four wait for it; the others were told at once.
        assert sum(not one.done() for one in poisons) >= 5
        for one in poisons:
            one.cancel()
        told = await asyncio.gather(*poisons, return_exceptions=True)
        busy = [one for one in told if isinstance(one, WorkerBusy)]
        assert len(busy) <= 15

    play(scene)


def test_what_is_slow_and_honest_is_done_all_the_same() -> None:
    async def scene(pool: WorkerPool) -> None:
        assert await pool.run(tasks.nap, 1.5, timeout=PATIENCE, share="a")
        assert await pool.run(tasks.nap, 1.5, timeout=PATIENCE, share="a")
        with pytest.raises(WorkerTimeout):
            await pool.run(tasks.nap, 30, timeout=1.2, share="b")

    play(scene, workers=1)


def test_the_least_blamed_goes_first_and_the_most_blamed_has_to_go() -> None:
    async def scene() -> None:
        lane = SlowLane(1, 2)
        for blame, share in enumerate(("honest", "once", "twice", "thrice")):
            lane.overran(share, whole=False)
            for _ in range(blame):
                lane.overran(share, whole=True)
        order: list[str] = []
        go = asyncio.Event()

        async def work(share: str) -> None:
            async with lane.turn(share):
                order.append(share)
                await go.wait()

        jobs = []
        for share in ("first", "thrice", "once", "twice", "honest"):
            jobs.append(asyncio.ensure_future(work(share)))
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        go.set()
        told = await asyncio.gather(*jobs, return_exceptions=True)
        assert order == ["first", "honest", "once"]
        assert [isinstance(one, LaneFull) for one in told] == [False, True, False, True, False]

    asyncio.run(scene())


def test_a_turn_that_is_cancelled_goes_to_the_next() -> None:
    async def scene() -> None:
        lane = SlowLane(1, 4)

        async def work(until: asyncio.Event) -> str:
            async with lane.turn(""):
                await until.wait()
            return "done"

        hold, go = asyncio.Event(), asyncio.Event()
        go.set()
        first = asyncio.ensure_future(work(hold))
        await asyncio.sleep(0)
        waiting = [asyncio.ensure_future(work(go)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        hold.set()
        await first
        waiting[0].cancel()  # called already, not awake yet
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert told[2] == "done"
        async with lane.turn(""):  # no turn was lost
            pass

    asyncio.run(scene())


def test_a_source_that_is_quick_again_is_slow_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(pool: WorkerPool) -> None:
        with pytest.raises(WorkerTimeout):
            await pool.run(tasks.loop_in_c, timeout=1.2, share="a")
        assert pool._slow.is_slow("a")
        monkeypatch.setattr(aggregator.isolate.pool, "_SLICE", PATIENCE)
        assert await pool.run(tasks.add, 1, 1, share="a") == 2
        assert not pool._slow.is_slow("a")

    play(scene)

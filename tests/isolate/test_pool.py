"""Workers that can be killed, and what their death does not touch."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

import aggregator.isolate.pool
from aggregator.isolate import (
    WorkerClosed,
    WorkerCrashed,
    WorkerMemory,
    WorkerPool,
    WorkerTimeout,
)
from tests.patience import PATIENCE

from . import tasks

ROOT = Path(__file__).parents[2]
Scene = Callable[[WorkerPool], Awaitable[None]]


def play(scene: Scene, *, workers: int = 2, max_tasks: int = 500, idle: float = 60) -> None:
    """Run `scene` with a pool of its own and close the pool after it."""

    async def whole() -> None:
        async with WorkerPool(workers, max_tasks=max_tasks, idle=idle) as pool:
            await scene(pool)

    asyncio.run(whole())


def test_a_task_runs_in_another_process() -> None:
    async def scene(pool: WorkerPool) -> None:
        assert await pool.run(tasks.add, 2, 3) == 5
        assert await pool.run(tasks.pid) != os.getpid()

    play(scene)


def test_what_the_task_raises_reaches_the_caller() -> None:
    async def scene(pool: WorkerPool) -> None:
        with pytest.raises(ValueError, match="from the task"):
            await pool.run(tasks.raise_value_error)
        assert await pool.run(tasks.add, 1, 1) == 2

    play(scene)


@pytest.mark.parametrize("endless", [tasks.loop_in_python, tasks.loop_in_c, tasks.refuse_to_end])
def test_an_endless_task_is_killed_and_the_pool_goes_on(endless: Callable[[], None]) -> None:
    async def scene(pool: WorkerPool) -> None:
        with pytest.raises(WorkerTimeout):
            await pool.run(endless, timeout=0.5)
        assert await pool.run(tasks.add, 1, 1) == 2

    play(scene, workers=1)


def test_a_memory_bomb_meets_its_limit_and_the_pool_goes_on() -> None:
    async def scene(pool: WorkerPool) -> None:
        with pytest.raises(WorkerMemory):
            await pool.run(tasks.eat_memory, timeout=PATIENCE)
        assert await pool.run(tasks.add, 1, 1) == 2

    play(scene, workers=1)


@pytest.mark.parametrize("death", [tasks.segfault, tasks.kill_myself, tasks.leave])
def test_a_crash_is_reported_and_the_pool_goes_on(death: Callable[[], None]) -> None:
    async def scene(pool: WorkerPool) -> None:
        for _ in range(3):
            with pytest.raises(WorkerCrashed):
                await pool.run(death)
            assert await pool.run(tasks.add, 1, 1) == 2

    play(scene, workers=1)


def test_crashes_and_timeouts_never_lose_another_task() -> None:
    async def scene(pool: WorkerPool) -> None:
        jobs: list[Awaitable[object]] = []
        for n in range(24):
            jobs.append(pool.run(tasks.add, n, n))
            if n % 4 == 0:
                jobs.append(pool.run(tasks.kill_myself))
            if n % 8 == 1:
                jobs.append(pool.run(tasks.loop_in_c, timeout=0.2))
        results = await asyncio.gather(*jobs, return_exceptions=True)
        assert [r for r in results if isinstance(r, int)] == [2 * n for n in range(24)]
        assert sum(isinstance(r, WorkerCrashed) for r in results) == 6
        assert sum(isinstance(r, WorkerTimeout) for r in results) == 3

    play(scene)


def test_an_idle_worker_killed_from_outside_is_replaced() -> None:
    async def scene(pool: WorkerPool) -> None:
        first = await pool.run(tasks.pid)
        os.kill(first, signal.SIGKILL)
        answers: list[object] = []
        for _ in range(20):
            try:
                answers.append(await pool.run(tasks.pid))
            except WorkerCrashed as crash:
                answers.append(crash)
            await asyncio.sleep(0.02)
        crashes = [a for a in answers if isinstance(a, WorkerCrashed)]
        assert len(crashes) <= 1  # the task that was handed to the dead worker, at most
        assert isinstance(answers[-1], int)
        assert answers[-1] != first

    play(scene, workers=1)


def test_a_worker_is_replaced_after_its_share_of_tasks() -> None:
    async def scene(pool: WorkerPool) -> None:
        pids = [await pool.run(tasks.pid) for _ in range(6)]
        assert len(set(pids)) == 3

    play(scene, workers=1, max_tasks=2)


def test_no_more_tasks_are_under_way_than_there_are_workers() -> None:
    async def scene(pool: WorkerPool) -> None:
        pids = await asyncio.gather(*(pool.run(tasks.nap, 0.05) for _ in range(8)))
        assert len(set(pids)) <= 2

    play(scene)


def test_the_worker_used_last_is_used_again_first() -> None:
    async def scene(pool: WorkerPool) -> None:
        both = await asyncio.gather(pool.run(tasks.nap, 0.2), pool.run(tasks.nap, 0.2))
        one_by_one = {await pool.run(tasks.pid) for _ in range(5)}
        assert len(set(both)) == 2
        assert len(one_by_one) == 1

    play(scene)


def test_a_worker_without_work_ends_and_another_comes_when_there_is_some() -> None:
    async def scene(pool: WorkerPool) -> None:
        naps = (pool.run(tasks.nap, 0.2), pool.run(tasks.nap, 0.2))
        workers = await asyncio.gather(*naps)
        end = time.monotonic() + PATIENCE
        while any(map(psutil.pid_exists, workers)) and time.monotonic() < end:  # noqa: ASYNC110 - the end of a process is no event
            await asyncio.sleep(0.02)
        assert not any(map(psutil.pid_exists, workers))
        assert await pool.run(tasks.pid) not in workers

    play(scene, idle=0.1)


def test_a_worker_at_work_is_not_idle() -> None:
    async def scene(pool: WorkerPool) -> None:
        await pool.run(tasks.pid)
        assert await pool.run(tasks.nap, 0.5)

    play(scene, workers=1, idle=0.1)


def test_the_time_a_task_waits_for_a_worker_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aggregator.isolate.pool, "_SLICE", 5.0)

    async def scene(pool: WorkerPool) -> None:
        results = await asyncio.gather(
            *(pool.run(tasks.nap, 0.3, timeout=5.0) for _ in range(20)), return_exceptions=True
        )
        assert all(isinstance(r, int) for r in results)

    play(scene, workers=1)


def test_a_cancelled_task_frees_its_worker() -> None:
    async def scene(pool: WorkerPool) -> None:
        job = asyncio.ensure_future(pool.run(tasks.loop_in_python, timeout=60.0))
        await asyncio.sleep(0.5)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert await pool.run(tasks.add, 1, 1) == 2

    play(scene, workers=1)


def test_large_results_and_results_that_cannot_travel() -> None:
    async def scene(pool: WorkerPool) -> None:
        assert len(await pool.run(tasks.big, 20_000_000)) == 20_000_000
        with pytest.raises(Exception, match="pickle"):
            await pool.run(tasks.give_a_function)
        assert await pool.run(tasks.add, 1, 1) == 2

    play(scene, workers=1)


def test_a_worker_holds_no_listening_socket_of_the_service() -> None:
    async def scene(pool: WorkerPool) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            inode = os.readlink(f"/proc/self/fd/{server.fileno()}")
            assert inode not in await pool.run(tasks.inherited_sockets)

    play(scene, workers=1)


def test_closing_ends_the_workers_and_those_who_wait() -> None:
    async def scene() -> None:
        pool = WorkerPool(1, idle=60)
        pid = await pool.run(tasks.pid)
        running = asyncio.ensure_future(pool.run(tasks.loop_in_python, timeout=60.0))
        waiting = asyncio.ensure_future(pool.run(tasks.add, 1, 1))
        await asyncio.sleep(0.3)
        await pool.close()
        for job in (running, waiting):
            with pytest.raises(WorkerClosed):
                await job
        with pytest.raises(WorkerClosed):
            await pool.run(tasks.pid)
        assert not psutil.pid_exists(pid)

    asyncio.run(scene())


def test_the_main_module_is_not_run_again_and_need_not_be_a_file() -> None:
    program = (
        "import asyncio\n"
        "from aggregator.isolate import WorkerPool\n"
        "from tests.isolate import tasks\n"
        "async def main():\n"
        "    async with WorkerPool(1, idle=60) as pool:\n"
        "        print(await pool.run(tasks.add, 2, 3), await pool.run(tasks.main_module))\n"
        "print('started')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-"],
        check=True,
        input=program,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE,
    )
    assert done.stdout.splitlines() == ["started", "5 None"]


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/isolate/owner.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    yield process
    process.kill()
    process.wait()


def test_an_owner_killed_outright_leaves_no_orphans(owner: subprocess.Popen[str]) -> None:
    assert owner.stdout is not None
    pids = [int(word) for word in owner.stdout.readline().split()]
    family = psutil.Process(owner.pid).children(recursive=True)
    assert set(pids) <= {p.pid for p in family}

    owner.kill()
    owner.wait()

    _, alive = psutil.wait_procs(family, timeout=PATIENCE)
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []

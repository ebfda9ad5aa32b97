"""Run functions in worker processes that can be killed, capped in memory and in time.

Documents of strangers are parsed here: a parser that loops, leaks or crashes takes one process
with it and no other task. Each worker is a Pebble pool of one, so that workers share no pipe and
no lock: one that is killed in the middle of a message cannot spoil another's. Processes start from
a fork server, never by a fork of the service itself, which would hand them its listening socket
and whatever locks its threads hold.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from aggregator.isolate import worker
from aggregator.isolate.lanes import LaneFull, SlowLane
from aggregator.isolate.mainless import MainlessContext
from aggregator.isolate.worker import (
    WorkerBusy,
    WorkerClosed,
    WorkerCrashed,
    WorkerError,
    WorkerMemory,
    WorkerTimeout,
)

if TYPE_CHECKING:
    from pebble import ProcessPool

__all__ = [
    "WorkerBusy",
    "WorkerClosed",
    "WorkerCrashed",
    "WorkerError",
    "WorkerMemory",
    "WorkerPool",
    "WorkerTimeout",
]

T = TypeVar("T")

_MIB = 1024 * 1024
# A worker that has not even begun after this long beyond its task's time is given up.
_START_GRACE = 30.0
_SLICE = 1.0  # seconds that every task gets before it counts as slow
_SLOW_WAITING = 4


def slow_room(workers: int) -> int:
    """How many tasks a pool may be given at once so that none is refused, however slow all are."""
    return max(1, workers - 1) + _SLOW_WAITING


class WorkerPool:
    """A fixed number of killable worker processes behind one coroutine, `run`.

    At most `workers` tasks are under way; further callers of `run` wait, which is the
    back-pressure: in their order for their first second, then in the slow lane (`lanes`).
    Processes start when first needed and are replaced after `max_tasks` tasks, a timeout, a crash
    or a memory failure. The one used last is used again first, so that few live where there is
    little to do, and one that did nothing for `idle` seconds ends. Not for use from several event
    loops.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        idle: float,
        max_memory: int = 512 * _MIB,
        max_tasks: int = 500,
        preload: Iterable[str] = (),
    ) -> None:
        """Nothing is started yet.

        Args:
            workers: number of processes.
            idle: seconds without a task after which a process ends.
            max_memory: address space of each, bytes (RLIMIT_AS). Code and libraries count:
                a worker with the parsers loaded begins at about an eighth of the default.
            max_tasks: a process is replaced after so many tasks.
            preload: modules that the fork server imports once for all workers to come. The first
                pool of a process decides; the server is shared by all of them.
        """
        if workers < 1:
            raise ValueError("a pool needs at least one worker")
        self._context = MainlessContext()
        # Not the main module, which is Python's default.
        self._context.set_forkserver_preload(["aggregator.isolate.worker", *preload])
        self._max_memory = max_memory
        self._max_tasks = max_tasks
        self._workers = workers
        self._free = asyncio.Semaphore(workers)
        self._idle: list[tuple[float, ProcessPool]] = []  # since when; the one used last at the end
        self._keep = idle
        self._ending: asyncio.TimerHandle | None = None
        self._all: set[ProcessPool] = set()
        self._running: set[Future[bytes]] = set()
        self._closed = False
        self._slow = SlowLane(slow_room(workers) - _SLOW_WAITING, _SLOW_WAITING)

    async def run(
        self, fn: Callable[..., T], *args: object, timeout: float = 10.0, share: str = ""
    ) -> T:
        """`fn(*args)` from a worker process. `fn`, arguments and result must be picklable.

        `fn` may be run twice: what has not ended after a second is begun again in the slow lane.

        Args:
            fn: a function that can be imported by its name, not from the main module.
            timeout: seconds from the moment a worker takes the task.
            share: on whose behalf: a source, a host. What it has made slow it waits for itself.

        Raises:
            WorkerTimeout: `WorkerBusy` when too many slow tasks wait already.
            WorkerCrashed, WorkerMemory: the task is lost, the pool is not.
            WorkerClosed: the pool is closed.
            Exception: whatever `fn` raised.
        """
        first = min(timeout, _SLICE)
        if not self._slow.is_slow(share):
            try:
                return await self._run(fn, args, first)
            except WorkerTimeout:
                self._slow.overran(share, whole=first >= timeout)
                if first >= timeout:
                    raise
        try:
            async with self._slow.turn(share):
                begun = time.monotonic()
                result = await self._run(fn, args, timeout)
        except WorkerTimeout:
            self._slow.overran(share, whole=True)
            raise
        except LaneFull:
            raise WorkerBusy(
                f"the task takes more than {first:g} s, and others that do wait already",
                blamed=self._slow.is_blamed(share),
            ) from None
        if time.monotonic() - begun < first:
            self._slow.quick(share)
        return result

    async def _run(self, fn: Callable[..., T], args: tuple[object, ...], timeout: float) -> T:
        """The task on the next worker that is free."""
        if self._closed:
            raise WorkerClosed("the pool is closed")
        await self._free.acquire()
        pool: ProcessPool | None = None
        try:
            if self._closed:
                raise WorkerClosed("the pool was closed")
            pool = self._idle.pop()[1] if self._idle else self._open()
            try:
                return await self._perform(pool, fn, args, timeout)
            except (WorkerMemory, BrokenProcessPool, TimeoutError):
                spoilt, pool = pool, None
                self._discard(spoilt)
                raise
        except BrokenProcessPool as error:
            if self._closed:
                raise WorkerClosed("the pool was closed") from error
            raise WorkerCrashed(f"the worker broke: {error}") from error
        except TimeoutError as error:
            raise WorkerCrashed("the worker never answered") from error
        finally:
            if pool is not None:
                self._rest(pool)
            self._free.release()

    async def close(self) -> None:
        """Kill what still runs (those tasks raise `WorkerClosed`) and wait until all have ended."""
        self._closed = True
        if self._ending is not None:
            self._ending.cancel()
        for future in tuple(self._running):
            future.cancel()  # Pebble leaves it pending for ever when its pool is stopped
        pools, self._all = self._all, set()
        await asyncio.gather(*(asyncio.to_thread(_end, pool) for pool in pools))

    async def __aenter__(self) -> WorkerPool:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _rest(self, pool: ProcessPool) -> None:
        """A worker has nothing to do."""
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time(), pool))
        if self._ending is None and not self._closed:
            self._ending = loop.call_later(self._keep, self._end_idle)

    def _end_idle(self) -> None:
        """End the workers that had nothing to do for long, and look again when the next had."""
        loop = asyncio.get_running_loop()
        self._ending = None
        while self._idle and self._idle[0][0] + self._keep <= loop.time():
            self._discard(self._idle.pop(0)[1])
        if self._idle:
            self._ending = loop.call_at(self._idle[0][0] + self._keep, self._end_idle)

    def _open(self) -> ProcessPool:
        from pebble import ProcessPool

        pool = ProcessPool(
            max_workers=1,
            max_tasks=self._max_tasks,
            initializer=worker.start,
            initargs=(os.getpid(), self._max_memory),
            context=self._context,
        )
        self._all.add(pool)
        return pool

    async def _perform(
        self, pool: ProcessPool, fn: Callable[..., T], args: tuple[object, ...], seconds: float
    ) -> T:
        from pebble import ProcessExpired

        # The first task of a pool starts its process, and the first of all the fork server.
        future: Future[bytes] = await asyncio.to_thread(
            pool.schedule, worker.perform, args=(fn, args), timeout=seconds
        )
        self._running.add(future)
        try:
            pickled = await asyncio.wait_for(asyncio.wrap_future(future), seconds + _START_GRACE)
        except FutureTimeout as error:
            if future.cancelled():  # our own patience ended, the worker never answered
                raise
            raise WorkerTimeout(f"the task took longer than {seconds:g} s") from error
        except ProcessExpired as error:
            if self._closed:
                raise WorkerClosed("the pool was closed") from error
            raise WorkerCrashed(f"the worker died with code {error.exitcode}") from error
        except asyncio.CancelledError:
            if self._closed:
                raise WorkerClosed("the pool was closed") from None
            raise
        finally:
            self._running.discard(future)
        result: T = pickle.loads(pickled)  # noqa: S301 - written by our own worker
        return result

    def _discard(self, pool: ProcessPool) -> None:
        """End a worker that is no longer wanted, without waiting for it."""
        if pool in self._all:
            self._all.discard(pool)
            asyncio.get_running_loop().run_in_executor(None, _end, pool)


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()

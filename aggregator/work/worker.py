"""The engine room of `aggregator worker`: jobs of the queue, carried out by the usual handlers.

A handler asks the rows what is to be done, so a job may run twice, late, or for nothing. Where the
database goes away, the worker comes back when it does: its jobs are given to whoever is there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from psycopg import Error as PostgresError
from psycopg_pool import PoolTimeout
from sqlalchemy import Connection

from aggregator.model.errors import StorageTrouble
from aggregator.model.item import FeedState
from aggregator.pipeline import policy
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import websub
from aggregator.pipeline.polling.pushes import read_pushes
from aggregator.pipeline.showing.pages import Condition
from aggregator.store.sources import claims, states
from aggregator.telemetry import metrics
from aggregator.work.clock import ClockWatch
from aggregator.work.follow import PageReader
from aggregator.work.polls import Polls
from aggregator.work.push import due, serve
from aggregator.work.queue import Queue, Task, job_queue

log = structlog.get_logger("aggregator.work")

_CONNECTIONS = 4  # of the queue; the store has its own
_LOOK = 1.0  # seconds between two looks for jobs that no notification told of
_AT_ONCE = 8  # sources of a host without a budget
_LONGEST = timedelta(seconds=30)  # a job begins nothing more then: its host comes again
_AGAIN = 2.0  # seconds until a lost database is tried again
_GONE = (ConnectorException, PostgresError, PoolTimeout, OSError, StorageTrouble)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a worker was started with."""

    concurrency: int  # jobs at once
    queues: Sequence[Queue]
    grace: timedelta  # for jobs under way when it is stopped


class Worker:
    """Does jobs until it is stopped."""

    def __init__(self, parts: Parts, condition: Condition, asked: Asked) -> None:
        self._parts = parts
        self._condition = condition
        self._asked = asked
        self._polls = Polls(parts, self._trouble)
        self._pages = PageReader(parts)
        self._clock = ClockWatch(parts, self._clock_trouble, self._leads)
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start working on the running event loop."""
        self._running = asyncio.create_task(self._run(), name="worker")

    async def stop(self, grace: timedelta) -> None:
        """Begin nothing more; let jobs end within `Asked.grace`, cut the rest off.

        What is cut off has stored nothing of its last batch: it is done again by others.
        """
        self._stopping.set()
        await self._pages.stop(grace)
        await self._clock.stop()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        """Work as long as there is a database, and again when it is back."""
        lost: dict[int, Job] = {}
        while not self._stopping.is_set():
            queue = job_queue(self._parts.database, connections=_CONNECTIONS)
            self._register(queue.app)
            try:
                async with queue.app.open_async():
                    await queue.jobs.drop(lost)
                    lost = queue.jobs.taken
                    await self._restore()
                    await self._work(queue.app)
            except _GONE as error:
                if not self._stopping.is_set():
                    self._trouble(error.__cause__ or error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _AGAIN)

    async def _work(self, app: App) -> None:
        """Take jobs until stopped, or until the queue's database goes away."""
        working = asyncio.create_task(
            app.run_worker_async(
                queues=[queue.value for queue in self._asked.queues],
                concurrency=self._asked.concurrency,
                fetch_job_polling_interval=_LOOK,
                delete_jobs="always",
                install_signal_handlers=False,
                shutdown_graceful_timeout=self._asked.grace.total_seconds(),
            )
        )
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()  # it lets its jobs end first
        stopping.cancel()
        with suppress(asyncio.CancelledError):
            await working

    def _register(self, app: App) -> None:
        handlers: dict[Task, tuple[Queue, Callable[..., Awaitable[None]]]] = {
            Task.FEEDS: (Queue.FEEDS, self._feeds),
            Task.ARTICLES: (Queue.ARTICLES, self._articles),
            Task.PUSH: (Queue.PUSH, self._push),
            Task.SUBSCRIPTIONS: (Queue.PUSH, self._subscriptions),
        }
        for task, (queue, handler) in handlers.items():
            app.task(name=task.value)(self._guarded(queue, handler))

    def _guarded(
        self, queue: Queue, handler: Callable[..., Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        """A job that always ends well: what is left to do is said by the rows."""

        async def run(**arguments: Any) -> None:
            try:
                if self._condition.storage is not None:
                    await self._restore()
                if await self._clock.is_right():
                    await handler(**arguments)
                else:  # the job comes again; by then another worker may be free
                    await asyncio.sleep(_AGAIN)
            except StorageTrouble as error:
                self._trouble(error)
            except Exception:
                log.exception("a job failed inside", queue=queue.value, **arguments)
            metrics.JOBS_DONE.labels(queue=queue.value).inc()

        return run

    async def _feeds(self, host: str, most: int) -> None:
        """Poll up to so many due sources of a host, each under a lease of its own."""
        end = time.monotonic() + _LONGEST.total_seconds()
        while most > 0 and self._goes_on(end):
            wanted = 1 if self._parts.settings.polling.host_gap else min(most, _AT_ONCE)
            leased = await self._parts.database.run_write(self._claim, host, wanted)
            if not leased:
                return
            metrics.IN_FLIGHT.inc(len(leased))
            try:
                await asyncio.gather(*(self._polls.poll(claim, state) for claim, state in leased))
            finally:
                metrics.IN_FLIGHT.dec(len(leased))
            most -= len(leased)

    def _goes_on(self, end: float) -> bool:
        return not (self._stopping.is_set() or self._condition.storage or time.monotonic() > end)

    def _claim(
        self, connection: Connection, host: str, wanted: int
    ) -> list[tuple[claims.Claim, FeedState]]:
        parts = self._parts
        leased = claims.claim_host(
            connection, host, parts.clock.now(), wanted, parts.owner, policy.lease(parts.settings)
        )
        remembered = states.states_of(connection, [claim.source_id for claim in leased])
        return [(claim, remembered[claim.source_id]) for claim in leased]

    async def _articles(self, host: str) -> None:
        """Read the pages of a host that are due, one after the other."""
        for page in await self._pages.claim(1, host):
            await self._pages.read_host(page, longest=_LONGEST)

    async def _push(self, number: int) -> None:
        """Tell one of what is new, if that is still to be done."""
        for one in await due(self._parts, 1, number):
            await serve(self._parts, one)

    async def _subscriptions(self) -> None:
        """Subscribe to hubs, renew, and read what they delivered."""
        await websub.keep_up(self._parts)
        await read_pushes(self._parts)

    async def _restore(self) -> None:
        """Storage is there (again): give back what could not be stored.

        Raises StorageTrouble while it is not.
        """
        await self._polls.give_back()
        if self._condition.storage is not None:
            log.info("storage can be written again: work goes on")
        self._condition.storage = None
        metrics.STORAGE_TROUBLE.set(0)

    async def _leads(self) -> bool:
        """What a wrong clock left behind is put right by a scheduler."""
        return False

    def _clock_trouble(self, said: str | None) -> None:
        """Say once what is wrong with this machine's clock: nothing is done by it."""
        if said is not None and self._condition.clock is None:
            log.error(f"{said}: work waits; set the clock, or “polling.trust_clock: yes”")
        self._condition.clock = said
        metrics.CLOCK_TROUBLE.set(said is not None)

    def _trouble(self, error: BaseException) -> None:
        """Say once that nothing can be stored; what was under way is done again."""
        if self._condition.storage is None:
            log.error("storage cannot be written, work waits", error=str(error))
        self._condition.storage = str(error)
        metrics.STORAGE_TROUBLE.set(1)

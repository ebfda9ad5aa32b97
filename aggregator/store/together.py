"""Group commit: what several callers write at about the same time is one transaction.

A commit and the way to the writer's thread cost more than the three or four small statements of a
poll that found nothing. So a job waits a moment for others, and all of them run one after the other
in one transaction, each in a savepoint of its own. One that raises is taken out and keeps its error
to itself; a caller gets its answer after the commit, and not before. A job must therefore have no
effect but on the database, and what is to follow from it is done by its caller.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from aggregator.store import trouble

T = TypeVar("T")

_MOST = 64  # jobs of one transaction
_DEADLOCKS = ("40P01", "40001")  # SQLSTATE: another transaction went first; to be done again


@dataclass(slots=True)
class _Job:
    function: Callable[[Connection], Any]
    answer: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    again: bool = False  # alone, in a transaction of its own


class Together:
    """Runs jobs in shared transactions on a thread of `executor`, one transaction at a time."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Connection]],
        executor: ThreadPoolExecutor,
        wait: float,
    ) -> None:
        """`wait`: seconds that the first job of a group waits for others."""
        self._transaction = transaction
        self._executor = executor
        self._wait = wait
        self._waiting: list[_Job] = []
        self._timer: asyncio.TimerHandle | None = None
        self._running = False

    async def run(self, function: Callable[[Connection], T]) -> T:
        """What `function` returns, after the commit; raises what it raised, or the commit did.

        A cancelled caller does not undo a transaction that has begun.
        """
        loop = asyncio.get_running_loop()
        job = _Job(function, loop.create_future())
        self._waiting.append(job)
        if not self._running:
            if len(self._waiting) >= _MOST:
                self._start(loop)
            elif self._timer is None:
                self._timer = loop.call_later(self._wait, self._start, loop)
        found: T = await job.answer
        return found

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        jobs = [job for job in self._waiting[:_MOST] if not job.answer.cancelled()]
        self._waiting = self._waiting[_MOST:]
        if self._running or not jobs:
            return
        self._running = True
        self._executor.submit(self._perform, loop, jobs)

    def _perform(self, loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
        try:
            self._commit(jobs)
            for job in jobs:
                if job.again:
                    self._commit([job])
        finally:
            loop.call_soon_threadsafe(self._finish, loop, jobs)

    def _commit(self, jobs: list[_Job]) -> None:
        """The jobs in one transaction; where that fails as a whole, it failed for each of them."""
        try:
            with self._transaction() as connection:
                for job in jobs:
                    job.result, job.error, job.again = None, None, False
                    if len(jobs) == 1:
                        job.result = job.function(connection)
                    else:
                        _attempt(connection, job)
        except BaseException as error:  # noqa: BLE001 - it is raised again, for each caller
            for job in jobs:
                job.error = job.error or error
                job.again = False

    def _finish(self, loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
        self._running = False
        for job in jobs:
            if job.answer.cancelled():
                continue
            if job.error is None:
                job.answer.set_result(job.result)
            else:
                job.answer.set_exception(job.error)
        if self._waiting:  # they have waited while this one ran
            self._start(loop)


def _attempt(connection: Connection, job: _Job) -> None:
    """One job in a savepoint; storage that cannot be used ends the whole transaction."""
    # SQLAlchemy's own (`begin_nested`) costs as much as three statements of a poll.
    connection.exec_driver_sql("SAVEPOINT job")
    try:
        job.result = job.function(connection)
    except Exception as error:
        job.again = _went_second(error)
        if isinstance(error, SQLAlchemyError) and trouble.is_trouble(error) and not job.again:
            raise
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
        job.error = error
    connection.exec_driver_sql("RELEASE SAVEPOINT job")


def _went_second(error: Exception) -> bool:
    if not isinstance(error, OperationalError):
        return False
    return getattr(error.orig, "sqlstate", None) in _DEADLOCKS

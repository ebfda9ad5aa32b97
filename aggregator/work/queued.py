"""The engine of `aggregator schedule`: what is due is queued for workers, host by host.

Any number of processes may do so: their looks take turns (`store.sources.turns`), rows that another
has locked are skipped, and jobs are queued in the transaction that found their sources due.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager
from sqlalchemy import Connection

from aggregator.model.errors import StorageTrouble
from aggregator.model.settings import PollingSettings
from aggregator.pipeline.following.queue import reads_pages
from aggregator.pipeline.parts import Parts
from aggregator.store.following import pages
from aggregator.store.sources import claims, subscriptions, turns
from aggregator.telemetry import metrics
from aggregator.work import queue
from aggregator.work.push import Newsdesk, due
from aggregator.work.queue import Queue, Task
from aggregator.work.room import Turn, earn, room

log = structlog.get_logger("aggregator.work")

_KEPT = timedelta(seconds=15)  # that a process looks after the store without saying so again
_AHEAD = 4.0  # seconds of work that wait in the queue; the rest waits in its own rows
_LEAST = 64  # jobs that may wait in any case
_PAGES = 64  # hosts
_TARGETS = 64
_BATCH = timedelta(seconds=20)  # of a host's time in one job
_MOST = 20  # sources in one job
_STALLED = 10.0  # seconds between two looks for jobs of workers that are gone


def batch(polling: PollingSettings) -> int:
    """How many sources of a host one job polls at the most.

    A host whose requests lie further apart than whoever polls would wait gets one job for each.
    """
    if polling.host_gap > claims.PATIENCE:
        return 1
    return _MOST if not polling.host_gap else max(1, min(_MOST, int(_BATCH / polling.host_gap)))


class Queued:
    """Queues what is due until it is stopped."""

    def __init__(self, parts: Parts, jobs: JobManager) -> None:
        """`jobs` are those of a queue that is open as long as this runs."""
        self._parts = parts
        self._jobs = jobs
        self._newsdesk = Newsdesk(parts)
        self._stopping = False
        self._looked = float("-inf")  # for stalled jobs

    async def leads(self) -> bool:
        """Whether this process looks after the store: the first that asks, as long as it asks."""
        now = self._parts.clock.now()
        return await self._parts.database.run_write(turns.keep, self._parts.owner, now, now + _KEPT)

    async def begin_polls(self, now: datetime) -> int:
        """Queue hosts with due sources; returns how many sources they have."""
        if self._stopping:
            return 0
        begun = await self._parts.database.run_write(self._queue_hosts, now)
        await self._look_at_queue()
        return begun

    def _queue_hosts(self, connection: Connection, now: datetime) -> int:
        known = turns.take(connection)
        if known is None:
            return 0
        polling = self._parts.settings.polling
        turn = _earned(_turn(known), polling, now)
        waiting = queue.waiting(connection, Queue.FEEDS)
        turn, most = room(connection, turn, polling, now, _begun(connection, polling))
        ahead = max(_LEAST, int(polling.requests_per_second * _AHEAD))
        most = min(most, ahead - len(waiting))
        found = {}
        if most > 0:
            found = claims.due_hosts(connection, now, most, batch(polling), waiting)
            queue.defer(connection, [
                queue.job(Task.FEEDS, Queue.FEEDS, lock=host, about=host, host=host, most=number)
                for host, number in found.items()
            ])  # fmt: skip
        begun = sum(found.values())
        turns.put(connection, _as_row(replace(turn, tokens=turn.tokens - begun)))
        return begun

    async def _look_at_queue(self) -> None:
        """Count the jobs now and then, and give those of workers that are gone to others."""
        moment = time.monotonic()
        if moment - self._looked < _STALLED:
            return
        self._looked = moment
        depths = await self._parts.database.run_read(queue.depths)
        for (name, state), number in depths.items():
            metrics.JOBS.labels(queue=name, state=state).set(number)
        try:
            found = await queue.retry_stalled(self._jobs)
        except ConnectorException as error:
            log.warning("stalled jobs could not be looked for", error=str(error.__cause__ or error))
            return
        if found:
            metrics.JOBS_STALLED.inc(found)
            log.warning("jobs of workers that are gone are done again", jobs=found)

    async def begin_pages(self) -> int:
        """Queue hosts with pages to be read; returns how many."""
        settings = self._parts.settings
        if self._stopping or not any(reads_pages(one, settings) for one in settings.sources):
            return 0
        return await self._parts.database.run_write(self._queue_pages, self._parts.clock.now())

    def _queue_pages(self, connection: Connection, now: datetime) -> int:
        taken = queue.locks(connection, Queue.ARTICLES)
        wanted = _PAGES - len(taken)
        if wanted <= 0:
            return 0
        return queue.defer(connection, [
            queue.job(Task.ARTICLES, Queue.ARTICLES, lock=host, about=host, host=host)
            for host in pages.due_hosts(connection, now, wanted, taken)
        ])  # fmt: skip

    async def begin_pushes(self) -> int:
        """Find what is news, and queue those who are to be told; returns how many."""
        if self._stopping:
            return 0
        if await self.leads():
            await self._newsdesk.look()
        wanted = [one.id for one in await due(self._parts, _TARGETS)]
        return await self._parts.database.run_write(self._queue_targets, wanted) if wanted else 0

    def _queue_targets(self, connection: Connection, numbers: list[int]) -> int:
        taken = queue.locks(connection, Queue.PUSH)
        jobs = [
            queue.job(Task.PUSH, Queue.PUSH, lock=f"target {number}", about=str(number),
                      number=number)
            for number in numbers
            if f"target {number}" not in taken
        ]  # fmt: skip
        return queue.defer(connection, jobs)

    async def begin_subscriptions(self) -> None:
        """Queue what keeps subscriptions and reads what hubs delivered, where there is any."""
        if not self._parts.settings.service.websub or self._stopping:
            return
        now, database = self._parts.clock.now(), self._parts.database
        asked = await database.run_read(subscriptions.due, now, 1)
        brought = await database.run_read(subscriptions.queued, 1)
        if asked or brought:
            name = "subscriptions"
            job = queue.job(Task.SUBSCRIPTIONS, Queue.PUSH, lock=name, about=name)
            await database.run_write(lambda connection: queue.defer(connection, [job]))

    async def idle(self) -> None:
        """Nothing is polled in this process."""

    async def restored(self) -> None:
        """Nothing of what workers do is kept here."""

    async def stop(self, grace: timedelta) -> None:  # noqa: ARG002
        """Queue nothing more, and let another process look after the store."""
        self._stopping = True
        now = self._parts.clock.now()
        with suppress(StorageTrouble):  # another takes over when ours ends
            await self._parts.database.run_write(turns.leave, self._parts.owner, now)


def _begun(connection: Connection, polling: PollingSettings) -> int:
    """Polls that are queued or under way; asked for only where an hourly cap counts them."""
    return queue.under_way(connection) if polling.requests_per_hour else 0


def _earned(turn: Turn, polling: PollingSettings, now: datetime) -> Turn:
    """The turn with what may be polled since the last look, of at most a second's requests."""
    passed = 1.0 if turn.looked_at is None else (now - turn.looked_at).total_seconds()
    rate = polling.requests_per_second
    return replace(earn(turn, rate * min(1.0, max(0.0, passed)), rate), looked_at=now)


def _turn(row: dict[str, Any]) -> Turn:
    return Turn(
        tokens=float(row.get("tokens", 0.0)),
        looked_at=_moment(row.get("looked_at")),
        probed_at=_moment(row.get("probed_at")),
    )


def _as_row(turn: Turn) -> dict[str, Any]:
    return {
        "tokens": turn.tokens,
        "looked_at": turn.looked_at and turn.looked_at.isoformat(),
        "probed_at": turn.probed_at and turn.probed_at.isoformat(),
    }


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None

"""Jobs for workers, kept by Procrastinate in the tables of the same PostgreSQL database.

A job is a wish: `poll what is due of this host`. What is due, and who has a lease on it, is said by
the rows of sources, pages and targets alone, so a job that is lost, run twice or late does no harm.
https://procrastinate.readthedocs.io/en/stable/discussions.html

- `lock` is the host: no two jobs of a host run at once, and its feeds go before its pages.
- `queueing_lock` is what the job is for: it waits once.
- No job has a time at which it is to run: one that waits for it would hold up all of its lock.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib import resources
from typing import Any, Final

import psycopg
import structlog
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from sqlalchemy import Connection, text

from aggregator.model.errors import OperatorError
from aggregator.store import facts
from aggregator.store.database import Database

log = structlog.get_logger("aggregator.work")

_VERSION = "schema of the queue"  # a fact of the installation
_LOCK_ID = 0x71756575
_FINISHING = 60.0  # seconds in which a job that is done is told to the database
_AGAIN = 1.0
_SILENT = 30.0  # seconds without a heartbeat: the worker is gone
# Longer than any job takes: one that still runs is not known to its worker any more.
_LOST = 900
_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)  # no clock of ours decides when


class Queue(StrEnum):
    """What workers do; each may be asked for some only."""

    FEEDS = "feeds"
    ARTICLES = "articles"
    PUSH = "push"


class Task(StrEnum):
    """What a job calls."""

    FEEDS = "poll feeds of host"
    ARTICLES = "read pages of host"
    PUSH = "tell target"
    SUBSCRIPTIONS = "keep subscriptions"


PRIORITY: Final = {Queue.FEEDS: 10, Queue.PUSH: 5, Queue.ARTICLES: 0}


class PatientJobs(JobManager):
    """Jobs whose end is told to the database again while that cannot be reached.

    Else a worker that goes on living would hold the lock of a job that it has finished.
    """

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self.taken: dict[int, Job] = {}  # whose end was not told yet

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take a job."""
        found = await super().fetch_job(queues, worker_id)
        if found is not None and found.id is not None:
            self.taken[found.id] = found
        return found

    async def drop(self, jobs: Mapping[int, Job]) -> None:
        """End jobs that this process had taken and lost with the database: nobody is at them."""
        for one in jobs.values():
            await self.finish_job(one, Status.FAILED, delete_job=True)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Tell the database that a job has ended."""
        end = asyncio.get_running_loop().time() + _FINISHING
        while True:
            try:
                await super().finish_job(job, status, delete_job)
            except ConnectorException as error:
                if not isinstance(error.__cause__, psycopg.OperationalError):
                    # It is gone: somebody took us for dead, and did the job again.
                    log.info("a job ended that is not ours any more", job=job.id)
                    break
                if asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(_AGAIN)
            else:
                break
        self.taken.pop(job.id or 0, None)


@dataclass(frozen=True, slots=True)
class JobQueue:
    """The queue of a database; open as long as `app` is."""

    app: App
    jobs: PatientJobs


def job_queue(database: Database, *, connections: int) -> JobQueue:
    """The queue in a database, for `async with ….app.open_async()`; `connections` at the most."""
    # What goes wrong is told by whoever works with it; a lost database would be told at length.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connector = PsycopgConnector(
        conninfo=url, min_size=1, max_size=connections, timeout=10, reconnect_timeout=10
    )
    app = App(connector=connector)
    jobs = app.job_manager = PatientJobs(connector)
    return JobQueue(app, jobs)


def job(task: Task, queue: Queue, *, lock: str, about: str, **arguments: Any) -> Job:
    """A job that waits once for each `about`, and runs alone for each `lock`."""
    return Job(
        queue=queue.value,
        priority=PRIORITY[queue],
        lock=lock,
        queueing_lock=f"{task}: {about}",
        task_name=task.value,
        task_kwargs=arguments,
    )


# Deferring in a transaction of ours takes a connector that is not asynchronous; it is never opened.
_DEFERRING = JobManager(SyncPsycopgConnector())


def defer(connection: Connection, jobs: Iterable[Job]) -> int:
    """Queue jobs in the transaction of `connection`; returns how many did not wait already."""
    wanted = list(jobs)
    if not wanted or _tried(connection, wanted):
        return len(wanted)
    return sum(_tried(connection, [one]) for one in wanted)


def _tried(connection: Connection, jobs: list[Job]) -> bool:
    """Queue all or, where one waits already, none: such an error would end the transaction."""
    savepoint = connection.begin_nested()
    try:
        _DEFERRING.batch_defer_jobs(jobs=jobs, connection=connection.connection.driver_connection)
    except AlreadyEnqueued:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


_WAITING = text(
    "SELECT lock, args FROM procrastinate_jobs WHERE queue_name = :queue AND status = 'todo'"
)
_UNDER_WAY = text(
    "SELECT coalesce(sum((args->>'most')::int), 0) FROM procrastinate_jobs "
    "WHERE queue_name = :queue AND status IN ('todo', 'doing')"
)
_LOCKS = text(
    "SELECT lock FROM procrastinate_jobs "
    "WHERE queue_name = :queue AND status IN ('todo', 'doing') AND lock IS NOT NULL"
)


def waiting(connection: Connection, queue: Queue) -> set[str]:
    """The locks of the jobs that wait in a queue."""
    return {row.lock for row in connection.execute(_WAITING, {"queue": queue.value})}


def locks(connection: Connection, queue: Queue) -> set[str]:
    """The locks of the jobs of a queue that wait or run."""
    return set(connection.scalars(_LOCKS, {"queue": queue.value}))


def under_way(connection: Connection) -> int:
    """How many sources the jobs that wait or run may poll."""
    return int(connection.scalar(_UNDER_WAY, {"queue": Queue.FEEDS.value}) or 0)


def depths(connection: Connection) -> dict[tuple[str, str], int]:
    """How many jobs each queue holds, by `(queue, state)`."""
    rows = connection.execute(
        text("SELECT queue_name, status, count(*) FROM procrastinate_jobs GROUP BY 1, 2")
    )
    known = {(row[0], row[1]): row[2] for row in rows}
    return {(q, state): known.get((q, state), 0) for q in Queue for state in ("todo", "doing")}


async def retry_stalled(manager: JobManager) -> int:
    """Let the jobs of workers that are gone be done by others; returns how many.

    After `kill -9` a job stays locked, and its host with it, until it is retried. A job for which
    another waits already ends instead: only one of them may wait.
    """
    found = [*await manager.get_stalled_jobs(seconds_since_heartbeat=_SILENT)]
    found += await _lost(manager)
    for one in {stalled.id: stalled for stalled in found}.values():
        try:
            await manager.retry_job(one, retry_at=_AT_ONCE)
        except UniqueViolation:
            await manager.finish_job(one, Status.FAILED, delete_job=True)
        except ConnectorException as error:
            if isinstance(error.__cause__, psycopg.OperationalError):
                raise
            log.info("a job ended after all", job=one.id)
    if found:
        await manager.prune_stalled_workers(_SILENT)
    return len(found)


async def _lost(manager: JobManager) -> list[Job]:
    """Jobs that a living worker does not run any more: it could not tell how they ended."""
    rows = await manager.connector.execute_query_all_async(
        "SELECT job.*, job.queue_name FROM procrastinate_jobs job WHERE job.status = 'doing' "
        "AND (SELECT max(at) FROM procrastinate_events e WHERE e.job_id = job.id "
        "AND e.type = 'started') < now() - make_interval(secs => %(seconds)s)",
        seconds=_LOST,
    )
    return [Job.from_row(row) for row in rows]


def prepare(connection: Connection) -> None:
    """Make the queue's tables, or bring them to the installed version of Procrastinate.

    Raises `OperatorError` where they were made by a newer one.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK_ID})
    scripts = _scripts()
    newest = max(scripts, default="")
    known = facts.fact(connection, _VERSION)
    if known is not None and known > newest:
        raise OperatorError(
            f"the queue's tables are of a newer version of procrastinate ({known}): "
            "upgrade newsroom-aggregator[cluster]"
        )
    raw = connection.connection.driver_connection
    if raw is None:  # pragma: no cover - SQLAlchemy's type allows it
        raise OperatorError("the database has no connection")
    if known is None and not _is_there(connection):
        raw.execute((resources.files("procrastinate.sql") / "schema.sql").read_text("utf-8"))
    else:
        for name in sorted(name for name in scripts if known is not None and name > known):
            raw.execute(scripts[name])
    if known != newest:
        facts.set_fact(connection, _VERSION, newest)


def is_prepared(connection: Connection) -> bool:
    """Whether the queue's tables are those of the installed version."""
    return facts.fact(connection, _VERSION) == max(_scripts(), default="")


def _is_there(connection: Connection) -> bool:
    return connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is not None


def _scripts() -> dict[str, str]:
    """Procrastinate's migrations by their names, which sort by version."""
    folder = resources.files("procrastinate.sql.migrations")
    return {
        one.name: one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".sql")
    }

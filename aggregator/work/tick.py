"""The tick: once a second, an engine looks in the database for sources that are due.

APScheduler runs one tick and the maintenance jobs, never one job a source: what is due is a
question to the database, so a restart, a second process or a changed file change nothing here.
Of several processes that tick on one store, one looks after it (`Engine.leads`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from aggregator.model.errors import StorageTrouble
from aggregator.model.states import HealthKind
from aggregator.pipeline.budgets import hour_cap, outage
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.pushing.health import Trouble, Watch
from aggregator.pipeline.showing import counting
from aggregator.pipeline.showing.pages import Condition
from aggregator.pipeline.upkeep import maintain
from aggregator.pipeline.upkeep.words import index_words
from aggregator.store import transfer
from aggregator.store.sources import claims, clock
from aggregator.telemetry import metrics
from aggregator.work.clock import ClockWatch
from aggregator.work.engine import Engine
from aggregator.work.here import Here
from aggregator.work.push import tidy

log = structlog.get_logger("aggregator.work")

_TICK = timedelta(seconds=1)
_MAINTENANCE = timedelta(hours=1)
_SUBSCRIPTIONS = timedelta(seconds=2)
_HEALTH = timedelta(seconds=20)
_NEWS = timedelta(seconds=2)  # from a change of a view to the first delivery of it
_INDEX = timedelta(seconds=30)
_FIRST_INDEX = timedelta(seconds=5)
_FIRST_COUNT = timedelta(minutes=2)
_ADDING_UP = timedelta(minutes=5)  # change rows of views are few in between
_HOURS = timedelta(minutes=5)
_FIRST_HOURS = timedelta(seconds=15)
_WAITING = timedelta(minutes=20)  # between two looks for what waits to be shown
_SETTLE = timedelta(minutes=10)
_FIRST_SETTLE = timedelta(seconds=20)
_LATE = timedelta(minutes=1)  # overdue by more than this: we were away
_TELL = timedelta(minutes=1)  # between two lines of a trouble
_AWAY = timedelta(hours=2)  # without a tick: what sources list has to be read anew
_PROBE = 30.0  # seconds between two tries of a write while all is well
_PROBE_SOON = 3.0  # and while it is not
_SET = timedelta(seconds=2)  # a job that is further away than its interval by more: a step


class Ticker:
    """Polls what is due until it is stopped."""

    def __init__(self, parts: Parts, condition: Condition, engine: Engine | None = None) -> None:
        """`engine` has the work done; without one it is done in this process."""
        self._parts = parts
        self._condition = condition
        self._stopping = False
        self._written = float("-inf")  # monotonic: when a write was tried last
        self._told_at = float("-inf")  # when trouble was told last
        self.engine = engine or Here(parts, self._trouble, every=_TICK.total_seconds())
        self._clock = ClockWatch(parts, self._clock_trouble, self.engine.leads)
        self._time: asyncio.Task[None] | None = None
        self._looked_at: float | None = None  # `Clock.elapsed`, for pauses of ours
        self._back_at = float("-inf")  # `Clock.elapsed`: when we were there again after a pause
        self._watch = Watch(parts)
        self._troubles: dict[HealthKind, Trouble] = {}  # of ours, not told in the health feed yet
        # A tick that waits for a lock would be told every second.
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Start ticking on the running event loop."""
        now = self._parts.clock.now()
        engine = self.engine
        self._add(self.tick, _TICK)
        self._add(engine.begin_pages, _TICK)
        self._add(engine.begin_pushes, _NEWS)
        self._add(engine.begin_subscriptions, _SUBSCRIPTIONS)
        self._scheduler.add_job(
            self._guarded(self._looking_after(self._return)), "date", run_date=now
        )
        for job, every, first in (
            (self._settle, _SETTLE, _FIRST_SETTLE),
            (self._index, _INDEX, _FIRST_INDEX),
            (self._look_at_health, _HEALTH, _HEALTH),
            (self._maintain, _MAINTENANCE, _MAINTENANCE),
            (self._count, _MAINTENANCE, _FIRST_COUNT),
            (self._count_hours, _HOURS, _FIRST_HOURS),
            (self._add_up, _ADDING_UP, _ADDING_UP),
            (self._show_waiting, _WAITING, _WAITING),
        ):
            self._add(self._looking_after(job), every, now + first)
        self._scheduler.start()
        self._time = asyncio.create_task(self._keep_time(), name="keep time")

    def _add(
        self, job: Callable[[], Awaitable[object]], every: timedelta, first: datetime | None = None
    ) -> None:
        when = {} if first is None else {"next_run_time": first}
        self._scheduler.add_job(
            self._guarded(job), "interval", seconds=every.total_seconds(), **when
        )

    async def tick(self) -> int:
        """Begin to poll what is due; returns how many polls were begun."""
        now = self._parts.clock.now()
        self._notice_pause()
        begun = await self._begin_due(now)
        self._condition.ticked = self._parts.clock.elapsed()
        metrics.LAST_TICK.set(now.timestamp())
        return begun

    async def _begin_due(self, now: datetime) -> int:
        if self._stopping or not await self._can_write(now) or not await self._clock.is_right():
            return 0
        return 0 if self._stopping else await self.engine.begin_polls(now)

    async def _can_write(self, now: datetime) -> bool:
        """Whether storage can be written, tried now and then; while it cannot, nothing is done."""
        troubled = self._condition.storage is not None
        moment = time.monotonic()
        if moment - self._written >= (_PROBE_SOON if troubled else _PROBE):
            self._written = moment
            try:
                await transfer.probe(self._parts.database, now.isoformat())
                await self.engine.restored()
            except StorageTrouble as error:
                self._trouble(error)
            else:
                if troubled:
                    log.info("storage can be written again: polling goes on")
                self._condition.storage = None
                metrics.STORAGE_TROUBLE.set(0)
        elif troubled:
            metrics.STORAGE_TROUBLE.set(1)
        return self._condition.storage is None

    def _trouble(self, error: StorageTrouble) -> None:
        """Pause, and say why once a minute."""
        self._condition.storage = str(error)
        self._remember(HealthKind.STORAGE_DOWN, str(error))
        metrics.STORAGE_TROUBLE.set(1)
        self._warn(f"storage cannot be written, polling waits: {error}")

    def _remember(self, kind: HealthKind, why: str) -> None:
        self._troubles.setdefault(kind, Trouble(kind, self._parts.clock.now(), why))

    async def _look_at_health(self) -> None:
        """Keep what became of sources, and of ourselves: this is not run while we have trouble."""
        over = dict(self._troubles)
        await self._watch.look(over.values())
        for kind in over:
            del self._troubles[kind]

    def _warn(self, said: str) -> None:
        moment = time.monotonic()
        if moment - self._told_at >= _TELL.total_seconds():
            self._told_at = moment
            log.error(said)

    def _clock_trouble(self, said: str | None) -> None:
        """What is wrong with the clock, or nothing: polling waits while it is."""
        self._condition.clock = said
        metrics.CLOCK_TROUBLE.set(said is not None)
        if said is not None:
            self._remember(HealthKind.CLOCK_WRONG, said)
            self._warn(f"{said}: polling waits; set the clock, or “polling.trust_clock: yes”")

    async def _keep_time(self) -> None:
        """Let no job be further away than its interval is long.

        APScheduler goes by the wall clock: where that is set back by three days, no job would
        come for as long.
        """
        while True:
            await asyncio.sleep(_TICK.total_seconds())
            now = self._parts.clock.now()
            for job in self._scheduler.get_jobs():
                every = getattr(job.trigger, "interval", timedelta(0))
                if every and job.next_run_time > now + every + _SET:
                    with suppress(JobLookupError):
                        job.modify(next_run_time=now + every)

    async def _settle(self) -> None:
        """What all plans add up to, and the slowdown that the cap asks for."""
        database, polling = self._parts.database, self._parts.settings.polling
        planned = await database.run_read(hour_cap.planned_per_hour)  # long, so not in a write
        factor = await database.run_write(hour_cap.settle, polling, planned)
        if factor > 1.0:
            log.info("the hourly cap slows polling down", factor=round(factor, 2))

    async def _return(self) -> None:
        """After a pause of ours the overdue go one after the other, not all at once."""
        late = await self._parts.database.run_write(
            claims.spread_overdue, self._parts.clock.now(), _LATE, outage.RETURN
        )
        if late:
            log.info("overdue sources are spread over the next minutes", sources=late)

    async def _index(self) -> None:
        """What came since the last time is found by its words from now on."""
        if not self._stopping:
            await index_words(self._parts, stopping=lambda: self._stopping)

    async def _count(self) -> None:
        """What no request counts: exact numbers of items."""
        await counting.count(self._parts)

    async def _count_hours(self) -> None:
        """What was asked and found in the last hours."""
        await counting.count_hours(self._parts)

    async def _add_up(self) -> None:
        await maintain.tidy_views(self._parts)

    async def _show_waiting(self) -> None:
        await maintain.show_waiting(self._parts)

    def _notice_pause(self) -> float:
        """Seconds since we were there again after a pause, as where the machine slept."""
        looked, self._looked_at = self._looked_at, self._parts.clock.elapsed()
        if looked is not None and self._looked_at - looked > _AWAY.total_seconds():
            self._back_at = self._looked_at
        return self._looked_at - self._back_at

    async def _maintain(self) -> None:
        if self._notice_pause() < _MAINTENANCE.total_seconds():
            log.info("nothing is forgotten before sources were polled again after a pause of ours")
            return
        if not await self._parts.database.run_read(clock.settled, self._parts.clock.now()):
            log.info("nothing is forgotten within an hour of a change of the clock")
            return
        await tidy(self._parts)
        gone = await maintain.purge(self._parts)
        if gone:
            log.info("texts forgotten", items=gone)

    def _looking_after(self, job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        """A job that one of several processes does for all."""

        async def run() -> None:
            if not self._stopping and await self.engine.leads():
                await job()

        run.__name__ = getattr(job, "__name__", "job")
        return run

    def _guarded(self, job: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            own = job == self.tick  # it finds out when trouble is over
            if not own and (self._condition.storage or self._condition.clock):
                return
            try:
                if not own:
                    await self._clock.notice_step()
                await job()
            except StorageTrouble as error:
                self._trouble(error)
            except asyncio.CancelledError:
                if not self._stopping:
                    raise
            except Exception:
                log.exception("a scheduled job failed", job=getattr(job, "__name__", "job"))

        return run

    async def stop(self, grace: timedelta) -> None:
        """Begin no more; let the engine end what is under way within `grace`."""
        self._stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._time is not None:
            self._time.cancel()
        await self._clock.stop()
        await self.engine.stop(grace)

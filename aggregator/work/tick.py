"""The tick: once a second, due sources are claimed from the database and polled.

APScheduler runs one tick and the maintenance jobs, never one job a source: what is due is a
question to the database, so a restart, a second process or a changed file change nothing here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import Connection

from aggregator.model.errors import StorageTrouble
from aggregator.model.item import FeedState, PollRecord
from aggregator.model.settings import SourceSettings
from aggregator.model.states import HealthKind
from aggregator.pipeline import policy
from aggregator.pipeline.budgets import hour_cap, outage
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import websub
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.polling.pushes import read_pushes
from aggregator.pipeline.pushing.health import Trouble, Watch
from aggregator.pipeline.secrets import hide
from aggregator.pipeline.showing import counting
from aggregator.pipeline.showing.pages import Condition
from aggregator.pipeline.upkeep import maintain
from aggregator.pipeline.upkeep.words import index_words
from aggregator.store import transfer
from aggregator.store.sources import claims, clock, states
from aggregator.telemetry import metrics
from aggregator.work.clock import ClockWatch
from aggregator.work.follow import PageReader
from aggregator.work.push import Pusher

log = structlog.get_logger("aggregator.work")

_TICK_SECONDS = 1.0
_MAINTENANCE = timedelta(hours=1)
_PUSHES = timedelta(seconds=2)
_HEALTH = timedelta(seconds=20)
_NEWS = timedelta(seconds=2)  # from a change of a view to the first delivery of it
_INDEX = timedelta(seconds=30)
_FIRST_INDEX = timedelta(seconds=5)
_FIRST_COUNT = timedelta(minutes=2)
_ADDING_UP = timedelta(minutes=5)  # change rows of views are few in between
_HOURS = timedelta(minutes=5)
_FIRST_HOURS = timedelta(seconds=15)
_SETTLE = timedelta(minutes=10)
_FIRST_SETTLE = timedelta(seconds=20)
_LATE = timedelta(minutes=1)  # overdue by more than this: we were away
_BACK_OFF = timedelta(minutes=5)  # after an error of ours
_TELL = timedelta(minutes=1)  # between two lines of a trouble
_PROBE = 30.0  # seconds between two tries of a write while all is well
_PROBE_SOON = 3.0  # and while it is not
_SET = timedelta(seconds=2)  # a wall clock that moves by more was set


class Ticker:
    """Polls what is due until it is stopped."""

    def __init__(self, parts: Parts, condition: Condition) -> None:
        self._parts = parts
        self._condition = condition
        self._running: set[asyncio.Task[None]] = set()
        self._tokens = 0.0
        self._stopping = False
        self._probed_at: datetime | None = None
        self._written = float("-inf")  # monotonic: when a write was tried last
        self._told_at = float("-inf")  # when trouble was told last
        self._clock = ClockWatch(parts, self._clock_trouble)
        self._time: asyncio.Task[None] | None = None
        self._left: list[claims.Claim] = []  # leases that could not be given back
        self._pages = PageReader(parts)
        self._pusher = Pusher(parts)
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
        now = datetime.now(UTC)
        self._scheduler.add_job(self._guarded(self._return), "date", run_date=now)
        self._scheduler.add_job(
            self._guarded(self._settle),
            "interval",
            seconds=_SETTLE.total_seconds(),
            next_run_time=now + _FIRST_SETTLE,
        )
        self._scheduler.add_job(
            self._guarded(self._pushes), "interval", seconds=_PUSHES.total_seconds()
        )
        self._scheduler.add_job(
            self._guarded(self._index), "interval", seconds=_INDEX.total_seconds(),
            next_run_time=now + _FIRST_INDEX,
        )  # fmt: skip
        self._scheduler.add_job(
            self._guarded(self._pusher.tick), "interval", seconds=_NEWS.total_seconds()
        )
        self._scheduler.add_job(
            self._guarded(self._look_at_health), "interval", seconds=_HEALTH.total_seconds()
        )
        self._scheduler.add_job(self._guarded(self.tick), "interval", seconds=_TICK_SECONDS)
        self._scheduler.add_job(self._guarded(self._pages.tick), "interval", seconds=_TICK_SECONDS)
        self._scheduler.add_job(
            self._guarded(self._maintain), "interval", seconds=_MAINTENANCE.total_seconds()
        )
        self._scheduler.add_job(
            self._guarded(self._count),
            "interval",
            seconds=_MAINTENANCE.total_seconds(),
            next_run_time=now + _FIRST_COUNT,
        )
        self._scheduler.add_job(
            self._guarded(self._add_up), "interval", seconds=_ADDING_UP.total_seconds()
        )
        self._scheduler.add_job(
            self._guarded(self._count_hours), "interval", seconds=_HOURS.total_seconds(),
            next_run_time=now + _FIRST_HOURS,
        )  # fmt: skip
        self._scheduler.start()
        self._time = asyncio.create_task(self._keep_time(), name="keep time")

    async def tick(self) -> int:
        """Claim what is due and start polling it; returns how many polls were started."""
        now = self._parts.clock.now()
        started = await self._start_due(now)
        self._condition.ticked = self._parts.clock.elapsed()
        metrics.LAST_TICK.set(now.timestamp())
        return started

    async def _start_due(self, now: datetime) -> int:
        polling = self._parts.settings.polling
        if self._stopping or not await self._can_write(now) or not await self._clock.is_right():
            return 0
        # A bucket of one second's requests: a backlog is worked off evenly, never in one burst.
        rate = polling.requests_per_second * _TICK_SECONDS
        self._tokens = min(self._tokens + rate, max(rate, 1.0))
        room = min(polling.concurrency - len(self._running), int(self._tokens))
        if self._stopping or room <= 0:
            return 0
        leased = await self._parts.database.run_write(self._claim, now, room)
        self._tokens -= len(leased)
        known = {source.id: source for source in self._parts.settings.sources} if leased else {}
        for claim, state in leased:
            source = known.get(claim.source_id)
            if source is None or not source.enabled:
                await self._parts.database.run_write(claims.release, claim)
                continue
            task = asyncio.create_task(self._poll(source, claim, state), name=f"poll {source.id}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            metrics.IN_FLIGHT.set(len(self._running))
        return len(leased)

    async def _can_write(self, now: datetime) -> bool:
        """Whether storage can be written, tried now and then; while it cannot, nothing is done."""
        troubled = self._condition.storage is not None
        moment = time.monotonic()
        if moment - self._written >= (_PROBE_SOON if troubled else _PROBE):
            self._written = moment
            try:
                await transfer.probe(self._parts.database, now.isoformat())
                await self._give_back()
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

    async def _give_back(self) -> None:
        while self._left:
            await self._parts.database.run_write(claims.release, self._left[-1])
            self._left.pop()

    def _clock_trouble(self, said: str | None) -> None:
        """What is wrong with the clock, or nothing: polling waits while it is."""
        self._condition.clock = said
        metrics.CLOCK_TROUBLE.set(said is not None)
        if said is not None:
            self._remember(HealthKind.CLOCK_WRONG, said)
            self._warn(f"{said}: polling waits; set the clock, or “polling.trust_clock: yes”")

    async def _keep_time(self) -> None:
        """Let jobs come by the time that passes, which APScheduler tells by the wall clock.

        Where that is set back by three days, no job would run for as long.
        """
        clock = self._parts.clock
        shown, passed = clock.now(), clock.elapsed()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            now, elapsed = clock.now(), clock.elapsed()
            moved = now - shown - timedelta(seconds=elapsed - passed)
            shown, passed = now, elapsed
            if abs(moved) > _SET:
                for job in self._scheduler.get_jobs():
                    with suppress(JobLookupError):  # one that ran meanwhile for the last time
                        job.modify(next_run_time=job.next_run_time + moved)

    async def _pushes(self) -> None:
        """Subscribe, renew, and read what hubs delivered."""
        if not self._parts.settings.service.websub or self._stopping:
            return
        await websub.keep_up(self._parts)
        await read_pushes(self._parts)

    def _claim(
        self, connection: Connection, now: datetime, room: int
    ) -> list[tuple[claims.Claim, FeedState]]:
        """Claim within what our own network and the hourly cap allow; with the feeds' states."""
        polling = self._parts.settings.polling
        if outage.since(connection) is not None:
            metrics.OWN_OUTAGE.set(1)
            if self._probed_at is not None and now - self._probed_at < outage.PROBE_EVERY:
                return []
            self._probed_at = now
            room = min(room, outage.PROBES)
        under = hour_cap.room_under_cap(connection, polling.requests_per_hour, now)
        room = room if under is None else min(room, under - len(self._running))
        if room <= 0:
            return []
        leased = claims.claim_due(
            connection, now, room, self._parts.owner, policy.lease(self._parts.settings),
            one_a_host=bool(polling.host_gap),
        )  # fmt: skip
        remembered = states.states_of(connection, [claim.source_id for claim in leased])
        return [(claim, remembered[claim.source_id]) for claim in leased]

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

    async def _poll(self, source: SourceSettings, claim: claims.Claim, state: FeedState) -> None:
        with metrics.POLL_SECONDS.time():
            try:
                await poll_guarded(self._parts, source, claim, state)
            except StorageTrouble as error:
                self._left.append(claim)
                self._trouble(error)
        metrics.IN_FLIGHT.set(max(0, len(self._running) - 1))

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

    async def _maintain(self) -> None:
        if not await self._parts.database.run_read(clock.settled, self._parts.clock.now()):
            log.info("nothing is forgotten within an hour of a change of the clock")
            return
        await self._pusher.tidy()
        gone = await maintain.purge(self._parts)
        if gone:
            log.info("texts forgotten", items=gone)

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
        """Take no more work, let polls in flight end within `grace`, cut the rest off.

        What is cut off has stored nothing of its last batch: it is done again after the start.
        """
        self._stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._time is not None:
            self._time.cancel()
        await self._clock.stop()
        pages = asyncio.create_task(self._pages.stop(grace))
        pushes = asyncio.create_task(self._pusher.stop(grace))
        if self._running:
            _, left = await asyncio.wait(self._running, timeout=grace.total_seconds())
            for task in left:
                task.cancel()
            for task in left:
                with suppress(asyncio.CancelledError):
                    await task
        await pages
        await pushes


async def poll_guarded(
    parts: Parts, source: SourceSettings, claim: claims.Claim, state: FeedState | None = None
) -> PollRecord | None:
    """Poll a source; an error of ours is logged whole and the source tried again later.

    Raises StorageTrouble when nothing can be stored.
    """
    try:
        return await poll_source(parts, source, claim, state)
    except StorageTrouble:
        raise
    except Exception as error:
        log.exception("polling failed inside", source=source.id)
        later = parts.clock.now() + _BACK_OFF
        await parts.database.run_write(
            claims.postpone,
            claim,
            later,
            "internal-error",
            hide(f"an error of ours: {error}"[:500], source) or "",
        )
        return None

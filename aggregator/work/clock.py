"""Watches the machine's clock: steps are noticed, and a clock that cannot be right is waited for.

Where something is stored that is later than now, either that or the clock is wrong. Servers say
which; where none says, it counts that the clock was set back while we ran, or that the log of polls
is torn. Without a sign polling waits until the clock is set, or the operator trusts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog

from aggregator.model.errors import StorageTrouble
from aggregator.pipeline import policy
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.upkeep.servers_time import servers_ahead
from aggregator.schedule.clock import BUILT, SLACK, doubt, step
from aggregator.store.sources import clock

log = structlog.get_logger("aggregator.work")

_CHECK = 60.0  # seconds between two looks at stored times
_ASK_AGAIN = 15.0  # seconds until servers are asked a second time; doubled each time
_ASK_RARELY = 3600.0  # and at most


class ClockWatch:
    """Looks at the clock at every tick. `tell` is given what is wrong, or None.

    What is stored is put right by the one process that looks after the store (`leads`).
    """

    def __init__(
        self,
        parts: Parts,
        tell: Callable[[str | None], None],
        leads: Callable[[], Awaitable[bool]],
    ) -> None:
        self._parts = parts
        self._tell = tell
        self._leads = leads
        self._lock = asyncio.Lock()
        self._looked: tuple[datetime, float] | None = None  # both clocks at the last look
        self._checked = float("-inf")
        self._set_back = False  # since stored times were found to be right last
        self._asking: asyncio.Task[timedelta | None] | None = None
        self._ask_at = float("-inf")
        self._ask_after = _ASK_AGAIN
        self._servers: str | None = None  # what servers said last

    async def notice_step(self) -> None:
        """Notice that the clock was set since the last look, before anything counts in days."""
        async with self._lock:
            now, elapsed = self._parts.clock.now(), self._parts.clock.elapsed()
            looked, self._looked = self._looked, (now, elapsed)
            if looked is None:
                return
            moved = step(looked[0], now, timedelta(seconds=elapsed - looked[1]))
            if not moved:
                return
            try:
                await self._stepped(now, moved)
            except StorageTrouble:
                self._looked = looked  # it is noticed again when it can be noted
                raise

    async def _stepped(self, now: datetime, moved: timedelta) -> None:
        database = self._parts.database
        self._set_back = self._set_back or moved < timedelta(0)
        if not await self._leads():
            log.warning("the clock was set", by=str(moved))
        elif moved < timedelta(0):
            furthest = policy.furthest(self._parts.settings)
            plans = await database.run_write(clock.keep_distances, now, moved, furthest)
            log.warning("the clock was set back", by=str(-moved), plans_moved=plans)
        else:
            await database.run_write(clock.note_step, now)
            log.warning("the clock was set forward", by=str(moved))
        self._checked = float("-inf")
        self._settled()

    async def is_right(self) -> bool:
        """Whether polling may go on; brings back what a wrong clock left behind."""
        await self.notice_step()
        now, elapsed = self._parts.clock.now(), self._parts.clock.elapsed()
        trusted = self._parts.settings.polling.trust_clock
        if not trusted and now < BUILT:
            self._tell(doubt(now, None))
            return False
        if elapsed - self._checked >= _CHECK:
            newest = await self._parts.database.run_read(clock.newest)
            said = None if trusted else doubt(now, newest)
            if said is not None and not await self._is_believed(now, elapsed):
                servers = f"; servers say that it is {self._servers}" if self._servers else ""
                self._tell(f"{said}{servers}")
                return False
            self._settled()
            self._set_back = False
            self._checked = elapsed
            if await self._leads():
                await self._bring_back(now)
        self._tell(None)
        return True

    async def _bring_back(self, now: datetime) -> None:
        furthest = policy.furthest(self._parts.settings)
        brought = await self._parts.database.run_write(clock.bring_back, now, furthest)
        if brought:
            log.warning("times later than they can be were brought back", **asdict(brought))

    async def _is_believed(self, now: datetime, elapsed: float) -> bool:
        """Whether the clock is believed rather than later times that are stored."""
        if self._asking is None:
            if elapsed >= self._ask_at:
                self._ask_at = elapsed + self._ask_after
                self._ask_after = min(2 * self._ask_after, _ASK_RARELY)
                self._asking = asyncio.create_task(servers_ahead(self._parts), name="ask the time")
            return False
        if not self._asking.done():
            return False
        asked, self._asking = self._asking, None
        ahead = asked.result()
        if ahead is None:
            return self._set_back or await self._parts.database.run_read(clock.is_log_torn, now)
        self._servers = f"{now + ahead:%Y-%m-%d %H:%M}"
        return ahead <= SLACK

    def _settled(self) -> None:
        """What servers said was of another clock."""
        if self._asking is not None:
            self._asking.cancel()
        self._asking = self._servers = None
        self._ask_at, self._ask_after = float("-inf"), _ASK_AGAIN

    async def stop(self) -> None:
        """Ask nobody any more."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError, StorageTrouble):
                await self._asking

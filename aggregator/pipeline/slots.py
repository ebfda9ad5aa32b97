"""Host slots backed by rows: the running service and a command beside it keep one budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from aggregator.model.http import HostBusy, RequestKind, Slot
from aggregator.model.settings import PollingSettings
from aggregator.store import hosts
from aggregator.store.database import Database
from aggregator.telemetry.clock import Clock

_SHORT = timedelta(milliseconds=50)


class DatabaseSlots:
    """One request in flight a host, and a gap between requests; `HostBusy` when the wait is long.

    With a gap of zero the budget is switched off (demo, bench): only blocks of a host still hold.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        owner: str,
        polling: Callable[[], PollingSettings],
        *,
        patience: timedelta = timedelta(seconds=3),
    ) -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._polling = polling
        self._patience = patience
        self._numbers = count(1)

    async def acquire(self, host: str, kind: RequestKind) -> Slot:
        """Wait up to `patience` for the host's turn; raise `HostBusy` when it would be later."""
        slot = Slot(host=host, address=None, owner=f"{self._owner}/{next(self._numbers)}")
        if not self._gap(kind):
            return await self._unless_blocked(slot)
        deadline = self._clock.now() + self._patience
        while True:
            now = self._clock.now()
            lease = self._polling().lease
            taken, again_at, why = await self._database.run_write(
                hosts.take_slot, host, slot.owner, now, lease
            )
            if taken:
                return slot
            if why == "busy":  # given back whenever that request ends, long before its lease does
                again_at = min(again_at, now + timedelta(milliseconds=250))
            if again_at > deadline:
                raise HostBusy(host, max(again_at, now + self._gap(kind)), why)
            await asyncio.sleep(max(_SHORT, again_at - now).total_seconds())

    async def _unless_blocked(self, slot: Slot) -> Slot:
        now = self._clock.now()
        block = await self._database.run_read(hosts.blocked, slot.host, now)
        if block is not None:
            raise HostBusy(slot.host, *block)
        return slot

    async def release(self, slot: Slot) -> None:
        """Give the slot back; the gap starts now."""
        gap = max(self._gap(RequestKind.FEED), timedelta(0))
        if not gap:
            return
        await self._database.run_write(
            hosts.give_slot, slot.host, slot.owner, self._clock.now() + gap
        )

    def _gap(self, kind: RequestKind) -> timedelta:
        polling = self._polling()
        if not polling.host_gap:
            return timedelta(0)
        slow = kind in (RequestKind.ARTICLE, RequestKind.ROBOTS)
        return polling.article_gap if slow else polling.host_gap


class LocalSlots:
    """Host budgets within one process, for commands that open no database."""

    def __init__(self, clock: Clock, feed_gap: timedelta, article_gap: timedelta) -> None:
        self._clock = clock
        self._feed_gap = feed_gap
        self._article_gap = article_gap
        self._locks: dict[str, asyncio.Lock] = {}
        self._next: dict[str, datetime] = {}

    async def acquire(self, host: str, kind: RequestKind) -> Slot:
        """Wait for the host's turn, however long."""
        lock = self._locks.setdefault(host, asyncio.Lock())
        await lock.acquire()
        try:
            wait = self._next.get(host, self._clock.now()) - self._clock.now()
            await asyncio.sleep(max(0.0, wait.total_seconds()))
        except BaseException:
            lock.release()
            raise
        gap = self._feed_gap if kind is RequestKind.FEED else self._article_gap
        self._next[host] = self._clock.now() + gap
        return Slot(host=host, address=None, owner="command")

    async def release(self, slot: Slot) -> None:
        """Give the slot back."""
        self._locks[slot.host].release()

"""Host slots backed by rows: the running service and a command beside it keep one budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import Connection

from aggregator.model.http import HostBusy, RequestKind, Slot
from aggregator.model.settings import PollingSettings
from aggregator.model.states import Held
from aggregator.store.database import Database
from aggregator.store.sources import hosts
from aggregator.telemetry import metrics
from aggregator.telemetry.clock import Clock

_SHORT = timedelta(milliseconds=50)
_SOON = timedelta(seconds=10)  # when somebody else holds the slot
_MOMENTARY = frozenset({Held.BUSY, Held.ADDRESS, Held.FEEDS_FIRST})
_PAGES = frozenset({RequestKind.ARTICLE, RequestKind.ROBOTS, RequestKind.PICTURE})


class DatabaseSlots:
    """Few requests in flight for a host and an address, and a gap between the starts.

    `HostBusy` when the wait would be long. With a gap of zero the budget is switched off (demo,
    bench): only blocks of a host still hold.
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

    async def acquire(
        self,
        host: str,
        kind: RequestKind,
        *,
        address: str | None = None,
        gap: timedelta | None = None,
    ) -> Slot:
        """Wait up to `patience` for the host's turn; raise `HostBusy` when it would be later."""
        slot = Slot(host, address, f"{self._owner}/{next(self._numbers)}", kind)
        polling = self._polling()
        if not polling.host_gap:
            return await self._unless_blocked(slot)
        page_gap = None
        if kind in _PAGES:
            usual = polling.host_gap if kind is RequestKind.PICTURE else polling.article_gap
            page_gap = max(usual, gap or timedelta(0)) or polling.host_gap
        deadline = self._clock.now() + self._patience
        while True:
            now = self._clock.now()
            refusal = await self._database.run_together(
                _take, slot, now, polling.lease, polling.host_gap, page_gap
            )
            if refusal is None:
                return slot
            again_at = retry_at = refusal.again_at
            if refusal.why in _MOMENTARY:  # given back long before its lease
                again_at = min(again_at, now + timedelta(milliseconds=250))
                retry_at = now + _SOON
            if again_at > deadline:
                metrics.SLOTS_REFUSED.labels(why=refusal.why).inc()
                retry_at = max(retry_at, now + polling.host_gap)
                raise HostBusy(host, retry_at, refusal.why, refusal.detail)
            await asyncio.sleep(max(_SHORT, again_at - now).total_seconds())

    async def _unless_blocked(self, slot: Slot) -> Slot:
        now = self._clock.now()
        block = await self._database.run_together(hosts.blocked, slot.host, now)
        if block is not None:
            raise HostBusy(slot.host, block.again_at, block.why, block.detail)
        return slot

    async def release(self, slot: Slot) -> None:
        """Give the slot back. The gap runs from the start of the request, and once more from its
        end: a host that is slow to answer gets a rest too."""
        gap = self._polling().host_gap
        if gap:
            await self._database.run_together(
                hosts.give_slot, slot.host, slot.owner, self._clock.now() + gap
            )


def _take(
    connection: Connection,
    slot: Slot,
    now: datetime,
    lease: timedelta,
    gap: timedelta,
    page_gap: timedelta | None,
) -> hosts.Refusal | None:
    return hosts.take_slot(
        connection, slot.host, slot.owner, now, lease,
        address=slot.address, gap=gap, page_gap=page_gap,
    )  # fmt: skip


class LocalSlots:
    """Host budgets within one process, for commands that open no database."""

    def __init__(self, clock: Clock, feed_gap: timedelta, article_gap: timedelta) -> None:
        self._clock = clock
        self._feed_gap = feed_gap
        self._article_gap = article_gap
        self._locks: dict[str, asyncio.Lock] = {}
        self._next: dict[str, datetime] = {}

    async def acquire(
        self,
        host: str,
        kind: RequestKind,
        *,
        address: str | None = None,
        gap: timedelta | None = None,
    ) -> Slot:
        """Wait for the host's turn, however long."""
        lock = self._locks.setdefault(host, asyncio.Lock())
        await lock.acquire()
        try:
            wait = self._next.get(host, self._clock.now()) - self._clock.now()
            await asyncio.sleep(max(0.0, wait.total_seconds()))
        except BaseException:
            lock.release()
            raise
        least = self._article_gap if kind in _PAGES else self._feed_gap
        self._next[host] = self._clock.now() + max(least, gap or timedelta(0))
        return Slot(host, address, "command", kind)

    async def release(self, slot: Slot) -> None:
        """Give the slot back."""
        self._locks[slot.host].release()

"""The engine of `aggregator run`: all that is due is done in this process, as tasks of its loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.errors import StorageTrouble
from aggregator.model.item import FeedState
from aggregator.pipeline import policy
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import websub
from aggregator.pipeline.polling.pushes import read_pushes
from aggregator.store.sources import claims, states
from aggregator.telemetry import metrics
from aggregator.work.follow import PageReader
from aggregator.work.polls import Polls
from aggregator.work.push import Pusher
from aggregator.work.room import Turn, earn, room


class Here:
    """Polls, reads and tells in this process until it is stopped."""

    def __init__(
        self, parts: Parts, trouble: Callable[[StorageTrouble], None], *, every: float
    ) -> None:
        """`trouble` is told when nothing can be stored; polls begin `every` so many seconds."""
        self._parts = parts
        self._every = every
        self._turn = Turn()
        self._polls = Polls(parts, trouble)
        self._pages = PageReader(parts)
        self._pusher = Pusher(parts)
        self._stopping = False
        self._running: set[asyncio.Task[None]] = set()  # polls

    async def leads(self) -> bool:
        """Always: it is the only process."""
        return True

    async def begin_polls(self, now: datetime) -> int:
        """Claim what is due and start polling it; returns how many polls were started."""
        polling = self._parts.settings.polling
        rate = polling.requests_per_second * self._every
        self._turn = earn(self._turn, rate, rate)
        wanted = min(polling.concurrency - len(self._running), int(self._turn.tokens))
        if self._stopping or wanted <= 0:
            return 0
        leased = await self._parts.database.run_write(self._claim, now, wanted)
        for claim, state in leased:
            task = asyncio.create_task(self._polls.poll(claim, state), name=claim.source_id)
            self._running.add(task)
            task.add_done_callback(self._ended)
        metrics.IN_FLIGHT.set(len(self._running))
        return len(leased)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        metrics.IN_FLIGHT.set(len(self._running))

    def _claim(
        self, connection: Connection, now: datetime, wanted: int
    ) -> list[tuple[claims.Claim, FeedState]]:
        """Claim within what the budgets allow; with the feeds' states."""
        polling = self._parts.settings.polling
        self._turn, most = room(connection, self._turn, polling, now, len(self._running))
        if min(wanted, most) <= 0:
            return []
        leased = claims.claim_due(
            connection, now, min(wanted, most), self._parts.owner,
            policy.lease(self._parts.settings), one_a_host=bool(polling.host_gap),
        )  # fmt: skip
        self._turn = replace(self._turn, tokens=self._turn.tokens - len(leased))
        remembered = states.states_of(connection, [claim.source_id for claim in leased])
        return [(claim, remembered[claim.source_id]) for claim in leased]

    async def begin_pages(self) -> int:
        """Start reading pages; returns of how many hosts."""
        return await self._pages.tick()

    async def begin_pushes(self) -> int:
        """Start telling subscribers of news; returns how many."""
        return await self._pusher.tick()

    async def begin_subscriptions(self) -> None:
        """Subscribe, renew, and read what hubs delivered."""
        if self._parts.settings.service.websub and not self._stopping:
            await websub.keep_up(self._parts)
            await read_pushes(self._parts)

    async def idle(self) -> None:
        """Wait for the polls that are under way."""
        await asyncio.gather(*self._running)

    async def restored(self) -> None:
        """Give back the leases of polls that could not be stored."""
        await self._polls.give_back()

    async def stop(self, grace: timedelta) -> None:
        """Take no more work, let what is under way end within `grace`, cut the rest off.

        What is cut off has stored nothing of its last batch: it is done again after the start.
        """
        self._stopping = True
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

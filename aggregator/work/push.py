"""Who is told of news, and when: looks for news, and keeps a few deliveries under way at once.

A subscriber that is slow holds one place and nobody else: deliveries are tasks of their own.
`Newsdesk`, `serve` and `tidy` are what workers over a queue use too.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from aggregator.model.errors import StorageTrouble
from aggregator.model.settings import Settings
from aggregator.model.states import PushKind
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.pushing import health, hub, webhooks
from aggregator.pipeline.pushing.delivering import FURTHEST, deliver
from aggregator.pipeline.pushing.looking import look
from aggregator.store.pushing import events, news, targets
from aggregator.store.pushing.targets import Target

log = structlog.get_logger("aggregator.push")

_AT_ONCE = 16
_DEEP = 60.0  # seconds between two looks for changes of what is known
_BACK_OFF = timedelta(minutes=5)  # after an error of ours
_KEPT = timedelta(days=30)  # news: as long as a cursor stays good


class Newsdesk:
    """Finds what is news, for all who are told of any."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._looked_deep = time.monotonic()
        self._settled: Settings | None = None  # whose webhooks have their rows

    async def look(self) -> None:
        """Look through the views of which somebody is told, now and then for what changed."""
        parts = self._parts
        if self._settled is not parts.settings:
            settings = parts.settings
            await parts.database.run_write(webhooks.settle, settings, parts.clock.now())
            self._settled = settings
        moment = time.monotonic()
        deep = moment - self._looked_deep >= _DEEP
        await look(parts, deep=deep)
        if deep:
            self._looked_deep = moment


async def due(parts: Parts, limit: int, number: int | None = None) -> list[Target]:
    """Those for whom something is to be done now; of all, or whether the one of a number is."""
    found = await parts.database.run_read(
        targets.due, parts.clock.now(), FURTHEST, limit, number=number
    )
    hub_is_on = parts.settings.service.hub
    return [one for one in found if hub_is_on or one.kind is not PushKind.HUB]


async def serve(parts: Parts, one: Target) -> None:
    """Do what is to be done for one; never raises."""
    try:
        if one.asked is not None:
            await hub.confirm(parts, one)
        else:
            await deliver(parts, one)
    except StorageTrouble:  # told by the tick; the row says what is to be done again
        return
    except Exception:
        log.exception("a delivery failed by our own fault", target=one.id)
        later = replace(one, due_at=parts.clock.now() + _BACK_OFF)
        with suppress(StorageTrouble):
            await parts.database.run_write(targets.put, later)


async def tidy(parts: Parts) -> None:
    """Forget what nobody is told of any more."""
    now = parts.clock.now()
    await parts.database.run_write(news.tidy, now, now - _KEPT)
    await parts.database.run_write(events.tidy, now - health.KEPT)


class Pusher:
    """Tells subscribers until it is stopped."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._running: dict[int, asyncio.Task[None]] = {}
        self._stopping = False
        self._newsdesk = Newsdesk(parts)

    async def tick(self) -> int:
        """Look for news, and begin what is due; returns how many deliveries were begun."""
        if self._stopping:
            return 0
        await self._newsdesk.look()
        room = _AT_ONCE - len(self._running)
        free = [one for one in await due(self._parts, 2 * _AT_ONCE) if one.id not in self._running]
        for one in free[: max(0, room)]:
            task = asyncio.create_task(serve(self._parts, one), name=f"push {one.id}")
            self._running[one.id] = task
            task.add_done_callback(partial(self._done, one.id))
        return len(free[: max(0, room)])

    def _done(self, number: int, task: asyncio.Task[None]) -> None:  # noqa: ARG002
        self._running.pop(number, None)

    async def stop(self, grace: timedelta) -> None:
        """Begin nothing more; what is under way and does not end in time is done again."""
        self._stopping = True
        tasks = list(self._running.values())
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=grace.total_seconds())
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

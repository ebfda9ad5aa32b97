"""Who reads article pages: a few hosts at once, one page at a time of each, after the feeds."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from datetime import timedelta

import structlog

from aggregator.model.errors import StorageTrouble
from aggregator.pipeline.following.queue import reads_pages
from aggregator.pipeline.following.visit import Follower
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.policy import PAGE_LEASE
from aggregator.store.following import pages
from aggregator.store.following.pages import PageRow

log = structlog.get_logger("aggregator.work")

_HOSTS = 4  # read at once
_BACK_OFF = timedelta(minutes=30)  # after an error of ours


class PageReader:
    """Works off the queue of pages until it is stopped."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._follower = Follower(parts)
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._complained = False

    async def tick(self) -> int:
        """Start reading pages that are due, unless enough hosts are being read already.

        Returns how many hosts were started.
        """
        room = _HOSTS - len(self._running)
        if self._stopping or room <= 0 or not self._is_wanted():
            return 0
        claimed = await self.claim(room)
        for page in claimed:
            task = asyncio.create_task(self.read_host(page), name=f"pages of {page.host}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(claimed)

    def _is_wanted(self) -> bool:
        settings = self._parts.settings
        if any(reads_pages(source, settings) for source in settings.sources):
            return True
        following = [one.id for one in settings.sources if one.follow.enabled]
        if following and not self._complained:
            self._complained = True
            log.warning(
                "no page is read and no link followed: set service.contact, so that whoever is "
                "visited can ask why", sources=len(following),
            )  # fmt: skip
        return False

    async def claim(self, room: int, host: str | None = None) -> list[PageRow]:
        """Lease due pages, one a host, of all hosts or of one."""
        now = self._parts.clock.now()
        return await self._parts.database.run_write(
            pages.claim, now, room, self._parts.owner, PAGE_LEASE, host
        )

    async def read_host(self, page: PageRow, *, longest: timedelta | None = None) -> None:
        """Read a page, then the next of its host, as long as one is due; the slots keep the gap.

        After `longest` none is begun. Where storage is gone, the leases end by themselves.
        """
        end = math.inf if longest is None else time.monotonic() + longest.total_seconds()
        with suppress(StorageTrouble):  # told by the tick
            await self._read_pages(page, end)

    async def _read_pages(self, page: PageRow, end: float) -> None:
        due = [page]
        while due and not self._stopping:
            await self._read(due[0])
            due = await self.claim(1, page.host) if time.monotonic() < end else []
        for left in due:
            await self._parts.database.run_write(
                pages.put_back, left, self._parts.clock.now(), "stopped"
            )

    async def _read(self, page: PageRow) -> None:
        try:
            await self._follower.visit(page)
        except StorageTrouble:
            raise
        except Exception as error:
            log.exception("reading a page failed inside", source=page.source_id, page=page.id)
            later = self._parts.clock.now() + _BACK_OFF
            detail = f"an error of ours: {error}"
            await self._parts.database.run_write(pages.put_back, page, later, detail, failed=True)

    async def stop(self, grace: timedelta) -> None:
        """Take no more pages; let visits under way end within `grace`, cut the rest off."""
        self._stopping = True
        if not self._running:
            return
        _, left = await asyncio.wait(self._running, timeout=grace.total_seconds())
        for task in left:
            task.cancel()
        for task in left:
            with suppress(asyncio.CancelledError):
                await task

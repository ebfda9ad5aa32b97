"""Who may wait for a worker: quick work first, what is known to be slow in a lane of its own.

A task gets a short slice first. What needs longer is begun again in the slow lane, which never
holds every worker, so that twenty documents made to be slow cost the others seconds once and
nothing after that. In the slow lane goes first whose tasks ran out of time least often; few wait
there, since whoever waits holds a poll that a healthy source could have.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

_REMEMBERED = 10_000  # shares


class LaneFull(Exception):
    """Too many slow tasks wait, and none of them for one with more blame."""


class SlowLane:
    """At most `width` tasks at once and `waiting` behind them, the least blamed first."""

    def __init__(self, width: int, waiting: int) -> None:
        self._free = width
        self._most = waiting
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._turn = count()
        self._blame: OrderedDict[str, int] = OrderedDict()

    def is_slow(self, share: str) -> bool:
        """Whether the last task of this share needed more than its slice."""
        return share in self._blame

    def is_blamed(self, share: str) -> bool:
        """Whether a task of this share ran out of its whole time since it was quick last."""
        return self._blame.get(share, 0) > 0

    def overran(self, share: str, *, whole: bool) -> None:
        """A task took longer than its slice, or than its `whole` time."""
        if share:
            self._blame[share] = self._blame.get(share, 0) + whole
            self._blame.move_to_end(share)
            if len(self._blame) > _REMEMBERED:
                self._blame.popitem(last=False)

    def quick(self, share: str) -> None:
        """A task ended within its slice: nothing is held against its share any more."""
        self._blame.pop(share, None)

    @asynccontextmanager
    async def turn(self, share: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it.

        Raises:
            LaneFull: others wait, with no more blame than this share.
        """
        await self._wait(self._blame.get(share, 0))
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, blame: int) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= self._most:
            worst = max(self._waiting, default=None)
            if worst is None or worst[0] <= blame:
                raise LaneFull
            self._waiting.remove(worst)
            heapq.heapify(self._waiting)
            worst[2].set_exception(LaneFull())
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (blame, next(self._turn), called)
        heapq.heappush(self._waiting, entry)
        try:
            await called
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            elif called.done() and not called.cancelled() and called.exception() is None:
                self._pass_on()  # called and cancelled at once: the turn is another's
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            called = heapq.heappop(self._waiting)[2]
            if not called.done():
                called.set_result(None)
                return
        self._free += 1

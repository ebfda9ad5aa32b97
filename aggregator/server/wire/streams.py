"""Answers without end: how many there are, how long each lasts, and what is sent meanwhile.

A route that streams (Server-Sent Events, WHATWG HTML §9.2) gives its chunks to `Streams.answer`.
All deadlines are decided here. A client that takes nothing, or is gone without a word, is ended by
its connection (`wire.connections`), which learns of it by the heartbeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What streams may cost.

    Args:
        at_once: the most streams; one more ends the oldest, whose client connects again.
        heartbeat: the longest time in which nothing is sent.
        longest: after which a stream ends, so that places change hands.
    """

    at_once: int
    heartbeat: timedelta
    longest: timedelta


LIMITS = StreamLimits(
    at_once=256,
    heartbeat=timedelta(seconds=15),
    longest=timedelta(hours=1),
)


class Streams:
    """All streams of this process."""

    def __init__(self, limits: StreamLimits) -> None:
        self.limits = limits
        self._open: dict[asyncio.Event, None] = {}  # each is set to end it; the oldest first
        self._closed = False

    def __len__(self) -> int:
        return len(self._open)

    def answer(
        self, chunks: AsyncGenerator[bytes, None], headers: Mapping[str, str], *, heartbeat: bytes
    ) -> Response:
        """An answer that sends chunks as they come, until they or the stream end.

        Args:
            chunks: what is sent; closed when the stream ends, for whatever reason.
            headers: of the answer, its `Content-Type` among them.
            heartbeat: sent where nothing else is for a while, without a meaning to the client:
                `b":\\n\\n"` in Server-Sent Events.
        """
        return _Stream(self, chunks, headers, heartbeat)

    def close(self) -> None:
        """The service stops: every stream ends now, and no other lasts."""
        self._closed = True
        for place in [*self._open]:
            self.leave(place)

    def enter(self) -> asyncio.Event:
        """Take a place; what is returned is set when the stream has to end."""
        place = asyncio.Event()
        if self._closed:
            place.set()
            return place
        self._open[place] = None
        if len(self._open) > self.limits.at_once:
            self.leave(next(iter(self._open)))
        return place

    def leave(self, place: asyncio.Event) -> None:
        """End a stream, or note that it has ended."""
        self._open.pop(place, None)
        place.set()


class _Stream(Response):
    def __init__(
        self,
        streams: Streams,
        chunks: AsyncGenerator[bytes, None],
        headers: Mapping[str, str],
        heartbeat: bytes,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", **headers})
        del self.headers["content-length"]
        self._streams = streams
        self._chunks = chunks
        self._heartbeat = heartbeat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the chunks end, the client is gone, or the place is."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            await self._send_chunks(receive, send)
        await self._chunks.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_chunks(self, receive: Receive, send: Send) -> None:
        limits = self._streams.limits
        place = self._streams.enter()
        loop = asyncio.get_running_loop()
        latest = loop.call_later(limits.longest.total_seconds(), self._streams.leave, place)
        ends = [loop.create_task(_end_of(place)), loop.create_task(_leaving(receive))]
        coming: asyncio.Task[bytes | None] | None = None
        try:
            while True:
                coming = coming or loop.create_task(_next(self._chunks))
                done, _ = await asyncio.wait(
                    {coming, *ends},
                    timeout=limits.heartbeat.total_seconds(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if done.intersection(ends):
                    return
                chunk: bytes | None = self._heartbeat
                if done:
                    chunk, coming = coming.result(), None
                if chunk is None:
                    return
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            latest.cancel()
            self._streams.leave(place)
            left = [*ends, coming] if coming is not None else ends
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


async def _next(chunks: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(chunks, None)


async def _end_of(place: asyncio.Event) -> None:
    await place.wait()


async def _leaving(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

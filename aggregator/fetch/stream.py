"""One TCP or TLS connection: bytes in, bytes out, bounded, with one timer.

A server can make us hold no more than a few hundred kilobytes unread, and an answer no longer
than its budget, whatever it sends.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
import time
from dataclasses import dataclass, field
from re import Pattern
from typing import cast

from aggregator.fetch.failure import FetchFailed, Lost
from aggregator.model.http import FetchError

_STOPPED_SENDING = "the server stopped sending"
_STOPPED_READING = "the server stopped reading"
_HIGH_WATER = 256 * 1024  # bytes unread before the socket is paused


@dataclass(slots=True)
class Exchange:
    """Notes of one request, written by the connection, read by the client. Times in ms."""

    addresses: tuple[str, ...] = ()  # checked already; empty: resolve when dialling
    address: str | None = None
    dns: float | None = None
    connect: float | None = None
    first_byte: float | None = None
    reused: bool = False
    _began: float = field(default_factory=time.monotonic)

    def restart(self) -> None:
        """Begin to count `first_byte` now."""
        self._began = time.monotonic()
        self.first_byte = None

    def saw_bytes(self) -> None:
        """Note the first byte of the answer."""
        if self.first_byte is None:
            self.first_byte = (time.monotonic() - self._began) * 1000


class Stream(asyncio.Protocol):
    """One connection with a byte budget for what it may still deliver.

    `read_timeout` is the longest silence in seconds while something is awaited.
    """

    __slots__ = (
        "_awaited", "_chunks", "_ended", "_error", "_exchange", "_paused_reading",
        "_paused_writing", "_reader", "_socket", "_transport", "_watch", "_writer",
        "address", "budget", "read_timeout",
    )  # fmt: skip

    def __init__(self, address: str, raw: socket.socket, read_timeout: float) -> None:
        self.address = address
        self.budget = 0
        self.read_timeout = read_timeout
        self._socket = raw
        self._transport: asyncio.Transport | None = None
        self._chunks = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._paused_reading = False
        self._paused_writing = False
        self._exchange: Exchange | None = None
        self._awaited: tuple[asyncio.Future[None], float, str] | None = None
        self._watch: asyncio.TimerHandle | None = None

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._exchange is not None:
            self._exchange.saw_bytes()
        self._chunks += data
        if len(self._chunks) > _HIGH_WATER and not self._paused_reading and self._transport:
            self._paused_reading = True
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        """Called by asyncio. False lets asyncio close our side too."""
        self._ended = True
        _wake(self._reader)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._ended = True
        self._error = exc
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self._paused_writing = True

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self._paused_writing = False
        _wake(self._writer)

    # -- reading

    async def read_until(self, end: Pattern[bytes]) -> bytes:
        """All bytes to the end of the first match of `end`, at most `budget`.

        `end` matches no more than three bytes. Raises `FetchFailed` when the budget is spent,
        `Lost` at the end of the connection.
        """
        start = 0
        while True:
            found = end.search(self._chunks, start)
            size = found.end() if found else len(self._chunks)
            if size > self.budget:
                raise FetchFailed(FetchError.PROTOCOL, "header block or chunk framing too large")
            if found:
                return self._take(size)
            start = max(0, len(self._chunks) - 3)
            if not await self._more(len(self._chunks)):
                raise self._lost("the server closed the connection without an answer")

    async def read(self, most: int) -> bytes:
        """Up to `most` bytes, empty at an orderly end.

        Raises `FetchFailed` when the budget is spent, `Lost` after a reset.
        """
        if not self._chunks and not await self._more(0):
            if self._error is not None:
                raise self._lost("the connection was lost")
            return b""
        if self.budget <= 0:
            raise FetchFailed(FetchError.PROTOCOL, "header block or chunk framing too large")
        return self._take(min(most, self.budget, len(self._chunks)))

    def _take(self, size: int) -> bytes:
        data = bytes(self._chunks[:size])
        del self._chunks[:size]
        self.budget -= size
        if self._paused_reading and len(self._chunks) < _HIGH_WATER // 2 and self._transport:
            self._paused_reading = False
            if not self._ended:
                self._transport.resume_reading()
        return data

    async def _more(self, held: int) -> bool:
        """Wait until more than `held` bytes are there; False when none will come."""
        if len(self._chunks) > held or self._ended:
            return len(self._chunks) > held
        self._reader = asyncio.get_running_loop().create_future()
        try:
            await self._wait(self._reader, _STOPPED_SENDING)
        finally:
            self._reader = None
        return len(self._chunks) > held

    async def _wait(self, future: asyncio.Future[None], silence: str) -> None:
        loop = asyncio.get_running_loop()
        self._awaited = (future, loop.time() + self.read_timeout, silence)
        if self._watch is None:
            self._watch = loop.call_later(self.read_timeout, self._look)
        try:
            await future
        finally:
            self._awaited = None

    def _look(self) -> None:
        """End a wait that lasts too long. One timer serves many waits: making one costs more than
        all else that is done in a wait."""
        self._watch = None
        if self._awaited is None:
            return
        future, ends, silence = self._awaited
        loop = asyncio.get_running_loop()
        if loop.time() + 0.001 < ends:
            self._watch = loop.call_at(ends, self._look)
        elif not future.done():
            future.set_exception(FetchFailed(FetchError.TIMEOUT, silence))

    def _lost(self, detail: str) -> Lost:
        return Lost("the connection was lost" if self._error is not None else detail)

    # -- writing

    async def write(self, data: bytes) -> None:
        """Write all of `data`. Raises `Lost`, `FetchFailed(TIMEOUT)`."""
        if self._transport is None or self._ended:
            raise Lost
        self._transport.write(data)
        while self._paused_writing and not self._ended:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._wait(self._writer, _STOPPED_READING)
            finally:
                self._writer = None

    async def secure(self, context: ssl.SSLContext, host: str, ends: float) -> None:
        """Put TLS on this connection before the monotonic time `ends`; `host` is the name that
        the certificate must have. Raises `FetchFailed(TLS)`."""
        if self._transport is None or self._ended or self._chunks:
            # Plain bytes ahead of the handshake would later pass for bytes that came through it.
            self.abort()
            raise FetchFailed(FetchError.TLS, "the server does not speak TLS")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(max(ends - time.monotonic(), 0.01)):
                secured = await loop.start_tls(
                    self._transport, self, context, server_hostname=host.rstrip(".")
                )
        except TimeoutError as error:
            self.abort()
            raise FetchFailed(FetchError.TLS, "no TLS handshake in time") from error
        except ssl.SSLCertVerificationError as error:
            self.abort()
            detail = f"certificate refused: {error.verify_message}"
            raise FetchFailed(FetchError.TLS, detail) from error
        except (ssl.SSLError, OSError) as error:
            self.abort()
            raise FetchFailed(FetchError.TLS, "the TLS handshake failed") from error
        if secured is None:
            raise FetchFailed(FetchError.TLS, "the TLS handshake failed")
        self._transport = secured

    # -- one exchange after the other

    def begin(self, exchange: Exchange, budget: int) -> None:
        """A request is about to be sent: allow `budget` bytes, note times in `exchange`."""
        exchange.address = self.address
        exchange.restart()
        self._exchange = exchange
        self.budget = budget

    @property
    def idle(self) -> bool:
        """Whether the connection is open and nothing unread was handed to us."""
        transport = self._transport
        return not (self._ended or self._chunks or transport is None or transport.is_closing())

    def quiet(self) -> bool:
        """Whether it is idle and nothing that we did not ask for lies in the socket either."""
        if not self.idle:
            return False
        watch = select.poll()
        try:
            watch.register(self._socket, select.POLLIN)
            return not watch.poll(0)
        except (OSError, ValueError):
            return False  # closed beneath us

    def abort(self) -> None:
        """Close the socket now, from anywhere, without waiting for a server's goodbye."""
        self._exchange = None
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._transport is not None:
            self._transport.abort()


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)

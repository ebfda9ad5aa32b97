"""A scripted HTTP/1.1 origin on loopback: raw asyncio in a thread of its own.

It does exactly what a test tells it, byte by byte, wrong things included, and keeps a log of
what it saw. No HTTP library stands between the script and the socket.

    with Origin() as origin:
        origin.answer("/feed", body=b"<rss/>", headers={"ETag": '"1"'})
        origin.script("/flaky", reply(503), reply(200, body=b"ok"))   # one after the other
        origin.route("/drip", handler)                                # async def handler(wire)
        ... fetch origin.url("/feed") ...
        assert origin.requests("/feed")[0].headers["if-none-match"] == '"1"'
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived. `headers` have lower-case names; `at` is monotonic seconds."""

    method: str
    target: str
    headers: Mapping[str, str]
    head: bytes
    body: bytes
    at: float
    connection: int

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(slots=True)
class Wire:
    """What a handler writes to."""

    request: Seen
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Send bytes and wait until the socket took them."""
        self._writer.write(data)
        await self._writer.drain()

    async def drip(self, data: bytes, every: float) -> None:
        """Send byte after byte, one each `every` seconds."""
        for index in range(len(data)):
            await self.send(data[index : index + 1])
            await asyncio.sleep(every)

    async def silence(self, seconds: float = 3600.0) -> None:
        """Send nothing; ends when the client goes away or the origin stops."""
        await asyncio.sleep(seconds)

    async def tunnel(self, host: str, port: int) -> None:
        """Answer a CONNECT and pass bytes both ways until one side ends."""
        await self.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        reader, writer = await asyncio.open_connection(host, port)
        try:
            ways = {
                asyncio.ensure_future(_pass(self._reader, writer)),
                asyncio.ensure_future(_pass(reader, self._writer)),
            }
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            writer.transport.abort()
            self.close()

    def close(self) -> None:
        """End the connection in order."""
        self._writer.close()

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Handler = Callable[[Wire], Awaitable[None]]


def reply(
    status: int = 200,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    length: bool = True,
) -> bytes:
    """The bytes of a whole response; `length` adds Content-Length."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    if length and status != 304 and not any(n.lower() == "content-length" for n, _ in pairs):
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in pairs)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass(slots=True)
class _Counts:
    connections: int = 0
    open: int = 0
    in_flight: int = 0
    most_in_flight: int = 0


class Origin:
    """The server. `host` is an address of this machine; `tls` a server-side context; `greeting` is
    sent to every connection before anything is asked."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        greeting: bytes = b"",
    ) -> None:
        self.host = host
        self.port = port
        self.log: list[Seen] = []
        self._tls = tls
        self._greeting = greeting
        self._handlers: dict[str, Handler] = {}
        self._counts = _Counts()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- life

    def __enter__(self) -> Origin:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # -- script

    def route(self, path: str, handler: Handler) -> None:
        """`handler` answers this path (with any query) from now on."""
        self._handlers[path] = handler

    def answer(
        self,
        path: str,
        status: int = 200,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        length: bool = True,
    ) -> None:
        """Always the same answer; to a HEAD its head alone."""
        whole = reply(status, headers, body, length=length)

        async def handler(wire: Wire) -> None:
            head = wire.request.method == "HEAD"
            await wire.send(whole[: len(whole) - len(body)] if head else whole)

        self.route(path, handler)

    def send(self, path: str, raw: bytes, *, close: bool = False) -> None:
        """Always these very bytes; then the connection ends if `close`."""

        async def handler(wire: Wire) -> None:
            await wire.send(raw)
            if close:
                wire.close()

        self.route(path, handler)

    def script(self, path: str, *answers: bytes | Handler) -> None:
        """One answer after the other; the last one repeats."""
        turn = iter(range(1 << 30))

        async def handler(wire: Wire) -> None:
            chosen = answers[min(next(turn), len(answers) - 1)]
            if isinstance(chosen, bytes):
                await wire.send(chosen)
            else:
                await chosen(wire)

        self.route(path, handler)

    # -- what was seen

    def url(self, path: str = "/", *, host: str | None = None) -> str:
        """The URL of a path, under another name for the same address if wanted."""
        name = host or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self._tls else 'http'}://{name}:{self.port}{path}"

    def requests(self, path: str | None = None) -> list[Seen]:
        """The requests seen, of one path or all, in order."""
        return [seen for seen in list(self.log) if path is None or seen.path == path]

    @property
    def connections(self) -> int:
        """TCP connections accepted so far."""
        return self._counts.connections

    @property
    def open_connections(self) -> int:
        """TCP connections open now."""
        return self._counts.open

    @property
    def most_in_flight(self) -> int:
        """The most requests that were being answered at one time."""
        return self._counts.most_in_flight

    def forget(self) -> None:
        """Empty the log."""
        self.log.clear()

    # -- inside

    async def _start(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, self.host, self.port, ssl=self._tls, limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counts = self._counts
        counts.connections += 1
        counts.open += 1
        number = counts.connections
        try:
            if self._greeting:
                writer.write(self._greeting)
            while not writer.is_closing():
                seen = await _read_request(reader, number)
                if seen is None:
                    break
                self.log.append(seen)
                counts.in_flight += 1
                counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
                try:
                    await self._answer(seen, reader, writer)
                finally:
                    counts.in_flight -= 1
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client went away, as some tests want it to
        finally:
            counts.open -= 1
            writer.transport.abort()

    async def _answer(
        self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        handler = self._handlers.get(seen.path)
        wire = Wire(seen, reader, writer)
        if handler is None:
            await wire.send(reply(404))
            return
        work = self._loop.create_task(_run(handler, wire))
        gone = self._loop.create_task(_until_eof(reader))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)


async def _run(handler: Handler, wire: Wire) -> None:
    await handler(wire)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _until_eof(reader: asyncio.StreamReader) -> None:
    """Ends when the client closes; a pipelined next request stays in the buffer."""
    while not reader.at_eof():  # noqa: ASYNC110 - a stream has no event for its end
        await asyncio.sleep(0.02)


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Seen | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, target, headers, head, body, time.monotonic(), connection)

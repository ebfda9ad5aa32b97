"""Origins on loopback that always answer the same, and the CPU of asking them."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TypeVar

ORIGINS = 20  # ports, so that "one kept connection for an origin" means something

_Asked = TypeVar("_Asked")


@contextmanager
def origins(answer: bytes, *, close: bool) -> Iterator[list[int]]:
    """The ports of `ORIGINS` servers in a process of their own, each sending `answer` as it is.

    `close` ends a connection after one answer; the answer's own header has to say so too.
    """
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(theirs, answer, close), daemon=True)
    server.start()
    try:
        yield ours.recv()
    finally:
        server.terminate()
        server.join()


def _serve(pipe: Connection, raw: bytes, close: bool) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(raw)
                await writer.drain()
                if close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async def run() -> None:
        servers = [await asyncio.start_server(answer, "127.0.0.1", 0) for _ in range(ORIGINS)]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.gather(*(server.serve_forever() for server in servers))

    asyncio.run(run())


async def cpu_seconds(
    ask: Callable[[_Asked], Awaitable[None]], asked: Iterable[_Asked], at_once: int
) -> float:
    """CPU seconds of this process for asking everything, `at_once` at a time."""
    gate = asyncio.Semaphore(at_once)

    async def gated(one: _Asked) -> None:
        async with gate:
            await ask(one)

    started = time.process_time()
    await asyncio.gather(*map(gated, asked))
    return time.process_time() - started

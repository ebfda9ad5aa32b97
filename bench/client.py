"""Requests for one CPU second: our client against plain httpx, on loopback.

    python -m bench.client [--requests 400] [--rounds 5]

An origin in a process of its own answers a gzipped feed. Both clients ask for it in turns, with
few and with many requests in flight, over kept connections and over a new one each time. Printed
are medians over the rounds, and ours as a ratio of httpx: figures of one machine cannot be
compared with those of another, the ratio can.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import multiprocessing
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from multiprocessing.connection import Connection

import httpx

from aggregator.fetch.client import Fetcher
from aggregator.model.http import Access, FetchLimits, FetchRequest

ORIGINS = 20  # ports, so that "one kept connection for an origin" means something
HEADERS = {"user-agent": "bench", "accept-encoding": "gzip"}


def feed() -> bytes:
    """A gzipped feed of 30 items, about 20 kB plain."""
    words = random.Random(1)
    items = "".join(
        f"<item><guid>{n}</guid><title>{words.random()}</title>"
        f"<description>{'word %d ' * 40 % tuple(words.randrange(999) for _ in range(40))}"
        "</description></item>"
        for n in range(30)
    )
    return gzip.compress(f"<rss><channel>{items}</channel></rss>".encode())


def serve(pipe: Connection, close: bool) -> None:
    """Answer on `ORIGINS` ports until killed; send the ports through `pipe`."""
    body = feed()
    kind = "close" if close else "keep-alive"
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: {kind}\r\n"
    raw = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

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


async def with_ours(urls: list[str], in_flight: int) -> None:
    """All URLs through `Fetcher`."""
    limits = replace(FetchLimits(), in_flight=in_flight, idle=timedelta(seconds=15))
    async with Fetcher(
        limits, user_agent="bench", slots=None, allow_networks=[ip_network("127.0.0.1/32")]
    ) as fetcher:

        async def one(url: str) -> None:
            result = await fetcher.fetch(FetchRequest(url, Access(configured=url)))
            assert result.body is not None, result.detail

        await timed(one, urls, in_flight)


async def with_httpx(urls: list[str], in_flight: int) -> None:
    """All URLs through plain httpx with its own pool."""
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=ORIGINS)
    async with httpx.AsyncClient(headers=HEADERS, limits=limits, timeout=60) as client:

        async def one(url: str) -> None:
            response = await client.get(url)
            assert response.status_code == 200

        await timed(one, urls, in_flight)


SPENT: list[float] = []


async def timed(one: Callable[[str], Awaitable[None]], urls: list[str], in_flight: int) -> None:
    """Run `one` for every URL, `in_flight` at a time; append the CPU seconds to `SPENT`."""
    gate = asyncio.Semaphore(in_flight)

    async def gated(url: str) -> None:
        async with gate:
            await one(url)

    started = time.process_time()
    await asyncio.gather(*map(gated, urls))
    SPENT.append(time.process_time() - started)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=400)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    print("| connections | in flight | httpx, requests/CPU s | ours | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for close in (False, True):
        ours_end, theirs_end = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(theirs_end, close), daemon=True)
        server.start()
        ports = ours_end.recv()
        urls = [f"http://127.0.0.1:{ports[n % ORIGINS]}/f{n}" for n in range(chosen.requests)]
        for in_flight in (20, 50, 200):
            rates: dict[str, list[float]] = {"ours": [], "httpx": []}
            for _ in range(chosen.rounds):
                for name, client in (("httpx", with_httpx), ("ours", with_ours)):
                    asyncio.run(client(urls, in_flight))
                    rates[name].append(len(urls) / SPENT.pop())
            theirs, ours = (statistics.median(rates[name]) for name in ("httpx", "ours"))
            kind = "a new one each" if close else "kept"
            print(f"| {kind} | {in_flight} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.2f} |")
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()

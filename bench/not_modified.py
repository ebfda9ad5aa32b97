"""CPU of a whole 304 fetch through `Fetcher`, on loopback, in microseconds.

    python -m bench.not_modified [--requests 500] [--rounds 5]

An origin in a process of its own answers every request with 304 and the headers that servers
send. Printed are medians over the rounds, one fetch at a time and twenty at a time, over kept
connections and over a new one each time; beside them the same exchange on bare asyncio streams,
which is what the kernel and the event loop cost by themselves.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

from aggregator.fetch.client import Fetcher
from aggregator.model.http import Access, FetchLimits, FetchRequest, Validators
from bench.loopback import ORIGINS, cpu_seconds, origins

_HEAD = (
    "HTTP/1.1 304 Not Modified\r\n"
    "Server: nginx\r\n"
    "Date: Mon, 02 Nov 2026 10:00:00 GMT\r\n"
    "Connection: {kind}\r\n"
    'ETag: "5f-aaaabbbb"\r\n'
    "Last-Modified: Mon, 02 Nov 2026 09:00:00 GMT\r\n"
    "Cache-Control: max-age=600\r\n"
    "Vary: Accept-Encoding\r\n\r\n"
)
_HELD = Validators(etag='"5f-aaaabbbb"', last_modified="Mon, 02 Nov 2026 09:00:00 GMT")
_BARE = (
    b"GET /feed HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n"
    b'If-None-Match: "5f-aaaabbbb"\r\n\r\n'
)


def response(*, close: bool) -> bytes:
    """The whole answer of an origin."""
    return _HEAD.format(kind="close" if close else "keep-alive").encode()


async def with_ours(ports: list[int], requests: int, at_once: int) -> float:
    """All requests through `Fetcher`: microseconds each."""
    async with Fetcher(
        FetchLimits(), user_agent="bench", slots=None, allow_networks=[ip_network("127.0.0.1/32")]
    ) as fetcher:

        async def one(number: int) -> None:
            url = f"http://127.0.0.1:{ports[number % ORIGINS]}/feed"
            request = FetchRequest(url, Access(configured=url), validators=_HELD)
            result = await fetcher.fetch(request)
            assert result.not_modified, result.detail

        return await timed(one, requests, at_once)


async def with_streams(ports: list[int], requests: int, at_once: int) -> float:
    """The bare exchange over new or kept streams: microseconds each."""
    kept: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def one(number: int) -> None:
        port = ports[number % ORIGINS]
        if port in kept:
            reader, writer = kept.pop(port)
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_BARE)
        head = await reader.readuntil(b"\r\n\r\n")
        if b"keep-alive" in head:
            kept[port] = (reader, writer)
        else:
            writer.close()

    spent = await timed(one, requests, at_once)
    for _, writer in kept.values():
        writer.close()
    return spent


async def timed(one: Callable[[int], Awaitable[None]], requests: int, at_once: int) -> float:
    """Microseconds of CPU that each of the requests took, after one that warms up."""
    await one(0)
    return await cpu_seconds(one, range(requests), at_once) / requests * 1e6


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=500)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    print("| connections | at once | ours, µs CPU a fetch | bare streams |")
    print("| --- | --- | --- | --- |")
    for close in (False, True):
        with origins(response(close=close), close=close) as ports:
            for at_once in (1, ORIGINS):
                spent: dict[str, list[float]] = {"ours": [], "bare": []}
                for _ in range(chosen.rounds):
                    for name, client in (("bare", with_streams), ("ours", with_ours)):
                        spent[name].append(asyncio.run(client(ports, chosen.requests, at_once)))
                ours, bare = (statistics.median(spent[name]) for name in ("ours", "bare"))
                kind = "a new one each" if close else "kept"
                print(f"| {kind} | {at_once} | {ours:.0f} | {bare:.0f} |")


if __name__ == "__main__":
    main()

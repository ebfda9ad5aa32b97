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
import random
import statistics
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import httpx

from aggregator.fetch.client import Fetcher
from aggregator.model.http import Access, FetchLimits, FetchRequest
from bench.loopback import ORIGINS, cpu_seconds, origins

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


def response(*, close: bool) -> bytes:
    """The whole answer of an origin."""
    body = feed()
    kind = "close" if close else "keep-alive"
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def with_ours(urls: list[str], in_flight: int) -> float:
    """CPU seconds of all URLs through `Fetcher`."""
    limits = replace(FetchLimits(), in_flight=in_flight, idle=timedelta(seconds=15))
    async with Fetcher(
        limits, user_agent="bench", slots=None, allow_networks=[ip_network("127.0.0.1/32")]
    ) as fetcher:

        async def one(url: str) -> None:
            result = await fetcher.fetch(FetchRequest(url, Access(configured=url)))
            assert result.body is not None, result.detail

        return await cpu_seconds(one, urls, in_flight)


async def with_httpx(urls: list[str], in_flight: int) -> float:
    """CPU seconds of all URLs through plain httpx with its own pool."""
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=ORIGINS)
    async with httpx.AsyncClient(headers=HEADERS, limits=limits, timeout=60) as client:

        async def one(url: str) -> None:
            response = await client.get(url)
            assert response.status_code == 200

        return await cpu_seconds(one, urls, in_flight)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=400)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    print("| connections | in flight | httpx, requests/CPU s | ours | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for close in (False, True):
        with origins(response(close=close), close=close) as ports:
            urls = [f"http://127.0.0.1:{ports[n % ORIGINS]}/f{n}" for n in range(chosen.requests)]
            for in_flight in (20, 50, 200):
                rates: dict[str, list[float]] = {"ours": [], "httpx": []}
                for _ in range(chosen.rounds):
                    for name, client in (("httpx", with_httpx), ("ours", with_ours)):
                        rates[name].append(len(urls) / asyncio.run(client(urls, in_flight)))
                theirs, ours = (statistics.median(rates[name]) for name in ("httpx", "ours"))
                kind = "a new one each" if close else "kept"
                print(f"| {kind} | {in_flight} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()

"""An origin of many hosts and feeds with changing content, which knows the truth and who asked.

Each host is an address of loopback, 127.0.x.y, since budgets go by host. What a feed once published
it goes on listing, so that whoever polled it last holds all of it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from types import TracebackType

_START = datetime(2026, 3, 1, tzinfo=UTC)
_WORDS = [
    first + second
    for first in ("har", "bri", "coun", "quay", "fer", "tram")
    for second in ("den", "lock", "mouth", "field", "worth", "ton")
]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: of which host, and from when to when (monotonic seconds)."""

    host: str
    path: str
    began: float
    ended: float
    status: int


@dataclass(slots=True)
class _Feed:
    titles: list[str] = field(default_factory=list)  # by item
    texts: list[str] = field(default_factory=list)
    corrected: int = 0


class ChangingNews:
    """Serves `feeds` feeds on `hosts` hosts; `publish` and `correct` change them."""

    def __init__(self, hosts: int, feeds: int, *, seed: int, delay: tuple[float, float]) -> None:
        """`delay`: from how many to how many seconds an answer takes."""
        self._random = random.Random(seed)
        self._delay = delay
        self._lock = threading.Lock()
        self._feeds = [_Feed() for _ in range(feeds)]
        self._hosts = [f"127.0.{1 + n // 200}.{1 + n % 200}" for n in range(hosts)]
        self.visits: list[Visit] = []
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def sources(self, poll: str) -> list[dict[str, str]]:
        """The feeds as sources of a configuration."""
        return [
            {
                "id": f"s{n}",
                "url": f"http://{self._hosts[n % len(self._hosts)]}:{self.port}/{n}.xml",
                "poll": poll,
            }
            for n in range(len(self._feeds))
        ]

    def publish(self, feed: int) -> None:
        """A further item of a feed."""
        with self._lock:
            one = self._feeds[feed]
            one.titles.append(f"{self._said(6)} {feed}-{len(one.titles)}")
            one.texts.append(self._said(40))

    def _said(self, words: int) -> str:
        return " ".join(self._random.choices(_WORDS, k=words)).capitalize()

    def correct(self, feed: int) -> None:
        """Another title for an item that is there."""
        with self._lock:
            one = self._feeds[feed]
            if one.titles:
                one.corrected += 1
                place = self._random.randrange(len(one.titles))
                plain = one.titles[place].partition(" (")[0]
                one.titles[place] = f"{plain} (corrected {one.corrected})"

    def truth(self) -> dict[str, list[str]]:
        """By source, the titles of its items in the order in which they were published."""
        with self._lock:
            return {f"s{n}": list(feed.titles) for n, feed in enumerate(self._feeds)}

    def _document(self, feed: int) -> bytes:
        with self._lock:
            listed = list(zip(self._feeds[feed].titles, self._feeds[feed].texts, strict=True))
        items = "".join(
            f"<item><guid isPermaLink='false'>paper{feed}-{n}</guid><title>{title}</title>"
            f"<link>https://paper{feed}.example/2026/item-{n}</link>"
            f"<pubDate>{format_datetime(_START + timedelta(minutes=n))}</pubDate>"
            f"<description>{words}.</description></item>"
            for n, (title, words) in reversed(list(enumerate(listed)))
        )
        return (
            f"<?xml version='1.0'?><rss version='2.0'><channel><title>Paper {feed}</title>"
            f"<link>https://paper{feed}.example/</link><description>News</description>{items}"
            "</channel></rss>"
        ).encode()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        self._open.add(writer)
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                began = time.monotonic()
                path = head.split(" ", 2)[1]
                await asyncio.sleep(self._random.uniform(*self._delay))
                status, answer = self._reply(head, path)
                self.visits.append(Visit(host, path, began, time.monotonic(), status))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def _reply(self, head: str, path: str) -> tuple[int, bytes]:
        name = path.removeprefix("/").removesuffix(".xml")
        if not name.isdigit():
            return 404, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        body = self._document(int(name))
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        if f"if-none-match: {tag}" in head.lower():
            return 304, f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        lines = (
            "HTTP/1.1 200 OK", f"ETag: {tag}", "Content-Type: application/rss+xml",
            f"Content-Length: {len(body)}", "", "",
        )  # fmt: skip
        return 200, "\r\n".join(lines).encode() + body

    def rude(self, gap: float) -> list[tuple[Visit, Visit]]:
        """Pairs of requests to one host that lie less than `gap` seconds apart."""
        found = []
        by_host: dict[str, list[Visit]] = {}
        for visit in list(self.visits):
            by_host.setdefault(visit.host, []).append(visit)
        for visits in by_host.values():
            ordered = sorted(visits, key=lambda visit: visit.began)
            pairs = itertools.pairwise(ordered)
            found += [(one, other) for one, other in pairs if other.began < one.ended + gap]
        return found

    def __enter__(self) -> ChangingNews:
        self._thread.start()
        for host in self._hosts:
            serving = asyncio.start_server(self._answer, host, self.port, backlog=128)
            made = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
            self._servers.append(made)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        """Break off every connection, and let what serves them end."""
        for server in self._servers:
            server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.gather(
            *(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True
        )


def differences(truth: dict[str, list[str]], stored: dict[str, Sequence[str]]) -> list[str]:
    """What is stored otherwise than it was published; empty when all is exactly so."""
    return [
        f"{source}: {len(titles)} published, {len(stored.get(source, ()))} stored"
        for source, titles in truth.items()
        if sorted(titles) != sorted(stored.get(source, ()))
    ] + [f"{source}: never published" for source in stored.keys() - truth.keys()]

"""An origin of many feeds for measuring polls: `python -m bench.publisher PORT FEEDS ITEMS`.

Feeds are at `/feed/N.xml`, with strong ETags and 304. A GET of `/change/P` gives every P-th feed
one new item in place of its oldest; `/counts` tells how many answers were 200 and 304.
It runs in a process of its own, so that its CPU time is nobody else's.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import accumulate

# 8,000 words of one to four syllables, used as often as words of a language are (Zipf's law): few
# different words would make all texts alike, and deduplication would compare each with each.
_SYLLABLES = [c + v for c in "bdfghklmnprstvw" for v in ("a", "e", "i", "o", "u", "ar", "en")]
_WORDS = [
    "".join(random.Random(number).choices(_SYLLABLES, k=1 + number % 4)) for number in range(8000)
]
_RANKS = list(accumulate(1 / (rank + 3) for rank in range(len(_WORDS))))
_START = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Publisher:
    """Feeds made from a seed: the same number always gives the same text."""

    def __init__(self, feeds: int, items: int) -> None:
        self.items = items
        self.newest = [items] * feeds  # number of the newest item of each feed
        self.counts: Counter[str] = Counter()
        self._bodies: dict[int, bytes] = {}

    def change(self, every: int) -> None:
        """Publish one item in every so-manieth feed."""
        for feed in range(0, len(self.newest), every):
            self.newest[feed] += 1
            self._bodies.pop(feed, None)

    def body(self, feed: int) -> bytes:
        """The feed's document, kept until it changes."""
        if feed not in self._bodies:
            last = self.newest[feed]
            items = "".join(self._item(feed, n) for n in range(last, last - self.items, -1))
            self._bodies[feed] = (
                '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
                f"<title>Feed {feed}</title><link>http://news-{feed}.example/</link>"
                f"<description>Sample feed {feed}</description>{items}</channel></rss>"
            ).encode()
        return self._bodies[feed]

    def _item(self, feed: int, number: int) -> str:
        words = random.Random(feed * 100_003 + number)
        title = " ".join(words.choices(_WORDS, cum_weights=_RANKS, k=8)).capitalize()
        text = "".join(
            f"&lt;p&gt;{' '.join(words.choices(_WORDS, cum_weights=_RANKS, k=40))}.&lt;/p&gt;"
            for _ in range(3)
        )
        date = format_datetime(_START + timedelta(minutes=37 * number + feed), usegmt=True)
        return (
            f"<item><title>{title}</title><link>http://news-{feed}.example/{number}.html</link>"
            f'<guid isPermaLink="false">{feed}-{number}</guid><pubDate>{date}</pubDate>'
            f"<description>{text}</description></item>\n"
        )

    def answer(self, target: str, headers: dict[str, str]) -> bytes:
        """The whole response to one request."""
        kind, _, rest = target.strip("/").partition("/")
        if kind == "feed":
            feed = int(rest.removesuffix(".xml"))
            tag = f'"{feed}-{self.newest[feed]}"'
            if headers.get("if-none-match") == tag:
                self.counts["304"] += 1
                return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
            self.counts["200"] += 1
            return _ok(self.body(feed), f"application/rss+xml\r\nETag: {tag}")
        if kind == "change":
            self.change(int(rest))
            return _ok(b"", "text/plain")
        if kind == "counts":
            return _ok(json.dumps(self.counts).encode(), "application/json")
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept for as long as the client keeps it."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                pairs = (line.partition(":") for line in lines if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                writer.write(self.answer(first.split()[1], headers))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _ok(body: bytes, media_type: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def main(port: int, feeds: int, items: int) -> None:
    """Serve until the process is ended."""
    publisher = Publisher(feeds, items)
    server = await asyncio.start_server(publisher.serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*(int(word) for word in sys.argv[1:4])))

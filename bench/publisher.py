"""An origin of many feeds for measuring polls: `python -m bench.publisher PORT FEEDS [DOCUMENTS]`.

Feeds are at `/feed/N.xml`, with strong ETags and 304. Without DOCUMENTS they are made
(`bench.documents`); with it, the folder's `*.gz` are offered as they are. A GET of `/change/P` puts
the next state of every P-th feed in place: one new item and one changed one. `/counts` tells how
many answers were 200 and 304. It runs in a process of its own, so that its CPU time is nobody
else's.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

from bench.documents import Documents, Made, Recorded


class Publisher:
    """Answers for one set of documents, and counts the answers."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.states = [0] * len(documents)  # how often each feed was changed
        self.counts: Counter[str] = Counter()
        self._bodies: dict[int, bytes] = {}

    def change(self, every: int) -> None:
        """Put the next state of every so-manieth feed in place."""
        for feed in range(0, len(self.states), every):
            self.states[feed] += 1
            self._bodies.pop(feed, None)

    def body(self, feed: int) -> bytes:
        """The feed's document, kept until it changes."""
        if feed not in self._bodies:
            self._bodies[feed] = self.documents.body(feed, self.states[feed])
        return self._bodies[feed]

    def answer(self, target: str, headers: dict[str, str]) -> bytes:
        """The whole response to one request."""
        kind, _, rest = target.strip("/").partition("/")
        if kind == "feed":
            feed = int(rest.removesuffix(".xml"))
            tag = f'"{feed}-{self.states[feed]}"'
            if headers.get("if-none-match") == tag:
                self.counts["304"] += 1
                return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
            self.counts["200"] += 1
            return _ok(self.body(feed), f"application/xml\r\nETag: {tag}")
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


async def main(port: int, documents: Documents) -> None:
    """Serve until the process is ended."""
    publisher = Publisher(documents)
    # Each of the first feeds may be asked for at an address of its own, as of a host of its own.
    addresses = [f"127.0.0.{number}" for number in range(1, min(len(documents), 250) + 1)]
    server = await asyncio.start_server(publisher.serve, addresses, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    _feeds = int(sys.argv[2])
    _made = Recorded(Path(sys.argv[3]), _feeds) if len(sys.argv) > 3 else Made(_feeds)
    asyncio.run(main(int(sys.argv[1]), _made))

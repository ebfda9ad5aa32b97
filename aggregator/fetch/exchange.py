"""One request and its answer over a connection: HTTP/1.1 (RFC 9112), read by httptools.

The head is cleaned (`head`) before the parser sees it. A body with a length is counted here; one
in chunks goes through the parser.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httptools

from aggregator.fetch.failure import FetchFailed, Lost
from aggregator.fetch.head import END, Framing, clean_head, framing_of
from aggregator.fetch.stream import Stream
from aggregator.model.http import FetchError

Fields = Sequence[tuple[bytes, bytes]]

_READ = 64 * 1024
_TAIL = 64
_LAST_CHUNK = re.compile(rb"\n0{1,16}[ \t]*(?:;[^\r\n]*)?\r\n\Z")
_SENDABLE = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++: [\t\x20-\x7e\x80-\xff]*+\r\n)*+")


def request_bytes(method: bytes, target: bytes, fields: Fields, body: bytes = b"") -> bytes:
    """A whole request. Raises `FetchFailed(PROTOCOL)` for a field that cannot be sent."""
    head = b"".join([b"%b: %b\r\n" % (name, value.strip()) for name, value in fields])
    # A value with a line break in it would make more lines than there are fields.
    if head.count(b"\n") != len(fields) or _SENDABLE.fullmatch(head) is None:
        raise FetchFailed(
            FetchError.PROTOCOL, "the request cannot be written: check headers and URL"
        )
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method, target, head, body)


class _Events:
    """What the parser calls."""

    __slots__ = ("complete", "empty_chunk", "extra", "fields", "heading", "parts")

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []
        self.heading = True
        self.empty_chunk = False  # the size of a chunk was read, and nothing of it
        self.complete = False
        self.extra = False

    def on_message_begin(self) -> None:
        if self.complete:
            self.extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.heading:  # trailers are of no use to us
            self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.heading = False

    def on_chunk_header(self) -> None:
        self.empty_chunk = True

    def on_body(self, body: bytes) -> None:
        self.empty_chunk = False
        if not self.complete:
            self.parts.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


class Answer:
    """An answer whose head was read. `close` it, however much of the body was wanted."""

    __slots__ = (
        "_closed", "_done", "_events", "_framing", "_keep", "_parser", "_tail",
        "fields", "status", "stream",
    )  # fmt: skip

    def __init__(
        self,
        stream: Stream,
        status: int,
        framing: Framing,
        events: _Events,
        parser: Any,
        keep: Callable[[Stream], None] | None,
    ) -> None:
        self.stream = stream
        self.status = status
        self.fields: Fields = events.fields
        self._framing = framing
        self._events = events
        self._parser = parser
        self._keep = keep
        self._tail = b""  # the last bytes of the chunks
        self._done = framing.length == 0
        self._closed = False

    async def chunks(self, budget: int) -> AsyncIterator[bytes]:
        """The body as it comes, at most `budget` bytes with its framing.

        Raises `Lost` for a body that is cut short, and what `Stream.read` raises.
        """
        self.stream.budget = budget
        if self._framing.length is not None:
            left = self._framing.length
            while left:
                data = await self.stream.read(min(left, _READ))
                if not data:
                    raise Lost("the answer was cut short")
                left -= len(data)
                yield data
        elif self._framing.chunked:
            while not self._events.complete:
                data = await self.stream.read(_READ)
                if data:
                    yield self._unchunked(data)
                elif self._events.empty_chunk and _LAST_CHUNK.search(self._tail):
                    # RFC 9112 §8: what counts is the last chunk, not the empty line after it.
                    self._events.complete = self._events.extra = True
                else:
                    raise Lost("the answer was cut short")
        else:
            while data := await self.stream.read(_READ):
                yield data
        self._done = not self._events.extra

    def _unchunked(self, data: bytes) -> bytes:
        events = self._events
        self._tail = (self._tail + data)[-_TAIL:]
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            # An error right after the size of an empty chunk is one in the trailers behind the
            # last chunk, which are of no use to us.
            if not events.complete and not events.empty_chunk:
                raise FetchFailed(FetchError.PROTOCOL, "damaged chunk framing") from error
            events.complete = events.extra = True
        body = b"".join(events.parts)
        events.parts.clear()
        return body

    def close(self) -> None:
        """Keep the connection if its exchange is complete, else close it now."""
        if self._closed:
            return
        self._closed = True
        if self._done and self._keep is not None:
            self._keep(self.stream)
        else:
            self.stream.abort()


async def exchange(stream: Stream, request: bytes, keep: Callable[[Stream], None] | None) -> Answer:
    """Send a request and read the head of its answer, any 1xx before it skipped.

    All heads together fit into the stream's budget. `keep` takes the stream when the exchange is
    complete and the connection good for another; None closes it in any case (HEAD, whose body
    nobody can tell from the next answer). Raises `Lost` and `FetchFailed`.
    """
    await stream.write(request)
    while True:
        head = clean_head(await stream.read_until(END))
        events = _Events()
        parser = httptools.HttpResponseParser(events)
        # Some servers pad the size of a chunk with blanks (RFC 9112 §7.1.1: BWS).
        parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
        try:
            parser.feed_data(head.raw)
        except httptools.HttpParserError as error:
            raise FetchFailed(FetchError.PROTOCOL, "the answer's head cannot be read") from error
        status = parser.get_status_code()
        framing = framing_of(status, head.raw[5:8], events.fields)
        if status == 101:
            raise FetchFailed(FetchError.PROTOCOL, "a change of protocol that was not asked for")
        if status >= 200:
            kept = keep if framing.keep and not head.repaired else None
            return Answer(stream, status, framing, events, parser, kept)

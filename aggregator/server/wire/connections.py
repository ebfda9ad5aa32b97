"""Connections of clients that mean no good: what one may cost, and which one has to go.

uvicorn speaks HTTP through httptools, whose parser has no limits: it keeps a header of any size
and copies it at every packet. Here sizes are counted where bytes arrive and before the parser sees
more of them; every phase of a connection has a deadline; and what is bounded are only connections
that do not hold a complete request, of which the oldest is closed when there are too many. Nobody
is judged by address: behind a proxy, a NAT or a container's bridge all readers share one.

Statuses: 400 and 408 (RFC 9110 §15.5), 431 (RFC 6585 §5). `docs/design/safety.md` has the promises.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aggregator.telemetry import metrics

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

log = structlog.get_logger("aggregator.server")

_PIECE = 16 * 1024  # bytes given to the parser at once
# Taken in after our last answer, so that it is not lost (RFC 9112 §9.6): seconds, bytes.
_LINGER = 2.0
_LINGER_BYTES = 16 * 1024 * 1024
_FRAMING = 8  # bytes of chunked framing that a byte of a body may cost
_REPORT = 60.0  # seconds between two lines in the log


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What clients may cost.

    Args:
        head_bytes: of a request line with its headers; of trailers and chunk framing too.
        headers: the most headers of a request, trailers included.
        pipelined: requests sent before the answer to the first.
        head: from the first byte, or the connection's begin, to the last header.
        idle: between an answer and the next request.
        body: from the last header to the end of the body.
        answer: an answer must be taken within this time and `rate` bytes a second.
        rate: bytes a second.
        silence: a client that acknowledges nothing of what was sent for this long is gone,
            whether its system was switched off or it takes nothing at all.
        incomplete: connections without a complete request.
        unsent: bytes of answers that clients have not taken, of all together.
        ahead: bytes of an answer that the system's buffer of a connection takes before the
            client has taken those before. Without it a client that reads nothing fills that
            buffer, some MiB, with answers that we compose for nobody.
    """

    head_bytes: int
    headers: int
    pipelined: int
    head: timedelta
    idle: timedelta
    body: timedelta
    answer: timedelta
    rate: int
    silence: timedelta
    incomplete: int
    unsent: int
    ahead: int


LIMITS = ConnectionLimits(
    head_bytes=32 * 1024,
    headers=100,
    pipelined=8,
    head=timedelta(seconds=10),
    idle=timedelta(seconds=15),
    body=timedelta(seconds=60),
    answer=timedelta(seconds=30),
    rate=16 * 1024,
    silence=timedelta(minutes=2),
    incomplete=512,
    unsent=128 * 1024 * 1024,
    ahead=64 * 1024,
)


class Ended(StrEnum):
    """Why we ended a connection."""

    INVALID = "invalid"
    LARGE = "large"  # its head, or more requests at once than anybody sends
    HEAD = "head"  # not there in time
    BODY = "body"
    ANSWER = "answer"  # not taken in time
    INCOMPLETE = "incomplete"  # the oldest of too many
    UNSENT = "unsent"


class _Phase(Enum):
    HEAD = "head"  # no complete head yet
    BODY = "body"
    BUSY = "busy"  # a complete request waits for its answer
    IDLE = "idle"
    OVER = "over"  # answered for the last time; what still comes is thrown away


class _TooLarge(Exception):
    """The head has more bytes or headers than it may; raised through the parser."""


class Connections:
    """All connections that may have to go, the oldest first, and why others went."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._incomplete: dict[Connection, None] = {}
        self._stalled: dict[Connection, int] = {}  # what each had not taken when last looked at
        self._unsent = 0  # the sum of that
        self._ended: Counter[str] = Counter()
        self._report: asyncio.TimerHandle | None = None

    def add(self, one: Connection) -> None:
        """It holds no complete request (any more). One that is here keeps its place."""
        self._incomplete.setdefault(one)
        while len(self._incomplete) > self.limits.incomplete:
            oldest = next(iter(self._incomplete))
            self._incomplete.pop(oldest)
            oldest.abort(Ended.INCOMPLETE)

    def discard(self, one: Connection) -> None:
        """It holds a complete request, or is gone."""
        self._incomplete.pop(one, None)

    def stalled(self, one: Connection) -> None:
        """Its client does not take our answer as fast as it comes.

        With too much unsent the one that stands longest goes, unless it took something since it
        was looked at last: then it stands last again.
        """
        self.flowing(one)
        self._stand(one)
        while self._unsent > self.limits.unsent:
            oldest = next(iter(self._stalled))
            before = self._stalled[oldest]
            self.flowing(oldest)
            if oldest.unsent() < before:
                self._stand(oldest)
            else:
                oldest.abort(Ended.UNSENT)

    def _stand(self, one: Connection) -> None:
        self._stalled[one] = one.unsent()
        self._unsent += self._stalled[one]

    def flowing(self, one: Connection) -> None:
        """Its client took what there was, or is gone."""
        self._unsent -= self._stalled.pop(one, 0)

    def ended(self, why: Ended, loop: asyncio.AbstractEventLoop) -> None:
        """Count it; the log gets one line a minute, however many there are."""
        metrics.CONNECTIONS_ENDED.labels(reason=why).inc()
        self._ended[why] += 1
        if self._report is None:
            self._report = loop.call_later(_REPORT, self._tell)

    def _tell(self) -> None:
        self._report = None
        log.warning("connections of clients were ended", **dict(self._ended))
        self._ended.clear()


class Connection(HttpToolsProtocol):
    """One connection of a client: uvicorn's, with limits."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        others: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._others = others
        self._limits = others.limits
        self._wire: asyncio.Transport | None = None
        self._phase = _Phase.OVER
        self._deadline: asyncio.TimerHandle | None = None
        self._answer_deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._in_body = False
        self._complete = 0  # requests that are here whole and not answered yet
        self._bytes = 0  # of the message being read, body included
        self._header_bytes = 0  # of its headers, names and values
        self._header_count = 0
        self._body_bytes = 0
        self._thrown_away = 0
        self._waits_to_go_on = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected: its first request has to come now."""
        wire = cast(asyncio.Transport, transport)
        super().connection_made(wire)
        self._wire = wire
        _tell_system(wire, self._limits)
        self.transport = _Outlet(wire, self)
        self._enter(_Phase.HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, whoever ended it."""
        self._enter(_Phase.OVER)
        self._clear_answer_deadline()
        if self._deadline is not None:
            self._deadline.cancel()
        self._others.discard(self)
        self._others.flowing(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser in pieces, and no more of them once a limit is reached."""
        for start in range(0, len(data), _PIECE):
            if self._phase is _Phase.OVER:
                self._thrown_away += len(data) - start
                if self._thrown_away > _LINGER_BYTES:
                    self.abort(None)
                return
            self._feed(data[start : start + _PIECE] if len(data) > _PIECE else data)

    def pause_writing(self) -> None:
        """The client is slower than our answer."""
        super().pause_writing()
        allowed = self._limits.answer.total_seconds() + self.unsent() / self._limits.rate
        self._clear_answer_deadline()
        self._answer_deadline = self.loop.call_later(allowed, self.abort, Ended.ANSWER)
        self._others.stalled(self)

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self._clear_answer_deadline()
        self._others.flowing(self)
        if self._waits_to_go_on:
            self._waits_to_go_on = False
            super().on_response_complete()
            self._unset_keepalive_if_required()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._in_head = True
        self._bytes = self._header_bytes = self._header_count = self._body_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the request line's target."""
        self._count_header(len(url), 0)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header or trailer."""
        self._count_header(len(name) + len(value) + 4, 1)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        self._in_body = True
        if len(self.pipeline) >= self._limits.pipelined:
            raise _TooLarge
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there whole."""
        self._in_body = False
        self._complete += 1
        super().on_message_complete()

    # What an answer calls.

    def on_response_complete(self) -> None:
        """Answered: the next request may come, unless a body was left unread."""
        unread = not self._complete
        self._complete -= 0 if unread else 1
        if self.pipeline and self.flow.write_paused and not self.transport.is_closing():
            self._waits_to_go_on = True  # nothing is answered ahead of what the client takes
            return
        super().on_response_complete()
        self._unset_keepalive_if_required()  # ours is the deadline
        if self._phase is _Phase.OVER:
            return
        if unread:
            self.finish(unread=True)
        else:
            self._settle()

    def finish(self, *, unread: bool = False) -> None:
        """End the connection when what was written is sent.

        With a body that nobody reads our side alone is ended first: bytes that arrive at a closed
        socket reset the connection, and the answer would be lost with it (RFC 9112 §9.6).
        """
        wire = self._wire
        if wire is None or wire.is_closing() or self._phase is _Phase.OVER:
            return
        unread = unread or (self._in_body and not self._complete)
        self._enter(_Phase.OVER)
        if unread and wire.can_write_eof():
            self.flow.resume_reading()
            wire.write_eof()
        else:
            wire.close()
        allowed = _LINGER + self.unsent() / self._limits.rate
        if self.unsent():
            allowed += self._limits.answer.total_seconds()
        self._others.add(self)
        self._deadline = self.loop.call_later(allowed, self.abort, None)

    def abort(self, why: Ended | None) -> None:
        """End the connection at once."""
        if self._wire is None:
            return
        if why is not None:
            self._others.ended(why, self.loop)
        self._wire.abort()

    @property
    def is_over(self) -> bool:
        """Nothing more is read or answered here."""
        return self._phase is _Phase.OVER

    def unsent(self) -> int:
        """Bytes written that the client has not taken."""
        return self._wire.get_write_buffer_size() if self._wire is not None else 0

    # Within.

    def _feed(self, piece: bytes) -> None:
        began_before = self._in_head or self._in_body
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            if self.cycle is not None:
                self.cycle.keep_alive = False  # what follows is in no language of ours
        except httptools.HttpParserError as error:
            cause = error.__context__ or error.__cause__
            if isinstance(cause, _TooLarge):
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, Ended.LARGE)
            else:
                self._refuse(HTTPStatus.BAD_REQUEST, Ended.INVALID)
            return
        if self._phase is _Phase.OVER:
            return
        if self._in_head or self._in_body:
            if began_before or not self._complete:
                self._bytes += len(piece)
            allowed = self._limits.head_bytes + (1 + _FRAMING) * self._body_bytes
            if self._bytes > allowed:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, Ended.LARGE)
                return
        self._settle()

    def _count_header(self, size: int, number: int) -> None:
        self._header_bytes += size
        self._header_count += number
        if (
            self._header_bytes > self._limits.head_bytes
            or self._header_count > self._limits.headers
        ):
            raise _TooLarge

    def _settle(self) -> None:
        """The phase that follows from what is here."""
        if self._complete:
            self._enter(_Phase.BUSY)
        elif self._in_body:
            self._enter(_Phase.BODY)
        elif self._in_head or (self._phase is _Phase.HEAD):
            self._enter(_Phase.HEAD)
        else:
            self._enter(_Phase.IDLE)

    def _enter(self, phase: _Phase) -> None:
        if phase is self._phase:
            return
        self._phase = phase
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        limits = self._limits
        if phase is _Phase.BUSY:
            self._others.discard(self)
        elif phase is not _Phase.OVER:
            allowed = {
                _Phase.HEAD: limits.head, _Phase.BODY: limits.body, _Phase.IDLE: limits.idle,
            }[phase]  # fmt: skip
            self._deadline = self.loop.call_later(allowed.total_seconds(), self._too_late)
            self._others.add(self)

    def _too_late(self) -> None:
        if self._phase is _Phase.IDLE:
            self.finish()
        elif self._phase is _Phase.BODY:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, Ended.BODY)
        elif self._in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, Ended.HEAD)
        else:
            self.abort(Ended.HEAD)

    def _refuse(self, status: HTTPStatus, why: Ended) -> None:
        """Say why, where no other answer has begun, and end the connection."""
        begun = self.cycle is not None and (
            self.cycle.response_started and not self.cycle.response_complete
        )
        if begun or self._complete or self.pipeline or self._wire is None:
            self.abort(why)
            return
        self._others.ended(why, self.loop)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # the application learns that nobody waits
            self.cycle.message_event.set()
        text = f"{status.value} {status.phrase}\n".encode()
        self._wire.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
            b"Content-Length: %d\r\nConnection: close\r\n\r\n%s"
            % (status.value, status.phrase.encode(), len(text), text)
        )
        self.finish(unread=True)

    def _clear_answer_deadline(self) -> None:
        if self._answer_deadline is not None:
            self._answer_deadline.cancel()
            self._answer_deadline = None


class _Outlet(asyncio.Transport):
    """The transport as uvicorn's answers see it: `close` means ours, which loses no answer."""

    def __init__(self, wire: asyncio.Transport, connection: Connection) -> None:
        super().__init__()
        self._wire = wire
        self._connection = connection

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._connection.is_over:
            self._wire.write(data)

    def close(self) -> None:
        self._connection.finish()

    def is_closing(self) -> bool:
        return self._wire.is_closing() or self._connection.is_over


def _tell_system(wire: asyncio.Transport, limits: ConnectionLimits) -> None:
    """What the system can hold to by itself: both on Linux, `ahead` on macOS."""
    connected = wire.get_extra_info("socket")
    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    milliseconds = int(limits.silence.total_seconds() * 1000)
    for name, value in (
        ("TCP_NOTSENT_LOWAT", limits.ahead),  # what is on its way to the client does not count
        ("TCP_USER_TIMEOUT", milliseconds),  # RFC 5482
    ):
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def limited(limits: ConnectionLimits) -> type[asyncio.Protocol]:
    """What uvicorn's setting `http` takes: makes connections that share these limits."""
    made = functools.partial(Connection, others=Connections(limits))
    return cast("type[asyncio.Protocol]", made)

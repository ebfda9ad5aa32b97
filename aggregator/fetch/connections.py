"""Connections to servers: opened past the guard, and for a moment kept.

There is no pool to wait in. A poller comes back to a host after minutes: at most one idle
connection is kept for an origin, for seconds.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from aggregator.fetch.dial import dial
from aggregator.fetch.exchange import Answer, Fields, exchange, request_bytes
from aggregator.fetch.failure import FetchFailed, Lost
from aggregator.fetch.guard import AddressPolicy
from aggregator.fetch.resolve import Resolver, locate
from aggregator.fetch.stream import Exchange, Stream
from aggregator.fetch.target import Target
from aggregator.model.http import FetchError, FetchLimits

_MAX_IDLE = 32  # connections kept in all
_MAY_REPEAT = frozenset({b"GET", b"HEAD"})

_Key = tuple[str, str, int, AddressPolicy]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: where it goes, what is sent, and whom it may reach."""

    method: bytes
    target: Target
    fields: Fields
    policy: AddressPolicy
    exchange: Exchange
    body: bytes = b""


@dataclass(slots=True)
class _Idle:
    stream: Stream
    until: float  # the loop's time


class Connections:
    """Sends each request over a connection that the guard allowed.

    Args:
        resolver: finds addresses.
        context: makes the TLS context when the first secure connection needs it.
        limits: bounds of heads and times.
        proxy: an http or https proxy for everything. It resolves names itself, so that the guard
            sees only what the client checks before.
    """

    def __init__(
        self,
        resolver: Resolver,
        context: Callable[[], ssl.SSLContext],
        limits: FetchLimits,
        *,
        proxy: Target | None = None,
    ) -> None:
        self._resolver = resolver
        self._make_context = context
        self._context: ssl.SSLContext | None = None
        self._head = limits.head
        self._connect_seconds = limits.connect.total_seconds()
        self._read_seconds = limits.read.total_seconds()
        self._idle_seconds = limits.idle.total_seconds()
        self._proxy = proxy
        self._idle: OrderedDict[_Key, _Idle] = OrderedDict()  # in the order of their ends
        self._sweeping: asyncio.TimerHandle | None = None

    def holds(self, target: Target, policy: AddressPolicy) -> bool:
        """Whether an idle connection would serve this origin under this policy."""
        kept = self._idle.get((*target.origin, policy))
        return kept is not None and kept.stream.idle

    async def send(self, asked: Asked) -> Answer:
        """Send a request; the answer must be closed. Raises `FetchFailed`."""
        key: _Key = (*asked.target.origin, asked.policy)
        request = self._request(asked)

        def keep(stream: Stream) -> None:
            self._keep(key, stream)

        kept = None if asked.method == b"HEAD" else keep
        idle = self._take(key)
        if idle is not None:
            asked.exchange.reused = True
            try:
                return await self._exchange(idle, asked, request, kept)
            except Lost:
                # The server may close an idle connection just as we use it: RFC 9112 §9.3.1
                # allows one repetition where not a byte of an answer was seen.
                if asked.exchange.first_byte is not None or asked.method not in _MAY_REPEAT:
                    raise
            asked.exchange.reused = False
        return await self._exchange(await self._open(asked), asked, request, kept)

    def close(self) -> None:
        """Close what is idle."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        while self._idle:
            self._drop(next(iter(self._idle)))

    async def _exchange(
        self,
        stream: Stream,
        asked: Asked,
        request: bytes,
        keep: Callable[[Stream], None] | None,
    ) -> Answer:
        stream.begin(asked.exchange, self._head)
        try:
            return await exchange(stream, request, keep)
        except BaseException:
            stream.abort()
            raise

    def _request(self, asked: Asked) -> bytes:
        target, fields = asked.target.path, asked.fields
        if self._proxy is not None and asked.target.scheme == "http":
            target = b"http://%b%b" % (asked.target.authority, target)
            fields = (*fields, *self._login())
        return request_bytes(asked.method, target, fields, asked.body)

    def _login(self) -> Fields:
        login = self._proxy.userinfo if self._proxy is not None else None
        if login is None:
            return ()
        token = base64.b64encode(f"{login[0]}:{login[1]}".encode())
        return ((b"Proxy-Authorization", b"Basic " + token),)

    async def _open(self, asked: Asked) -> Stream:
        target, notes = asked.target, asked.exchange
        proxy = self._proxy
        server = proxy or target
        addresses = notes.addresses if proxy is None else ()
        if not addresses:
            started = time.monotonic()
            if proxy is None:
                addresses = await locate(self._resolver, server.host, server.port, asked.policy)
            else:
                addresses = await self._resolver.resolve(server.host, server.port)
            notes.dns = (time.monotonic() - started) * 1000
        started = time.monotonic()
        ends = started + self._connect_seconds
        stream = await dial(
            server.host, addresses, server.port, asked.policy if proxy is None else None,
            ends=ends, read_timeout=self._read_seconds,
        )  # fmt: skip
        try:
            stream.begin(notes, self._head)
            if proxy is not None:
                await self._through(stream, proxy, target, ends)
            if target.scheme == "https":
                await stream.secure(self._tls(), target.host, ends)
        except BaseException:
            stream.abort()
            raise
        notes.connect = (time.monotonic() - started) * 1000
        return stream

    async def _through(self, stream: Stream, proxy: Target, target: Target, ends: float) -> None:
        """Reach `target` through a proxy: a tunnel where TLS follows (RFC 9110 §9.3.6)."""
        if proxy.scheme == "https":
            await stream.secure(self._tls(), proxy.host, ends)
        if target.scheme != "https":
            return
        place = target.base.partition("://")[2].rstrip("/").encode("ascii")
        fields = ((b"Host", place), *self._login())
        answer = await exchange(stream, request_bytes(b"CONNECT", place, fields), None)
        if not 200 <= answer.status < 300:
            raise FetchFailed(FetchError.CONNECT, "the proxy refused")

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._make_context()
        return self._context

    def _take(self, key: _Key) -> Stream | None:
        kept = self._idle.pop(key, None)
        if kept is None:
            return None
        if not kept.stream.quiet():
            kept.stream.abort()
            return None
        return kept.stream

    def _keep(self, key: _Key, stream: Stream) -> None:
        """Keep a connection whose exchange is complete for a while."""
        if self._idle_seconds <= 0 or not stream.idle:
            stream.abort()
            return
        self._drop(key)
        loop = asyncio.get_running_loop()
        self._idle[key] = _Idle(stream, loop.time() + self._idle_seconds)
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._idle_seconds, self._sweep)
        if len(self._idle) > _MAX_IDLE:
            self._drop(next(iter(self._idle)))

    def _sweep(self) -> None:
        """Close what has been idle for its time; come back when the next one has."""
        self._sweeping = None
        loop = asyncio.get_running_loop()
        while self._idle:
            key, first = next(iter(self._idle.items()))
            if first.until > loop.time() + 0.001:
                self._sweeping = loop.call_at(first.until, self._sweep)
                return
            self._drop(key)

    def _drop(self, key: _Key) -> None:
        kept = self._idle.pop(key, None)
        if kept is not None:
            kept.stream.abort()

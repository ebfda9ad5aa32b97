"""Connections: the network backend beneath httpcore, on plain asyncio.

It dials only addresses the guard has passed, keeps the URL's host for SNI and the certificate,
and counts what a server sends: a header block or a body cannot outgrow its budget whatever the
layers above buffer.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, cast

import httpcore

from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.guard import AddressPolicy
from aggregator.fetch.resolve import Resolver, locate
from aggregator.model.http import FetchError

_HIGH_WATER = 256 * 1024  # bytes unread before the socket is paused
_MAX_ADDRESSES = 4  # tried for one host


@dataclass(slots=True)
class Exchange:
    """Notes of one request, written by the connection, read by the client. Times in ms."""

    addresses: tuple[str, ...] = ()  # checked already; empty: resolve when dialling
    head_limit: int = 64 * 1024
    address: str | None = None
    dns: float | None = None
    connect: float | None = None
    first_byte: float | None = None
    reused: bool = False
    _began: float = field(default_factory=time.monotonic)

    def restart(self) -> None:
        """Begin to count `first_byte` now."""
        self._began = time.monotonic()
        self.first_byte = None

    def saw_bytes(self) -> None:
        """Note the first byte of the answer."""
        if self.first_byte is None:
            self.first_byte = (time.monotonic() - self._began) * 1000


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One TCP or TLS connection with a byte budget for what it may still deliver."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.budget = 0
        self.received = 0
        self._transport: asyncio.Transport | None = None
        self._chunks = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._paused_reading = False
        self._paused_writing = False
        self._exchange: Exchange | None = None
        self._connect_ends: float | None = None

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio; again with the TLS transport on top."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        if self._exchange is not None:
            self._exchange.saw_bytes()
        self._chunks += data
        if len(self._chunks) > _HIGH_WATER and not self._paused_reading and self._transport:
            self._paused_reading = True
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> bool:
        """Called by asyncio. False lets asyncio close our side too."""
        self._ended = True
        _wake(self._reader)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._ended = True
        self._error = exc
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self._paused_writing = True

    def resume_writing(self) -> None:
        """Called by asyncio."""
        self._paused_writing = False
        _wake(self._writer)

    # -- httpcore.AsyncNetworkStream (its signatures: hence the `timeout` parameters)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to `max_bytes`, empty at the end. Raises `FetchFailed` when the budget is spent."""
        if not self._chunks and not self._ended:
            self._reader = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._reader
            except TimeoutError as error:
                raise httpcore.ReadTimeout("the server stopped sending") from error
            finally:
                self._reader = None
        if not self._chunks:
            if self._error is not None:
                raise httpcore.ReadError("the connection was reset") from self._error
            return b""
        if self.budget <= 0:
            raise FetchFailed(FetchError.PROTOCOL, "header block or chunk framing too large")
        size = min(max_bytes, self.budget)
        data = bytes(self._chunks[:size])
        del self._chunks[:size]
        self.budget -= len(data)
        self.received += len(data)
        if self._paused_reading and len(self._chunks) < _HIGH_WATER // 2 and self._transport:
            self._paused_reading = False
            if not self._ended:
                self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`."""
        if self._transport is None or self._ended:
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(buffer)
        while self._paused_writing and not self._ended:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._writer
            except TimeoutError as error:
                raise httpcore.WriteTimeout("the server stopped reading") from error
            finally:
                self._writer = None

    async def aclose(self) -> None:
        """Close at once: nobody waits for a server's goodbye."""
        self.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Put TLS on this connection, within what is left of the time to connect."""
        if self._transport is None or self._ended or self._chunks:
            # Plain bytes ahead of the handshake would later pass for bytes that came through it.
            self.abort()
            raise FetchFailed(FetchError.TLS, "the server does not speak TLS")
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        if self._connect_ends is not None:
            timeout = max(self._connect_ends - started, 0.01)
        try:
            async with asyncio.timeout(timeout):
                secured = await loop.start_tls(
                    self._transport,
                    self,
                    ssl_context,
                    server_hostname=server_hostname.rstrip(".") if server_hostname else None,
                )
        except TimeoutError as error:
            self.abort()
            raise FetchFailed(FetchError.TLS, "no TLS handshake in time") from error
        except ssl.SSLCertVerificationError as error:
            self.abort()
            raise FetchFailed(
                FetchError.TLS, f"certificate refused: {error.verify_message}"
            ) from error
        except (ssl.SSLError, OSError) as error:
            self.abort()
            raise FetchFailed(FetchError.TLS, "the TLS handshake failed") from error
        if secured is None:
            raise FetchFailed(FetchError.TLS, "the TLS handshake failed")
        self._transport = secured
        if self._exchange is not None and self._exchange.connect is not None:
            self._exchange.connect += (time.monotonic() - started) * 1000
            self._exchange.restart()
        return self

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a connection."""
        if info == "is_readable":
            return bool(self._chunks) or self._ended
        if self._transport is None:
            return None
        name = {"server_addr": "peername", "client_addr": "sockname"}.get(info, info)
        return self._transport.get_extra_info(name)

    # -- ours

    def begin(self, exchange: Exchange) -> None:
        """A request is about to be sent: allow one header block, note times in `exchange`."""
        exchange.address = self.address
        exchange.restart()
        self._exchange = exchange
        self.budget = exchange.head_limit
        self.received = 0

    def expect_dial(self, ends: float) -> None:
        """TLS, if any, must be done by this monotonic time."""
        self._connect_ends = ends

    def abort(self) -> None:
        """Close the socket now, from anywhere, without waiting."""
        self._exchange = None
        if self._transport is not None:
            self._transport.abort()


class Dialler(httpcore.AsyncNetworkBackend):
    """Opens the one connection of one request.

    `policy` None is for a proxy that the operator named and trusts: its own address is not
    judged.
    """

    def __init__(
        self, resolver: Resolver, policy: AddressPolicy | None, exchange: Exchange
    ) -> None:
        self._resolver = resolver
        self._policy = policy
        self._exchange = exchange
        self.stream: Stream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address of `host` that the guard passes.

        Raises `Blocked`, `FetchFailed(DNS)` or `FetchFailed(CONNECT)`.
        """
        addresses = await self._addresses(host, port)
        started = time.monotonic()
        ends = started + (timeout if timeout is not None else 5.0)
        failure = "no address answers"
        tries = addresses[:_MAX_ADDRESSES]
        for index, address in enumerate(tries):
            if self._policy is not None:
                self._policy.check(ip_address(address))
            share = (ends - time.monotonic()) / (len(tries) - index)
            try:
                async with asyncio.timeout(max(share, 0.01)):
                    stream = await _connect(address, port)
            except TimeoutError:
                failure = "connect timed out"
                continue
            except OSError as error:
                failure = os.strerror(error.errno).lower() if error.errno else "connect failed"
                continue
            self.stream = stream
            self._exchange.connect = (time.monotonic() - started) * 1000
            stream.expect_dial(ends)
            stream.begin(self._exchange)
            return stream
        raise FetchFailed(FetchError.CONNECT, f"{host}: {failure}")

    def reuse(self, exchange: Exchange) -> None:
        """Another request goes over the connection that is open."""
        self._exchange = exchange
        if self.stream is not None:
            self.stream.begin(exchange)

    async def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        if self._exchange.addresses and self._policy is not None:
            return self._exchange.addresses
        started = time.monotonic()
        if self._policy is None:
            found = await self._resolver.resolve(host, port)
        else:
            found = await locate(self._resolver, host, port, self._policy)
        self._exchange.dns = (time.monotonic() - started) * 1000
        return found


async def _connect(address: str, port: int) -> Stream:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await loop.sock_connect(raw, (address, port))
        _, stream = await loop.create_connection(lambda: Stream(address), sock=raw)
    except BaseException:
        raw.close()
        raise
    return stream


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)

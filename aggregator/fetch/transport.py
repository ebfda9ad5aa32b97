"""Our transport beneath httpx: httpcore's HTTP/1.1, our connections.

There is no pool to wait in. httpcore's costs time quadratic in the requests in flight, and a
poller comes back to a host after minutes: at most one idle connection is kept for an origin, for
seconds. Everything above is plain httpx; the request's extensions carry what httpx has no word
for: `target` (the raw request target), `policy` (`AddressPolicy`) and `exchange` (`Exchange`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpcore
import httpx

from aggregator.fetch.dial import Dialler, Exchange
from aggregator.fetch.guard import AddressPolicy
from aggregator.fetch.resolve import Resolver

_MAX_IDLE = 32  # connections kept in all

# Nothing above can store a cookie that it never sees. And httpx prepares the next request of a
# redirect even when told to follow none, stumbling over Locations that are none of its business:
# the header travels as the extension `location`.
_HIDDEN = frozenset({b"set-cookie", b"set-cookie2", b"location"})

_HTTPX_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.ProxyError, httpx.ProxyError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
)

_Key = tuple[bytes, bytes, int, AddressPolicy]


@dataclass(slots=True)
class _Connection:
    key: _Key
    http: httpcore.AsyncConnectionInterface
    dialler: Dialler
    timer: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Close the socket now, without waiting."""
        if self.dialler.stream is not None:
            self.dialler.stream.abort()


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends each request over a connection that the guard allowed.

    `proxy` is used for everything when set; it resolves names itself, so that the guard sees
    only what `Fetcher` checks before.
    """

    def __init__(
        self,
        resolver: Resolver,
        ssl_context: ssl.SSLContext,
        *,
        idle: float,
        proxy: httpx.Proxy | None = None,
    ) -> None:
        self._resolver = resolver
        self._ssl_context = ssl_context
        self._idle_seconds = idle
        self._proxy = proxy
        self._idle: OrderedDict[_Key, _Connection] = OrderedDict()

    def holds(self, scheme: str, host: str, port: int, policy: AddressPolicy) -> bool:
        """Whether an idle connection would serve this origin under this policy."""
        kept = self._idle.get((scheme.encode(), host.encode(), port, policy))
        return kept is not None and not kept.http.has_expired()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`. The response's stream must be closed.

        Raises httpx's transport errors, `FetchFailed` among them.
        """
        policy: AddressPolicy = request.extensions.get("policy") or AddressPolicy()
        exchange: Exchange = request.extensions.get("exchange") or Exchange()
        raw = _to_httpcore(request)
        key = (raw.url.scheme, raw.url.host, raw.url.origin.port, policy)
        kept = self._take(key)
        if kept is not None:
            exchange.reused = True
            kept.dialler.reuse(exchange)
            try:
                response = await self._send(kept, raw)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                # The server may close an idle connection just as we use it: RFC 9112 §9.3.1
                # allows one repetition where not a byte of an answer was seen.
                if exchange.first_byte is not None or request.method not in ("GET", "HEAD"):
                    raise
            else:
                if exchange.first_byte is not None:
                    return response
                # An answer without a new byte lay there before we asked: it answers nothing.
                kept.abort()
                await response.aclose()
            exchange.reused = False
        return await self._send(self._open(key, raw.url.origin, exchange), raw)

    async def aclose(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._drop(next(iter(self._idle)))

    def _open(self, key: _Key, origin: httpcore.Origin, exchange: Exchange) -> _Connection:
        dialler = Dialler(self._resolver, None if self._proxy else key[3], exchange)
        http: httpcore.AsyncConnectionInterface
        if self._proxy is None:
            http = httpcore.AsyncHTTPConnection(
                origin, ssl_context=self._ssl_context, network_backend=dialler
            )
        else:
            http = httpcore.AsyncHTTPProxy(
                proxy_url=str(self._proxy.url),
                proxy_auth=self._proxy.raw_auth,
                ssl_context=self._ssl_context,
                proxy_ssl_context=self._ssl_context if self._proxy.url.scheme == "https" else None,
                network_backend=dialler,
            ).create_connection(origin)
        return _Connection(key, http, dialler)

    async def _send(self, connection: _Connection, raw: httpcore.Request) -> httpx.Response:
        try:
            with _as_httpx_errors():
                response = await connection.http.handle_async_request(raw)
        except BaseException:
            connection.abort()
            raise
        location = next((v for n, v in response.headers if n.lower() == b"location"), None)
        return httpx.Response(
            status_code=response.status,
            headers=[item for item in response.headers if item[0].lower() not in _HIDDEN],
            stream=_Body(self, connection, response),
            extensions={
                **response.extensions,
                "stream": connection.dialler.stream,
                "location": location,
            },
        )

    def _take(self, key: _Key) -> _Connection | None:
        kept = self._idle.pop(key, None)
        if kept is None:
            return None
        if kept.timer is not None:
            kept.timer.cancel()
        if kept.http.has_expired():
            kept.abort()
            return None
        return kept

    def keep(self, connection: _Connection) -> None:
        """Keep a connection whose exchange is complete, for `idle` seconds; close any other."""
        if not connection.http.is_idle() or self._idle_seconds <= 0:
            connection.abort()
            return
        self._drop(connection.key)
        loop = asyncio.get_running_loop()
        connection.timer = loop.call_later(self._idle_seconds, self._drop, connection.key)
        self._idle[connection.key] = connection
        if len(self._idle) > _MAX_IDLE:
            self._drop(next(iter(self._idle)))

    def _drop(self, key: _Key) -> None:
        kept = self._idle.pop(key, None)
        if kept is not None:
            if kept.timer is not None:
                kept.timer.cancel()
            kept.abort()


class _Body(httpx.AsyncByteStream):
    def __init__(
        self, transport: GuardedTransport, connection: _Connection, response: httpcore.Response
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._response = response
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors():
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._response.aclose()
        except BaseException:
            self._connection.abort()
            raise
        self._transport.keep(self._connection)


def _to_httpcore(request: httpx.Request) -> httpcore.Request:
    url = request.url
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=url.raw_scheme,
            host=url.raw_host,
            port=url.port,
            target=request.extensions.get("target") or url.raw_path,
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions={"timeout": request.extensions.get("timeout", {})},
    )


@contextlib.contextmanager
def _as_httpx_errors() -> Iterator[None]:
    try:
        yield
    except tuple(ours for ours, _ in _HTTPX_ERRORS) as error:
        for ours, theirs in _HTTPX_ERRORS:
            if isinstance(error, ours):
                raise theirs(str(error)) from error
        raise

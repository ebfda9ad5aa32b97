"""The HTTP client of every poll: one conditional request in, one `FetchResult` out.

Rows of RFC 9110 and 9111 are decided here once for all kinds of request; what a kind may cost
stands in `FetchLimits`. Redirects are followed by hand, each hop under the guard, its host's
slot and what is left of one total deadline.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlencode

import httpx

from aggregator.fetch.answer import (
    ACCEPT,
    declared_length,
    fold,
    links_of,
    refusal,
    wrong_media_type,
)
from aggregator.fetch.body import coding_of, read_body
from aggregator.fetch.dial import Exchange, Stream
from aggregator.fetch.failure import FetchFailed, classify
from aggregator.fetch.freshness import freshness_of, renewed, retry_after_of, validators_of
from aggregator.fetch.guard import AddressPolicy, check_port
from aggregator.fetch.resolve import Resolver, SystemResolver, locate, numeric_address
from aggregator.fetch.target import Target, parse_target, redirect_url, without_secrets
from aggregator.fetch.transport import GuardedTransport
from aggregator.model.http import (
    FetchError,
    FetchLimits,
    FetchRequest,
    FetchResult,
    Hop,
    HostBusy,
    HostSlots,
    RequestKind,
    Timing,
    Validators,
)
from aggregator.model.settings import Network
from aggregator.telemetry.clock import Clock, SystemClock
from aggregator.urls.origin import registrable_domain

# httpx logs every URL at INFO, httpcore every header at DEBUG: both may hold secrets.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BODY_STATUSES = frozenset({200, 203, 226})
_UNCHANGED_STATUSES = frozenset({204, 205})
_FRAMING_ALLOWANCE = 64 * 1024  # wire bytes for chunk sizes, besides half of the body's cap
_NOT_CONFIGURABLE = frozenset(
    {
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "accept-encoding",
        "if-none-match",
        "if-modified-since",
        "te",
        "upgrade",
        "range",
    }
)


@dataclass(slots=True)
class _Visit:
    """One fetch under way: what is asked, where it stands, what was seen."""

    request: FetchRequest
    start: Target
    target: Target
    policy: AddressPolicy
    remaining: float  # seconds of the total deadline
    url: str
    hops: list[Hop] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    exchange: Exchange = field(default_factory=Exchange)
    spent: float = 0.0
    wire_bytes: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def result(self) -> FetchResult:
        """What is known so far; the caller adds how it ended."""
        return FetchResult(
            url=self.url,
            final_url=self.target.url,
            status=self.status,
            headers=self.headers,
            hops=tuple(self.hops),
            wire_bytes=self.wire_bytes,
            timing=Timing(
                dns=self.exchange.dns,
                connect=self.exchange.connect,
                first_byte=self.exchange.first_byte,
                total=self.spent * 1000,
            ),
            address=self.exchange.address,
        )


class Fetcher:
    """Fetches feeds, pages, robots.txt and hubs within limits, politely, past no guard.

    Make one for a process: it holds one TLS context and the few idle connections.

    Args:
        limits: what each kind of request may cost.
        user_agent: sent as it is.
        slots: host budgets; None only where nobody else's host is contacted.
        allow_networks, allow_ports: the operator's exceptions to the guard.
        proxy: an http or https proxy URL for everything. It resolves names itself, so that the
            guard cannot see what is dialled: refused unless `proxy_trusted`.
        ca_bundle: a file or directory of certificates trusted besides the usual ones.
        resolver, clock: for tests.

    Raises:
        ValueError: for a proxy that is untrusted or of another scheme.
    """

    def __init__(
        self,
        limits: FetchLimits,
        *,
        user_agent: str,
        slots: HostSlots | None,
        allow_networks: Sequence[Network] = (),
        allow_ports: Sequence[int] = (),
        proxy: str | None = None,
        proxy_trusted: bool = False,
        ca_bundle: str | None = None,
        resolver: Resolver | None = None,
        clock: Clock | None = None,
    ) -> None:
        if proxy is not None and not proxy_trusted:
            raise ValueError("a proxy dials in our place, unguarded: set proxy_trusted to use it")
        if proxy is not None and not proxy.startswith(("http://", "https://")):
            raise ValueError("only http and https proxies can be used")
        self._limits = limits
        self._slots = slots
        self._networks = tuple(allow_networks)
        self._ports = frozenset(allow_ports)
        self._proxied = proxy is not None
        self._clock = clock or SystemClock()
        self._resolver = resolver or SystemResolver(limits.resolve)
        self._in_flight = asyncio.Semaphore(limits.in_flight)
        context = httpx.create_ssl_context(trust_env=False)
        if ca_bundle is not None:
            _trust(context, ca_bundle)
        self._transport = GuardedTransport(
            self._resolver,
            context,
            idle=limits.idle.total_seconds(),
            proxy=httpx.Proxy(proxy) if proxy is not None else None,
        )
        connect, read = limits.connect.total_seconds(), limits.read.total_seconds()
        self._client = httpx.AsyncClient(
            transport=self._transport,
            headers={"user-agent": user_agent},
            timeout=httpx.Timeout(read, connect=connect, pool=None),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._client.aclose()

    async def fetch(self, request: FetchRequest) -> FetchResult:
        """Fetch one URL. A failure is a result; only cancellation and `HostSlots` raise."""
        try:
            start = parse_target(request.url)
        except FetchFailed as failure:
            url = without_secrets(request.url)
            return FetchResult(url=url, final_url=url, error=failure.error, detail=failure.detail)
        visit = _Visit(
            request=request,
            start=start,
            target=start,
            policy=AddressPolicy(self._networks, request.allow_private and not request.strict),
            remaining=self._limits.of(request.kind).total.total_seconds(),
            url=start.url,
        )
        try:
            while True:
                result = await self._hop(visit)
                if result is not None:
                    return replace(result, timing=visit.result().timing)
        except HostBusy as busy:
            return replace(
                visit.result(),
                error=FetchError.HOST_BUSY,
                retry_at=busy.retry_at,
                detail=f"{busy.host}: {busy.reason}",
            )
        except FetchFailed as failure:
            return replace(
                visit.result(),
                error=failure.error,
                detail=failure.detail,
                allowed_by=failure.allowed_by,
            )
        except TimeoutError:
            total = self._limits.of(request.kind).total.total_seconds()
            detail = f"no complete answer within {total:g} s"
            return replace(visit.result(), error=FetchError.TIMEOUT, detail=detail)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            kind, detail = classify(error)
            return replace(visit.result(), error=kind, detail=detail)

    async def _hop(self, visit: _Visit) -> FetchResult | None:
        """One request at `visit.target`: the end of the visit, or None after a redirect."""
        self._admit(visit)
        visit.exchange = Exchange(head_limit=self._limits.head)
        async with _deadline(visit):
            await self._locate(visit)
        if self._slots is None:
            return await self._send(visit)
        found = visit.exchange.addresses
        slot = await self._slots.acquire(
            registrable_domain(visit.target.host),
            visit.request.kind,
            address=found[0] if found else None,
            gap=visit.request.gap,
        )
        try:
            return await self._send(visit)
        finally:
            await asyncio.shield(self._slots.release(slot))

    def _admit(self, visit: _Visit) -> None:
        """Refuse a port, or a numeric address, that no dialling is needed to refuse."""
        request, target = visit.request, visit.target
        allowed = set(self._ports)
        if request.configured_port is not None:
            allowed.add(request.configured_port)
        if not request.strict:
            allowed.add(visit.start.port)  # a person wrote it
        check_port(target.port, allowed)
        literal = numeric_address(target.host)
        if literal is not None:
            visit.policy.check(ip_address(literal))

    async def _locate(self, visit: _Visit) -> None:
        """Resolve and check the host before its slot is taken, unless a connection is open."""
        target = visit.target
        held = self._transport.holds(target.scheme, target.host, target.port, visit.policy)
        if self._proxied or held:
            return
        started = time.monotonic()
        addresses = await locate(self._resolver, target.host, target.port, visit.policy)
        visit.exchange.addresses = addresses
        visit.exchange.dns = (time.monotonic() - started) * 1000

    async def _send(self, visit: _Visit) -> FetchResult | None:
        async with self._in_flight, _deadline(visit):
            response = await self._client.send(self._request(visit), stream=True)
            try:
                return await self._judge(visit, response)
            finally:
                await response.aclose()

    def _request(self, visit: _Visit) -> httpx.Request:
        request, target = visit.request, visit.target
        headers = {"accept": ACCEPT[request.kind], "accept-encoding": "gzip"}
        sent = _validators_for(visit)
        if sent.etag is not None:
            headers["if-none-match"] = sent.etag
        if sent.last_modified is not None:
            headers["if-modified-since"] = sent.last_modified
        if request.delta and sent:
            headers["a-im"] = "feed"
        if request.head:
            headers["connection"] = "close"  # some servers send a body all the same
        if target.origin == visit.start.origin:
            headers.update(_configured_headers(request, visit.start))
        content = None
        if request.form is not None:
            content = urlencode(request.form).encode("ascii")
            headers["content-type"] = "application/x-www-form-urlencoded"
        return self._client.build_request(
            "POST" if request.form is not None else "HEAD" if request.head else "GET",
            target.base,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=content,
            extensions={
                "target": target.path,
                "policy": visit.policy,
                "exchange": visit.exchange,
            },
        )

    async def _judge(self, visit: _Visit, response: httpx.Response) -> FetchResult | None:
        """Decide by the head; read the body only of an answer that is wanted."""
        received = self._clock.now()
        status, kind = response.status_code, visit.request.kind
        visit.status, visit.headers = status, fold(response.headers)
        headers, url = visit.headers, visit.target.url
        location: bytes | None = response.extensions["location"]
        if status in _REDIRECTS and location is not None:
            self._redirect(visit, status, location)
            return None
        result = replace(
            visit.result(),
            content_type=headers.get("content-type"),
            freshness=freshness_of(headers, received),
            retry_after=retry_after_of(headers, received),
            links=links_of(headers, url),
        )
        sent = _validators_for(visit)
        if status == 304:
            if not sent:
                detail = "not modified, though nothing was held against it"
                return replace(result, error=FetchError.PROTOCOL, detail=detail)
            await self._drain(response)
            return replace(result, not_modified=True, validators=renewed(sent, headers, url))
        if visit.request.head and 200 <= status < 300:
            return replace(result, body=b"")
        if kind is RequestKind.HUB and 200 <= status < 300:
            body = await self._read(visit, response)
            return replace(result, body=body, decoded_bytes=len(body), wire_bytes=visit.wire_bytes)
        if status in _UNCHANGED_STATUSES:
            await self._drain(response)
            return replace(result, not_modified=True, validators=visit.request.validators)
        delta = status == 226 and visit.request.delta and bool(sent)
        if status not in _BODY_STATUSES or (status == 226 and not delta):
            failure = refusal(status, headers)
            return replace(result, error=failure.error, detail=failure.detail)
        wrong = wrong_media_type(kind, headers)
        if wrong is not None:
            return replace(result, error=wrong.error, detail=wrong.detail)
        body = await self._read(visit, response)
        result = replace(result, wire_bytes=visit.wire_bytes)
        if not body and kind is not RequestKind.ROBOTS:
            return replace(result, error=FetchError.PROTOCOL, detail="an empty body")
        return replace(
            result,
            body=body,
            decoded_bytes=len(body),
            validators=validators_of(headers, url),
            delta=delta,
        )

    async def _read(self, visit: _Visit, response: httpx.Response) -> bytes:
        limits = self._limits.of(visit.request.kind)
        stream: Stream = response.extensions["stream"]
        stream.budget = limits.wire + limits.wire // 2 + _FRAMING_ALLOWANCE
        body, visit.wire_bytes = await read_body(
            response.aiter_raw(),
            coding_of(visit.headers.get("content-encoding")),
            limits,
            declared=declared_length(visit.headers),
            ratio=self._limits.ratio,
            ratio_from=self._limits.ratio_from,
        )
        return body

    async def _drain(self, response: httpx.Response) -> None:
        """Reach the end of an answer that has no body, so that its connection can be kept."""
        stream: Stream = response.extensions["stream"]
        stream.budget = 0
        async for _ in response.aiter_raw():
            break

    def _redirect(self, visit: _Visit, status: int, location: bytes) -> None:
        """Move the visit on to where `location` leads, unread body left behind."""
        current = visit.target
        try:
            target = parse_target(redirect_url(current, location))
        except FetchFailed as failure:
            detail = f"redirected nowhere: {failure.detail}"
            raise FetchFailed(FetchError.REDIRECT, detail) from failure
        visit.hops.append(Hop(status=status, url=current.url, location=target.url))
        if not visit.request.redirects:
            raise FetchFailed(FetchError.REDIRECT, f"redirected to {target.url}")
        visit.seen.add(current.url)
        if len(visit.hops) > self._limits.redirects:
            raise FetchFailed(FetchError.REDIRECT, f"more than {self._limits.redirects} redirects")
        if target.url in visit.seen:
            raise FetchFailed(FetchError.REDIRECT, "redirected in a circle")
        if (current.scheme, target.scheme, visit.start.scheme) == ("https", "http", "https"):
            raise FetchFailed(FetchError.REDIRECT, "redirected from https to http")
        if visit.request.form is not None and status not in (307, 308):
            raise FetchFailed(FetchError.REDIRECT, f"status {status} would lose the form")
        visit.target = target


@asynccontextmanager
async def _deadline(visit: _Visit) -> AsyncIterator[None]:
    """Charge the time spent inside to the visit's total deadline."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(max(visit.remaining, 0)):
            yield
    finally:
        took = time.monotonic() - started
        visit.spent += took
        visit.remaining -= took


def _validators_for(visit: _Visit) -> Validators:
    """The validators to send at this hop: only to the URL that gave them, never with a form."""
    held = visit.request.validators
    owner = held.url if held.url is not None else visit.start.url
    if visit.request.form is not None or owner != visit.target.url:
        return Validators()
    return held


def _configured_headers(request: FetchRequest, start: Target) -> dict[str, str]:
    """The source's own headers and credentials; for its own origin only."""
    headers = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower() not in _NOT_CONFIGURABLE
    }
    login = request.auth or start.userinfo
    if login is not None:
        token = base64.b64encode(f"{login[0]}:{login[1]}".encode()).decode("ascii")
        headers["authorization"] = f"Basic {token}"
    return headers


def _trust(context: ssl.SSLContext, bundle: str) -> None:
    path = Path(bundle)
    if path.is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)

"""The HTTP client of every poll: one conditional request in, one `FetchResult` out.

Rows of RFC 9110 and 9111 are decided here once for all kinds of request; what a kind may cost
stands in `FetchLimits`. Redirects are followed by hand, each hop under the guard, its host's
slot and what is left of one total deadline.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import certifi
import httpx

from aggregator.fetch.answer import (
    ACCEPT,
    declared_length,
    fold,
    links_of,
    refusal,
    values_of,
    wrong_media_type,
)
from aggregator.fetch.body import coding_of, read_body
from aggregator.fetch.connections import Connections
from aggregator.fetch.cookies import Cookies
from aggregator.fetch.failure import Blocked, FetchFailed, UnaskedCoding
from aggregator.fetch.freshness import freshness_of, renewed, retry_after_of, validators_of
from aggregator.fetch.guard import AddressPolicy, check_address, check_port
from aggregator.fetch.resolve import Resolver, SystemResolver, locate, numeric_address
from aggregator.fetch.stream import Exchange
from aggregator.fetch.target import Target, parse_target, redirect_url, without_secrets
from aggregator.fetch.transport import Transport, request_for
from aggregator.model.http import (
    Access,
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
from aggregator.model.meanings import HELD
from aggregator.model.settings import Network
from aggregator.telemetry.clock import Clock, SystemClock
from aggregator.urls.origin import registrable_domain

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BODY_STATUSES = frozenset({200, 203, 226})
_UNCHANGED_STATUSES = frozenset({204, 205})
_ANY_ANSWER = frozenset({RequestKind.HUB, RequestKind.PUSH})  # with or without a body
_FRAMING_ALLOWANCE = 64 * 1024  # wire bytes for chunk sizes, besides half of the body's cap
_ASK_AGAIN = 2  # times that an address is asked again within a visit, each with other cookies
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
    home: Target | None  # the source's configured address; None: the address came from content
    target: Target
    policy: AddressPolicy
    remaining: float  # seconds of the total deadline
    plain: bool = False  # ask for the body as it is, after a coding that cannot be bounded
    cookies: Cookies = field(default_factory=Cookies)
    asked: dict[str, list[int]] = field(default_factory=dict)  # versions of the cookies sent
    came_from: str | None = None  # the private address that sent us on
    hops: list[Hop] = field(default_factory=list)
    exchange: Exchange = field(default_factory=Exchange)
    spent: float = 0.0
    since: float | None = None  # when the running charge to the deadline began
    wire_bytes: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    withheld_from: str | None = None

    def result(self, **end: Any) -> FetchResult:
        """What is known by now, with how it ended."""
        running = time.monotonic() - self.since if self.since is not None else 0.0
        return FetchResult(
            url=self.start.url,
            final_url=self.target.url,
            status=self.status,
            headers=self.headers,
            hops=tuple(self.hops),
            wire_bytes=self.wire_bytes,
            timing=Timing(
                dns=self.exchange.dns,
                connect=self.exchange.connect,
                first_byte=self.exchange.first_byte,
                total=(self.spent + running) * 1000,
            ),
            address=self.exchange.address,
            withheld_from=self.withheld_from,
            **end,
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
        through = None
        if proxy is not None:
            try:
                through = parse_target(proxy)
            except FetchFailed as failure:
                raise ValueError(f"the proxy cannot be used: {failure.detail}") from failure
        self._limits = limits
        self._user_agent = user_agent
        self._slots = slots
        self._networks = tuple(allow_networks)
        self._ports = frozenset(allow_ports)
        self._proxied = proxy is not None
        self._clock = clock or SystemClock()
        self._resolver = resolver or SystemResolver(limits.resolve)
        self._in_flight = asyncio.Semaphore(limits.in_flight)
        self._public = AddressPolicy(self._networks)
        self._connections = Connections(
            self._resolver,
            lambda: _tls_context(ca_bundle),
            limits,
            proxy=through,
        )
        self._transport = Transport(self._connections)
        if ca_bundle is not None:
            _tls_context(ca_bundle)  # a bundle that cannot be read is told at the start

    async def __aenter__(self) -> Fetcher:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close idle connections."""
        await self._transport.aclose()

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
            home=_home(request.access),
            target=start,
            policy=self._public,
            remaining=self._limits.of(request.kind).total.total_seconds(),
        )
        try:
            while True:
                result = await self._hop(visit)
                if result is not None:
                    return result
        except HostBusy as busy:
            return visit.result(
                error=FetchError.HOST_BUSY,
                retry_at=busy.retry_at,
                detail=f"{busy.host}: {busy.detail or HELD[busy.why]}",
            )
        except FetchFailed as failure:
            return visit.result(
                error=failure.error,
                detail=failure.detail,
                allowed_by=failure.allowed_by,
                own_network=failure.own_network,
            )
        except TimeoutError:
            total = self._limits.of(request.kind).total.total_seconds()
            detail = f"no complete answer within {total:g} s"
            return visit.result(error=FetchError.TIMEOUT, detail=detail)
        except OSError:
            detail = "the connection was lost"
            return visit.result(error=FetchError.PROTOCOL, detail=detail)

    async def _hop(self, visit: _Visit) -> FetchResult | None:
        """One request at `visit.target`: the end of the visit, or None when it goes on."""
        self._admit(visit)
        visit.exchange = Exchange()
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
        """Say what this hop may reach; refuse what needs no dialling to be refused."""
        target, home = visit.target, visit.home
        allowed = self._ports if home is None else self._ports | {home.port}
        check_port(target.port, allowed)
        visit.policy = self._policy(visit)
        literal = numeric_address(target.host)
        if literal is not None:
            visit.policy.check(ip_address(literal))

    def _policy(self, visit: _Visit) -> AddressPolicy:
        """Private addresses for the configured host, and for a hop from one of them to itself.

        A public host leads to no private one, not even to the configured.
        """
        home = visit.home
        if home is None or not visit.request.access.allow_private:
            return self._public
        inside = not visit.hops or visit.came_from is not None
        if visit.target.host == home.host and inside:
            return AddressPolicy(self._networks, allow_private=True)
        if visit.came_from is not None:
            return AddressPolicy((*self._networks, ip_network(visit.came_from)))
        return self._public

    async def _locate(self, visit: _Visit) -> None:
        """Resolve and check the host before its slot is taken, unless a connection is open."""
        target = visit.target
        if self._proxied or self._connections.holds(target, visit.policy):
            return
        literal = numeric_address(target.host)
        if literal is not None:  # checked already
            visit.exchange.addresses = (literal,)
            visit.exchange.dns = 0.0
            return
        started = time.monotonic()
        async with _Deadline(visit):
            found = await locate(self._resolver, target.host, target.port, visit.policy)
        visit.exchange.addresses = found
        visit.exchange.dns = (time.monotonic() - started) * 1000

    async def _send(self, visit: _Visit) -> FetchResult | None:
        asked = self._asked(visit)
        async with self._in_flight, _Deadline(visit):
            response = await self._transport.handle_async_request(asked)
            try:
                return await self._judge(visit, response)
            except UnaskedCoding:
                if (
                    visit.plain
                    or visit.request.form is not None
                    or visit.request.content is not None
                ):
                    raise
                visit.plain = True
                return None
            finally:
                await response.aclose()

    def _asked(self, visit: _Visit) -> httpx.Request:
        """The one place where a request is written, and so where credentials are given out."""
        request, target = visit.request, visit.target
        fields = {
            b"Host": target.authority,
            b"User-Agent": self._user_agent.encode(),
            b"Accept": ACCEPT[request.kind].encode("ascii"),
            b"Accept-Encoding": b"identity" if visit.plain else b"gzip",
            # Some servers send a body to a HEAD all the same.
            b"Connection": b"close" if request.head else b"keep-alive",
        }
        sent = _validators_for(visit)
        if sent.etag is not None:
            fields[b"If-None-Match"] = sent.etag.encode()
        if sent.last_modified is not None:
            fields[b"If-Modified-Since"] = sent.last_modified.encode()
        if request.delta and sent:
            fields[b"A-IM"] = b"feed"
        body = b""
        if request.form is not None:
            body = urlencode(request.form).encode("ascii")
            fields[b"Content-Type"] = b"application/x-www-form-urlencoded"
            fields[b"Content-Length"] = b"%d" % len(body)
        if request.content is not None:
            body = request.content.body
            fields[b"Content-Type"] = request.content.type.encode("ascii")
            fields[b"Content-Length"] = b"%d" % len(body)
            fields |= {k.encode("ascii"): v.encode() for k, v in request.content.headers}
        posts = request.form is not None or request.content is not None
        own = visit.home is not None and target.origin == visit.home.origin
        if visit.home is not None and own:
            _add_configured(fields, request, visit.home)
        elif visit.withheld_from is None and _has_credentials(request.access, visit.home):
            visit.withheld_from = target.url
        crumbs = visit.cookies.header(target.origin)
        if crumbs is not None:
            given = next((name for name in fields if name.lower() == b"cookie"), b"Cookie")
            fields[given] = b"; ".join(part for part in (fields.get(given), crumbs) if part)
        visit.asked.setdefault(target.url, []).append(visit.cookies.version)
        limits = self._limits.of(request.kind)
        return request_for(
            "POST" if posts else "HEAD" if request.head else "GET",
            target,
            tuple(fields.items()),
            policy=visit.policy,
            exchange=visit.exchange,
            most=limits.wire + limits.wire // 2 + _FRAMING_ALLOWANCE,
            body=body,
        )

    async def _judge(self, visit: _Visit, response: httpx.Response) -> FetchResult | None:
        """Decide by the head; read the body only of an answer that is wanted."""
        received = self._clock.now()
        status, kind, fields = response.status_code, visit.request.kind, response.headers.raw
        visit.status, visit.headers = status, fold(fields)
        headers, url = visit.headers, visit.target.url
        cookies = values_of(fields, b"set-cookie")
        if cookies:
            visit.cookies.learn(visit.target.origin, cookies, received)
        if status in _REDIRECTS and "location" in headers:
            self._redirect(visit, status, values_of(fields, b"location")[0])
            return None
        said: dict[str, Any] = {
            "content_type": headers.get("content-type"),
            "freshness": freshness_of(headers, received),
            "retry_after": retry_after_of(headers, received),
            "links": links_of(headers, url),
        }
        sent = _validators_for(visit)
        if status == 304:
            if not sent:
                detail = "not modified, though nothing was held against it"
                return visit.result(**said, error=FetchError.PROTOCOL, detail=detail)
            return visit.result(**said, not_modified=True, validators=renewed(sent, headers, url))
        if visit.request.head and 200 <= status < 300:
            return visit.result(**said, body=b"")
        if visit.request.content is not None and 200 <= status < 300:
            return visit.result(**said, body=b"")  # taken; what it says besides is not read
        if kind in _ANY_ANSWER and 200 <= status < 300:
            body = await self._read(visit, response)
            return visit.result(**said, body=body, decoded_bytes=len(body))
        if status in _UNCHANGED_STATUSES:
            return visit.result(**said, not_modified=True, validators=visit.request.validators)
        delta = status == 226 and visit.request.delta and bool(sent)
        failure: FetchFailed | None
        if status not in _BODY_STATUSES or (status == 226 and not delta):
            failure = refusal(status, headers)
        else:
            failure = wrong_media_type(kind, headers)
        if failure is not None:
            return visit.result(**said, error=failure.error, detail=failure.detail)
        body = await self._read(visit, response)
        if not body and kind is not RequestKind.ROBOTS:
            return visit.result(**said, error=FetchError.PROTOCOL, detail="an empty body")
        return visit.result(
            **said,
            body=body,
            decoded_bytes=len(body),
            validators=validators_of(headers, url),
            delta=delta,
        )

    async def _read(self, visit: _Visit, response: httpx.Response) -> bytes:
        limits = self._limits.of(visit.request.kind)
        body, visit.wire_bytes = await read_body(
            response.aiter_raw(),
            coding_of(visit.headers.get("content-encoding")),
            limits,
            declared=declared_length(visit.headers),
            ratio=self._limits.ratio,
            ratio_from=self._limits.ratio_from,
        )
        return body

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
        most = self._limits.redirects
        if visit.request.kind is RequestKind.FEED:
            most = self._limits.feed_redirects
        if len(visit.hops) > most:
            raise FetchFailed(FetchError.REDIRECT, f"more than {most} redirects")
        before = visit.asked.get(target.url)
        if before is not None and (len(before) > _ASK_AGAIN or before[-1] == visit.cookies.version):
            raise FetchFailed(FetchError.REDIRECT, "redirected in a circle")
        configured = visit.home or visit.start
        if (current.scheme, target.scheme, configured.scheme) == ("https", "http", "https"):
            raise FetchFailed(FetchError.REDIRECT, "redirected from https to http")
        if visit.request.form is not None and status not in (307, 308):
            raise FetchFailed(FetchError.REDIRECT, f"status {status} would lose the form")
        visit.came_from = self._private_origin(visit)
        visit.target = target

    def _private_origin(self, visit: _Visit) -> str | None:
        """The address that a redirect came from, where it is one that `allow_private` opened."""
        # A proxy's own address says nothing; of a host behind it we know a literal one alone.
        address = visit.exchange.address
        if self._proxied:
            address = numeric_address(visit.target.host)
        if address is None or visit.policy == self._public:
            return None
        try:
            check_address(address, self._networks)
        except Blocked:
            return address
        return None


class _Deadline:
    """Charges the time spent inside to the visit's total deadline. Raises `TimeoutError`."""

    __slots__ = ("_timeout", "_visit")

    def __init__(self, visit: _Visit) -> None:
        self._visit = visit
        self._timeout = asyncio.timeout(max(visit.remaining, 0))

    async def __aenter__(self) -> None:
        self._visit.since = time.monotonic()
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        visit = self._visit
        took = time.monotonic() - (visit.since or 0.0)
        visit.since = None
        visit.spent += took
        visit.remaining -= took
        await self._timeout.__aexit__(kind, error, trace)


def _validators_for(visit: _Visit) -> Validators:
    """The validators to send at this hop: only to the URL that gave them, never with a form."""
    held = visit.request.validators
    owner = held.url if held.url is not None else visit.start.url
    if visit.request.form is not None or owner != visit.target.url:
        return Validators()
    return held


def _home(access: Access) -> Target | None:
    """The configured address, None where there is none that could be asked."""
    if access.configured is None:
        return None
    try:
        return parse_target(access.configured)
    except FetchFailed:
        return None


def _has_credentials(access: Access, home: Target | None) -> bool:
    return bool(access.headers or access.auth or (home is not None and home.userinfo))


def _add_configured(fields: dict[bytes, bytes], request: FetchRequest, home: Target) -> None:
    """Put the source's own headers and credentials in, over ours of the same name."""
    access = request.access
    own: list[tuple[str, str]] = []
    if access.user_agent is not None and request.kind is RequestKind.FEED:
        own.append(("User-Agent", access.user_agent))
    own += [pair for pair in access.headers.items() if pair[0].lower() not in _NOT_CONFIGURABLE]
    login = access.auth or home.userinfo
    if login is not None:
        token = base64.b64encode(f"{login[0]}:{login[1]}".encode()).decode("ascii")
        own.append(("Authorization", f"Basic {token}"))
    ours = {name.lower(): name for name in fields}
    for text, value in own:
        name = text.encode()
        fields.pop(ours.get(name.lower(), b""), None)
        ours[name.lower()] = name
        fields[name] = value.encode()


def _tls_context(bundle: str | None) -> ssl.SSLContext:
    """The usual authorities and those of `bundle`, a file or directory."""
    context = ssl.create_default_context(cafile=certifi.where())
    if bundle is None:
        return context
    if Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context

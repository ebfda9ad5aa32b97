"""Connections: TLS names, host slots, kept connections across policies."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
import trustme
import uvloop

from aggregator.model.http import FetchError, HostBusy, RequestKind
from aggregator.model.states import Held
from tests.fetch.conftest import Client, Names, Slots, asking, limits
from tests.origin import Origin, Wire, reply


def test_row_91_tls_keeps_the_urls_host_for_sni_and_certificate(
    authority: trustme.CA, tls_client: Callable[..., Client]
) -> None:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("feeds.example").configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with Origin("127.0.0.1", tls=context) as secure:
        secure.answer("/feed", body=b"x" * 200_000)
        result = tls_client().get(secure.url("/feed", host="feeds.example"))
        assert secure.requests()[0].headers["host"] == f"feeds.example:{secure.port}"
    assert (result.error, result.body) == (None, b"x" * 200_000)
    assert asked == ["feeds.example"]


def test_a_final_dot_is_no_part_of_the_certificates_name(
    secure: Origin, tls_client: Callable[..., Client]
) -> None:
    secure.answer("/feed", body=b"x")
    client = tls_client(resolver=Names(**{"feeds_example_": ["127.0.0.1"]}))
    assert client.get(secure.url("/feed", host="feeds.example.")).body == b"x"


def test_a_certificate_for_another_name_is_refused(
    secure: Origin, tls_client: Callable[..., Client]
) -> None:
    client = tls_client(resolver=Names(other_example=["127.0.0.1"]))
    result = client.get(secure.url("/feed", host="other.example"))
    assert result.error is FetchError.TLS
    assert result.detail is not None
    assert "certificate refused" in result.detail
    assert secure.requests() == []


def test_a_certificate_of_an_unknown_authority_is_refused(
    secure: Origin, clients: Callable[..., Client]
) -> None:
    client = clients(resolver=Names(feeds_example=["127.0.0.1"]))
    assert client.get(secure.url("/", host="feeds.example")).error is FetchError.TLS


def test_a_server_that_speaks_no_tls_is_a_tls_error(client: Client) -> None:
    with Origin("127.0.0.1", greeting=reply(400)) as plain:
        result = client.get(plain.url("/").replace("http:", "https:"))
    assert (result.error, result.status) == (FetchError.TLS, None)


def test_tls_connections_are_kept_too(secure: Origin, tls_client: Callable[..., Client]) -> None:
    secure.answer("/feed", body=b"x")
    client = tls_client()
    for _ in range(3):
        assert client.get(secure.url("/feed", host="feeds.example")).body == b"x"
    assert secure.connections == 1


def test_tls_goes_through_a_proxys_tunnel(
    secure: Origin, tls_client: Callable[..., Client]
) -> None:
    async def tunnel(wire: Wire) -> None:
        await wire.tunnel("127.0.0.1", secure.port)

    secure.answer("/feed", body=b"x" * 100_000)
    with Origin("127.0.0.2") as proxy:
        proxy.route(f"feeds.example:{secure.port}", tunnel)
        client = tls_client(proxy=proxy.url(""), proxy_trusted=True)
        assert client.get(secure.url("/feed", host="feeds.example")).body == b"x" * 100_000
        assert proxy.requests()[0].method == "CONNECT"
        assert "authorization" not in proxy.requests()[0].headers


def test_a_second_address_is_tried_when_the_first_does_not_answer(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    origin.answer("/", body=b"x")
    client = clients(
        allow_networks=[ip_network("127.0.0.0/8"), ip_network("::1")],
        resolver=Names(two_example=["::1", "127.0.0.3", "127.0.0.1"]),
    )
    result = client.get(origin.url("/", host="two.example"))
    assert (result.body, result.address) == (b"x", "127.0.0.1")


def test_a_host_slot_is_held_for_each_hop_by_registrable_domain(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    slots = Slots()
    names = Names(feeds_first_example=["127.0.0.1"], www_second_example=["127.0.0.1"])
    origin.answer("/a", 302, {"Location": origin.url("/b", host="www.second.example")})
    origin.answer("/b", body=b"x")
    client = clients(slots=slots, resolver=names)
    assert client.get(origin.url("/a", host="feeds.first.example")).body == b"x"
    assert slots.events == [
        ("acquire", "first.example"),
        ("release", "first.example"),
        ("acquire", "second.example"),
        ("release", "second.example"),
    ]


def test_a_busy_host_is_not_contacted_and_is_no_failure(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    until = datetime(2030, 1, 1, tzinfo=UTC)
    client = clients(slots=Slots(HostBusy("127.0.0.1", until, Held.BLOCKED, "429")))
    result = client.get(origin.url("/feed"))
    assert (result.error, result.retry_at) == (FetchError.HOST_BUSY, until)
    assert origin.connections == 0


@pytest.mark.parametrize("path", ["/ok", "/500", "/cut", "/slow", "/bomb", "/nowhere"])
def test_a_slot_is_given_back_however_a_fetch_ends(
    origin: Origin, clients: Callable[..., Client], path: str
) -> None:
    async def slow(wire: Wire) -> None:
        await wire.silence()

    origin.answer("/ok", body=b"x")
    origin.answer("/500", 500)
    origin.send("/cut", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", close=True)
    origin.route("/slow", slow)
    origin.answer("/bomb", headers={"Content-Encoding": "gzip"}, body=b"x")
    origin.answer("/nowhere", 302, {"Location": "data:,"})
    slots = Slots()
    client = clients(slots=slots, limits=limits(0.5))
    client.get(origin.url(path))
    assert [event for event, _ in slots.events] == ["acquire", "release"]
    assert slots.held == []


def test_a_refused_address_takes_no_slot(clients: Callable[..., Client]) -> None:
    slots = Slots()
    assert clients(slots=slots).get("http://10.0.0.1/").error is FetchError.BLOCKED
    assert slots.events == []


def test_every_kind_of_request_has_its_own_limits() -> None:
    bounds = limits()
    assert [bounds.of(kind).wire for kind in RequestKind] == [
        bounds.feed.wire,
        bounds.article.wire,
        bounds.robots.wire,
        bounds.hub.wire,
        bounds.push.wire,
        bounds.page.wire,
        bounds.picture.wire,
    ]


def test_fetches_of_many_origins_run_side_by_side(clients: Callable[..., Client]) -> None:
    async def slow(wire: Wire) -> None:
        await wire.silence(0.05)
        await wire.send(reply(200, body=b"x"))

    with Origin("127.0.0.1") as first, Origin("127.0.0.1") as second:
        for origin in (first, second):
            origin.route("/", slow)
        client = clients()
        requests = [asking(origin.url("/")) for origin in (first, second) for _ in range(5)]
        assert [result.body for result in client.all(*requests)] == [b"x"] * 10
        assert first.most_in_flight > 1


def test_on_uvloop_connections_behave_the_same(
    origin: Origin, secure: Origin, tls_client: Callable[..., Client]
) -> None:
    async def drip(wire: Wire) -> None:
        await wire.drip(b"HTTP/1.1 200 OK\r\n" + b"X" * 999, 0.02)

    async def reset(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        wire.reset()

    async def tunnel(wire: Wire) -> None:
        await wire.tunnel("127.0.0.1", secure.port)

    for server in (origin, secure):
        server.answer("/feed", body=b"x" * 3_000_000)
    origin.route("/drip", drip)
    origin.route("/reset", reset)
    client = tls_client(loop=uvloop.new_event_loop, limits=limits(2.0))
    for server, host in ((origin, None), (secure, "feeds.example")):
        for _ in range(2):
            assert client.get(server.url("/feed", host=host)).decoded_bytes == 3_000_000
        assert server.connections == 1
    assert client.get(origin.url("/drip")).error is FetchError.TIMEOUT
    assert client.get(origin.url("/reset")).error is FetchError.PROTOCOL
    assert client.get("http://127.0.0.1:1/").error is FetchError.CONNECT
    with Origin("127.0.0.1", greeting=reply(400)) as plain:
        result = client.get(plain.url("/").replace("http:", "https:"))
        assert result.error is FetchError.TLS
    with Origin("127.0.0.2") as proxy:
        proxy.route(f"feeds.example:{secure.port}", tunnel)
        proxied = tls_client(loop=uvloop.new_event_loop, proxy=proxy.url(""), proxy_trusted=True)
        assert proxied.get(secure.url("/feed", host="feeds.example")).error is None

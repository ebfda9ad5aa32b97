"""Redirects are followed by hand (docs/design/fetching.md, rows 65–74)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aggregator.model.http import FetchError, Hop, RequestKind
from tests.fetch.conftest import Client, Names, limits
from tests.origin import Origin, Wire, reply


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_rows_65_and_66_a_redirect_is_followed_and_told(
    origin: Origin, client: Client, status: int
) -> None:
    origin.answer("/a", status, {"Location": "/b"})
    origin.answer("/b", body=b"x")
    result = client.get(origin.url("/a"))
    assert (result.body, result.status) == (b"x", 200)
    assert (result.url, result.final_url) == (origin.url("/a"), origin.url("/b"))
    assert result.hops == (Hop(status, origin.url("/a"), origin.url("/b")),)
    permanent = origin.url("/b") if status in (301, 308) else None
    assert result.permanent_target == permanent


@pytest.mark.parametrize(
    ("statuses", "target"),
    [((301, 308), "/2"), ((301, 302), "/1"), ((301, 302, 301), "/1"), ((302, 301), None)],
)
def test_row_67_permanence_ends_at_the_first_temporary_hop(
    origin: Origin, client: Client, statuses: tuple[int, ...], target: str | None
) -> None:
    for step, status in enumerate(statuses):
        origin.answer(f"/{step}", status, {"Location": f"/{step + 1}"})
    origin.answer(f"/{len(statuses)}", body=b"x")
    result = client.get(origin.url("/0"))
    assert result.permanent_target == (origin.url(target) if target else None)


@pytest.mark.parametrize("kind", list(RequestKind))
def test_row_68_a_feed_is_followed_over_ten_hops_all_else_over_five(
    origin: Origin, client: Client, kind: RequestKind
) -> None:
    most = 10 if kind is RequestKind.FEED else 5
    for step in range(12):
        origin.answer(f"/{step}", 302, {"Location": f"/{step + 1}"})
    origin.answer("/12", headers={"Content-Type": "text/html"}, body=b"x")
    assert client.get(origin.url(f"/{12 - most}"), kind=kind).body == b"x"
    origin.forget()
    result = client.get(origin.url(f"/{11 - most}"), kind=kind)
    assert (result.error, len(origin.requests())) == (FetchError.REDIRECT, most + 1)


@pytest.mark.parametrize("path", ["/a", "/b"])
def test_row_68_a_circle_is_recognised_at_once(origin: Origin, client: Client, path: str) -> None:
    origin.answer("/a", 302, {"Location": "/b"})
    origin.answer("/b", 302, {"Location": path})
    result = client.get(origin.url("/a"))
    assert (result.error, len(origin.requests())) == (FetchError.REDIRECT, 2)


def test_row_69_all_hops_share_one_deadline(origin: Origin, clients: Callable[..., Client]) -> None:
    for step in range(5):

        async def slow(wire: Wire, step: int = step) -> None:
            await wire.silence(0.2)
            await wire.send(reply(302, {"Location": f"/{step + 1}"}))

        origin.route(f"/{step}", slow)
    result = clients(limits=limits(0.5)).get(origin.url("/0"))
    assert result.error is FetchError.TIMEOUT
    assert len(origin.requests()) < 5


def test_row_70_a_downgrade_to_http_is_refused(
    secure: Origin, origin: Origin, tls_client: Callable[..., Client]
) -> None:
    client = tls_client(allow_ports=[origin.port])
    secure.answer("/a", 301, {"Location": origin.url("/b")})
    result = client.get(secure.url("/a", host="feeds.example"))
    assert result.error is FetchError.REDIRECT
    assert origin.requests() == []


def test_row_70_unless_http_is_what_was_configured(
    secure: Origin, origin: Origin, tls_client: Callable[..., Client]
) -> None:
    client = tls_client(allow_ports=[origin.port, secure.port])
    origin.answer("/a", 302, {"Location": secure.url("/b", host="feeds.example")})
    secure.answer("/b", 302, {"Location": origin.url("/c")})
    origin.answer("/c", body=b"x")
    assert client.get(origin.url("/a")).body == b"x"


def test_row_71_the_body_of_a_redirect_is_not_read(origin: Origin, client: Client) -> None:
    sent = []

    async def huge(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 302 X\r\nLocation: /b\r\nContent-Length: 300000000\r\n\r\n")
        for _ in range(300):
            await wire.send(b"x" * 1_000_000)
            sent.append(1)

    origin.route("/a", huge)
    origin.answer("/b", body=b"x")
    assert client.get(origin.url("/a")).body == b"x"
    assert len(sent) < 30


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("b", "/dir/b"),
        ("../b", "/b"),
        ("//HOST/b", "/b"),
        ("?q=1", "/dir/a?q=1"),
        ("/b#part", "/b"),
        ("http://HOST/x/../b?", "/x/../b?"),
        ("/caf\u00e9 b", "/caf%C3%A9%20b"),
    ],
)
def test_a_location_is_resolved_against_the_url_that_sent_it(
    origin: Origin, client: Client, location: str, target: str
) -> None:
    text = location.replace("HOST", f"127.0.0.1:{origin.port}")
    head = f"HTTP/1.1 302 X\r\nLocation: {text}\r\nContent-Length: 0\r\n\r\n"
    origin.send("/dir/a", head.encode())
    client.get(origin.url("/dir/a?once"))
    assert origin.requests()[-1].target == target


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "javascript:alert(1)", "data:,x", "ftp://h/x", "gopher://h"]
)
def test_a_location_of_another_scheme_is_refused(
    origin: Origin, client: Client, location: str
) -> None:
    origin.answer("/a", 302, {"Location": location})
    result = client.get(origin.url("/a"))
    assert (result.error, len(origin.requests())) == (FetchError.REDIRECT, 1)


@pytest.mark.parametrize("location", ["http://", "http://[::1/", "//a b/", "http://h:99999/"])
def test_a_location_that_is_no_url_is_an_error(
    origin: Origin, client: Client, location: str
) -> None:
    origin.answer("/a", 302, {"Location": location})
    result = client.get(origin.url("/a"))
    assert result.error is FetchError.REDIRECT
    assert len(origin.requests()) == 1


def test_row_97_a_redirect_to_an_unusual_port_is_refused(
    origin: Origin, canary: Origin, client: Client
) -> None:
    with Origin("127.0.0.1") as other:
        origin.answer("/a", 302, {"Location": other.url("/")})
        assert client.get(origin.url("/a")).error is FetchError.BLOCKED
        assert other.connections == 0


def test_a_redirect_to_another_name_keeps_the_name_in_host(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    client = clients(resolver=Names(a_example=["127.0.0.1"], b_example=["127.0.0.1"]))
    origin.answer("/a", 302, {"Location": origin.url("/b", host="b.example")})
    origin.answer("/b", body=b"x")
    client.get(origin.url("/a", host="a.example"))
    hosts = [seen.headers["host"] for seen in origin.requests()]
    assert hosts == [f"a.example:{origin.port}", f"b.example:{origin.port}"]

"""Cookies live within one visit (docs/design/fetching.md, row 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from aggregator.fetch.cookies import LARGEST, MOST, Cookies
from aggregator.model.http import FetchError
from tests.fetch.conftest import Client, Names
from tests.origin import Origin, Wire, reply

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = ("http", "feeds.example", 80)
SECURE = ("https", "feeds.example", 443)


def cookies_of(origin: Origin, path: str) -> list[str | None]:
    return [seen.headers.get("cookie") for seen in origin.requests(path)]


def test_a_cookie_check_is_passed(origin: Origin, client: Client) -> None:
    async def feed(wire: Wire) -> None:
        if wire.request.headers.get("cookie") == "seen=1; b=2":
            await wire.send(reply(200, body=b"<rss/>"))
        else:
            set_both = [("Set-Cookie", "seen=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly")]
            await wire.send(reply(302, [*set_both, ("Location", "/check")]))

    origin.route("/feed", feed)
    origin.answer("/check", 302, {"Location": "/feed"})
    result = client.get(origin.url("/feed"))
    assert (result.error, result.body, len(result.hops)) == (None, b"<rss/>", 2)
    assert cookies_of(origin, "/check") == ["seen=1; b=2"]
    assert "set-cookie" not in result.headers


def test_the_next_visit_knows_nothing_of_it(origin: Origin, client: Client) -> None:
    origin.answer("/a", 302, [("Set-Cookie", "id=1"), ("Location", "/b")])
    origin.answer("/b", body=b"x")
    for _ in range(2):
        client.get(origin.url("/a"))
    assert cookies_of(origin, "/a") == [None, None]
    assert cookies_of(origin, "/b") == ["id=1", "id=1"]


def test_a_server_that_redirects_to_itself_is_asked_again_while_cookies_change_and_twice_at_most(
    origin: Origin, client: Client
) -> None:
    async def ever_new(wire: Wire) -> None:
        count = len(origin.requests("/new"))
        await wire.send(reply(302, {"Set-Cookie": f"n={count}", "Location": "/new"}))

    origin.route("/new", ever_new)
    origin.answer("/same", 302, {"Set-Cookie": "n=1", "Location": "/same"})
    assert client.get(origin.url("/new")).error is FetchError.REDIRECT
    assert cookies_of(origin, "/new") == [None, "n=1", "n=2"]
    assert client.get(origin.url("/same")).error is FetchError.REDIRECT
    assert cookies_of(origin, "/same") == [None, "n=1"]


def test_another_host_or_port_gets_no_cookie_and_back_home_it_is_there(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    with Origin("127.0.0.1") as other:
        client = clients(
            allow_ports=[other.port, origin.port],
            resolver=Names(a_example=["127.0.0.1"], b_example=["127.0.0.1"]),
        )
        wide = "id=1; Domain=example; Path=/"
        home = origin.url("/a", host="a.example")
        origin.answer(
            "/a", 302, {"Set-Cookie": wide, "Location": origin.url("/b", host="b.example")}
        )
        origin.answer("/b", 302, {"Location": other.url("/c", host="a.example")})
        other.answer("/c", 302, {"Location": origin.url("/d", host="a.example")})
        origin.answer("/d", body=b"x")
        assert client.get(home).body == b"x"
        assert cookies_of(origin, "/b") == cookies_of(other, "/c") == [None]
        assert cookies_of(origin, "/d") == ["id=1"]


def test_a_secure_cookie_goes_over_tls_only(
    secure: Origin, tls_client: Callable[..., Client]
) -> None:
    client = tls_client()
    secure.answer("/a", 302, [("Set-Cookie", "s=1; Secure"), ("Location", "/b")])
    secure.answer("/b", body=b"x")
    client.get(secure.url("/a", host="feeds.example"))
    assert cookies_of(secure, "/b") == ["s=1"]


def test_a_configured_cookie_stays_beside_them(origin: Origin, client: Client) -> None:
    origin.answer("/a", 302, [("Set-Cookie", "id=1"), ("Location", "/b")])
    origin.answer("/b", body=b"x")
    client.get(origin.url("/a"), headers={"cookie": "mine=0"})
    assert cookies_of(origin, "/b") == ["mine=0; id=1"]


def test_secure_is_honoured_both_ways() -> None:
    jar = Cookies()
    jar.learn(PLAIN, [b"a=1; Secure", b"__Secure-b=1", b"__Host-c=1; secure"], NOW)
    assert jar.header(PLAIN) is None
    jar.learn(SECURE, [b"a=1; SECURE", b"__Secure-b=1; Secure", b"__Host-c=1"], NOW)
    assert (jar.header(SECURE), jar.header(PLAIN)) == (b"a=1; __Secure-b=1", None)


def test_no_more_than_twenty_of_four_kilobytes_are_held() -> None:
    jar = Cookies()
    jar.learn(PLAIN, [b"n%d=1" % n for n in range(99)], NOW)
    jar.learn(SECURE, [b"other=1"], NOW)
    assert (jar.header(PLAIN) or b"").count(b"=") == MOST
    assert jar.header(SECURE) is None
    jar = Cookies()
    jar.learn(PLAIN, [b"a=" + b"x" * LARGEST, b"b=" + b"x" * (LARGEST - 1)], NOW)
    assert jar.header(PLAIN) == b"b=" + b"x" * (LARGEST - 1)


@pytest.mark.parametrize(
    "end",
    [
        b"Max-Age=0",
        b"max-age=-9",
        b"Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        b"expires=Thu, 01-Jan-1970 00:00:00 GMT",
    ],
)
def test_a_server_may_take_a_cookie_back(end: bytes) -> None:
    jar = Cookies()
    jar.learn(PLAIN, [b"a=1; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT", b"b=2"], NOW)
    jar.learn(PLAIN, [b"a=1; " + end], NOW)
    assert (jar.header(PLAIN), jar.version) == (b"b=2", 3)


@pytest.mark.parametrize("line", [b"", b"a", b"=1", b"a b=1", b"a\x00=1", b"a=\x01", b";a=1"])
def test_what_is_no_cookie_is_left(line: bytes) -> None:
    jar = Cookies()
    jar.learn(PLAIN, [line], NOW)
    assert (jar.header(PLAIN), jar.version) == (None, 0)

"""What one connection may cost, and which has to go when there are too many."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

import httpx
import pytest

from aggregator.model.pages import Rendered
from aggregator.server.websub import Answer
from aggregator.server.wire.connections import LIMITS, Connection, Connections, Ended
from tests.patience import PATIENCE
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend

SOON = timedelta(seconds=1)
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
FORM = b"POST /login HTTP/1.1\r\nHost: x\r\n"


def dial(client: httpx.Client) -> socket.socket:
    made = socket.create_connection((client.base_url.host, client.base_url.port or 80))
    made.settimeout(PATIENCE)
    return made


def rest(one: socket.socket) -> bytes:
    """Everything up to the end that the server makes."""
    got = b""
    try:
        while more := one.recv(65536):
            got += more
    except ConnectionError:
        pass
    return got


def status(one: socket.socket) -> int:
    """Of the one answer before the end."""
    return int(rest(one).split(b" ", 2)[1])


def say_for_ever(one: socket.socket, words: bytes, every: float) -> None:
    """Ends by the error of a connection that is no more."""
    while True:
        time.sleep(every)
        one.sendall(words)


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X: " + b"a" * 40_000,
        GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
        GET + b"A: b\r\n" * 101 + b"\r\n",
        b"GET /" + b"a" * 40_000,
        FORM + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: " + b"a" * 60_000,
        FORM + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        FORM + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 60_000,
    ],
    ids=["header", "whole header", "headers", "target", "trailer", "trailers", "chunk extension"],
)
@pytest.mark.parametrize("step", [1_000_000, 777])
def test_a_head_that_is_too_large_is_told_so_and_ends_the_connection(
    open_site: httpx.Client, head: bytes, step: int
) -> None:
    with dial(open_site) as one:
        for start in range(0, len(head), step):
            try:
                one.sendall(head[start : start + step])
            except ConnectionError:
                break
        assert status(one) == 431


def test_a_head_just_below_the_limits_is_read(open_site: httpx.Client) -> None:
    with dial(open_site) as one:
        one.sendall(GET + b"A: b\r\n" * 90 + b"X: " + b"a" * 30_000 + b"\r\n\r\n")
        assert b" 200 OK" in one.recv(65536)


@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\x02\x00", b"NONSENSE\r\n\r\n", b"GET  HTTP\r\n\r\n"]
)
def test_what_is_no_http_is_told_so(open_site: httpx.Client, noise: bytes) -> None:
    with dial(open_site) as one:
        one.sendall(noise)
        assert status(one) == 400


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"", b""),
        (b"\r\n\r\n", b""),
        (GET, b"408"),
        (FORM + b"Content-Length: 100\r\n\r\ntoken=", b"408"),
        (GET + b"\r\n", b"200"),  # and then nothing more
        (GET + b"\r\n" + GET, b"408"),
    ],
    ids=["silent", "blank", "half a head", "half a body", "idle", "half a second head"],
)
def test_whatever_a_client_waits_with_has_an_end(serve: Serve, said: bytes, answer: bytes) -> None:
    limits = replace(LIMITS, head=SOON, body=SOON, idle=SOON)
    with serve(limits=limits) as client, dial(client) as one:
        one.sendall(said)
        got = rest(one)
    assert answer in got
    assert bool(answer) == bool(got)


@pytest.mark.parametrize("said", [GET, FORM + b"Content-Length: 9999\r\n\r\n"])
def test_a_byte_now_and_then_gains_no_time(serve: Serve, said: bytes) -> None:
    with serve(limits=replace(LIMITS, head=SOON, body=SOON)) as client, dial(client) as one:
        one.sendall(said)
        with pytest.raises(ConnectionError):
            say_for_ever(one, b"a", 0.02)


def test_the_oldest_connection_without_a_request_goes_and_nobody_else(serve: Serve) -> None:
    with serve(limits=replace(LIMITS, incomplete=3)) as client:
        said = [b"", GET, FORM + b"Content-Length: 9\r\n\r\n", b"", GET]
        held = []
        for words in said:
            held.append(dial(client))
            held[-1].sendall(words)
            assert client.get("/health/live", headers={"connection": "close"}).status_code == 200
        for gone in held[:2]:
            assert rest(gone) == b""
        held[-1].sendall(b"\r\n")  # it is whole now, however many there are
        assert b" 200 OK" in held[-1].recv(65536)
        for one in held:
            one.close()


def test_requests_at_once_on_one_connection_are_answered_up_to_a_number(serve: Serve) -> None:
    with serve(limits=replace(LIMITS, pipelined=4)) as client:
        with dial(client) as one:
            last = GET + b"Connection: close\r\n\r\n"
            one.sendall((GET + b"\r\n") * 3 + last)
            assert rest(one).count(b" 200 OK") == 4
        with dial(client) as one:
            one.sendall((GET + b"\r\n") * 500)
            assert rest(one).count(b" 200 OK") < 500
        assert client.get("/health/live").status_code == 200


def test_an_answer_nobody_takes_is_given_up(serve: Serve) -> None:
    with serve(limits=replace(LIMITS, unsent=1, answer=timedelta(hours=1))) as client:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(PATIENCE)
        one.connect((client.base_url.host, client.base_url.port or 80))
        ask = b"GET /static/style.css HTTP/1.1\r\nHost: x\r\n\r\n"
        with one, pytest.raises(ConnectionError):
            say_for_ever(one, ask, 0.0)
        assert client.get("/health/live").status_code == 200


class Slow:
    """A connection as far as the budget of unsent bytes looks at it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.ended: list[Ended | None] = []

    def unsent(self) -> int:
        return self.size

    def abort(self, why: Ended | None) -> None:
        self.ended.append(why)


def test_of_too_much_unsent_the_one_goes_that_took_nothing_for_longest() -> None:
    others = Connections(replace(LIMITS, unsent=300))
    reading, taking_nothing, newest = Slow(100), Slow(100), Slow(101)
    others.stalled(cast(Connection, reading))
    others.stalled(cast(Connection, taking_nothing))
    reading.size = 99
    others.stalled(cast(Connection, newest))
    assert [len(one.ended) for one in (reading, taking_nothing, newest)] == [0, 0, 0]
    last = Slow(100)
    reading.size = 98
    others.stalled(cast(Connection, last))
    assert taking_nothing.ended == [Ended.UNSENT]
    assert [len(one.ended) for one in (reading, newest, last)] == [0, 0, 0]


def test_no_websocket_and_no_tunnel_is_opened(open_site: httpx.Client) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    with dial(open_site) as one:
        one.sendall(GET + upgrade + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert b" 200 OK" in rest(one)
    with dial(open_site) as one:
        one.sendall(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status(one) >= 400


@dataclass(frozen=True)
class Said:
    status: int
    text: str = ""


@dataclass
class OneTopic:
    """A subscriber that awaits deliveries under the token `known`."""

    largest: int = 1000
    bodies: list[bytes] = field(default_factory=list)

    async def refuses(self, token: str) -> Answer | None:
        return None if token == "known" else Said(410)

    async def verify(self, token: str, asked: Mapping[str, str]) -> Answer:
        return Said(404)

    async def deliver(
        self, token: str, signature: str | None, content_type: str | None, body: bytes
    ) -> Answer:
        self.bodies.append(body)
        return Said(202)


@pytest.fixture
def hub_site(serve: Serve) -> Iterator[tuple[httpx.Client, OneTopic]]:
    subscriber = OneTopic()
    with serve(subscriber=subscriber) as client:
        yield client, subscriber


def delivery(token: str, length: int) -> bytes:
    return b"POST /websub/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (
        token.encode(), length,
    )  # fmt: skip


@pytest.mark.parametrize(("token", "length", "told"), [("made-up", 900, 410), ("known", 1001, 413)])
def test_an_unwanted_delivery_is_answered_before_its_body_is_sent(
    hub_site: tuple[httpx.Client, OneTopic], token: str, length: int, told: int
) -> None:
    client, subscriber = hub_site
    with dial(client) as one:
        one.sendall(delivery(token, length))
        assert status(one) == told
    with dial(client) as one:  # one that is sent all the same does not lose the answer
        one.sendall(delivery(token, length) + b"a" * length)
        assert status(one) == told
    assert subscriber.bodies == []


def test_a_wanted_delivery_is_read_whole(hub_site: tuple[httpx.Client, OneTopic]) -> None:
    client, subscriber = hub_site
    for _ in range(2):
        assert client.post("/websub/known", content=b"a" * 1000).status_code == 202
    chunked = client.post("/websub/known", content=iter([b"a" * 600, b"a" * 600]))
    assert chunked.status_code == 413
    assert subscriber.bodies == [b"a" * 1000] * 2


@pytest.mark.parametrize("size", [8_000_000, 400_000], ids=["large", "usual"])
def test_the_next_of_several_requests_waits_until_the_answer_before_is_taken(
    serve: Serve, size: int
) -> None:
    asked: list[str] = []  # the usual size would fit into the system's buffers many times

    class Counting(SampleBackend):
        async def rendered(self, view_id: str, fmt: str, page: str | None) -> Rendered | None:
            asked.append(fmt)
            made = await super().rendered(view_id, fmt, page)
            return made and replace(made, body=b"x" * size)

    with serve(Counting()) as client:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(PATIENCE)
        one.connect((client.base_url.host, client.base_url.port or 80))
        with one:
            one.sendall(b"GET /feeds/all.atom HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
            one.recv(1000)
            assert client.get("/health/live").status_code == 200
            assert len(asked) == 1
            got = 1000
            while got < 4 * size:
                got += len(one.recv(1_000_000))
        assert len(asked) == 4


def test_who_asks_for_the_same_feed_at_once_shares_one_look_at_the_backend(serve: Serve) -> None:
    started = threading.Event()
    asked: list[str] = []

    class Slow(SampleBackend):
        async def rendered(self, view_id: str, fmt: str, page: str | None) -> Rendered | None:
            asked.append(fmt)
            await asyncio.to_thread(started.wait)
            return await super().rendered(view_id, fmt, page)

    with serve(Slow()) as client, ThreadPoolExecutor(10) as pool:
        jobs = [pool.submit(client.get, "/feeds/all.atom") for _ in range(10)]
        while not asked:
            time.sleep(0.01)
        for _ in range(20):
            client.get("/health/live")
        started.set()
        assert {job.result().status_code for job in jobs} == {200}
        before = len(asked)
        assert before < 10
        client.get("/feeds/all.atom")
        assert len(asked) == before + 1  # a later one looks again

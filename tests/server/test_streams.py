"""Answers without end: their number, their heartbeat and their ends, by a toy route."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.server.wire import connections
from aggregator.server.wire.streams import StreamLimits, Streams
from tests.patience import PATIENCE

SOON = timedelta(seconds=0.1)
LATE = timedelta(hours=1)
BEAT = b":\n\n"


@dataclass
class News:
    """A route that says `first` and then what it is told."""

    streams: Streams
    server: uvicorn.Server | None = None
    loop: asyncio.AbstractEventLoop | None = None
    waiting: list[asyncio.Future[bytes | None]] = field(default_factory=list)
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        try:
            yield b"first\n"
            while True:
                self.loop = asyncio.get_running_loop()
                self.waiting.append(self.loop.create_future())
                word = await self.waiting[-1]
                if word is None:
                    return
                yield word
        finally:
            self.closed.release()

    async def route(self, request: Request) -> Response:
        return self.streams.answer(
            self.chunks(), {"Content-Type": "text/event-stream"}, heartbeat=BEAT
        )

    async def small(self, request: Request) -> Response:
        return PlainTextResponse(str(len(self.streams)))

    def say(self, word: bytes | None) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.waiting[-1].set_result, word)

    def is_closed(self) -> bool:
        return self.closed.acquire(timeout=PATIENCE)


@contextmanager
def serving(
    limits: StreamLimits, wire: connections.ConnectionLimits = connections.LIMITS
) -> Iterator[tuple[httpx.Client, News]]:
    news = News(Streams(limits))
    routes = [Route("/stream", news.route), Route("/number", news.small)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        news.server = uvicorn.Server(
            uvicorn.Config(
                Starlette(routes=routes), log_config=None, http=connections.limited(wire),
                ws="none", timeout_graceful_shutdown=1,
            )
        )  # fmt: skip
        thread = threading.Thread(target=news.server.run, args=([listener],), daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=base, trust_env=False, timeout=PATIENCE) as client:
            yield client, news
        news.server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_what_comes_is_sent_and_between_it_a_heartbeat() -> None:
    with serving(StreamLimits(4, SOON, LATE)) as (client, news):
        with client.stream("GET", "/stream") as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            assert answer.headers["cache-control"] == "no-store"
            assert "content-length" not in answer.headers
            parts = answer.iter_raw()
            assert next(parts) == b"first\n"
            assert [next(parts), next(parts)] == [BEAT, BEAT]
            news.say(b"second\n")
            assert b"second\n" in (next(parts), next(parts), next(parts))
            news.say(None)
            assert set(parts) <= {BEAT}
        assert news.is_closed()
        assert client.get("/number").text == "0"


def test_one_stream_too_many_ends_the_oldest() -> None:
    with serving(StreamLimits(2, LATE, LATE)) as (client, news):
        with client.stream("GET", "/stream") as oldest:
            old = oldest.iter_raw()
            assert next(old) == b"first\n"
            with (
                client.stream("GET", "/stream") as second,
                client.stream("GET", "/stream") as third,
            ):
                parts = [one.iter_raw() for one in (second, third)]
                assert [next(one) for one in parts] == [b"first\n"] * 2
                assert list(old) == []
                assert news.is_closed()
                assert client.get("/number").text == "2"
        assert news.is_closed()
        assert news.is_closed()


@pytest.mark.parametrize("head", [False, True])
def test_a_stream_ends_after_a_while_and_a_head_at_once(head: bool) -> None:
    with serving(StreamLimits(2, LATE, LATE if head else SOON)) as (client, news):
        answer = client.request("HEAD" if head else "GET", "/stream")
        assert answer.text == ("" if head else "first\n")
        assert head or news.is_closed()
        assert client.get("/number").text == "0"


def test_a_client_that_leaves_gives_its_place_back() -> None:
    with serving(StreamLimits(2, LATE, LATE)) as (client, news):
        with client.stream("GET", "/stream") as answer:
            assert next(answer.iter_raw()) == b"first\n"
        assert news.is_closed()
        assert client.get("/number").text == "0"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone has this")
def test_a_client_that_acknowledges_nothing_gives_its_place_back() -> None:
    wire = replace(connections.LIMITS, silence=timedelta(seconds=1))
    with serving(StreamLimits(2, timedelta(seconds=0.001), LATE), wire) as (client, news):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.connect((client.base_url.host, client.base_url.port or 80))
        with one:
            one.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            assert news.is_closed()
        assert client.get("/number").text == "0"


def test_streams_end_when_the_service_stops() -> None:
    with serving(StreamLimits(2, LATE, LATE)) as (client, news):
        with client.stream("GET", "/stream") as answer:
            parts = answer.iter_raw()
            assert next(parts) == b"first\n"
            news.waiting[-1].get_loop().call_soon_threadsafe(news.streams.close)
            assert list(parts) == []
        assert client.get("/stream").text in ("", "first\n")  # and no other lasts

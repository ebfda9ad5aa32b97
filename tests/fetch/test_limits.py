"""Hostile servers: every answer is bounded in bytes, time and memory (rows 75–89)."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from aggregator.model.http import BodyLimits, FetchError, FetchResult, RequestKind, Validators
from tests.fetch.conftest import Client, asking, limits
from tests.origin import Origin, Wire, reply
from tests.patience import PATIENCE

MIB = 1024 * 1024
GZIP = {"Content-Encoding": "gzip"}
SMALL = BodyLimits(wire=10_000, decoded=20_000, total=timedelta(seconds=PATIENCE))


@contextmanager
def memory_under(mebibytes: float) -> Iterator[None]:
    """Fails when the Python heap grew by more than this at any time inside."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < mebibytes * MIB


def bomb(mebibytes: int) -> bytes:
    """A gzip stream of that many MiB of zeros, about a thousand times smaller.

    One block is repeated; nobody who reads on to the missing checksum is still alive.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(b"\0" * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b"\0" * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (mebibytes - 1)


@pytest.fixture
def small(clients: Callable[..., Client]) -> Client:
    """A client that takes 10 kB on the wire and 20 kB decoded."""
    return clients(limits=replace(limits(), feed=SMALL, robots=replace(SMALL, truncate=True)))


def test_row_75_a_declared_length_over_the_cap_is_refused_unread(
    origin: Origin, small: Client
) -> None:
    async def head_only(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n")
        await wire.silence()

    origin.route("/feed", head_only)
    result = small.get(origin.url("/feed"))
    assert (result.error, result.wire_bytes) == (FetchError.TOO_LARGE, 0)


def test_row_75_a_body_of_exactly_the_cap_is_taken(origin: Origin, small: Client) -> None:
    origin.answer("/feed", body=b"x" * 10_000)
    assert small.get(origin.url("/feed")).body == b"x" * 10_000


@pytest.mark.parametrize("chunked", [True, False])
def test_row_76_a_body_without_a_length_is_cut_at_the_cap(
    origin: Origin, small: Client, chunked: bool
) -> None:
    async def endless(wire: Wire) -> None:
        coding = b"Transfer-Encoding: chunked\r\n" if chunked else b""
        await wire.send(b"HTTP/1.1 200 OK\r\n" + coding + b"\r\n")
        while True:
            await wire.send((b"3e8\r\n%b\r\n" if chunked else b"%b") % (b"x" * 1000))

    origin.route("/feed", endless)
    assert small.get(origin.url("/feed")).error is FetchError.TOO_LARGE


def test_row_76_chunk_framing_cannot_hide_bytes(origin: Origin, small: Client) -> None:
    async def padded(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await wire.send(b"1;" + b"pad=" + b"x" * 4000 + b"\r\na\r\n")

    origin.route("/feed", padded)
    assert small.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_row_76_many_small_chunks_are_taken(origin: Origin, small: Client) -> None:
    body = b"".join(b"1\r\n%c\r\n" % octet for octet in b"0123456789" * 500)
    origin.send(
        "/feed", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"
    )
    assert small.get(origin.url("/feed")).body == b"0123456789" * 500


def test_row_77_a_gzip_bomb_is_refused_before_it_unfolds(origin: Origin, client: Client) -> None:
    origin.answer("/feed", headers=GZIP, body=bomb(1024))
    client.get(origin.url("/warm"))
    with memory_under(6):
        result = client.get(origin.url("/feed"))
    assert (result.error, result.body) == (FetchError.ENCODING, None)


def test_row_77_decoded_bytes_are_capped_at_an_honest_ratio_too(
    origin: Origin, small: Client
) -> None:
    origin.answer("/feed", headers=GZIP, body=gzip.compress(b"x" * 20_001))
    origin.answer("/fits", headers=GZIP, body=gzip.compress(b"x" * 20_000))
    assert small.get(origin.url("/feed")).error is FetchError.TOO_LARGE
    assert small.get(origin.url("/fits")).body == b"x" * 20_000


def test_row_77_a_bomb_of_many_gzip_members_is_refused(origin: Origin, client: Client) -> None:
    origin.answer("/feed", headers=GZIP, body=gzip.compress(b"") * 100_000)
    assert client.get(origin.url("/feed")).error is FetchError.ENCODING


def test_row_78_several_codings_are_refused_unread(origin: Origin, client: Client) -> None:
    folded = gzip.compress(gzip.compress(bomb(2048), 9), 9)
    origin.answer("/feed", headers={"Content-Encoding": "gzip, gzip, gzip"}, body=folded)
    origin.answer("/lines", headers=[("Content-Encoding", "gzip")] * 3, body=folded)
    client.get(origin.url("/warm"))
    with memory_under(2):
        for path in ("/feed", "/lines"):
            assert client.get(origin.url(path)).error is FetchError.ENCODING


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "x-compress", "DCB"])
def test_row_80_a_coding_that_was_not_offered_is_asked_for_again_without(
    origin: Origin, client: Client, coding: str
) -> None:
    packed = reply(200, {"Content-Encoding": coding}, b"\x8b\x07\x80" * 500)
    origin.script("/feed", packed, reply(200, body=b"<rss/>"))
    result = client.get(origin.url("/feed"), validators=Validators(etag='"1"'))
    assert (result.error, result.body, result.hops) == (None, b"<rss/>", ())
    asked = [seen.headers["accept-encoding"] for seen in origin.requests()]
    assert asked == ["gzip", "identity"]
    assert [seen.headers["if-none-match"] for seen in origin.requests()] == ['"1"', '"1"']


def test_row_79_but_only_once(origin: Origin, client: Client) -> None:
    origin.answer("/feed", headers={"Content-Encoding": "br"}, body=b"\x8b\x07\x80" * 500)
    result = client.get(origin.url("/feed"))
    assert (result.error, len(origin.requests())) == (FetchError.ENCODING, 2)


@pytest.mark.parametrize("name", ["none", "utf-8", "UTF-8", "binary", "aws-chunked", "rot13", ","])
def test_row_78_a_name_that_is_no_coding_says_nothing(
    origin: Origin, client: Client, name: str
) -> None:
    origin.answer("/plain", headers={"Content-Encoding": name}, body=b"<rss/>")
    both = {"Content-Encoding": f"{name}, gzip"}
    origin.answer("/both", headers=both, body=gzip.compress(b"<rss/>"))
    for path in ("/plain", "/both"):
        assert client.get(origin.url(path)).body == b"<rss/>"
    assert len(origin.requests()) == 2


@pytest.mark.parametrize("said", [None, "none", "deflate", "br", "gzip"])
def test_a_body_that_begins_with_gzips_mark_is_unpacked_whatever_its_header_says(
    origin: Origin, client: Client, said: str | None
) -> None:
    headers = {"Content-Encoding": said} if said else {}
    origin.answer("/feed.xml.gz", headers=headers, body=gzip.compress(b"<rss/>" * 99))
    origin.answer("/bomb.gz", headers=headers, body=bomb(1024))
    assert client.get(origin.url("/feed.xml.gz")).body == b"<rss/>" * 99
    assert client.get(origin.url("/bomb.gz")).error is FetchError.ENCODING


@pytest.mark.parametrize(
    "body",
    [b"<rss/>", gzip.compress(b"x" * 5000)[:-9], gzip.compress(b"x" * 99)[:-1] + b"!", b""],
    ids=["plain text", "cut short", "wrong checksum", "empty"],
)
def test_row_80_a_damaged_coding_is_an_error_and_not_asked_again(
    origin: Origin, client: Client, body: bytes
) -> None:
    origin.answer("/feed", headers=GZIP, body=body)
    result = client.get(origin.url("/feed"))
    assert (result.error, len(origin.requests())) == (FetchError.ENCODING, 1)


def test_the_codings_that_servers_really_send_are_read(origin: Origin, client: Client) -> None:
    text = b"<rss>" * 9000
    raw = zlib.compressobj(wbits=-15)
    bodies = {
        "gzip": gzip.compress(text),
        "x-gzip": gzip.compress(text),
        "GZIP": gzip.compress(text[:20_000]) + gzip.compress(text[20_000:]) + b"\0" * 20,
        "deflate": zlib.compress(text),
        "Deflate": raw.compress(text) + raw.flush(),
        "identity": text,
        "": text,
    }
    for number, (coding, body) in enumerate(bodies.items()):
        origin.answer(f"/{number}", headers={"Content-Encoding": coding}, body=body)
        result = client.get(origin.url(f"/{number}"))
        assert (result.error, result.body) == (None, text)
        assert (result.wire_bytes, result.decoded_bytes) == (len(body), len(text))


@pytest.mark.parametrize(
    "filler",
    [b"X-A: " + b"a" * 70_000 + b"\r\n", b"X-A: b\r\n" * 9000],
    ids=["one long header", "many headers"],
)
def test_row_81_a_header_block_over_64_kib_is_refused(
    origin: Origin, client: Client, filler: bytes
) -> None:
    origin.send("/feed", b"HTTP/1.1 200 OK\r\n" + filler + b"Content-Length: 1\r\n\r\nx")
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_row_81_one_below_is_taken(origin: Origin, client: Client) -> None:
    origin.send("/feed", reply(200, {"X-A": "a" * 60_000}, b"x"))
    assert client.get(origin.url("/feed")).body == b"x"


def test_row_81_every_answer_of_a_kept_connection_has_its_own_allowance(
    origin: Origin, client: Client
) -> None:
    origin.send("/feed", reply(200, {"X-A": "a" * 40_000}, b"x" * 90_000))
    for _ in range(4):
        assert client.get(origin.url("/feed")).error is None
    assert origin.connections == 1


@pytest.mark.parametrize("where", ["head", "body"])
def test_row_82_a_dripping_server_ends_at_the_total_deadline(
    origin: Origin, clients: Callable[..., Client], where: str
) -> None:
    async def drip(wire: Wire) -> None:
        if where == "body":
            await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        await wire.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 999, 0.02)

    origin.route("/feed", drip)
    client = clients(limits=limits(2.0, read=timedelta(seconds=1.5)))
    result = client.get(origin.url("/feed"))
    assert result.error is FetchError.TIMEOUT
    assert result.detail == "no complete answer within 2 s"


@pytest.mark.parametrize("where", ["head", "body"])
def test_row_83_a_silent_server_ends_at_the_read_limit(
    origin: Origin, clients: Callable[..., Client], where: str
) -> None:
    async def silent(wire: Wire) -> None:
        if where == "body":
            await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
        await wire.silence()

    origin.route("/feed", silent)
    client = clients(limits=limits(read=timedelta(seconds=0.2)))
    result = client.get(origin.url("/feed"))
    assert (result.error, result.detail) == (FetchError.TIMEOUT, "the server stopped sending")


def test_row_83_a_silent_tls_handshake_ends_at_the_connect_limit(
    clients: Callable[..., Client],
) -> None:
    with Origin("127.0.0.1") as plain:  # reads until it sees a request, which never comes
        client = clients(limits=limits(connect=timedelta(seconds=0.3)))
        result = client.get(f"https://127.0.0.1:{plain.port}/")
    assert result.error is FetchError.TLS


def test_a_deadline_leaves_no_connection_behind(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    async def silent(wire: Wire) -> None:
        await wire.silence()

    origin.route("/feed", silent)
    origin.answer("/ok", body=b"x")
    client = clients(limits=limits(2.0))
    client.all(*(asking(origin.url("/feed")) for _ in range(10)))
    assert client.get(origin.url("/ok")).body == b"x"
    client.until(lambda: origin.open_connections == 1)


def test_no_more_than_the_allowed_number_is_in_flight(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    async def slow(wire: Wire) -> None:
        await wire.silence(0.05)
        await wire.send(reply(200, body=b"x"))

    origin.route("/feed", slow)
    client = clients(limits=limits(in_flight=3))
    results = client.all(*(asking(origin.url("/feed")) for _ in range(12)))
    assert [result.body for result in results] == [b"x"] * 12
    assert origin.most_in_flight == 3


def test_row_89_at_most_one_idle_connection_is_kept_for_an_origin(
    origin: Origin, client: Client
) -> None:
    origin.answer("/feed", body=b"x")
    client.all(*(asking(origin.url("/feed")) for _ in range(8)))
    client.get(origin.url("/feed"))
    client.until(lambda: origin.open_connections == 1)


def test_row_89_an_idle_connection_is_closed_after_its_time(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    origin.answer("/feed", body=b"x")
    client = clients(limits=limits(idle=timedelta(seconds=0.05)))
    client.get(origin.url("/feed"))

    client.until(lambda: origin.open_connections == 0)
    client.get(origin.url("/feed"))
    assert origin.connections == 2


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next(
    origin: Origin, client: Client
) -> None:
    origin.send("/a", reply(200, body=b"first") + reply(200, body=b"smuggled"))
    origin.answer("/b", body=b"second")
    assert client.get(origin.url("/a")).body == b"first"
    assert client.get(origin.url("/b")).body == b"second"


def test_rule_6_a_long_robots_txt_is_cut_not_refused(origin: Origin, small: Client) -> None:
    origin.answer("/robots.txt", body=b"x" * 50_000)
    result = small.get(origin.url("/robots.txt"), kind=RequestKind.ROBOTS)
    assert result.error is None
    assert result.body is not None
    assert 10_000 <= len(result.body) <= 20_000


def test_cancelling_a_fetch_closes_its_connection(origin: Origin, client: Client) -> None:
    async def silent(wire: Wire) -> None:
        await wire.silence()

    origin.route("/feed", silent)

    async def begin() -> asyncio.Task[FetchResult]:
        return asyncio.create_task(client.fetcher.fetch(asking(origin.url("/feed"))))

    async def end(work: asyncio.Task[FetchResult]) -> None:
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    work = client.run(begin())
    client.until(lambda: len(origin.requests()) == 1)
    client.run(end(work))
    client.until(lambda: origin.open_connections == 0)

"""Malformed heads: what is dropped, what is mended, what stays an error (RFC 9112)."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.fetch.dial import dial
from aggregator.fetch.exchange import exchange, request_bytes
from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.head import clean_head, framing_of
from aggregator.fetch.stream import Exchange
from aggregator.model.http import FetchError
from tests.fetch.conftest import Client
from tests.origin import Origin
from tests.patience import PATIENCE

OK = b"HTTP/1.1 200 OK\r\n"

# Lines that are no field, as servers send them.
NO_FIELDS = [
    b"a line without a colon",
    b": no name",
    b"two words: x",
    b"N\xe4me: x",
    b"X-Nul: a\x00b",
    b"X-Bell: a\x07b",
    b"X-Return: a\rb",
    b"<b>Warning</b>: Cannot modify header information in /srv/x.php on line 3",
    b"\x00",
    b"[]: x",
]

# Lines that say where the body ends, and are damaged.
DAMAGED = [
    b"Content-Length: 5, 5",
    b"Content-Length: +5",
    b"Content-Length: 0x5",
    b"Content-Length: 5 5",
    b"Content-Length:",
    b"Content-Length: 5\x00",
    b"Content-Length 5",
    b"\x00Content-Length: 5",
    b"Content-Length: " + b"9" * 40,
    b"Content-Length: 5\r\n 0",
    b"Content-Length: 5\r\nContent-Length: 5",
    b"Content-Length: 5\r\ncontent-length : 6",
    b"Transfer-Encoding",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5",
]


def cleaned(*lines: bytes) -> list[bytes]:
    """The lines after the status line of what is left of a head."""
    head = clean_head(OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n")
    first, *rest = head.raw.split(b"\r\n")
    assert first.startswith(b"HTTP/1.1 200")
    return rest[:-2]


@pytest.mark.parametrize("line", NO_FIELDS)
def test_a_line_that_is_no_field_is_dropped_and_the_others_stay(line: bytes) -> None:
    assert cleaned(b"ETag: 1", line, b"Vary: x") == [b"ETag: 1", b"Vary: x"]


def test_a_blank_before_the_colon_is_removed() -> None:
    assert cleaned(b"ETag : 1", b"Vary\t :x") == [b"ETag: 1", b"Vary: x"]


def test_a_value_may_go_on_in_the_next_line() -> None:
    assert cleaned(b"Link: <a>;", b"  rel=hub", b"\t; x") == [b"Link: <a>; rel=hub ; x"]


@pytest.mark.parametrize("before", [None, b"no field"])
def test_what_goes_on_after_no_field_is_dropped_with_it(before: bytes | None) -> None:
    lines = [before] if before else []
    assert cleaned(*lines, b" X-Evil: 1", b"Vary: x") == [b"Vary: x"]


def test_bare_line_feeds_end_lines_too() -> None:
    head = clean_head(b"HTTP/1.1 200 OK\nETag: 1\nVary: x\n\n")
    assert head.raw == b"HTTP/1.1 200 \r\nETag: 1\r\nVary: x\r\n\r\n"


def test_a_well_formed_head_is_not_touched() -> None:
    head = OK + b'ETag: "\xe9"\r\nX:\r\nY:\t z \r\n\r\n'
    assert (clean_head(head).raw, clean_head(head).repaired) == (head, False)


@pytest.mark.parametrize(
    "first", [b"HTTP/2 200 OK", b"ICY 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000", b"", b"x"]
)
def test_a_status_line_of_no_http_1_answer_is_an_error(first: bytes) -> None:
    with pytest.raises(FetchFailed):
        clean_head(first + b"\r\nVary: x\r\n\r\n")


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200", b"HTTP/1.0  200 ", b"HTTP/1.1 200\tF\xfcr Sie\x00"]
)
def test_a_careless_status_line_is_read(first: bytes) -> None:
    assert clean_head(first + b"\r\n\r\n").raw[8:] == b" 200 \r\n\r\n"


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_whatever_comes_is_cleaned_once_and_for_all_or_refused(lines: list[bytes]) -> None:
    try:
        once = clean_head(OK + b"\r\n".join(lines) + b"\r\n\r\n")
    except FetchFailed:
        return
    assert clean_head(once.raw).raw == once.raw


@pytest.mark.parametrize(
    ("version", "connection", "keep"),
    [
        (b"1.1", None, True),
        (b"1.1", b"close", False),
        (b"1.1", b"Upgrade, CLOSE", False),
        (b"1.0", None, False),
        (b"1.0", b"keep-alive", True),
        (b"1.0", b"keep-alive, close", False),
    ],
)
def test_a_connection_is_kept_as_the_server_says(
    version: bytes, connection: bytes | None, keep: bool
) -> None:
    fields = [(b"Content-Length", b"5")]
    if connection is not None:
        fields.append((b"Connection", connection))
    assert framing_of(200, version, fields).keep is keep
    assert framing_of(200, version, fields[1:]).keep is False


@pytest.mark.parametrize("line", NO_FIELDS)
def test_an_answer_with_a_line_that_is_no_field_is_read_and_its_connection_closed(
    origin: Origin, client: Client, line: bytes
) -> None:
    origin.send("/feed", OK + b"ETag: 1\r\n" + line + b"\r\nContent-Length: 5\r\n\r\n<rss>")
    for count in (1, 2):
        result = client.get(origin.url("/feed"))
        assert (result.body, result.validators.etag) == (b"<rss>", "1")
        assert origin.connections == count


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_repeated_or_contradictory_framing_is_an_error(
    origin: Origin, client: Client, line: bytes
) -> None:
    origin.send("/feed", OK + line + b"\r\n\r\n5\r\n<rss>\r\n0\r\n\r\n")
    result = client.get(origin.url("/feed"))
    assert (result.error, result.body) == (FetchError.PROTOCOL, None)
    client.until(lambda: origin.open_connections == 0)


def test_a_length_with_a_blank_before_its_colon_counts(origin: Origin, client: Client) -> None:
    origin.send("/feed", OK + b"Content-Length : 5\r\n\r\n<rss>HTTP/1.1 200 OK\r\n\r\nsmuggled")
    for count in (1, 2):
        assert client.get(origin.url("/feed")).body == b"<rss>"
        assert origin.connections == count


def test_a_smuggled_line_ends_no_head(origin: Origin, client: Client) -> None:
    origin.send("/feed", OK + b"X: a\rContent-Length: 1\r\nContent-Length: 5\r\n\r\n<rss>")
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_chunks_are_read_and_what_follows_them_is_not(origin: Origin, client: Client) -> None:
    chunks = b"2\r\n<r\r\n3;x=y\r\nss>\r\n0\r\nTrailer: 1\r\n\r\n"
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    origin.send("/feed", head + chunks)
    origin.send("/more", head + chunks + OK + b"Content-Length: 1\r\n\r\nx")
    for path in ("/feed", "/feed", "/more"):
        assert client.get(origin.url(path)).body == b"<rss>"
    assert origin.connections == 1
    assert client.get(origin.url("/feed")).body == b"<rss>"
    assert origin.connections == 2


@pytest.mark.parametrize(
    "chunks",
    [
        b"5   \r\n<rss>\r\n0  \r\n\r\n",
        b"0005\r\n<rss>\r\n000\r\n\r\n",
        b"5\t;a=b\r\n<rss>\r\n0;c\r\n\r\n",
        b"5\r\n<rss>\r\n0\r\nno trailer\r\n\r\n",
        b"5\r\n<rss>\r\n0\r\nETag : x\r\n\r\n",
        b"5\r\n<rss>\r\n0\r\n",
        b"5\r\n<rss>\r\n0 \r\n",
    ],
)
def test_careless_chunks_are_read(origin: Origin, client: Client, chunks: bytes) -> None:
    """Padded sizes, malformed trailers, no empty line after the last chunk."""
    origin.send("/feed", OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, close=True)
    result = client.get(origin.url("/feed"))
    assert (result.body, result.error) == (b"<rss>", None)


FIELD = st.tuples(
    st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=12).map(lambda text: "x-" + text),
    st.binary(max_size=30).filter(lambda value: not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value)),
)


@settings(max_examples=40)
@given(st.lists(FIELD, max_size=8))
def test_the_parser_reads_every_clean_head_as_it_stands(fields: list[tuple[str, bytes]]) -> None:
    lines = [(name.encode(), value.strip(b" \t")) for name, value in fields]
    head = OK + b"".join(b"%b: %b\r\n" % line for line in lines) + b"Content-Length: 0\r\n\r\n"
    assert not clean_head(head).repaired
    with Origin() as origin:
        origin.send("/feed", head)
        found = asyncio.run(_fields_of(origin))
    assert found[:-1] == lines


async def _fields_of(origin: Origin) -> list[tuple[bytes, bytes]]:
    stream = await dial(
        "origin",
        [origin.host],
        origin.port,
        None,
        ends=time.monotonic() + PATIENCE,
        read_timeout=PATIENCE,
    )
    stream.begin(Exchange(), 65536)
    answer = await exchange(stream, request_bytes(b"GET", b"/feed", [(b"Host", b"x")]), None)
    answer.close()
    return list(answer.fields)


@pytest.mark.parametrize(
    "chunks",
    [b"-1\r\n<rss>\r\n0\r\n\r\n", b"5\r\n<rss>0\r\n\r\n", b"5\n<rss>\n0\n\n", b"g\r\n", b"5 5\r\n",
     b"fffffffffffffffff\r\n<rss>", b"5\r\n<rss>\r\n", b"5\r\n", b"5\r\n<rss>\r\n10\r\n", b""],
)  # fmt: skip
def test_damaged_chunks_are_an_error(origin: Origin, client: Client, chunks: bytes) -> None:
    origin.send("/feed", OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunks, close=True)
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_an_interim_answer_is_skipped_and_its_fields_are_nobodys(
    origin: Origin, client: Client
) -> None:
    early = b"HTTP/1.1 103 Early\r\nETag: 0\r\nContent-Length: 9\r\n\r\n"
    origin.send("/feed", early * 3 + OK + b"Content-Length: 5\r\n\r\n<rss>")
    result = client.get(origin.url("/feed"))
    assert (result.body, result.validators.etag) == (b"<rss>", None)

"""What a status means (docs/design/fetching.md, rows 48–64)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.model.http import FetchError, RequestKind, Validators
from tests.fetch.conftest import Client, Names, limits
from tests.origin import Origin, Wire, reply


@pytest.mark.parametrize("status", [429, 503])
def test_rows_48_and_50_retry_after_in_seconds(origin: Origin, client: Client, status: int) -> None:
    origin.answer("/feed", status, {"Retry-After": "120"})
    result = client.get(origin.url("/feed"))
    assert (result.error, result.status) == (FetchError.HTTP, status)
    assert result.retry_after == timedelta(seconds=120)


def test_row_48_retry_after_as_a_date_counts_from_the_servers_own_date(
    origin: Origin, client: Client
) -> None:
    dates = {
        "Date": "Sun, 06 Nov 1994 08:00:00 GMT",
        "Retry-After": "Sun, 06 Nov 1994 08:05:00 GMT",
    }
    origin.answer("/feed", 429, dates)
    assert client.get(origin.url("/feed")).retry_after == timedelta(minutes=5)


def test_row_49_a_429_without_retry_after_names_no_time(origin: Origin, client: Client) -> None:
    origin.answer("/feed", 429)
    result = client.get(origin.url("/feed"))
    assert (result.error, result.retry_after) == (FetchError.HTTP, None)


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 407, 410, 451, 500, 502, 504, 201, 202, 599]
)
def test_rows_51_to_55_other_statuses_are_errors_asked_once_and_left_unread(
    origin: Origin, client: Client, status: int
) -> None:
    origin.answer("/feed", status, {"ETag": '"1"'}, b"<html>")
    result = client.get(origin.url("/feed"))
    assert (result.error, result.status, result.body) == (FetchError.HTTP, status, None)
    assert not result.validators
    assert len(origin.requests()) == 1


def test_row_51_nothing_listens(origin: Origin, client: Client) -> None:
    url = origin.url("/feed").replace(str(origin.port), "1")
    result = client.get(url)
    assert result.error is FetchError.CONNECT
    assert result.detail == "127.0.0.1: connection refused"


def test_row_51_a_name_without_an_address(clients: Callable[..., Client]) -> None:
    result = clients(resolver=Names()).get("http://nowhere.invalid/feed")
    assert (result.error, result.status) == (FetchError.DNS, None)


def test_row_51_one_retry_where_a_kept_connection_died_before_a_byte(
    origin: Origin, client: Client
) -> None:
    async def hang_up(wire: Wire) -> None:
        wire.close()

    origin.script("/feed", reply(200, body=b"1"), hang_up, reply(200, body=b"2"))
    assert client.get(origin.url("/feed")).body == b"1"
    assert client.get(origin.url("/feed")).body == b"2"
    assert (len(origin.requests()), origin.connections) == (3, 2)


def test_row_51_but_none_on_a_new_connection(origin: Origin, client: Client) -> None:
    origin.send("/feed", b"", close=True)
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL
    assert len(origin.requests()) == 1


@pytest.mark.parametrize(
    "header", [("cf-mitigated", "challenge"), ("X-Amzn-Waf-Action", "captcha")]
)
def test_row_56_a_challenge_for_browsers_has_its_own_error(
    origin: Origin, client: Client, header: tuple[str, str]
) -> None:
    origin.answer("/feed", 403, [header], b"<html>")
    result = client.get(origin.url("/feed"))
    assert (result.error, result.status) == (FetchError.BOT_CHALLENGE, 403)


def test_row_58_an_empty_body_is_an_error(origin: Origin, client: Client) -> None:
    origin.answer("/feed", headers={"ETag": '"1"'})
    result = client.get(origin.url("/feed"))
    assert (result.error, result.status, result.body) == (FetchError.PROTOCOL, 200, None)
    assert not result.validators


@pytest.mark.parametrize("status", [204, 205])
def test_row_59_no_content_changes_nothing_and_keeps_validators(
    origin: Origin, client: Client, status: int
) -> None:
    origin.send("/feed", f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
    held = Validators(etag='"1"')
    result = client.get(origin.url("/feed"), validators=held)
    assert (result.not_modified, result.status, result.validators) == (True, status, held)


def test_row_59_a_part_that_nobody_asked_for_is_an_error(origin: Origin, client: Client) -> None:
    origin.answer("/feed", 206, {"Content-Range": "bytes 0-1/9"}, b"ab")
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_row_59_a_203_is_a_200(origin: Origin, client: Client) -> None:
    origin.answer("/feed", 203, body=b"x")
    assert client.get(origin.url("/feed")).body == b"x"


def test_row_60_a_delta_is_marked(origin: Origin, client: Client) -> None:
    origin.answer("/feed", 226, {"IM": "feed", "ETag": '"2"'}, b"<new/>")
    result = client.get(origin.url("/feed"), delta=True, validators=Validators(etag='"1"'))
    assert (result.delta, result.body, result.validators.etag) == (True, b"<new/>", '"2"')


def test_row_60_a_delta_that_nobody_asked_for_is_an_error(origin: Origin, client: Client) -> None:
    origin.answer("/feed", 226, {"IM": "feed"}, b"<new/>")
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_row_62_a_few_interim_answers_are_skipped(origin: Origin, client: Client) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </s>; rel=preload\r\n\r\n"
    origin.send("/feed", early * 3 + reply(200, body=b"x"))
    result = client.get(origin.url("/feed"))
    assert (result.body, result.links) == (b"x", ())


def test_row_62_a_flood_of_interim_answers_is_refused(origin: Origin, client: Client) -> None:
    origin.send("/feed", b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000 + reply(200, body=b"x"))
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_row_62_a_slow_stream_of_interim_answers_ends_at_the_deadline(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    async def forever(wire: Wire) -> None:
        while True:
            await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await wire.silence(0.05)

    origin.route("/feed", forever)
    client = clients(limits=limits(0.4))
    assert client.get(origin.url("/feed")).error is FetchError.TIMEOUT


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 306, 307, 308, 399])
def test_row_64_a_3xx_that_leads_nowhere_is_an_error(
    origin: Origin, client: Client, status: int
) -> None:
    origin.answer("/feed", status)
    result = client.get(origin.url("/feed"))
    expected = FetchError.PROTOCOL if status == 304 else FetchError.REDIRECT
    assert (result.error, result.status) == (expected, status)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: rot13\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ],
)
def test_answers_that_are_no_http_are_protocol_errors(
    origin: Origin, client: Client, raw: bytes
) -> None:
    origin.send("/feed", raw, close=True)
    result = client.get(origin.url("/feed"))
    assert result.error in (FetchError.PROTOCOL, FetchError.HTTP)
    assert result.body is None
    assert result.detail is not None
    assert result.detail.isprintable()


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 301 X",
        b"HTTP/1.1 304 X",
        b"HTTP/1.1 100 X",
        b"HTTP/1.0 200",
        b"Content-Length: 5",
        b"Content-Length: 99999999999999999999",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: gzip",
        b"Location: //\xff\xfe:x/",
        b"Location: /again",
        b"ETag: \xf0\x9f\x92\xa9",
        b"Age: \xb2",
        b"Content-Length: \xb2",
        b"Link: <",
        b"Date: Thu, 99 Foo 99999 99:99:99 +9999",
        b"Expires: Mon, 01 Jan 0001 00:00:00 +2359",
        b"Retry-After: 99999999999999999999",
        b"",
        b"5\r\nhello\r\n0\r\n",
        b"hello",
        b"\x00\xff",
    ]
)


def test_whatever_bytes_come_a_fetch_ends_in_exactly_one_way(
    origin: Origin, client: Client
) -> None:
    @settings(max_examples=150)
    @given(st.one_of(st.binary(max_size=300), st.lists(LINES, max_size=9).map(b"\r\n".join)))
    def check(raw: bytes) -> None:
        origin.send("/feed", raw + b"\r\n\r\n", close=True)
        origin.send("/again", raw + b"\r\n\r\n", close=True)
        result = client.get(origin.url("/feed"), validators=Validators(etag='"1"'))
        assert [result.error is None, not result.not_modified, result.body is None].count(
            False
        ) == 1
        assert result.detail is None or result.detail.isprintable()

    check()


@pytest.mark.parametrize("kind", [RequestKind.ARTICLE, RequestKind.PAGE])
@pytest.mark.parametrize("media", ["text/html", "Text/HTML; charset=x", "application/xhtml+xml"])
def test_rule_13_pages_are_html(
    origin: Origin, client: Client, kind: RequestKind, media: str
) -> None:
    origin.answer("/a", headers={"Content-Type": media}, body=b"<html>")
    assert client.get(origin.url("/a"), kind=kind).body == b"<html>"


@pytest.mark.parametrize("media", ["application/pdf", "image/png", "video/mp4", "text/css"])
@pytest.mark.parametrize("kind", [RequestKind.ARTICLE, RequestKind.PAGE])
def test_rule_13_the_media_type_is_judged_before_the_body(
    origin: Origin, client: Client, kind: RequestKind, media: str
) -> None:
    async def head_only(wire: Wire) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: 9\r\n\r\n"
        await wire.send(head.encode())
        await wire.silence()

    origin.route("/a", head_only)
    assert client.get(origin.url("/a"), kind=kind).error is FetchError.NOT_HTML


@pytest.mark.parametrize(
    "media", ["application/rss+xml", "text/xml", "application/feed+json", "application/json"]
)
def test_rule_13_a_page_may_be_a_feed_an_article_may_not(
    origin: Origin, client: Client, media: str
) -> None:
    origin.answer("/a", headers={"Content-Type": media}, body=b"x")
    assert client.get(origin.url("/a"), kind=RequestKind.PAGE).body == b"x"
    article = client.get(origin.url("/a"), kind=RequestKind.ARTICLE)
    assert article.error is FetchError.NOT_HTML


def test_row_84_bytes_and_media_type_come_undecoded(origin: Origin, client: Client) -> None:
    media = "text/xml; charset=koi8-r"
    origin.answer("/feed", headers={"Content-Type": media}, body=b"\xff\xfe<\x00")
    result = client.get(origin.url("/feed"))
    assert (result.body, result.content_type) == (b"\xff\xfe<\x00", media)


def test_row_106_link_headers_are_absolute(origin: Origin, client: Client) -> None:
    links = [
        ("Link", '</hub>; rel="hub", <https://x.example/f>; rel=self'),
        ("Link", '<?page=2>; rel="next last"; title="a, <b>; c"'),
    ]
    origin.answer("/feed", headers=links, body=b"x")
    assert client.get(origin.url("/feed")).links == (
        ("hub", origin.url("/hub")),
        ("self", "https://x.example/f"),
        ("next", origin.url("/feed?page=2")),
        ("last", origin.url("/feed?page=2")),
    )


def test_row_125_a_result_tells_its_times_bytes_and_address(origin: Origin, client: Client) -> None:
    origin.answer("/feed", body=b"12345")
    result = client.get(origin.url("/feed"))
    assert (result.wire_bytes, result.decoded_bytes, result.address) == (5, 5, "127.0.0.1")
    timing = result.timing
    for part in (timing.dns, timing.connect, timing.first_byte):
        assert part is not None
        assert 0 <= part <= (timing.total or 0)
    again = client.get(origin.url("/feed"))
    assert again.timing.dns is again.timing.connect is None

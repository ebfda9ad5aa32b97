"""Conditional requests (docs/design/fetching.md, rows 14–30)."""

from __future__ import annotations

import pytest

from aggregator.model.http import FetchError, Validators
from tests.fetch.conftest import Client
from tests.origin import Origin, reply

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    "etag", ['"abc"', 'W/"abc"', '"abc-gzip"', "unquoted", '"a b,c"', '"\\"', '""']
)
def test_rows_14_and_28_an_etag_is_kept_and_echoed_octet_for_octet(
    origin: Origin, client: Client, etag: str
) -> None:
    origin.answer("/feed", headers={"ETag": etag}, body=b"x")
    held = client.get(origin.url("/feed")).validators
    assert held == Validators(etag=etag, url=origin.url("/feed"))
    client.get(origin.url("/feed"), validators=held)
    assert origin.requests()[-1].headers["if-none-match"] == etag


@pytest.mark.parametrize("date", [DATE, "sunday, 06-nov-94 08:49:37 gmt", "2020-01-01", "0"])
def test_row_15_last_modified_is_echoed_and_never_reformatted(
    origin: Origin, client: Client, date: str
) -> None:
    origin.answer("/feed", headers={"Last-Modified": date}, body=b"x")
    held = client.get(origin.url("/feed")).validators
    client.get(origin.url("/feed"), validators=held)
    assert origin.requests()[-1].headers["if-modified-since"] == date


def test_row_16_both_validators_are_sent(origin: Origin, client: Client) -> None:
    origin.answer("/feed", headers={"ETag": '"1"', "Last-Modified": DATE}, body=b"x")
    client.get(origin.url("/feed"), validators=client.get(origin.url("/feed")).validators)
    seen = origin.requests()[-1].headers
    assert (seen["if-none-match"], seen["if-modified-since"]) == ('"1"', DATE)


def test_row_17_without_validators_the_request_is_unconditional(
    origin: Origin, client: Client
) -> None:
    origin.answer("/feed", body=b"x")
    assert not client.get(origin.url("/feed")).validators
    assert set(origin.requests()[-1].headers) & {"if-none-match", "if-modified-since"} == set()


def test_row_18_a_200_without_validators_drops_the_old_ones(origin: Origin, client: Client) -> None:
    origin.answer("/feed", body=b"x")
    result = client.get(origin.url("/feed"), validators=Validators(etag='"old"'))
    assert result.body == b"x"
    assert not result.validators


@pytest.mark.parametrize(
    "cut",
    [
        b'HTTP/1.1 200 OK\r\nETag: "n"\r\nContent-Length: 100\r\n\r\nshort',
        b'HTTP/1.1 200 OK\r\nETag: "n"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n',
        b'HTTP/1.1 200 OK\r\nETag: "n"\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nshort',
        b'HTTP/1.1 200 OK\r\nETag: "n"',
        b"",
    ],
    ids=["length", "no last chunk", "mid chunk", "mid head", "nothing"],
)
def test_row_20_a_connection_cut_short_is_an_error_without_validators(
    origin: Origin, client: Client, cut: bytes
) -> None:
    origin.send("/feed", cut, close=True)
    result = client.get(origin.url("/feed"))
    assert result.error is FetchError.PROTOCOL
    assert result.body is None
    assert not result.validators


def test_row_20_a_reset_in_mid_body_is_an_error(origin: Origin, client: Client) -> None:
    async def handler(wire) -> None:  # type: ignore[no-untyped-def]
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        wire.reset()

    origin.route("/feed", handler)
    assert client.get(origin.url("/feed")).error is FetchError.PROTOCOL


def test_row_21_a_304_renews_validators_and_freshness(origin: Origin, client: Client) -> None:
    new = {"ETag": '"2"', "Cache-Control": "max-age=600"}
    origin.send("/feed", reply(304, new))
    held = Validators(etag='"1"', last_modified=DATE, url=origin.url("/feed"))
    result = client.get(origin.url("/feed"), validators=held)
    assert result.not_modified
    assert result.validators == Validators('"2"', DATE, origin.url("/feed"))
    assert result.freshness.max_age is not None
    assert result.freshness.max_age.total_seconds() == 600


def test_row_22_a_304_without_cache_control_says_nothing_about_freshness(
    origin: Origin, client: Client
) -> None:
    origin.send("/feed", reply(304))
    result = client.get(origin.url("/feed"), validators=Validators(etag='"1"'))
    assert result.not_modified
    assert result.freshness.max_age is None


def test_row_24_a_304_that_nobody_asked_for_is_a_protocol_error(
    origin: Origin, client: Client
) -> None:
    origin.send("/feed", reply(304, {"ETag": '"1"'}))
    result = client.get(origin.url("/feed"))
    assert (result.error, result.status) == (FetchError.PROTOCOL, 304)
    assert not result.not_modified


def test_row_25_a_200_with_the_etag_we_sent_still_brings_its_body(
    origin: Origin, client: Client
) -> None:
    origin.answer("/feed", headers={"ETag": '"1"'}, body=b"same")
    result = client.get(origin.url("/feed"), validators=Validators(etag='"1"'))
    assert (result.body, result.validators.etag) == (b"same", '"1"')


def test_row_29_a_304_with_a_length_has_no_body_and_its_connection_is_kept(
    origin: Origin, client: Client
) -> None:
    origin.send("/feed", reply(304, {"Content-Length": "1234"}))
    for _ in range(3):
        assert client.get(origin.url("/feed"), validators=Validators(etag='"1"')).not_modified
    assert origin.connections == 1


def test_row_72_validators_go_only_to_the_url_that_gave_them(
    origin: Origin, client: Client
) -> None:
    origin.answer("/feed", 302, {"Location": "/now"})
    origin.answer("/now", headers={"ETag": '"1"'}, body=b"x")
    held = client.get(origin.url("/feed")).validators
    assert held.url == origin.url("/now")
    client.get(origin.url("/feed"), validators=held)
    assert "if-none-match" not in origin.requests("/feed")[-1].headers
    assert origin.requests("/now")[-1].headers["if-none-match"] == '"1"'


def test_row_72_and_to_none_when_the_redirect_leads_elsewhere(
    origin: Origin, client: Client
) -> None:
    origin.answer("/feed", 302, {"Location": "/other"})
    origin.answer("/other", body=b"x")
    client.get(origin.url("/feed"), validators=Validators('"1"', DATE, origin.url("/now")))
    for seen in origin.requests():
        assert set(seen.headers) & {"if-none-match", "if-modified-since"} == set()


def test_validators_without_a_url_belong_to_the_requested_one(
    origin: Origin, client: Client
) -> None:
    origin.answer("/feed", 302, {"Location": "/now"})
    origin.answer("/now", body=b"x")
    client.get(origin.url("/feed"), validators=Validators(etag='"1"'))
    assert origin.requests("/feed")[0].headers["if-none-match"] == '"1"'
    assert "if-none-match" not in origin.requests("/now")[0].headers

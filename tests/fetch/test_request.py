"""What we send (docs/design/fetching.md, rows 1–13)."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable

import pytest

from aggregator.model.http import FetchError, RequestKind, Validators
from tests.fetch.conftest import USER_AGENT, Client, Names
from tests.origin import Origin, reply


def sent(origin: Origin) -> dict[str, str]:
    return dict(origin.requests()[-1].headers)


def test_row_1_the_user_agent_names_us_and_a_contact(origin: Origin, client: Client) -> None:
    client.get(origin.url("/feed"))
    assert sent(origin)["user-agent"] == USER_AGENT


def test_row_2_a_feed_request_asks_for_feed_types_first(origin: Origin, client: Client) -> None:
    client.get(origin.url("/feed"))
    assert sent(origin)["accept"].startswith("application/atom+xml, application/rss+xml,")
    assert sent(origin)["accept"].endswith("*/*;q=0.1")


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        (RequestKind.ARTICLE, "text/html"),
        (RequestKind.PAGE, "text/html"),
        (RequestKind.ROBOTS, "text/plain"),
    ],
)
def test_other_kinds_ask_for_their_own_types(
    origin: Origin, client: Client, kind: RequestKind, first: str
) -> None:
    client.get(origin.url("/x"), kind=kind)
    assert sent(origin)["accept"].startswith(first)


def test_row_3_only_a_coding_that_can_be_bounded_is_offered(origin: Origin, client: Client) -> None:
    client.get(origin.url("/feed"))
    assert sent(origin)["accept-encoding"] == "gzip"


def test_row_4_cookies_are_never_kept_from_one_visit_to_the_next(
    origin: Origin, client: Client
) -> None:
    cookie = [("Set-Cookie", "id=1; Path=/"), ("Set-Cookie", "b=2")]
    origin.answer("/feed", 200, cookie, b"x")
    first = client.get(origin.url("/feed"))
    client.get(origin.url("/feed"))
    assert "cookie" not in sent(origin)
    assert "set-cookie" not in first.headers


def test_row_5_nothing_but_the_needed_headers_is_sent(origin: Origin, client: Client) -> None:
    client.get(origin.url("/feed"))
    assert set(sent(origin)) == {"host", "connection", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize(
    "target",
    [
        "/a/../b",
        "/a/./b",
        "//x",
        "/%7euser/%2F",
        "/?",
        "/a?b=c&&=d",
        "/a;b=c,d'()!*",
        "/a%",
        "/{x}|y",
    ],
)
def test_row_5_the_request_target_is_byte_for_byte_as_configured(
    origin: Origin, client: Client, target: str
) -> None:
    client.get(origin.url(target))
    assert origin.requests()[-1].target == target


def test_row_6_a_delta_is_asked_for_only_with_a_validator(origin: Origin, client: Client) -> None:
    origin.answer("/feed", body=b"x")
    client.get(origin.url("/feed"), delta=True)
    assert "a-im" not in sent(origin)
    client.get(origin.url("/feed"), delta=True, validators=Validators(etag='"1"'))
    assert sent(origin)["a-im"] == "feed"


def test_row_7_credentials_and_own_headers_go_to_the_configured_origin(
    origin: Origin, client: Client
) -> None:
    client.get(origin.url("/feed"), auth=("me", "pä:ss"), headers={"X-Api-Key": "k"})
    expected = base64.b64encode("me:pä:ss".encode()).decode()
    assert sent(origin)["authorization"] == f"Basic {expected}"
    assert sent(origin)["x-api-key"] == "k"


def test_row_7_and_to_no_other_origin(origin: Origin, clients: Callable[..., Client]) -> None:
    with Origin("127.0.0.1") as other:
        client = clients(allow_ports=[other.port])
        origin.answer("/feed", 302, {"Location": other.url("/feed")})
        other.answer("/feed", body=b"x")
        client.get(origin.url("/feed"), auth=("me", "pass"), headers={"X-Api-Key": "k"})
        assert "authorization" in sent(origin)
        assert set(sent(other)) & {"authorization", "x-api-key", "referer"} == set()


def test_row_7_a_redirect_within_the_origin_keeps_them(origin: Origin, client: Client) -> None:
    origin.answer("/feed", 302, {"Location": "/new"})
    origin.answer("/new", body=b"x")
    client.get(origin.url("/feed"), auth=("me", "pass"))
    assert "authorization" in origin.requests("/new")[0].headers


def test_row_7_a_header_cannot_change_framing_or_host(origin: Origin, client: Client) -> None:
    own = {"Host": "inside", "Content-Length": "9", "Accept-Encoding": "br", "TE": "trailers"}
    client.get(origin.url("/feed"), headers=own)
    assert sent(origin)["host"] == f"127.0.0.1:{origin.port}"
    assert sent(origin)["accept-encoding"] == "gzip"
    assert set(sent(origin)) & {"content-length", "te"} == set()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b"])
def test_row_7_a_header_that_cannot_be_sent_is_an_error_that_does_not_quote_it(
    origin: Origin, client: Client, value: str
) -> None:
    result = client.get(origin.url("/feed"), headers={"X-Key": value})
    assert result.error is FetchError.PROTOCOL
    assert result.detail is not None
    assert value[0] + value[1] not in result.detail
    assert origin.requests() == []


def test_row_8_proxies_and_netrc_of_the_environment_are_ignored(
    origin: Origin,
    canary: Origin,
    clients: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: object,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, canary.url(""))
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="ascii") as file:
        file.write("default login me password secret\n")
    monkeypatch.setenv("NETRC", netrc)
    origin.answer("/feed", body=b"x")
    assert clients().get(origin.url("/feed")).body == b"x"
    assert "authorization" not in sent(origin)


def test_row_9_userinfo_becomes_credentials_and_leaves_the_url(
    origin: Origin, client: Client
) -> None:
    origin.answer("/feed", body=b"x", headers={"ETag": '"1"'})
    result = client.get(origin.url("/feed").replace("//", "//me:p%40ss@"))
    expected = base64.b64encode(b"me:p@ss").decode()
    assert sent(origin)["authorization"] == f"Basic {expected}"
    assert result.url == result.final_url == result.validators.url == origin.url("/feed")
    assert "p%40ss" not in repr(result)


def test_row_9_userinfo_of_a_redirect_is_dropped(origin: Origin, client: Client) -> None:
    origin.answer("/a", 302, {"Location": origin.url("/b").replace("//", "//eve:x@")})
    origin.answer("/b", body=b"x")
    result = client.get(origin.url("/a"))
    assert "authorization" not in sent(origin)
    assert result.hops[0].location == origin.url("/b")


def test_row_9_the_client_logs_no_url(
    origin: Origin, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    origin.answer("/feed", body=b"x")
    client.get(origin.url("/feed?token=hidden"))
    assert "hidden" not in caplog.text


def test_row_10_hosts_are_idna_encoded_and_paths_percent_encoded_once(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    client = clients(resolver=Names(**{"xn--bcher-kva_example": ["127.0.0.1"]}))
    client.get(origin.url("/caf%C3%A9/ü b?q=ß", host="BÜCHER.example"))
    seen = origin.requests()[-1]
    assert seen.target == "/caf%C3%A9/%C3%BC%20b?q=%C3%9F"
    assert seen.headers["host"] == f"xn--bcher-kva.example:{origin.port}"


@pytest.mark.parametrize(
    "url",
    [
        "http://①②⑦.0.0.1/",
        "http:///x",
        "http://a b/",
        "http://a\\@b/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://host:99999/",
        "http://host:0/",
        "http://host:8x/",
        "http://host/a\nb",
        "http://host/a\x00b",
        "http://ex%61mple.com/",
        "http://" + "a." * 200 + "com/",
        "",
        "feed",
    ],
)
def test_row_10_a_url_that_cannot_be_requested_is_refused(client: Client, url: str) -> None:
    assert client.get(url).error is FetchError.BAD_URL


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h/", "gopher://h/", "data:,x", "javascript:1", "//h/x"]
)
def test_row_11_only_http_and_https_are_fetched(client: Client, url: str) -> None:
    assert client.get(url).error is FetchError.BAD_URL


def test_row_11_feed_urls_are_http_urls(origin: Origin, client: Client) -> None:
    origin.answer("/x", body=b"x")
    assert client.get(origin.url("/x").replace("http:", "feed:")).body == b"x"
    assert client.get("feed:" + origin.url("/x")).body == b"x"


def test_a_form_is_posted_to_a_hub(origin: Origin, client: Client) -> None:
    origin.answer("/hub", 202)
    form = {"hub.mode": "subscribe", "hub.topic": "http://x/ä"}
    result = client.get(origin.url("/hub"), kind=RequestKind.HUB, form=form)
    seen = origin.requests("/hub")[0]
    assert (seen.method, result.status, result.error) == ("POST", 202, None)
    assert seen.body == b"hub.mode=subscribe&hub.topic=http%3A%2F%2Fx%2F%C3%A4"
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_redirect_keeps_a_form_only_where_the_status_says_so(
    origin: Origin, client: Client
) -> None:
    origin.answer("/307", 307, {"Location": "/hub"})
    origin.answer("/302", 302, {"Location": "/hub"})
    origin.answer("/hub", 202)
    kept = client.get(origin.url("/307"), kind=RequestKind.HUB, form={"a": "b"})
    lost = client.get(origin.url("/302"), kind=RequestKind.HUB, form={"a": "b"})
    assert kept.error is None
    assert lost.error is FetchError.REDIRECT
    assert [seen.body for seen in origin.requests("/hub")] == [b"a=b"]


def test_a_reply_without_a_length_or_keep_alive_is_read_to_its_end(
    origin: Origin, client: Client
) -> None:
    origin.send("/old", reply(200, {}, b"all of it", length=False), close=True)
    assert client.get(origin.url("/old")).body == b"all of it"


def test_a_head_asks_for_no_body_and_one_sent_all_the_same_spoils_nothing(
    origin: Origin, client: Client
) -> None:
    origin.send("/page", reply(200, {"Content-Type": "text/html"}, b"<p>unasked</p>"))
    origin.answer("/next", 200, {"Content-Type": "text/html"}, b"<p>next</p>")
    there = client.get(origin.url("/page"), kind=RequestKind.ARTICLE, head=True)
    assert (there.status, there.body, there.error) == (200, b"", None)
    assert client.get(origin.url("/next"), kind=RequestKind.ARTICLE).body == b"<p>next</p>"
    assert [seen.method for seen in origin.requests()] == ["HEAD", "GET"]


@pytest.mark.parametrize("status", [404, 410, 405, 503])
def test_a_head_that_fails_fails_like_any_request(
    origin: Origin, client: Client, status: int
) -> None:
    origin.answer("/page", status, {"Content-Type": "text/html"}, b"no")
    result = client.get(origin.url("/page"), kind=RequestKind.ARTICLE, head=True)
    assert (result.status, result.body) == (status, None)
    assert result.error is not None

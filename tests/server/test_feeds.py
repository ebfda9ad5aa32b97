"""Feeds over HTTP: conditional requests, codings, caching, errors."""

from __future__ import annotations

import gzip

import feedparser
import httpx
import pytest

from aggregator.publish.formats import FORMATS
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, settings_of


def plain(client: httpx.Client, path: str, **headers: str) -> httpx.Response:
    """A GET that names no coding unless told to."""
    return client.get(path, headers={"accept-encoding": "identity", **headers})


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_view_is_served_in_each_format_with_its_media_type_and_validators(
    open_site: httpx.Client, fmt: str
) -> None:
    answer = plain(open_site, f"/feeds/all.{fmt}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == FORMATS[fmt].content_type
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["last-modified"] == "Sun, 01 Mar 2026 12:03:00 GMT"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_a_feed_reader_reads_what_the_server_sends(open_site: httpx.Client, fmt: str) -> None:
    read = feedparser.parse(plain(open_site, f"/feeds/all.{fmt}").content)
    assert not read.bozo
    sent = SampleBackend().items
    assert [(e.id, e.title) for e in read.entries] == [(i.public_id, i.title) for i in sent]


def test_each_coding_has_its_own_strong_entity_tag(open_site: httpx.Client) -> None:
    whole = plain(open_site, "/feeds/all.atom")
    with open_site.stream("GET", "/feeds/all.atom", headers={"accept-encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] != whole.headers["etag"]
    assert gzip.decompress(raw) == whole.content


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_known_entity_tag_is_answered_304_without_a_body(
    open_site: httpx.Client, coding: str
) -> None:
    first = plain(open_site, "/feeds/all.rss", **{"accept-encoding": coding})
    tag = first.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = plain(
            open_site,
            "/feeds/all.rss",
            **{"accept-encoding": coding, "if-none-match": sent},
        )
        assert again.status_code == 304
        assert again.content == b""
        for name in ("etag", "cache-control", "vary", "last-modified"):
            assert again.headers[name] == first.headers[name]


def test_another_entity_tag_is_answered_in_full_whatever_the_date(open_site: httpx.Client) -> None:
    answer = plain(
        open_site,
        "/feeds/all.rss",
        **{"if-none-match": '"old"', "if-modified-since": "Sun, 01 Mar 2026 12:03:00 GMT"},
    )
    assert answer.status_code == 200


def test_a_reader_that_knows_only_dates_gets_304_until_the_view_changes(
    open_site: httpx.Client,
) -> None:
    unchanged = {"if-modified-since": "Sun, 01 Mar 2026 12:03:00 GMT"}
    assert plain(open_site, "/feeds/all.json", **unchanged).status_code == 304
    before = {"if-modified-since": "Sun, 01 Mar 2026 12:02:59 GMT"}
    assert plain(open_site, "/feeds/all.json", **before).status_code == 200


def test_head_has_the_headers_of_get_and_no_body(open_site: httpx.Client) -> None:
    got = plain(open_site, "/feeds/all.atom")
    head = open_site.head("/feeds/all.atom", headers={"accept-encoding": "identity"})
    assert head.content == b""
    for name in ("etag", "content-length", "content-type", "last-modified"):
        assert head.headers[name] == got.headers[name]


def test_an_older_page_is_served_by_its_token(open_site: httpx.Client) -> None:
    assert b"fh:archive" in plain(open_site, "/feeds/all.atom?page=old").content
    assert plain(open_site, "/feeds/all.atom?page=unknown").status_code == 404


@pytest.mark.parametrize(
    "path", ["/feeds/none.atom", "/feeds/all.pdf", "/feeds/all", "/feeds/.atom", "/feeds/"]
)
def test_an_unknown_feed_is_a_404_in_plain_text(open_site: httpx.Client, path: str) -> None:
    answer = plain(open_site, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_another_method_is_refused_with_those_allowed(open_site: httpx.Client) -> None:
    answer = open_site.post("/feeds/all.atom")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.headers["content-type"].startswith("text/plain")


def test_links_come_from_the_configuration_never_from_the_host_header(
    open_site: httpx.Client,
) -> None:
    for path in ("/", "/views/all", "/nope", "/feeds/none.atom"):
        answer = plain(open_site, path, host="evil.example", **{"x-forwarded-host": "evil.example"})
        assert "evil.example" not in answer.text


def test_a_failure_of_ours_is_a_500_that_tells_nothing(serve: Serve) -> None:
    with serve(SampleBackend(broken=True)) as client:
        feed, start = client.get("/feeds/all.atom"), client.get("/")
        assert feed.status_code == start.status_code == 500
        assert feed.headers["content-type"].startswith("text/plain")
        assert start.headers["content-type"].startswith("text/html")
        assert start.headers["content-security-policy"].startswith("default-src 'none'")
        assert "secret detail" not in feed.text + start.text


def test_opml_is_offered_without_private_sources(open_site: httpx.Client, serve: Serve) -> None:
    answer = open_site.get("/opml")
    assert answer.headers["content-type"] == "text/x-opml; charset=utf-8"
    assert "harbour" in answer.text
    assert "letters" not in answer.text
    with serve(settings=settings_of(token="sesame")) as client:
        assert client.get("/opml").status_code == 401
        assert "letters" in client.get("/opml?token=sesame").text

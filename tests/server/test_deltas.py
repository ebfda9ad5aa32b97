"""Deltas over HTTP (RFC 3229 with the manipulation `feed`)."""

from __future__ import annotations

import gzip

import feedparser
import httpx

OLD = '"an-old-version"'


def ask(client: httpx.Client, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/feeds/all.atom", headers={"accept-encoding": "identity", **sent})


def test_whoever_asks_for_a_delta_gets_what_is_new_with_the_tag_of_the_whole(
    open_site: httpx.Client,
) -> None:
    whole = ask(open_site)
    delta = ask(open_site, a_im="feed", if_none_match=f"W/{OLD}")
    assert delta.status_code == 226
    assert delta.headers["im"] == "feed"
    assert delta.headers["cache-control"] == "no-store"
    assert delta.headers["etag"] == whole.headers["etag"]
    read = [feedparser.parse(answer.content) for answer in (whole, delta)]
    assert [e.id for e in read[1].entries] == [read[0].entries[0].id]
    with open_site.stream(
        "GET",
        "/feeds/all.atom",
        headers={"a-im": "feed", "if-none-match": OLD, "accept-encoding": "gzip"},
    ) as packed:
        assert gzip.decompress(b"".join(packed.iter_raw())) == delta.content


def test_everybody_else_gets_the_whole_or_304(open_site: httpx.Client) -> None:
    whole = ask(open_site)
    tag = whole.headers["etag"]
    for headers in (
        {"if_none_match": OLD},
        {"a_im": "feed"},
        {"a_im": "vcdiff", "if_none_match": OLD},
        {"a_im": "feed;q=0", "if_none_match": OLD},
        {"a_im": "feed", "if_none_match": '"unknown"'},
        {"a_im": "feed", "if_none_match": OLD, "accept": feedparser.http.ACCEPT_HEADER},
    ):
        assert ask(open_site, **headers).content == whole.content, headers
    assert ask(open_site, a_im="feed", if_none_match=tag).status_code == 304
    assert ask(open_site, a_im="feed", if_none_match=f"{OLD}, {tag}").status_code == 304

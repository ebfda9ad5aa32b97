"""Searching over HTTP: who may, mistakes at their place, feeds by their entity tag alone."""

from __future__ import annotations

from dataclasses import replace

import httpx

from aggregator.model.errors import SearchTooLong
from aggregator.model.pages import Asked, Rendered
from aggregator.model.settings import Settings
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, settings_of

TOKEN = {"Authorization": "Bearer sesame"}


def everywhere() -> Settings:
    settings = settings_of()
    return replace(settings, service=replace(settings.service, search="everywhere"))


class Recording(SampleBackend):
    """Remembers what was asked for; `late` makes it too much."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__()
        self.seen: list[Asked] = []
        self.late = late

    async def search_feed(self, asked: Asked, fmt: str, page: str | None) -> Rendered | None:
        self.seen.append(asked)
        if self.late:
            raise SearchTooLong
        return await super().search_feed(asked, fmt, page)


def test_searching_is_off_without_a_token_unless_it_is_switched_on(serve: Serve) -> None:
    with serve() as client:
        for path in ("/search?q=a", "/feeds/search.atom?q=a"):
            assert client.get(path).status_code == 403
        assert "/search" not in client.get("/").text
    with serve(settings=settings_of(token="sesame")) as client:
        assert client.get("/feeds/search.atom?q=a").status_code == 401
        assert client.get("/search?q=a").status_code == 401
        assert client.get("/search?q=a", headers=TOKEN).status_code == 200
        sent = client.get("/feeds/search.atom?q=a", headers=TOKEN)
        assert sent.status_code == 200
        assert sent.headers["cache-control"].startswith("private")
    with serve(settings=everywhere()) as client:
        assert client.get("/search?q=a").status_code == 200
        assert 'href="/search"' in client.get("/").text


def test_equal_queries_are_one_feed_known_by_its_entity_tag(serve: Serve) -> None:
    backend = Recording()
    with serve(backend, everywhere()) as client:
        first = client.get("/feeds/search.atom", params={"q": "b  A or (c)"})
        client.get("/feeds/search.atom", params={"q": "c or a b", "mode": "unique"})
        assert backend.seen == [Asked("search", "a b or c")] * 2
        assert first.headers["content-type"].startswith("application/atom+xml")
        assert "last-modified" not in first.headers
        tag = {"If-None-Match": first.headers["etag"]}
        again = client.get("/feeds/search.atom", params={"q": "c or a b"}, headers=tag)
        assert (again.status_code, again.headers["etag"]) == (304, first.headers["etag"])


def test_mode_and_limit_of_searches_sources_and_tags(serve: Serve) -> None:
    backend = Recording()
    with serve(backend, everywhere()) as client:
        for path in ("/feeds/search.rss?q=a&mode=x", "/feeds/search.rss?q=a&limit=0"):
            assert client.get(path).status_code == 400
        client.get("/feeds/search.rss?q=a&mode=stories&limit=5")
        assert backend.seen[-1].parameters == {"q": "a", "mode": "stories", "limit": "5"}
        assert client.get("/feeds/source/nowhere.atom?limit=5").status_code in (401, 404)
        assert client.get("/feeds/search.pdf?q=a").status_code == 404


def test_a_mistake_is_shown_at_its_place(serve: Serve) -> None:
    with serve(settings=everywhere()) as client:
        feed = client.get("/feeds/search.atom", params={"q": "a (b"})
        assert feed.status_code == 400
        assert feed.text == "it ends too early: expected “)” (column 5)\na (b\n    ^\n"
        page = client.get("/search", params={"q": '<b> "c'})
        assert page.status_code == 400
        assert "column 5" in page.text
        assert "&lt;b&gt; &#34;c\n    ^" in page.text
        assert 'value="&lt;b&gt; &#34;c"' in page.text


def test_a_search_that_is_too_much_is_answered_later(serve: Serve) -> None:
    with serve(Recording(late=True), everywhere()) as client:
        sent = client.get("/feeds/search.json?q=a")
        assert (sent.status_code, sent.headers["retry-after"]) == (503, "60")


def test_the_page_finds_without_script_and_offers_exactly_this_as_feeds(
    serve: Serve,
) -> None:
    with serve(settings=everywhere()) as client:
        page: httpx.Response = client.get("/search", params={"q": "Storm or tag:x"})
        for fmt in ("atom", "rss", "json"):
            assert f"/feeds/search.{fmt}?q=storm+or+tag%3Ax" in page.text
        assert "before=" in page.text

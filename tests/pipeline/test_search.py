"""Searching what is stored, feeds made of a query, and views that have one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from aggregator.model.errors import SearchTooLong
from aggregator.model.pages import Asked, Rendered, SearchPage
from aggregator.model.settings import Secret, ViewMode, ViewSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.asked import Asker
from aggregator.pipeline.upkeep.words import index_words
from tests.origin import Origin
from tests.patience import PATIENCE
from tests.pipeline.conftest import House, rss

T = TypeVar("T")
LONG = timedelta(seconds=PATIENCE)


def asking(house: House, work: Callable[[Asker], Awaitable[T]]) -> T:
    async def inside(parts: Parts) -> T:
        return await work(Asker(parts.database, lambda: house.settings, LONG))

    return house.run(inside)


def index(house: House) -> int:
    return house.run(index_words)


def feed(house: House, asked: Asked, page: str | None = None, fmt: str = "json") -> Any:
    made = asking(house, lambda asker: asker.feed(asked, fmt, page))
    return made if fmt != "json" or made is None else json.loads(made.body)


def titles(house: House, query: str, **more: Any) -> list[str]:
    return [item["title"] for item in feed(house, Asked("search", query, **more))["items"]]


@pytest.fixture
def filled(house: House, origin: Origin) -> House:
    alpha, beta = house.settings.sources
    house.configure(sources=(replace(alpha, tags=("local",)), beta))
    origin.answer("/alpha", body=rss(1, 2, 3))
    origin.answer("/beta", body=rss(3, 4, site="beta", text="was closed"))
    house.poll()
    index(house)
    return house


def test_a_query_is_a_feed_with_an_id_of_its_own_and_older_pages(filled: House) -> None:
    assert titles(filled, "bridge opened") == ["Bridge 3 opens", "Bridge 2 opens", "Bridge 1 opens"]
    assert titles(filled, '"number 3" -tag:local') == ["Bridge 3 opens"]
    assert titles(filled, "nothing") == []
    newest = feed(filled, Asked("search", "bridge", limit=2))
    assert [item["title"] for item in newest["items"]] == ["Bridge 4 opens", "Bridge 3 opens"]
    assert newest["feed_url"].endswith("/feeds/search.json?q=bridge&limit=2")
    assert newest["home_page_url"].endswith("/search?q=bridge")
    seen = list(newest["items"])
    page = newest
    while url := page.get("next_url"):
        page = feed(filled, Asked("search", "bridge", limit=2), url.rpartition("page=")[2])
        seen += page["items"]
    assert len({item["id"] for item in seen}) == len(seen) == 5
    atom = [feed(filled, Asked("search", q), fmt="atom").body for q in ("bridge", "closed")]
    ids = [body.partition(b"<id>")[2].partition(b"</id>")[0] for body in atom]
    assert len(set(ids)) == 2
    assert all(b":view/search/" in one for one in ids)


def test_its_tag_is_that_of_its_bytes_and_it_is_made_again_only_when_something_changed(
    filled: House, origin: Origin
) -> None:
    async def twice(asker: Asker) -> tuple[Rendered | None, Rendered | None]:
        asked = Asked("search", "opened")
        return await asker.feed(asked, "atom", None), await asker.feed(asked, "atom", None)

    first, again = asking(filled, twice)
    assert first is again
    assert first is not None
    origin.answer("/beta", body=rss(3, 4, 5, site="beta", text="was closed"))
    filled.clock.move(hours=1)
    filled.poll("beta")
    index(filled)
    later = feed(filled, Asked("search", "opened"), fmt="atom")
    assert later.etag == first.etag
    assert titles(filled, "closed")[0] == "Bridge 5 opens"


def test_only_so_many_searches_are_under_way_or_wait(filled: House) -> None:
    async def many(asker: Asker) -> list[SearchPage | BaseException | None]:
        asked = (asker.page(Asked("search", f"bridge {n}"), None) for n in range(1, 12))
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asking(filled, many)
    assert [type(one) for one in found] == [SearchPage] * 8 + [SearchTooLong] * 3


def test_sources_and_tags_in_another_mode(filled: House) -> None:
    asked = Asked("source/alpha", mode=ViewMode.ARTICLES, limit=1)
    found = feed(filled, asked)
    assert [item["title"] for item in found["items"]] == ["Bridge 3 opens"]
    assert found["feed_url"].endswith("/feeds/source/alpha.json?limit=1&mode=articles")
    assert len(feed(filled, Asked("tag/local", limit=2))["items"]) == 2
    assert feed(filled, Asked("tag/unknown")) is None


def test_a_search_finds_nothing_of_private_sources_without_a_guard(
    house: House, origin: Origin
) -> None:
    alpha, beta = house.settings.sources
    house.configure(sources=(replace(alpha, private=True, tags=("quiet",)), beta))
    origin.answer("/alpha", body=rss(1))
    origin.answer("/beta", body=rss(3, site="beta"))
    house.poll()
    index(house)
    for query in ("alpha", "tag:quiet", "source:alpha", "story:1", "-beta"):
        assert titles(house, query) == [], query
    assert titles(house, "bridge") == ["Bridge 3 opens"]

    async def search(asker: Asker) -> tuple[str, ...]:
        found = await asker.page(Asked("search", "tag:quite or source:alpa"), None)
        assert found is not None
        return found.notes

    assert asking(house, search) == (
        "There is no source alpa.", "No source has the tag quite.",
    )  # fmt: skip
    house.configure(service=replace(house.settings.service, token=Secret("long-enough-token")))
    assert titles(house, "bridge") == ["Bridge 3 opens", "Bridge 1 opens"]
    assert titles(house, "tag:quiet") == ["Bridge 1 opens"]
    assert asking(house, search) == (
        "There is no source alpa; did you mean alpha?",
        "No source has the tag quite; did you mean quiet?",
    )


def test_a_view_has_a_query_and_changes_when_its_words_are_indexed(
    filled: House, origin: Origin
) -> None:
    filled.configure(
        views=(
            ViewSettings("all", "Everything"),
            ViewSettings("closed", "Closed", query="closed since:2d"),
            ViewSettings("rest", "The rest", query="-closed"),
        )
    )

    def shown(view: str) -> list[str]:
        return [item["title"] for item in json.loads(filled.feed("json", view).body)["items"]]

    assert shown("closed") == ["Bridge 4 opens", "Bridge 3 opens"]
    assert shown("rest") == ["Bridge 3 opens", "Bridge 2 opens", "Bridge 1 opens"]
    tags = {view: filled.feed("atom", view).etag for view in ("all", "closed")}
    filled.clock.move(days=1)
    origin.answer("/beta", body=rss(4, 5, site="beta", text="was closed"))
    filled.poll("beta")
    assert shown("closed") == ["Bridge 4 opens", "Bridge 3 opens"]
    assert shown("rest") == ["Bridge 3 opens", "Bridge 2 opens", "Bridge 1 opens"]
    index(filled)
    assert shown("closed") == ["Bridge 5 opens", "Bridge 4 opens", "Bridge 3 opens"]
    filled.clock.move(days=4)  # no clock decides: nothing changed
    assert shown("closed") == ["Bridge 5 opens", "Bridge 4 opens", "Bridge 3 opens"]
    assert filled.feed("atom", "closed").etag != tags["closed"]
    origin.answer("/beta", body=rss(4, 5, 6, site="beta", text="was closed"))
    filled.poll("beta")
    index(filled)
    assert shown("closed") == []  # now it did, and all were published on the first of March

"""The real service follows the related news of a whole site, exactly and politely."""

from __future__ import annotations

import sqlite3
from collections import Counter
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.news_site import LANGUAGES, NewsSite
from tests.e2e.program import Program, wait_until
from tests.origin import Origin, Seen

GAP = 0.06  # seconds
KILLS = 3


def configure(program: Program, origin: Origin, depth: int) -> None:
    policy = {"depth": depth, "links_per_article": 9, "pages_per_host_and_day": 10_000}
    program.configure(
        [
            {"id": name, "url": origin.url(f"/feed-{name}"), "follow_related": policy}
            for name in LANGUAGES
        ],
        [origin.port],
        polling={"host_gap": f"{GAP / 2:g}s", "article_gap": f"{GAP:g}s"},
        views=[{"id": "all", "title": "All", "mode": "articles"}],
    )


def ask(program: Program, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(program.folder / "aggregator.db", timeout=30) as database:
        return database.execute(query).fetchall()


def is_done(program: Program, site: NewsSite) -> bool:
    ((entries,),) = ask(program, "SELECT count(*) FROM entry")
    ((waiting,),) = ask(program, "SELECT count(*) FROM page WHERE state = 'queued'")
    return entries >= len(site.in_feeds()) and not waiting


def assert_exactly(program: Program, site: NewsSite, expected: set[int]) -> None:
    """Each of these articles is an item once, and each of their links an edge once."""
    assert Counter(item["title"] for item in program.items()) == Counter(
        site.title(number) for number in expected
    )
    edges = ask(
        program,
        "SELECT item.title, related_link.url FROM related_link JOIN item "
        "ON item.id = related_link.item_id",
    )
    assert Counter((title, urlsplit(url).path) for title, url in edges) == Counter(
        site.edges(expected)
    )


def pages_asked(origin: Origin) -> list[Seen]:
    feeds = {f"/feed-{name}" for name in LANGUAGES}
    return [seen for seen in origin.requests() if seen.path not in feeds]


@pytest.mark.parametrize("depth", [1, 2])
def test_exactly_the_articles_within_reach_are_stored_once_and_the_site_is_asked_politely(
    program: Program, origin: Origin, depth: int
) -> None:
    site = NewsSite(origin)
    site.publish()
    configure(program, origin, depth)
    program.start()
    expected = site.reachable(depth)
    wait_until(lambda: is_done(program, site), "every page was read")
    assert_exactly(program, site, expected)

    asked = pages_asked(origin)
    assert asked[0].path == "/robots.txt"
    assert Counter(seen.target for seen in asked[1:]) == Counter(map(site.path, expected))
    assert origin.most_in_flight == 1
    starts = [seen.at for seen in asked]
    # A request is on its way for a moment: what arrives late makes the next gap look shorter.
    assert min(b - a for a, b in pairwise(starts)) > GAP / 2
    assert {seen.headers["user-agent"] for seen in asked} == {asked[0].headers["user-agent"]}
    assert "https://example.org/about" in asked[0].headers["user-agent"]
    assert program.stop() == 0


def test_killed_in_the_middle_it_ends_with_the_same_articles_and_asks_hardly_twice(
    program: Program, origin: Origin
) -> None:
    site = NewsSite(origin)
    site.publish()
    configure(program, origin, 1)
    for number in range(KILLS):
        program.start(ready=False)
        enough = (number + 1) * 30
        program.wait(lambda n=enough: len(pages_asked(origin)) >= n, "pages are read")  # type: ignore[misc]
        program.kill()
    program.start()
    wait_until(lambda: is_done(program, site), "every page was read")
    expected = site.reachable(1)
    assert_exactly(program, site, expected)
    times = Counter(seen.path for seen in pages_asked(origin))
    assert times.pop("/robots.txt") == 1
    assert set(times) == {site.path(number) for number in expected}
    assert sum(times.values()) <= len(expected) + KILLS  # what was in flight is asked again
    assert program.stop() == 0

"""The real service follows the related news of a whole site, exactly and politely."""

from __future__ import annotations

import sqlite3
from collections import Counter
from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.e2e.news_site import LANGUAGES, NewsSite
from tests.e2e.program import Program, wait_until
from tests.origin import Origin

GAP = 0.06  # seconds


@pytest.mark.parametrize("depth", [1, 2])
def test_exactly_the_articles_within_reach_are_stored_once_and_the_site_is_asked_politely(
    program: Program, origin: Origin, depth: int
) -> None:
    site = NewsSite(origin)
    site.publish()
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
    program.start()
    expected = site.reachable(depth)

    def is_done() -> bool:
        with sqlite3.connect(program.folder / "aggregator.db", timeout=30) as database:
            (entries,) = database.execute("SELECT count(*) FROM entry").fetchone()
            (waiting,) = database.execute(
                "SELECT count(*) FROM page WHERE state = 'queued'"
            ).fetchone()
        return bool(entries >= len(site.in_feeds()) and not waiting)

    wait_until(is_done, "every page was read", patience=400)
    assert Counter(item["title"] for item in program.items()) == Counter(
        site.title(number) for number in expected
    )
    with sqlite3.connect(program.folder / "aggregator.db", timeout=30) as database:
        edges = [
            (title, urlsplit(url).path)
            for title, url in database.execute(
                "SELECT item.title, related_link.url FROM related_link JOIN item "
                "ON item.id = related_link.item_id"
            )
        ]
    assert Counter(edges) == Counter(site.edges(expected))

    feeds = {f"/feed-{name}" for name in LANGUAGES}
    asked = [seen for seen in origin.requests() if seen.path not in feeds]
    assert asked[0].path == "/robots.txt"
    assert Counter(seen.target for seen in asked[1:]) == Counter(map(site.path, expected))
    assert origin.most_in_flight == 1
    starts = [seen.at for seen in asked]
    # A request is on its way for a moment: what arrives late makes the next gap look shorter.
    assert min(b - a for a, b in pairwise(starts)) > GAP / 2
    assert {seen.headers["user-agent"] for seen in asked} == {asked[0].headers["user-agent"]}
    assert "https://example.org/about" in asked[0].headers["user-agent"]
    assert program.stop() == 0

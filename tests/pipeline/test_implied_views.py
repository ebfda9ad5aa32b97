"""Every source and every tag is a feed by itself, without being configured."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from aggregator.model.settings import Secret
from tests.origin import Origin
from tests.pipeline.conftest import House, rss


def titles(house: House, name: str) -> list[str] | None:
    found: Any = house.feed("json", name)
    return None if found is None else [item["title"] for item in json.loads(found.body)["items"]]


def test_a_source_is_a_feed_of_what_it_brings(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1, 2))
    origin.answer("/beta", body=rss(3, site="beta"))
    house.poll()
    assert titles(house, "source/alpha") == ["Bridge 2 opens", "Bridge 1 opens"]
    before = house.feed("atom", "source/alpha").etag
    assert house.feed("atom", "source/alpha").etag == before
    house.clock.move(hours=1)
    origin.answer("/alpha", body=rss(1, 2, 4))
    house.poll()
    assert titles(house, "source/alpha") == ["Bridge 4 opens", "Bridge 2 opens", "Bridge 1 opens"]
    assert house.feed("atom", "source/alpha").etag != before
    assert titles(house, "source/gamma") is None


def test_a_tag_is_a_feed_and_follows_its_sources(house: House, origin: Origin) -> None:
    alpha, beta = house.settings.sources
    house.configure(sources=(replace(alpha, tags=("harbour news",)), beta))
    origin.answer("/alpha", body=rss(1))
    origin.answer("/beta", body=rss(3, site="beta"))
    house.poll()
    assert titles(house, "tag/harbour news") == ["Bridge 1 opens"]
    assert b"/feeds/tag/harbour%20news.atom" in house.feed("atom", "tag/harbour news").body
    house.clock.move(hours=1)
    both = ("harbour news",)
    house.configure(sources=(replace(alpha, tags=both), replace(beta, tags=both)))
    assert titles(house, "tag/harbour news") == ["Bridge 3 opens", "Bridge 1 opens"]
    assert titles(house, "tag/unknown") is None


def test_a_private_source_has_none_unless_the_service_is_guarded(
    house: House, origin: Origin
) -> None:
    alpha, beta = house.settings.sources
    house.configure(sources=(replace(alpha, private=True, tags=("quiet",)), beta))
    origin.answer("/alpha", body=rss(1))
    origin.answer("/beta", body=rss(3, site="beta"))
    house.poll()
    assert titles(house, "source/alpha") is None
    assert titles(house, "tag/quiet") is None
    token = Secret("long-enough-for-everybody")
    house.configure(service=replace(house.settings.service, token=token))
    assert titles(house, "source/alpha") == ["Bridge 1 opens"]

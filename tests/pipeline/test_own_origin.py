"""What a source is asked with goes to its own origin, in every request that is made for it.

The requests themselves: `tests/fetch/test_own_origin.py`. Here the program makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from aggregator.model.settings import Secret, SourceSettings
from aggregator.pipeline import access
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss
from tests.pipeline.test_gaps import page

OWN = {"authorization", "x-api-key"}
NAME = "Mozilla/5.0 (+desk@example.org)"


@pytest.fixture
def elsewhere(house: House, origin: Origin) -> Iterator[Origin]:
    """Another port, and a source with everything that is its own."""
    with Origin() as other:
        house.settings = replace(
            house.settings,
            sources=(guarded(house.settings.sources[0]),),
            fetching=replace(house.settings.fetching, allow_ports=(origin.port, other.port)),
        )
        yield other


def guarded(source: SourceSettings) -> SourceSettings:
    return replace(
        source,
        auth=(Secret("me"), Secret("hush-hush")),
        headers={"X-Api-Key": Secret("letmein-please")},
        user_agent=NAME,
    )


def test_a_page_that_a_redirected_document_names_gets_nothing(
    house: House, origin: Origin, elsewhere: Origin
) -> None:
    """The feed redirects to another origin, whose document names an older page there."""
    moved = reply(302, {"Location": elsewhere.url("/feed")})
    origin.script("/alpha", reply(200, {}, rss(1, 2)), moved)
    elsewhere.answer("/feed", body=page(7, 8, link="/older"))
    elsewhere.answer("/older", body=page(2, 5, 6))
    house.poll("alpha")
    house.clock.move(hours=2)
    house.poll("alpha")
    assert len(elsewhere.requests("/older")) == 1
    for seen in origin.requests("/alpha"):
        assert set(seen.headers) >= OWN
        assert seen.headers["user-agent"] == NAME
    for seen in elsewhere.requests():
        assert set(seen.headers) & OWN == set()
        assert seen.headers["user-agent"] != NAME


def test_a_page_of_its_own_origin_gets_what_the_feed_gets(
    house: House, origin: Origin, elsewhere: Origin
) -> None:
    del elsewhere
    origin.script("/alpha", reply(200, {}, rss(1, 2)), reply(200, {}, page(7, 8, link="/older")))
    origin.answer("/older", body=page(2, 5, 6))
    house.poll("alpha")
    house.clock.move(hours=2)
    house.poll("alpha")
    (seen,) = origin.requests("/older")
    assert set(seen.headers) >= OWN
    assert seen.headers["user-agent"] == NAME


def test_an_adopted_move_within_the_origin_keeps_them_and_a_look_home_has_them_too(
    house: House, origin: Origin, elsewhere: Origin
) -> None:
    del elsewhere
    origin.send("/alpha", reply(301, {"Location": origin.url("/new")}))
    origin.answer("/new", body=rss(1))
    for _ in range(13):
        house.poll("alpha")
        house.clock.move(hours=25)
    assert house.state("alpha").effective_url == origin.url("/new")
    assert len(origin.requests("/alpha")) == 5
    for seen in origin.requests():
        assert set(seen.headers) >= OWN


def test_without_validators_nothing_is_asked_conditionally(house: House, origin: Origin) -> None:
    house.settings = replace(
        house.settings, sources=(replace(house.settings.sources[0], validators=False),)
    )
    origin.answer("/alpha", 200, {"ETag": '"1"', "Last-Modified": "x"}, rss(1))
    for _ in range(3):
        house.poll("alpha")
        house.clock.move(hours=6)
    for seen in origin.requests("/alpha"):
        assert set(seen.headers) & {"if-none-match", "if-modified-since", "a-im"} == set()


def test_every_request_of_a_source_is_bound_to_its_configured_address(house: House) -> None:
    source = guarded(house.settings.sources[0])
    house.poll("alpha")
    moved = replace(house.state("alpha"), effective_url="https://elsewhere.example/feed")
    for request in (
        access.request(source),
        access.poll_request(source, moved),
        access.home_request(source, moved),
    ):
        assert request.access == access.access_of(source)
        assert request.access.configured == source.url
        assert "hush-hush" not in repr(request)
        assert "letmein-please" not in repr(request)

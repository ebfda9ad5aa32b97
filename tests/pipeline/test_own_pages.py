"""What an item's own page says beyond its text: a paywall, that it is gone, another address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aggregator.model.copies import CopyThresholds
from aggregator.model.settings import FollowSettings, FullText, ServiceSettings
from aggregator.pipeline.following.queue import reread
from aggregator.pipeline.following.visit import Follower, drain
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing import decisions
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from tests.identity.texts import ENGLISH
from tests.origin import Origin
from tests.pipeline.conftest import House
from tests.pipeline.test_copies import OTHER, feed, publish, served, titles, trimmed

HTML = {"Content-Type": "text/html; charset=utf-8"}
WALL = (
    '<script type="application/ld+json">'
    '{"@type": "NewsArticle", "headline": "Ferry sinks", "isAccessibleForFree": false}'
    "</script>"
)


class Desk:
    """Two sources whose articles' pages are read."""

    def __init__(self, house: House, origin: Origin) -> None:
        self.house, self.origin = house, origin
        origin.answer("/robots.txt", status=404)
        for one in house.settings.sources:
            origin.answer(f"/{one.id}", body=feed(one.id))
        house.configure(
            sources=tuple(
                replace(one, follow=FollowSettings(enabled=True)) for one in house.settings.sources
            ),
            service=ServiceSettings(contact="https://example.org/bot"),
        )

    def page(self, path: str, title: str, text: str, head: str = "", **headers: str) -> None:
        paragraphs = "".join(f"<p>{line}</p>" for line in text.splitlines())
        body = (
            f'<html lang="en"><head><title>{title}</title>'
            f'<meta property="og:type" content="article">{head}</head>'
            f"<body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
        )
        self.origin.answer(path, body=body.encode(), headers=HTML | headers)

    def publish(self, site: str, title: str, text: str, url: str) -> None:
        """The site's feed lists one article at an address; it is polled, no page is read."""
        self.house.clock.move(minutes=1)
        link = f"https://{site}.example/2026/{title.replace(' ', '-').lower()}"
        document = feed(site, (title, text)).replace(link.encode(), url.encode())
        self.origin.answer(f"/{site}", body=document)
        self.house.poll(site)

    def read(self) -> list[str]:
        """Poll all feeds, for they go before articles; read what is due; what came of each."""
        self.house.poll()

        async def work(parts: Parts) -> list[str]:
            return [visit.word for visit in await drain(parts, Follower(parts))]

        return self.house.run(work)

    def why(self, title: str) -> decisions.ItemReasons:
        number = next(i["id"] for i in served(self.house) if i["title"] == title)

        async def work(parts: Parts) -> decisions.ItemReasons:
            return await parts.database.run_read(decisions.reasons, number, CopyThresholds())

        return self.house.run(work)

    def elsewhere(self, path: str) -> str:
        """The same server as another site."""
        return self.origin.url(path).replace("127.0.0.1", "localhost")

    def withdrawn(self) -> list[str]:
        return [i["title"] for i in served(self.house) if i["_aggregator"].get("withdrawn")]


@pytest.fixture
def desk(house: House, origin: Origin) -> Desk:
    return Desk(house, origin)


# -- readable before paywalled --------------------------------------------------------------------


def test_of_copies_a_source_behind_a_paywall_does_not_lead(house: House, origin: Origin) -> None:
    alpha, beta = house.settings.sources[:2]
    house.configure(sources=(replace(alpha, paywalled=True), beta))
    house.clock.move(minutes=1)
    origin.answer("/alpha", body=feed("alpha", ("Ferry sinks", ENGLISH)))
    origin.answer("/beta", body=feed("beta", ("Ship goes down", trimmed(ENGLISH))))
    house.poll("alpha", "beta")
    assert titles(house) == ["Ship goes down"]


def test_an_article_whose_page_states_a_paywall_does_not_lead(desk: Desk) -> None:
    url = desk.origin.url("/2026/ferry-sinks-off-the-cape")
    desk.page("/2026/ferry-sinks-off-the-cape", "Ferry sinks", ENGLISH, head=WALL)
    desk.publish("alpha", "Ferry sinks", ENGLISH, url)
    assert desk.read() == ["read"]
    publish(desk.house, desk.origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(desk.house) == ["Ship goes down"]
    (shown,) = served(desk.house)
    assert "paywalled" not in shown["_aggregator"]


def test_what_readers_got_stays_though_its_page_states_a_paywall(desk: Desk) -> None:
    url = desk.origin.url("/2026/ferry-sinks-off-the-cape")
    desk.page("/2026/ferry-sinks-off-the-cape", "Ferry sinks", ENGLISH, head=WALL)
    desk.publish("alpha", "Ferry sinks", ENGLISH, url)
    publish(desk.house, desk.origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(desk.house) == ["Ferry sinks"]
    assert "read" in desk.read()
    (shown,) = served(desk.house)
    assert (shown["title"], shown["_aggregator"]["paywalled"]) == ("Ferry sinks", True)
    assert any("cannot be read for free" in note for note in desk.why("Ferry sinks").notes)


# -- a page that is gone --------------------------------------------------------------------------

PATH = "/2026/ferry-sinks-off-the-cape"


def test_a_page_that_is_gone_marks_its_item_and_one_that_is_back_takes_the_mark_away(
    desk: Desk,
) -> None:
    desk.page(PATH, "Ferry sinks", ENGLISH, ETag='"1"')
    desk.publish("alpha", "Ferry sinks", ENGLISH, desk.origin.url(PATH))
    assert desk.read() == ["read"]
    desk.origin.answer(PATH, status=404)
    desk.house.clock.move(hours=7)
    assert desk.read() == ["later"]
    assert desk.withdrawn() == []  # once may be an accident
    before = desk.house.feed("atom").etag
    desk.house.clock.move(hours=1)
    assert desk.read() == ["gone"]
    assert desk.withdrawn() == ["Ferry sinks"]
    assert desk.house.feed("atom").etag != before
    assert desk.why("Ferry sinks").notes == (
        "Its publisher has withdrawn this item: its page is gone.",
    )
    desk.page(PATH, "Ferry sinks", ENGLISH, ETag='"1"')
    desk.house.clock.move(hours=20)
    assert desk.read() == ["read"]
    assert desk.withdrawn() == []
    desk.house.clock.move(days=9)
    assert desk.read() == []


def test_a_page_without_validators_is_looked_at_once_by_head(desk: Desk) -> None:
    desk.page(PATH, "Ferry sinks", ENGLISH)
    desk.page("/2026/trees", "Trees planted", OTHER)
    desk.publish("alpha", "Ferry sinks", ENGLISH, desk.origin.url(PATH))
    desk.publish("beta", "Trees planted", OTHER, desk.origin.url("/2026/trees"))
    assert desk.read() == ["read", "read"]
    desk.origin.answer(PATH, status=410)
    desk.house.clock.move(hours=25)
    assert sorted(desk.read()) == ["gone", "unchanged"]
    assert desk.withdrawn() == ["Ferry sinks"]
    desk.house.clock.move(days=9)
    assert desk.read() == []
    for path in (PATH, "/2026/trees"):
        assert [seen.method for seen in desk.origin.requests(path)] == ["GET", "HEAD"]


def test_a_page_that_was_never_there_says_nothing_unless_it_says_gone(desk: Desk) -> None:
    desk.origin.answer(PATH, status=404)
    desk.origin.answer("/2026/trees", status=410)
    desk.publish("alpha", "Ferry sinks", ENGLISH, desk.origin.url(PATH))
    desk.publish("beta", "Trees planted", OTHER, desk.origin.url("/2026/trees"))
    assert sorted(desk.read()) == ["gone", "missing"]
    assert desk.withdrawn() == ["Trees planted"]
    assert desk.why("Trees planted").notes == (
        "Its publisher has withdrawn this item: its page is gone.",
    )


def test_a_complete_feed_does_not_take_back_that_a_page_is_gone(desk: Desk) -> None:
    desk.origin.answer(PATH, status=410)
    desk.publish("alpha", "Ferry sinks", ENGLISH, desk.origin.url(PATH))
    assert desk.read() == ["gone"]
    desk.house.clock.move(minutes=1)
    link = b"https://alpha.example/2026/ferry-sinks"
    whole = feed("alpha", ("Ferry sinks", ENGLISH)).replace(
        b"<channel>", b"<channel xmlns:fh='http://purl.org/syndication/history/1.0'><fh:complete/>"
    )
    desk.origin.answer("/alpha", body=whole.replace(link, desk.origin.url(PATH).encode()))
    desk.house.poll("alpha")
    assert desk.withdrawn() == ["Ferry sinks"]


def test_the_page_of_a_withdrawn_item_says_why(desk: Desk) -> None:
    desk.origin.answer(PATH, status=410)
    desk.publish("alpha", "Ferry sinks", ENGLISH, desk.origin.url(PATH))
    desk.read()

    async def work(parts: Parts) -> Any:
        publisher = Publisher(parts.database, parts.clock, lambda: parts.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: parts.settings, Condition())
        return await pages.item_page(1)

    shown = desk.house.run(work)
    assert shown.withdrawal == "Its publisher has withdrawn this item: its page is gone."


# -- an address that a page names as its own ------------------------------------------------------

TEASER = "The cape is rough in March, say those who sail it, and the harbour waits for news."
BRIEF = "All passengers are safe, the coast guard says. A reporter was there when they came in."


def stating(url: str) -> str:
    return f'<link rel="canonical" href="{url}">'


def two_sites(desk: Desk, text: str = ENGLISH) -> tuple[str, str]:
    """The original at one site, and a page at another that names it as its own address."""
    original, copy = desk.origin.url(PATH), desk.elsewhere("/2026/ship-goes-down")
    desk.page(PATH, "Ferry sinks", ENGLISH)
    desk.page("/2026/ship-goes-down", "Ship goes down", text, head=stating(original))
    return original, copy


def full_text(desk: Desk) -> None:
    house = desk.house
    house.configure(
        sources=tuple(replace(one, full_text=FullText.ALWAYS) for one in house.settings.sources)
    )


def test_a_copy_whose_page_names_the_original_s_address_is_one_with_it(desk: Desk) -> None:
    full_text(desk)
    original, copy = two_sites(desk)
    desk.publish("alpha", "Ferry sinks", TEASER, original)
    desk.read()
    desk.publish("beta", "Ship goes down", BRIEF, copy)
    assert sorted(titles(desk.house)) == ["Ferry sinks", "Ship goes down"]
    assert desk.read() == ["read"]
    (shown,) = served(desk.house)
    assert shown["title"] == "Ferry sinks"
    assert [one["title"] for one in shown["_aggregator"]["also_in"]] == ["Ship goes down"]
    (decision,) = desk.why("Ferry sinks").decisions
    assert decision.kind == "stated"
    assert decision.why.startswith("The page of one names the other's address as its own, and ")


def test_a_named_address_is_remembered_until_an_item_comes_that_has_it(desk: Desk) -> None:
    full_text(desk)
    original, copy = two_sites(desk)
    desk.publish("beta", "Ship goes down", BRIEF, copy)
    assert desk.read() == ["read"]
    desk.publish("alpha", "Ferry sinks", TEASER, original)
    assert len(served(desk.house)) == 2  # a teaser alone confirms nothing
    assert desk.read() == ["read"]
    (shown,) = served(desk.house)
    assert shown["title"] == "Ship goes down"


def test_a_full_text_in_the_feed_meets_a_remembered_address_at_once(desk: Desk) -> None:
    full_text(desk)
    original, copy = two_sites(desk, "\n".join(ENGLISH.splitlines()[:2]))
    desk.publish("beta", "Ship goes down", BRIEF, copy)
    assert desk.read() == ["read"]
    desk.publish("alpha", "Ferry sinks", ENGLISH, original)
    assert len(served(desk.house)) == 1


@pytest.mark.parametrize("first", ["alpha", "beta"])
def test_a_page_that_names_somebody_else_s_article_takes_nothing_from_it(
    desk: Desk, first: str
) -> None:
    full_text(desk)
    original, copy = two_sites(desk, OTHER)
    given = {"alpha": ("Ferry sinks", TEASER, original), "beta": ("Ship goes down", OTHER, copy)}
    for site in sorted(given, key=lambda one: one != first):
        desk.publish(site, *given[site])
        assert desk.read() == ["read"]
    assert sorted(titles(desk.house)) == ["Ferry sinks", "Ship goes down"]


def test_a_page_that_is_not_what_its_item_says_joins_nothing(desk: Desk) -> None:
    """The feed's link redirects to somebody else's article."""
    full_text(desk)
    original, copy = two_sites(desk, ENGLISH)
    desk.publish("alpha", "Ferry sinks", ENGLISH, original)
    desk.publish("beta", "Lime trees for the old tram road", OTHER, copy)
    desk.read()
    assert len(served(desk.house)) == 2


def test_what_an_operator_split_is_not_joined_again_by_a_named_address(desk: Desk) -> None:
    full_text(desk)
    original, copy = two_sites(desk)
    desk.publish("alpha", "Ferry sinks", TEASER, original)
    desk.publish("beta", "Ship goes down", BRIEF, copy)
    desk.read()
    assert len(served(desk.house)) == 1

    async def split(parts: Parts) -> None:
        await parts.database.run_write(decisions.split, 2, parts.clock.now(), CopyThresholds())
        source = parts.settings.sources[1]
        await parts.database.run_write(reread, parts.settings, source, parts.clock.now())

    desk.house.run(split)
    assert desk.read() == ["read"]
    assert len(served(desk.house)) == 2


def test_one_site_s_two_addresses_of_an_article_are_one(desk: Desk) -> None:
    full_text(desk)
    original = desk.origin.url(PATH)
    desk.page(PATH, "Ferry sinks", ENGLISH)
    desk.page("/sea/1234/ferry", "Ferry sinks", ENGLISH, head=stating(original))
    desk.publish("alpha", "Ferry sinks", TEASER, original)
    desk.publish("beta", "Ferry sinks at sea", BRIEF, desk.origin.url("/sea/1234/ferry"))
    desk.read()
    (shown,) = served(desk.house)
    assert [one["title"] for one in shown["_aggregator"]["also_in"]] == ["Ferry sinks at sea"]


def test_a_private_item_that_names_a_public_one_s_address_is_not_named_in_the_open(
    desk: Desk,
) -> None:
    full_text(desk)
    alpha, beta = desk.house.settings.sources[:2]
    desk.house.configure(sources=(alpha, replace(beta, private=True)))
    original, copy = two_sites(desk)
    desk.publish("alpha", "Ferry sinks", TEASER, original)
    desk.publish("beta", "Ship goes down", BRIEF, copy)
    desk.read()
    assert b"Ship goes down" not in desk.house.feed("json").body
    why = desk.why("Ferry sinks")
    assert [line.private for line in why.decisions] == [True]


# -- copies by the text of the page ---------------------------------------------------------------

SHIP = "/2026/ship-goes-down-at-the-cape"


def two_teasers(desk: Desk, other: str) -> None:
    """Two sources give teasers of their own; the pages of both are read."""
    full_text(desk)
    desk.page(PATH, "Ferry sinks", ENGLISH)
    desk.page(SHIP, "Ship goes down", other)
    desk.publish("alpha", "Ferry sinks", "A boat is lost off the cape.", desk.origin.url(PATH))
    assert desk.read() == ["read"]
    desk.publish("beta", "Ship goes down", "What we know about the ship.", desk.elsewhere(SHIP))
    assert len(served(desk.house)) == 2
    assert desk.read() == ["read"]


def test_two_teasers_whose_pages_have_one_text_are_one_entry(desk: Desk) -> None:
    two_teasers(desk, trimmed(ENGLISH))
    (shown,) = served(desk.house)
    assert shown["title"] == "Ferry sinks"
    assert [copy["source"] for copy in shown["_aggregator"]["also_in"]] == ["beta"]
    (line,) = [d for d in desk.why("Ferry sinks").decisions if d.kind == "copy"]
    assert "word for word" in line.why


def test_what_a_page_says_is_not_quoted_where_anybody_reads(desk: Desk) -> None:
    two_teasers(desk, trimmed(ENGLISH))
    number = desk.why("Ferry sinks").text.number

    async def work(parts: Parts) -> Any:
        publisher = Publisher(parts.database, parts.clock, lambda: parts.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: parts.settings, Condition())
        return await pages.item_page(number)

    shown = desk.house.run(work)
    (line,) = [d for d in shown.decisions if d.kind == "copy"]
    assert line.from_page


def test_pages_with_other_texts_stay_two(desk: Desk) -> None:
    two_teasers(desk, OTHER)
    assert len(served(desk.house)) == 2


def test_an_item_indexed_by_its_page_is_found_by_a_later_feed(desk: Desk) -> None:
    full_text(desk)
    desk.page(PATH, "Ferry sinks", ENGLISH)
    desk.publish("alpha", "Ferry sinks", "A boat is lost off the cape.", desk.origin.url(PATH))
    assert desk.read() == ["read"]
    publish(desk.house, desk.origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(desk.house) == ["Ferry sinks"]

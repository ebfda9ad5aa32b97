"""One entry for each text in a view: who leads, what stays, what is named, what moves."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from typing import Any

import pytest

from aggregator.model.pages import ItemPage, StoryPage
from aggregator.model.settings import DedupSettings, Secret, SourceSettings, ViewMode, ViewSettings
from aggregator.model.states import DecisionKind
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.pipeline.upkeep import copy_index
from aggregator.store.copies.index import all_postings
from tests.identity.texts import ENGLISH, GERMAN
from tests.origin import Origin
from tests.pipeline.conftest import House

OTHER = (
    "The council of Northfield voted on Tuesday to plant four hundred lime trees along the old "
    "tram road. Work begins in April and will take two summers, said the head gardener. Shops on "
    "the road asked for benches in the shade, and the council promised to look at the costs again."
)


def feed(site: str, *items: tuple[str, str]) -> bytes:
    """A feed of `(title, text)`, newest first; an item's address is made of its title."""
    entries = "".join(
        f"<item><guid isPermaLink='false'>{site}-{escape(title)}</guid><title>{escape(title)}"
        f"</title><link>https://{site}.example/2026/{escape(title.replace(' ', '-').lower())}"
        "</link><description>"
        + escape("".join(f"<p>{escape(line)}</p>" for line in text.splitlines()))
        + "</description></item>"
        for title, text in items
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{site}</title>'
        f"<link>https://{site}.example/</link><description>d</description>{entries}"
        "</channel></rss>"
    ).encode()


def trimmed(text: str) -> str:
    return "\n".join(["From our correspondents.", *text.splitlines()[:-1]])


def served(house: House, view: str = "all") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(house.feed("json", view).body)["items"]
    return items


def titles(house: House, view: str = "all") -> list[str]:
    return [item["title"] for item in served(house, view)]


def publish(house: House, origin: Origin, site: str, *items: tuple[str, str]) -> None:
    """The site publishes and is polled, a minute later than what came before."""
    house.clock.move(minutes=1)
    origin.answer(f"/{site}", body=feed(site, *items))
    house.poll(site)


def test_a_copy_is_named_and_not_shown_again(house: House, origin: Origin) -> None:
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH), ("Trees planted", OTHER))
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    shown = served(house)
    assert sorted(item["title"] for item in shown) == ["Ferry sinks", "Trees planted"]
    (ferry,) = [item for item in shown if item["title"] == "Ferry sinks"]
    (copy,) = ferry["_aggregator"]["also_in"]
    assert copy["source"] == "beta"
    assert copy["url"] == "https://beta.example/2026/ship-goes-down"
    assert copy["title"] == "Ship goes down"
    for fmt in ("atom", "rss"):
        assert b"Also in beta" in house.feed(fmt).body


def test_a_view_of_articles_shows_every_copy(house: House, origin: Origin) -> None:
    house.configure(views=(ViewSettings("all", "Everything", mode=ViewMode.ARTICLES),))
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(house) == ["Ship goes down", "Ferry sinks"]


def test_an_arriving_copy_renders_anew_and_leaves_updated_alone(
    house: House, origin: Origin
) -> None:
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    first, (before,) = house.feed("atom"), served(house)
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    second, (after,) = house.feed("atom"), served(house)
    assert first.etag != second.etag
    assert after.get("date_modified") == before.get("date_modified")
    assert after["id"] == before["id"]


def test_what_readers_got_stays_though_the_operator_prefers_the_copy(
    house: House, origin: Origin
) -> None:
    prefer(house, "beta")
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    assert titles(house) == ["Ferry sinks"]
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(house) == ["Ferry sinks"]


def test_before_anybody_looked_the_preferred_source_leads(house: House, origin: Origin) -> None:
    prefer(house, "beta")
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(house) == ["Ship goes down"]


def test_an_aggregator_never_leads_where_an_original_can(house: House, origin: Origin) -> None:
    alpha, beta = house.settings.sources
    house.configure(sources=(replace(alpha, aggregator=True), beta))
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(house) == ["Ship goes down"]


def test_a_view_without_the_lead_s_source_shows_the_member_it_has(
    house: House, origin: Origin
) -> None:
    house.configure(
        views=(ViewSettings("all", "Everything"), ViewSettings("b", "Beta", sources=("beta",)))
    )
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    assert titles(house) == ["Ferry sinks"]
    assert titles(house, "b") == ["Ship goes down"]


def prefer(house: House, name: str) -> None:
    house.configure(
        sources=tuple(
            replace(one, preference=10 if one.id == name else 0) for one in house.settings.sources
        )
    )


@pytest.fixture
def private_house(house: House, origin: Origin) -> House:
    house.configure(
        sources=(
            SourceSettings("alpha", origin.url("/alpha"), private=True, preference=10),
            SourceSettings("beta", origin.url("/beta")),
        ),
        views=(
            ViewSettings("all", "Everything"),
            ViewSettings("inside", "Inside", token=Secret("opensesame")),
        ),
    )
    return house


def test_a_private_copy_leads_nothing_public_and_is_not_named_in_the_open(
    private_house: House, origin: Origin
) -> None:
    publish(private_house, origin, "alpha", ("For members", ENGLISH))
    assert titles(private_house) == []
    publish(private_house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    (shown,) = served(private_house)
    assert shown["title"] == "Ship goes down"
    assert shown["_aggregator"]["also_in"] == []
    assert b"For members" not in private_house.feed("atom").body
    (inside,) = served(private_house, "inside")
    assert inside["title"] == "Ship goes down"  # a public member goes before any private one
    assert [copy["title"] for copy in inside["_aggregator"]["also_in"]] == ["For members"]


def test_a_correction_updates_the_same_entry(house: House, origin: Origin) -> None:
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    publish(house, origin, "beta", ("Ship goes down", trimmed(ENGLISH)))
    (before,) = served(house)
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH + "\nCorrection: it was a barge."))
    (after,) = served(house)
    assert after["id"] == before["id"]
    assert after["_aggregator"]["revision"] == 1
    assert after["date_modified"] > before["date_published"]


def test_a_view_of_stories_lists_the_other_coverage(house: House, origin: Origin) -> None:
    house.configure(views=(ViewSettings("all", "Everything", mode=ViewMode.STORIES),))
    told = (
        "Fire brigades from Wexmoor fought the blaze in the Kestrel paper mill until dawn. Nobody "
        "was hurt, said fire chief Amara Lindqvist. The Kestrel mill employs two hundred people."
    )
    again = (
        "Flames destroyed a hall of the Kestrel paper mill near Wexmoor last night. Chief Amara "
        "Lindqvist said all workers of the mill were safe; the cause of the fire is not known."
    )
    publish(
        house, origin, "alpha", ("Blaze at Kestrel mill in Wexmoor", told), ("Ferry", ENGLISH),
        ("Trees", OTHER), ("Fähre", GERMAN),
    )  # fmt: skip
    publish(house, origin, "beta", ("Kestrel paper mill near Wexmoor on fire", again))
    shown = {item["title"]: item for item in served(house)}
    assert len(shown) == 4
    (other,) = shown["Blaze at Kestrel mill in Wexmoor"]["_aggregator"]["related"]
    assert other["heading"] == "Other coverage"
    assert other["title"] == "beta: Kestrel paper mill near Wexmoor on fire"

    async def work(parts: Parts) -> ItemPage | None:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: house.settings, Condition())
        view = await pages.view_page("all", None)
        assert view is not None
        lead = next(item for item in view.items if item.related)
        return await pages.item_page(lead.related[0].number or 0)

    page = house.run(work)
    assert page is not None
    assert page.item.title == "Kestrel paper mill near Wexmoor on fire"
    assert [one.title for one in page.coverage] == ["alpha: Blaze at Kestrel mill in Wexmoor"]
    (why,) = (one for one in page.decisions if one.kind is DecisionKind.STORY)
    said = why.why.removeprefix("Probably the same event, told in other words: both speak of ")
    named = said.rstrip(".").split(", ")
    # Words as the reports write them, and not the stems by which they are compared.
    assert {"Kestrel", "Wexmoor"} <= set(named)
    assert all(name in f"{told} {again} on fire" for name in named)
    assert not any(f"{name}{rest}" in f"{told} {again}" for name in named for rest in "abcdefgh")


def test_a_story_names_every_telling_and_where_copies_of_one_text_differ(
    house: House, origin: Origin
) -> None:
    house.configure(views=(ViewSettings("all", "Everything", mode=ViewMode.STORIES),))
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH), ("Trees", OTHER))
    house.clock.move(hours=1)
    publish(house, origin, "beta", ("Ship goes down", f"{ENGLISH} More follows."))

    async def work(parts: Parts) -> StoryPage | None:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: house.settings, Condition())
        view = await pages.view_page("all", None)
        assert view is not None
        (number,) = (item.number for item in view.items if item.copies)
        return await pages.story_page(number)

    shown = house.run(work)
    assert shown is not None
    ((first, copy),) = shown.texts
    assert (first.source_title, copy.source_title) == ("alpha", "beta")
    assert copy.compared_to == first.number
    words = {kind: "".join(text for k, text in copy.changes if k == kind) for kind in "=-+"}
    assert "Ship goes down" in words["+"]
    assert "More follows." in words["+"]
    assert "Ferry sinks" in words["-"]
    assert len(words["="]) < len(ENGLISH)  # what both have is cut short
    assert first.teaser


def test_pages_of_a_unique_view_hold_every_group_once(house: House, origin: Origin) -> None:
    words = [f"Report on the harbour of town number {n}" for n in range(250)]
    house.configure(views=(ViewSettings("all", "Everything"),))
    publish(house, origin, "alpha", *((w, f"{w}. {OTHER[:20]}") for w in words))
    publish(house, origin, "beta", ("Quay opens", f"Quay opens. {OTHER[:20]}"))
    publish(house, origin, "beta", ("Ferry sinks", ENGLISH))
    publish(house, origin, "alpha", ("Ship goes down", trimmed(ENGLISH)))
    seen: list[str] = []
    page: str | None = None
    while True:
        document = json.loads(rendered_page(house, page).body)
        seen += [item["title"] for item in document["items"]]
        if "next_url" not in document:
            break
        page = document["next_url"].partition("?page=")[2]
    assert sorted(seen) == sorted([*words, "Quay opens", "Ferry sinks"])


def rendered_page(house: House, page: str | None) -> Any:
    async def work(parts: Any) -> Any:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        return await publisher.rendered("all", "json", page)

    return house.run(work)


def test_an_operator_s_thresholds_count(house: House, origin: Origin) -> None:
    strict = DedupSettings()
    house.configure(
        dedup=replace(
            strict, copies=replace(strict.copies, containment=0.99, containment_young=0.99)
        )
    )
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    publish(house, origin, "beta", ("Ship goes down", f"{trimmed(ENGLISH)} {OTHER}"))
    assert len(titles(house)) == 2


def test_an_operator_s_tracking_parameters_make_two_links_one_page(
    house: House, origin: Origin
) -> None:
    house.configure(dedup=DedupSettings(tracking_parameters=("ref_x*",)))
    for site, reference in (("alpha", "?ref_xa=1"), ("beta", "?ref_xb=2")):
        body = feed(site, ("Ferry sinks", "All were saved.")).replace(
            f"https://{site}.example/2026/ferry-sinks".encode(),
            f"https://news.example/2026/ferry-sinks-off-coast{reference}".encode(),
        )
        origin.answer(f"/{site}", body=body)
        house.poll(site)
    assert len(titles(house)) == 1


def test_after_its_window_a_text_leaves_the_index_and_a_new_kind_of_index_is_made(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def indexed() -> set[int]:
        async def work(parts: Parts) -> set[int]:
            await copy_index.tidy_copies(parts)
            return await parts.database.run_read(
                lambda connection: {number for _, number in all_postings(connection)}
            )

        return house.run(work)

    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    assert len(first := indexed()) == 1
    house.clock.move(days=10)
    publish(house, origin, "beta", ("Trees planted", OTHER))
    both = indexed()
    assert len(both) == 2
    monkeypatch.setattr(copy_index, "VERSION", 99)
    assert indexed() == both
    house.clock.move(days=8)
    assert indexed() == both - first


def test_what_a_complete_feed_no_longer_lists_is_marked_and_comes_back(
    house: House, origin: Origin
) -> None:
    def complete(*items: tuple[str, str]) -> None:
        house.clock.move(minutes=1)
        whole = feed("alpha", *items).replace(
            b"<channel>",
            b"<channel xmlns:fh='http://purl.org/syndication/history/1.0'><fh:complete/>",
        )
        origin.answer("/alpha", body=whole)
        house.poll("alpha")

    def withdrawn() -> list[str]:
        return [i["title"] for i in served(house) if i["_aggregator"].get("withdrawn")]

    ferry, trees = ("Ferry sinks", ENGLISH), ("Trees planted", OTHER)
    complete(ferry, trees)
    assert withdrawn() == []
    complete(trees)
    assert withdrawn() == ["Ferry sinks"]
    assert sorted(titles(house)) == ["Ferry sinks", "Trees planted"]
    complete(ferry, trees)
    assert withdrawn() == []
    publish(house, origin, "alpha", trees)  # an ordinary feed says nothing by an absence
    assert withdrawn() == []


def test_an_item_that_another_source_had_before_is_on_top_for_readers_of_this_one(
    house: House, origin: Origin
) -> None:
    house.configure(
        views=(ViewSettings("all", "Everything"), ViewSettings("b", "Beta", sources=("beta",)))
    )
    publish(house, origin, "alpha", ("Ferry sinks", ENGLISH))
    publish(house, origin, "beta", ("Trees planted", OTHER))
    assert titles(house, "b") == ["Trees planted"]
    everything, first = house.feed("atom"), house.feed("atom", "b")
    house.clock.move(days=3)
    same_address = feed("beta", ("Ferry sinks", ENGLISH), ("Trees planted", OTHER)).replace(
        b"https://beta.example/2026/ferry-sinks", b"https://alpha.example/2026/ferry-sinks"
    )
    origin.answer("/beta", body=same_address)
    house.poll("beta")
    assert titles(house, "b") == ["Ferry sinks", "Trees planted"]
    assert house.feed("atom", "b").etag != first.etag
    assert house.feed("atom").etag == everything.etag  # nobody who had it gets it again

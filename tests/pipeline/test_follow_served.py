"""What following adds to merged feeds and to the pages that people see."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model.settings import FollowSettings, FullText, Secret, ViewSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from tests.origin import Origin
from tests.pipeline.conftest import House
from tests.pipeline.test_follow import Site, link


@pytest.fixture
def site(house: House, origin: Origin) -> Site:
    made = Site(house, origin)
    made.feed(1, 2)
    made.page(1, 2, 3)
    made.page(2)
    made.page(3)
    return made


def items(site: Site, view: str = "all") -> dict[str, Any]:
    page = json.loads(site.house.feed("json", view).body)
    return {item["title"]: item for item in page["items"]}


def views(site: Site, *wanted: ViewSettings) -> None:
    site.house.configure(views=wanted)


def pages(site: Site, name: str, *args: Any) -> Any:
    async def work(parts: Parts) -> Any:
        publisher = Publisher(parts.database, parts.clock, lambda: site.house.settings)
        made = Pages(
            parts.database, publisher, parts.clock, lambda: site.house.settings, Condition()
        )
        return await getattr(made, name)(*args)

    return site.house.run(work)


def test_an_item_carries_its_related_items_and_says_where_it_was_found(site: Site) -> None:
    site.poll()
    served = items(site)
    related = served["Quay plan number 1"]["_aggregator"]["related"]
    assert [(one["title"], one["state"], one["heading"]) for one in related] == [
        ("Quay plan number 2", "known", "Related News"),
        ("Quay plan number 3", "followed", "Related News"),
    ]
    assert related[1]["id"] == served["Quay plan number 3"]["id"]
    assert served["Quay plan number 3"]["_aggregator"]["via"] == site.origin.url(link(1)[1])
    for fmt in ("atom", "rss"):
        body = site.house.feed(fmt).body.decode()
        assert f'rel="related" href="{site.origin.url(link(3)[1])}"' in body
        assert f'rel="via" href="{site.origin.url(link(1)[1])}"' in body


def test_a_view_changes_when_a_link_it_shows_does(site: Site) -> None:
    site.house.poll("alpha")
    before = site.house.feed("atom")
    site.read()
    after = site.house.feed("atom")
    assert after.etag != before.etag
    assert site.house.feed("atom").etag == after.etag


def test_a_view_may_leave_followed_items_out_or_limit_their_age(site: Site) -> None:
    site.page(3, published="2026-02-20T08:00:00Z")
    views(
        site,
        ViewSettings("all", "Everything"),
        ViewSettings("feeds", "Feeds", followed=False),
        ViewSettings("young", "Young", followed_max_age=timedelta(days=3)),
        ViewSettings("older", "Older", followed_max_age=timedelta(days=30)),
    )
    site.poll()
    assert len(items(site, "all")) == len(items(site, "older")) == 3
    assert "Quay plan number 3" not in items(site, "feeds")
    assert "Quay plan number 3" not in items(site, "young")


def test_the_policy_s_tags_bring_what_was_found_into_views_of_that_tag(site: Site) -> None:
    site.follow(tags=("context",))
    views(site, ViewSettings("context", "Context", tags=("context",)))
    site.poll()
    found = items(site, "context")
    assert list(found) == ["Quay plan number 3"]
    assert found["Quay plan number 3"]["tags"] == ["context"]


def test_text_taken_from_pages_is_served_only_behind_a_token(site: Site) -> None:
    site.follow(full_text=FullText.WHEN_TRUNCATED)
    views(site, ViewSettings("open", "Open"), ViewSettings("guarded", "G", token=Secret("t" * 20)))
    site.poll()
    opened, guarded = items(site, "open"), items(site, "guarded")
    for number in (1, 3):
        title = f"Quay plan number {number}"
        assert "Paragraph" not in json.dumps(opened[title])
        assert f"Paragraph {number}-2 ends here" in guarded[title]["content_html"]
    service = replace(site.house.settings.service, page_text="everywhere")
    site.house.configure(service=service)
    assert "Paragraph 3-2" in items(site, "open")["Quay plan number 3"]["content_html"]


def test_the_item_page_shows_links_with_reasons_and_the_neighbourhood(site: Site) -> None:
    site.page(
        1,
        2,
        3,
        ("Elsewhere in the world of quays", "http://other.example/2026/far-away-from-quays.html"),
    )
    site.poll()
    number = site.items()["Quay plan number 1"]["id"]
    shown = pages(site, "item_page", number)
    assert [(line.state, line.title) for line in shown.related] == [
        ("here already", "Quay plan number 2"),
        ("read and kept", "Quay plan number 3"),
        ("not followed", "Elsewhere in the world of quays"),
    ]
    said = "It leads to another site: other.example is another site."
    assert shown.related[2].reason == said
    assert {node.title for node in shown.graph.nodes} == {
        f"Quay plan number {n}" for n in (1, 2, 3)
    }
    assert len(shown.graph.edges) == 2
    third = pages(site, "item_page", site.items()["Quay plan number 3"]["id"])
    assert third.provenance == (
        "Found as related news of “Quay plan number 1” under “Related News”, "
        "on its publisher's page."
    )
    assert third.item.text is None
    assert "Paragraph 3-2" in third.full.text


def test_the_source_page_counts_links_by_what_became_of_them(site: Site) -> None:
    site.page(
        1,
        2,
        3,
        ("Elsewhere in the world of quays", "http://other.example/2026/far-away-from-quays.html"),
    )
    site.poll()
    assert pages(site, "source_page", "alpha").related == {
        "found": 3, "read and kept": 1, "here already": 1,
        "not followed: it leads to another site": 1,
    }  # fmt: skip


def test_a_private_source_s_finds_stay_private(site: Site) -> None:
    source = replace(site.house.settings.sources[0], private=True, follow=FollowSettings(True))
    site.house.configure(sources=(source,))
    views(site, ViewSettings("open", "Open"), ViewSettings("guarded", "G", token=Secret("t" * 20)))
    site.poll()
    assert items(site, "open") == {}
    assert len(items(site, "guarded")) == 3


def test_a_target_that_became_private_is_no_longer_named(site: Site, origin: Origin) -> None:
    other = replace(site.house.settings.sources[0], id="beta", url=origin.url("/beta"))
    site.house.configure(sources=(*site.house.settings.sources, other))
    origin.answer("/beta", body=origin_feed(site, 3))
    site.house.poll("beta")
    site.poll()
    before = items(site)["Quay plan number 1"]["_aggregator"]["related"]
    assert before[1]["id"] == items(site)["Quay plan number 3"]["id"]
    alpha, beta = site.house.settings.sources
    site.house.configure(sources=(alpha, replace(beta, private=True)))
    after = items(site)["Quay plan number 1"]["_aggregator"]["related"]
    assert after[1].get("id") is None


def origin_feed(site: Site, number: int) -> bytes:
    return (
        "<rss version='2.0'><channel><title>B</title><item><guid isPermaLink='false'>b</guid>"
        f"<title>Quay plan number {number}</title><link>{site.origin.url(link(number)[1])}</link>"
        "<description>The council met…</description></item></channel></rss>"
    ).encode()


def test_the_outlet_and_the_editor_that_a_page_names_are_shown(site: Site) -> None:
    site.page(1, more="<p>Source: Quay Courier</p><p>Editor: Runa Falk</p>")
    site.poll()
    shown = pages(site, "item_page", site.items()["Quay plan number 1"]["id"])
    assert (shown.outlet, shown.editor) == ("Quay Courier", "Runa Falk")


def test_the_picture_of_a_page_comes_with_its_caption_and_credit(site: Site) -> None:
    figure = (
        '<figure><img src="/images/quay.jpg" width="800" height="500"><figcaption>The quay at '
        "dawn, before the ferries leave. (Photo by Ben Rope)</figcaption></figure>"
    )
    site.page(1, more=figure)
    site.poll()
    shown = pages(site, "item_page", site.items()["Quay plan number 1"]["id"])
    assert shown.item.image == site.origin.url("/images/quay.jpg")
    assert shown.image_caption == "The quay at dawn, before the ferries leave."
    assert shown.image_credit == "Ben Rope"


def test_a_comparison_with_a_followed_copy_says_that_it_quotes_a_page(site: Site) -> None:
    copy = "".join(f"<p>{part}</p>" for part in LONG)
    site.page(1, 3, more=copy)
    site.page(3, more=copy)
    site.feed(1, text=copy)
    site.poll()
    shown = pages(site, "item_page", site.items()["Quay plan number 1"]["id"])
    same = [line for line in shown.decisions if line.sides]
    assert same
    assert all(line.from_page for line in same)


LONG = [
    f"The engineers told the council in part {n} of their long report that the {word} of the old "
    f"quay must be renewed before the winter, since the {word} had not been looked at for years, "
    f"and that the town would have to find the money for the {word} in next year's budget."
    for n, word in enumerate(("timber", "chains", "lamps", "stairs", "walls", "rails"))
]

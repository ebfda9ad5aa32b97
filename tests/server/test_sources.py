"""The list of sources: narrowed, grouped, a page at a time, and small with a thousand of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from lxml import html

from aggregator.model.pages import PollMark, SourceList, SourceQuery
from aggregator.server.pages.spark import HEIGHT, draw_polls
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, settings_of, sources
from tests.trees import element, elements, strings, text_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_sources_are_grouped_by_tag_and_say_how_they_do(open_site: httpx.Client) -> None:
    page = html.fromstring(open_site.get("/sources").text)
    headings = [text_of(row) for row in elements(page, "//tr[@class='group']/th")]
    assert headings == ["transport"]
    first = elements(page, "//tbody/tr[td]")[0]
    assert "Met Office of the Bay" in text_of(first)
    assert "about 9 new a day" in text_of(first)
    line = element(first, ".//*[name()='svg']/*[name()='title']")
    assert line.text == "The last 30 polls: 20 brought something new, 6 nothing, 4 failed"
    (problem,) = (text_of(row) for row in elements(page, "//tr[@class='error']"))
    assert problem.startswith("4 failed polls in a row.")
    assert "The server answered with an error: the server answered 503" in problem


def test_a_list_goes_on_in_its_order_and_keeps_what_it_was_narrowed_to(
    open_site: httpx.Client,
) -> None:
    page = html.fromstring(open_site.get("/sources?sort=title&tag=transport").text)
    (more,) = strings(page, "//a[@rel='next']/@href")
    assert more.startswith("/sources?sort=title&tag=transport&after=")
    following = html.fromstring(open_site.get(more).text)
    assert strings(following, "//a[text()='From the first']/@href") == [
        "/sources?sort=title&tag=transport"
    ]
    assert not elements(page, "//tr[@class='group']")
    chosen = strings(page, "//select//option[@selected]/@value")
    assert chosen == ["transport", "title"]
    only = html.fromstring(open_site.get("/sources?state=failing").text)
    assert [text_of(a) for a in elements(only, "//tbody/tr/th[@scope='row']/a")] == [
        "Met Office of the Bay"
    ]
    none = open_site.get("/sources?q=nothing-like-it").text
    assert "No source is like this." in none


@pytest.mark.parametrize("query", ["state=fine", "sort=colour", "sort=id"])
def test_what_no_list_is_narrowed_or_sorted_by_is_not_found(
    open_site: httpx.Client, query: str
) -> None:
    assert open_site.get(f"/sources?{query}").status_code == 404


def test_private_sources_and_their_tags_are_listed_for_the_services_token_alone(
    serve: Serve,
) -> None:
    settings = settings_of(token="sesame-sesame-sesame")
    asked: list[bool] = []

    class Backend(SampleBackend):
        async def source_list(self, query: SourceQuery, *, private: bool) -> SourceList:
            asked.append(private)
            return await super().source_list(query, private=private)

    with serve(Backend(), settings) as client:
        assert client.get("/sources").status_code == 401
        known = {"Authorization": "Bearer sesame-sesame-sesame"}
        assert client.get("/sources", headers=known).status_code == 200
    assert asked == [True]


def test_a_page_of_a_thousand_sources_stays_small(serve: Serve) -> None:
    marks = tuple(PollMark(NOON + timedelta(hours=n), n % 7 == 0, n % 40) for n in range(30))
    bay = next(one for one in sources() if one.error)
    many = tuple(
        replace(
            bay, id=f"source-number-{n:04}", title=f"The source of all news number {n}",
            tags=("politics", "economy", "culture", "sports"), last_polls=marks,
        )
        for n in range(1000)
    )  # fmt: skip

    class Backend(SampleBackend):
        async def source_list(self, query: SourceQuery, *, private: bool) -> SourceList:
            return SourceList(many[: query.limit], {bay.health: 1000}, many[query.limit].id)

    with serve(Backend()) as client:
        answer = client.get("/sources")
    assert len(answer.content) < 100_000, len(answer.content)
    page = html.fromstring(answer.text)
    assert len(elements(page, "//tbody/tr/th[@scope='row']")) == 50
    assert strings(page, "//a[@rel='next']/@href") == [f"/sources?sort=tag&after={many[50].id}"]


def test_a_line_of_polls_fits_its_box_however_much_was_new() -> None:
    marks = [PollMark(NOON, False, n) for n in (0, 1, 2, 10**9)] + [PollMark(NOON, True, 0)]
    drawn = draw_polls(marks)
    assert drawn is not None
    bars = [float(bar.split("v-")[1]) for bar in drawn.new.split("M")[1:]]
    assert bars == sorted(bars)
    assert max(bars) <= HEIGHT
    assert drawn.label == "The last 5 polls: 3 brought something new, 1 nothing, 1 failed"
    assert draw_polls([]) is None

"""The page of an event: its tellings by time, where copies differ, and nothing that is closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
from lxml import html

from aggregator.pipeline.showing.story import shortened
from aggregator.server.pages.timeline import draw_times
from tests.server.conftest import Serve
from tests.server.samples import PRIVATE_ITEM, SampleBackend, settings_of, told
from tests.trees import elements, strings, text_of

BEGUN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_a_story_lists_each_text_once_with_who_published_it(open_site: httpx.Client) -> None:
    page = html.fromstring(open_site.get("/stories/1").text)
    assert text_of(elements(page, "//h1")[0]) == "Ferries run again"
    titles = elements(page, "//ol[@class='items']/li/h3/a")
    assert [link.get("href") for link in titles] == ["/items/1", "/items/4"]
    said = text_of(page)
    assert "3 outlets told it in 2 texts" in said  # a private one is not counted
    assert [text_of(e) for e in elements(page, "//del | //ins")] == ["at six", "at seven"]
    assert strings(page, "//*[@class='timeline']/svg/@aria-label")[0].startswith("told 1 Mar 2026")
    assert open_site.get("/stories/12345").status_code == 404


def test_a_story_is_linked_from_items_and_leaves_out_what_may_not_be_seen(serve: Serve) -> None:
    with serve(settings=settings_of(desk_token="desk")) as client:
        assert "/stories/1" in client.get("/items/1").text
        assert client.get(f"/stories/{PRIVATE_ITEM}").status_code == 401
        assert client.get("/stories/12345").status_code == 401  # numbers cannot be tried out
        known = {"Authorization": "Bearer desk"}
        assert f"/items/{PRIVATE_ITEM}" not in client.get("/stories/1").text
        assert f"/items/{PRIVATE_ITEM}" in client.get("/stories/1", headers=known).text
        assert client.get(f"/stories/{PRIVATE_ITEM}", headers=known).status_code == 200


def test_what_a_page_says_is_compared_only_for_who_may_read_it(serve: Serve) -> None:
    class Backend(SampleBackend):
        async def story_page(self, number: int):  # type: ignore[no-untyped-def]
            shown = await super().story_page(number)
            assert shown is not None
            copy = told(3, "gull", compared_to=1, changes=(("+", "guarded words"),), from_page=True)
            return type(shown)(number, ((shown.texts[0][0], copy),))

    with serve(Backend(), settings_of(token="sesame-sesame-sesame", desk_token="desk")) as client:
        known = {"Authorization": "Bearer sesame-sesame-sesame"}
        assert "guarded words" in client.get("/stories/1", headers=known).text
    with serve(Backend()) as client:
        assert "guarded words" not in client.get("/stories/1").text


def test_a_timeline_has_a_strip_for_each_outlet_and_marks_within_it() -> None:
    times = [BEGUN + timedelta(hours=n) for n in range(20)]
    published = [told(n, f"s{n}", at=at, updates=(times[-1],)) for n, at in enumerate(times)]
    drawn = draw_times(published)
    assert drawn is not None
    assert (len(drawn.strips), drawn.hidden) == (12, 8)
    assert [mark.kind for mark in drawn.strips[0].marks] == ["told", "changed"]
    assert all(0 < mark.x < drawn.width for strip in drawn.strips for mark in strip.marks)
    assert draw_times([told(1, "a", at=BEGUN), told(2, "b", at=BEGUN)]) is None


def test_what_two_texts_have_in_common_is_cut_to_what_is_around_a_difference() -> None:
    same = "word " * 200
    runs = shortened([("=", same), ("-", "old"), ("+", "new"), ("=", same)])
    assert [run for run in runs if run[0] != "="] == [("-", "old"), ("+", "new")]
    assert sum(len(text) for _, text in runs) < 150
    assert len(shortened([("-", "a"), ("=", "b")] * 500)) < 80

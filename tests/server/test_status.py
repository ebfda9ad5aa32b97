"""The page of the service's state: what is wrong first, and nothing that is not for everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lxml import html

from aggregator.model.pages import HourOfWork, StatusPage
from aggregator.server.pages.bars import HEIGHT, draw_bars, hours_down
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, settings_of
from tests.trees import elements, strings, text_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KNOWN = {"Authorization": "Bearer sesame-sesame-sesame"}


def test_the_operator_sees_what_is_wrong_first_then_charts_with_their_numbers(
    serve: Serve,
) -> None:
    with serve(settings=settings_of(token="sesame-sesame-sesame")) as client:
        assert client.get("/status").status_code == 401
        page = html.fromstring(client.get("/status", headers=KNOWN).text)
    headings = [text_of(one) for one in elements(page, "//h2")]
    assert headings[:3] == ["What is wrong", "The last two days", "Budgets and storage"]
    said = " ".join(text_of(page).split())
    for words in (
        "1 source is failing", "1 source is gone", "3 sources should have been polled",
        "A webhook for The desk at hooks.example takes nothing (the server answered 500)",
        "bay.example until 1 Mar 2026, 12:03 UTC: the server asked to come back then",
        "118 of at most 500", "734 MB", "41 GB", "harbour.example: 37",
        "Met Office: it cannot be read any more", "Our own network is there again",
    ):  # fmt: skip
        assert words in said, words
    summaries = [title.text or "" for title in elements(page, "//figure//*[name()='title']")]
    assert summaries[0].startswith("Polls in each of the last 48 hours, 5448 in all")
    rows = elements(page, "//details//tbody/tr")
    assert len(rows) == 48


def test_who_does_not_run_the_service_is_told_of_no_webhook_host_or_machine(serve: Serve) -> None:
    with serve() as client:
        for path in ("/status", "/"):
            said = client.get(path).text
            assert "hooks.example" not in said
            assert "bay.example until" not in said
        assert "Budgets" not in client.get("/status").text
    local = settings_of()
    here = replace(local, service=replace(local.service, base_url=None))
    with serve(settings=here) as client:
        for path in ("/status", "/"):
            assert "hooks.example" in client.get(path).text


def test_where_nothing_is_wrong_the_page_says_so(serve: Serve) -> None:
    class Backend(SampleBackend):
        async def status_page(self, *, private: bool, operator: bool) -> StatusPage:
            return StatusPage(NOON, items=12)

    with serve(Backend()) as client:
        page = html.fromstring(client.get("/status").text)
    assert text_of(elements(page, "//h2")[0]) == "Nothing is wrong"
    assert not strings(page, "//*[contains(@class, 'notice')]/@class")


def test_bars_fill_their_box_and_mark_the_hours_without_a_network() -> None:
    drawn = draw_bars([(0, 0), (3, 1), (8, 0)], [False, True, False])
    assert (drawn.most, drawn.width) == (8, 30)
    assert drawn.lower.count("z") == 2
    assert f"v-{HEIGHT}h8" in drawn.lower
    assert drawn.upper.count("z") == 1
    assert drawn.bands.startswith("M10 0")
    assert draw_bars([]).lower == ""
    hours = [HourOfWork(NOON + timedelta(hours=n)) for n in range(4)]
    outages = [(NOON + timedelta(minutes=90), NOON + timedelta(minutes=125))]
    assert hours_down(hours, outages) == [False, True, True, False]
    assert hours_down(hours, [(NOON + timedelta(minutes=190), None)]) == [False] * 3 + [True]

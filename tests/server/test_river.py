"""Items one below the other: narrowed by links, subscribed to exactly, walked through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from lxml import html

from aggregator.model.feed import Enclosure
from aggregator.model.pages import Asked, SearchPage
from aggregator.model.settings import PictureMode, Settings, SourceSettings, ViewMode
from aggregator.telemetry.clock import SystemClock
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, served, settings_of
from tests.trees import element, elements, strings, text_of

GUARDED = {"Authorization": "Bearer desk"}


def searchable(**changes: object) -> Settings:
    settings = settings_of(desk_token="desk")
    service = replace(settings.service, search="everywhere", **changes)  # type: ignore[arg-type]
    sources = (SourceSettings("harbour", "https://harbour.example/feed", tags=("sea",)),)
    return replace(settings, service=service, sources=sources)


class Recording(SampleBackend):
    """Remembers what was asked for otherwise than it is stored."""

    seen: list[Asked]

    async def search_page(self, asked: Asked, before: str | None) -> SearchPage | None:
        self.seen = [*getattr(self, "seen", []), asked]
        return await super().search_page(asked, before)


def test_links_narrow_a_view_and_widen_it_again(serve: Serve) -> None:
    picture = Enclosure("https://harbour.example/a.mp3", "audio/mpeg", 1)
    items = (served(1, enclosures=(picture,)), served(2), served(3))
    backend = Recording(items=items)
    with serve(backend, searchable()) as client:
        page = html.fromstring(client.get("/views/all?q=ferry").text)
        offered = dict(
            zip(
                map(text_of, elements(page, "//*[@class='filters']//li/a")),
                strings(page, "//*[@class='filters']//li/a/@href"),
                strict=True,
            )
        )
        assert offered["audio"] == "/views/all?q=ferry+has%3Aaudio"
        assert offered["de"] == "/views/all?q=ferry+lang%3Ade"
        assert strings(page, "//*[@class='held']//a/@href") == ["/views/all"]
        narrowed = html.fromstring(client.get(offered["de"]).text)
        assert backend.seen[-1] == Asked("all", "ferry lang:de")
        held = element(narrowed, "//*[@class='filters']//a[@aria-current]")
        assert (text_of(held), held.get("href")) == ("de", "/views/all?q=ferry")
        another = element(narrowed, "//*[@class='filters']//a[.='en']")
        assert another.get("href") == "/views/all?q=ferry+lang%3Aen"  # no item is in two


def test_what_is_shown_is_subscribed_to_exactly(serve: Serve) -> None:
    backend = Recording()
    with serve(backend, searchable()) as client:
        page = html.fromstring(client.get("/views/all?mode=stories&q=ferry").text)
        assert backend.seen == [Asked("all", "ferry", ViewMode.STORIES)]
        addresses = strings(page, "//ul[@aria-label='Subscribe to exactly this']//a/@href")
        base = "http://news.example/feeds/all"
        assert addresses == [f"{base}.{f}?q=ferry&mode=stories" for f in ("atom", "rss", "json")]
        assert strings(page, "//button[@data-copy]/@data-copy") == addresses
        assert strings(page, "//head/link[@rel='alternate']/@href") == addresses
        for address in addresses:
            assert client.get(address.removeprefix("http://news.example")).status_code == 200
        (now,) = elements(page, "//*[@class='modes']//a[@aria-current]")
        assert text_of(now) == "Stories"


@pytest.mark.parametrize(
    "path", ["/views/desk?q=a", "/feeds/desk.atom?q=a", "/feeds/desk.rss?mode=stories"]
)
def test_a_narrowed_view_needs_the_token_of_the_view(serve: Serve, path: str) -> None:
    with serve(settings=searchable()) as client:
        assert client.get(path).status_code == 401
        sent = client.get(path, headers=GUARDED)
        assert sent.status_code == 200
        assert sent.headers["cache-control"].startswith("private")


def test_where_nobody_may_search_a_view_offers_no_search_and_answers_none(serve: Serve) -> None:
    with serve() as client:
        page = html.fromstring(client.get("/views/all").text)
        assert not elements(page, "//form[@role='search'] | //*[@class='filters']")
        assert strings(page, "//*[@class='subscribe']//a/@href")
        for path in ("/views/all?q=a", "/views/all?mode=stories", "/feeds/all.atom?q=a"):
            assert client.get(path).status_code == 403


def test_a_service_that_only_this_machine_reaches_may_be_searched(serve: Serve) -> None:
    settings = settings_of()
    local = replace(settings, service=replace(settings.service, base_url=None))
    with serve(settings=local) as client:
        assert client.get("/search?q=a").status_code == 200
    reached = replace(local.service, trusted_proxies=("127.0.0.1",))
    with serve(settings=replace(local, service=reached)) as client:
        assert client.get("/search?q=a").status_code == 403


def test_an_item_leads_on_in_the_list_it_was_opened_from(serve: Serve) -> None:
    with serve(settings=searchable()) as client:
        page = html.fromstring(client.get("/views/all").text)
        second = strings(page, "//ol[@class='items']//h2/a/@href")[1]
        assert second == "/items/2?in=all"
        item = html.fromstring(client.get(second).text)
        assert strings(item, "//nav//a[@rel='prev']/@href") == ["/items/1?in=all"]
        assert strings(item, "//nav//a[@rel='next']/@href") == ["/items/3?in=all"]
        last = html.fromstring(client.get("/items/12?in=all").text)
        assert strings(last, "//nav//a[@rel='next']/@href") == ["/views/all?before=a+b"]
        for unknown in ("nowhere", "desk", "search"):  # `desk` has a token of its own
            alone = html.fromstring(client.get(f"/items/2?in={unknown}").text)
            assert not elements(alone, "//nav[@class='beside']")


def test_times_are_in_the_zone_of_the_service_and_say_how_long_ago(serve: Serve) -> None:
    now = SystemClock().now()
    items = (served(1, published=now - timedelta(hours=3, minutes=5)), served(2))
    berlin = searchable(timezone=ZoneInfo("Europe/Berlin"))
    with serve(SampleBackend(items=items), berlin) as client:
        page = html.fromstring(client.get("/views/all").text)
    recent, old = elements(page, "//ol[@class='items']//time")
    assert text_of(recent) == "3 h ago"
    assert text_of(old).startswith("1 Mar")
    assert old.get("title") == "1 Mar 2026, 11:46 CET"
    assert old.get("datetime") == "2026-03-01T10:46:00Z"


def test_pictures_are_shown_only_where_the_setting_says_so(serve: Serve) -> None:
    backend = SampleBackend(items=(served(1, image="https://harbour.example/ferry.jpg"),))
    direct = ["https://harbour.example/ferry.jpg"]
    for setting, shown in ((PictureMode.OFF, []), (PictureMode.DIRECT, direct)):
        with serve(backend, searchable(pictures=setting)) as client:
            page = html.fromstring(client.get("/views/all").text)
        assert strings(page, "//ol[@class='items']//img/@src") == shown
        for picture in elements(page, "//ol[@class='items']//img"):
            assert (picture.get("loading"), picture.get("width")) == ("lazy", "144")

"""Pages for people: what they say, how they are linked, and that nothing on them can run."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from lxml import html

from aggregator.model.item import RelatedRef
from aggregator.model.pages import (
    GraphNode,
    ItemPage,
    Neighbourhood,
    Overview,
    SourceHealth,
)
from aggregator.server.pages.graph import draw
from tests.patience import PATIENCE
from tests.server.conftest import Serve
from tests.server.samples import SampleBackend, served, settings_of
from tests.trees import element, elements, strings, text_of

PAGES = ["/", "/about", "/views/all", "/sources/bay", "/items/1", "/login", "/nope"]


@pytest.mark.parametrize("path", [*PAGES, "/feeds/all.atom", "/opml", "/health/live", "/nope"])
def test_every_answer_tells_crawlers_and_browsers_to_hold_back(
    open_site: httpx.Client, path: str
) -> None:
    headers = open_site.get(path).headers
    assert headers["x-robots-tag"] == "noindex"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    page = headers["content-type"].startswith("text/html")
    assert ("script-src 'self';" in policy) is page
    assert "unsafe" not in policy


def test_robots_are_sent_away(open_site: httpx.Client) -> None:
    assert open_site.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_html_without_inline_script_or_style(
    open_site: httpx.Client, path: str
) -> None:
    tree = html.fromstring(open_site.get(path).text)
    assert tree.get("lang") == "en"
    assert tree.findtext(".//title")
    assert len(tree.findall(".//main")) == 1
    assert len(tree.findall(".//h1")) == 1
    assert tree.xpath("//meta[@name='viewport']")
    (script,) = elements(tree, "//script")
    assert (script.get("src"), script.text) == ("/static/pages.js", None)
    assert not tree.xpath("//style | //@style | //@onclick | //@onerror | //iframe")
    assert not tree.xpath("//img[not(@alt)]")


def test_the_start_page_offers_every_view_in_every_format(open_site: httpx.Client) -> None:
    tree = html.fromstring(open_site.get("/").text)
    offered = {
        (link.get("type"), link.get("href"))
        for link in elements(tree, "//head/link[@rel='alternate']")
    }
    assert offered == {
        (kind, f"http://news.example/feeds/{view}.{fmt}")
        for view in ("all", "desk")
        for fmt, kind in (
            ("atom", "application/atom+xml"),
            ("rss", "application/rss+xml"),
            ("json", "application/feed+json"),
        )
    }
    copied = set(strings(tree, "//*[@class='subscribe']//a/@href"))
    assert copied == {href for _, href in offered}


def test_the_start_page_shows_each_source_with_its_state_and_failures_first(
    open_site: httpx.Client,
) -> None:
    page = open_site.get("/").text
    tree = html.fromstring(page)
    states = [b.text for b in elements(tree, "//table//td/span[contains(@class, 'badge')]")]
    assert states == ["Failing", "Gone", "Not polled yet", "OK", "OK", "Switched off"]
    assert "4 failed polls in a row" in page
    assert "the server answered 503" in page
    assert '<time dir="ltr" datetime="2026-03-01T12:47:00Z">1 Mar 2026, 12:47 UTC</time>' in page


def test_with_many_sources_the_start_page_lists_those_that_need_a_person(serve: Serve) -> None:
    class Backend(SampleBackend):
        async def overview(self, *, private: bool) -> Overview:
            few = await super().overview(private=private)
            return replace(few, states={**few.states, SourceHealth.OK: 900})

    with serve(Backend()) as client:
        tree = html.fromstring(client.get("/").text)
    states = [text_of(b) for b in elements(tree, "//table//td/span[contains(@class, 'badge')]")]
    assert states == ["Failing", "Gone"]
    assert text_of(element(tree, "//section[@id='sources']/p/a[@href='/sources']")) == (
        "All 904 sources, by tag"
    )


def test_the_start_page_says_loudly_that_a_configuration_was_refused(serve: Serve) -> None:
    backend = SampleBackend(problem="config/aggregator.yaml:3:5: sources[0].url: <missing>")
    with serve(backend) as client:
        page = client.get("/").text
    assert "aggregator.yaml:3:5: sources[0].url: &lt;missing&gt;" in page


def test_a_view_lists_its_items_and_leads_to_older_ones(open_site: httpx.Client) -> None:
    tree = html.fromstring(open_site.get("/views/all").text)
    titles = [a.text for a in elements(tree, "//ol[@class='items']//h2/a")]
    assert titles == [item.title for item in SampleBackend().items]
    (older,) = strings(tree, "//a[@rel='next']/@href")
    assert older == "/views/all?before=a+b"
    following = html.fromstring(open_site.get(older).text)
    assert strings(following, "//a[text()='Newest']/@href") == ["/views/all"]
    assert open_site.get("/views/all?before=nonsense").status_code == 404
    assert open_site.get("/views/none").status_code == 404


def test_a_source_shows_why_it_fails_its_polls_and_what_its_links_led_to(
    open_site: httpx.Client,
) -> None:
    page = open_site.get("/sources/bay").text
    for words in ("4 failed polls in a row", "HTTP status 503", "refused: robots", "Why then"):
        assert words in page
    assert open_site.get("/sources/none").status_code == 404


def test_an_item_shows_related_links_copies_versions_and_decisions(open_site: httpx.Client) -> None:
    page = open_site.get("/items/1").text
    assert "Also in Gull Daily, Coast Wire" in text_of(html.fromstring(page))
    for words in (
        "another site, and the policy is same_site",
        "<del>seven</del>",
        "<ins>six</ins>",
        "share 94 % of their passages",
        "one link deep",
        'class="graph"',
    ):
        assert words in page


def test_other_coverage_is_listed_on_the_item_and_below_it_in_a_view(serve: Serve) -> None:
    telling = RelatedRef(
        "https://bay.example/2", "Bay News: Ferry <lost>", "Other coverage", "story", "tag:2", 2
    )

    class Backend(SampleBackend):
        async def item_page(self, number: int) -> ItemPage | None:
            return ItemPage(served(number), views=("all",), coverage=(telling,))

    backend = Backend(items=(replace(served(1), related=(telling,)),))
    with serve(backend) as client:
        for path in ("/items/1", "/views/all"):
            tree = html.fromstring(client.get(path).text)
            link = element(tree, "//a[@href='/items/2']")
            assert text_of(link) == "Bay News: Ferry <lost>"


def test_links_in_the_picture_are_named_by_the_words_seen_in_it(open_site: httpx.Client) -> None:
    tree = html.fromstring(open_site.get("/items/1").text)
    links = elements(tree, "//*[@class='graph']//a")
    assert len(links) > 1
    for link in links:  # by a label only where nothing is written (WCAG 2.5.3)
        assert bool(elements(link, "./text")) is (link.get("aria-label") is None)


def test_an_item_says_at_its_top_why_the_copies_are_one(open_site: httpx.Client) -> None:
    tree = html.fromstring(open_site.get("/items/1").text)
    notice = element(tree, "//article/header/p[a/@href='#why']")
    assert " ".join(text_of(notice).split()) == (
        "3 outlets published this text; it is kept as one item. "
        "The texts share 94 % of their passages and all numbers agree See why"
    )


@pytest.mark.parametrize("number", ["12345", "9" * 30, "-1", "x"])
def test_an_unknown_item_is_a_helpful_404(open_site: httpx.Client, number: str) -> None:
    answer = open_site.get(f"/items/{number}")
    assert answer.status_code == 404
    assert "lists every view and source" in answer.text


def test_hostile_texts_stay_texts(serve: Serve) -> None:
    attack = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'\u202e"
    item = served(
        1,
        title=attack,
        author=attack,
        link="javascript:alert(1)",
        language='en"><script>',
        categories=(attack,),
        html=None,
        text=attack,
        comments="javascript:alert(1)",
        image="javascript:alert(1)",
    )
    with serve(SampleBackend(items=(item,))) as client:
        for path in ("/views/all", "/items/1", "/sources/harbour"):
            page = client.get(path).text
            tree = html.fromstring(page)
            assert not tree.xpath("//script[not(@src)] | //@onerror")
            assert not [u for u in strings(tree, "//@href | //@src") if u.startswith("java")]
            assert attack.split("'", maxsplit=1)[0] in text_of(tree)


@pytest.mark.required("chromium")
def test_even_unsanitised_markup_runs_nothing_in_a_browser(
    serve: Serve, chromium: Path, tmp_path: Path
) -> None:
    # The sanitiser is another room's; this is what the page's policy stops should it fail.
    attack = (
        "<script>document.title = 'run'</script><p>Body is shown</p>"
        "<img src=x onerror=\"document.title = 'run'\">"
        "<svg onload=\"document.title = 'run'\"></svg>"
        "<iframe srcdoc=\"<script>parent.document.title = 'run'</script>\"></iframe>"
        "<script src='/canary.js'></script><link rel=stylesheet href='http://127.0.0.1:9/x.css'>"
        "<meta http-equiv=refresh content='0;url=javascript:document.title=1'>"
    )
    with serve(SampleBackend(items=(served(1, html=attack),))) as client:
        ran = subprocess.run(
            [
                str(chromium),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={tmp_path}",
                "--virtual-time-budget=3000",
                "--dump-dom",
                str(client.base_url.join("/items/1")),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
    assert "Body is shown" in ran.stdout
    title = html.fromstring(ran.stdout).findtext(".//title")
    assert title == f"{served(1).title} – Harbour Desk"


def test_a_sub_path_works_whether_the_proxy_strips_it_or_not(serve: Serve) -> None:
    with serve(settings=settings_of(base_url="https://news.example/sub/path")) as client:
        for prefix in ("", "/sub/path"):
            start = client.get(prefix + "/")
            assert start.status_code == 200
            tree = html.fromstring(start.text)
            assert strings(tree, "//link[@rel='stylesheet']/@href") == [
                "/sub/path/static/style.css"
            ]
            assert client.get(prefix + "/static/style.css").status_code == 200
            assert client.get(prefix + "/feeds/all.atom").status_code == 200
            assert client.get(prefix + "/items/1").status_code == 200
        inner = {u for u in strings(tree, "//body//@href") if not re.match("https?:|#", u)}
        assert all(u.startswith("/sub/path/") for u in inner)
        assert client.get("/sub/path").status_code == 200
        assert client.get("/sub/pathology").status_code == 404
        assert client.get("/sub/path/views/").status_code == 404


def test_an_error_is_told_to_people_in_their_words(open_site: httpx.Client) -> None:
    tree = html.fromstring(open_site.get("/nope").text)
    assert text_of(element(tree, "//h1")) == "There is nothing here"
    refused = open_site.get("/search?q=a")
    assert text_of(element(html.fromstring(refused.text), "//h1")) == "This is not allowed"
    assert open_site.get("/static/nope").text.startswith("404 Not Found")


def test_health_says_alive_and_ready_or_why_not(open_site: httpx.Client, serve: Serve) -> None:
    assert open_site.get("/health/live").text == "ok\n"
    ready = open_site.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "checks": [{"name": "database", "ok": True, "detail": "answers"}],
    }
    assert open_site.get("/metrics").text == "aggregator_up 1\n"
    with serve(SampleBackend(is_ready=False)) as client:
        assert client.get("/health/ready").status_code == 503


def test_a_large_neighbourhood_is_cut_and_a_lonely_item_has_no_picture() -> None:
    centre = GraphNode("me", "Me", "self", 1)
    others = tuple(GraphNode(str(n), "x" * 500, "related", n) for n in range(10_000))
    edges = tuple(("me", node.key, "related") for node in others)
    picture = draw(Neighbourhood((centre, *others), edges))
    assert picture is not None
    assert len(picture.dots) == 15
    assert len(picture.lines) == 14
    assert picture.hidden == 9_986
    assert all(0 <= d.x <= picture.width and 0 <= d.y <= picture.height for d in picture.dots)
    assert draw(Neighbourhood((centre,))) is None

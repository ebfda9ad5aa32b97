"""Pages in a real Chromium: axe finds nothing in their way, keys work, nothing runs off a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.patience import PATIENCE
from tests.server.conftest import serving
from tests.server.samples import SampleBackend, served, settings_of

PAGES = (
    "/", "/about", "/views/all", "/views/all?q=ferry", "/search", "/search?q=(", "/items/1",
    "/items/2?in=all", "/items/20", "/stories/1", "/status", "/sources", "/sources?sort=title&q=no",
    "/sources/bay", "/login", "/nope",
)  # fmt: skip
# What publishers leave out, and a frame that is wider than a phone.
CARELESS = (
    '<h3>Boxes</h3><p><a href="https://harbour.example/b"><img src="https://harbour.example/b.png">'
    '</a></p><h5>More</h5><iframe src="https://www.youtube.com/embed/x" width="720" height="420" '
    'loading="lazy" referrerpolicy="no-referrer" sandbox=""></iframe><table><tbody><tr>'
    + "<td>Tide tables</td>" * 40
    + "</tr></tbody></table><pre>"
    + "0123456789 " * 60
    + "</pre>"
)
PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_UNFOLD = "for (const folded of document.querySelectorAll('details')) folded.open = true"

pytestmark = pytest.mark.required("chromium")


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        opened = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Every page with samples, where everybody may search."""
    items = (*SampleBackend().items, served(20, html=CARELESS))
    settings = settings_of()
    searched = replace(settings, service=replace(settings.service, search="everywhere"))
    with serving(SampleBackend(items=items), searched) as client:
        yield str(client.base_url)


@contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page that reaches this machine alone."""

    def local(route: Route) -> None:
        ours = route.request.url.startswith("http://127.0.0.1:")
        _ = route.continue_() if ours else route.abort()

    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE * 1000)
    context.route("**/*", local)
    page = context.new_page()
    try:
        yield page
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_anybodys_way(browser: Browser, site: str, scheme: str) -> None:
    # In the dark other colours stand on the same page.
    light = {"type": "tag", "values": _TAGS}
    rules = light if scheme == "light" else {"type": "rule", "values": ["color-contrast"]}
    found: list[str] = []
    axe = Axe()
    with opened(browser, bypass_csp=True, color_scheme=scheme, viewport=DESK) as page:
        for path in PAGES:
            page.goto(site + path)
            page.evaluate(_UNFOLD)
            options = {"runOnly": rules, "resultTypes": ["violations"]}
            found += [
                f"{path}: {one['impact']} {one['id']}: {node['html'][:200]}"
                for one in axe.run(page, options=options).response["violations"]
                for node in one["nodes"]
                if one["impact"] != "minor"
            ]
    assert not found, "\n".join(found)


def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, site: str) -> None:
    wide: list[str] = []
    with opened(browser, viewport=PHONE) as page:
        for path in PAGES:
            page.goto(site + path)
            page.evaluate(_UNFOLD)
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                wide.append(path)
    assert not wide


def test_keys_walk_through_a_list_and_open_its_items(browser: Browser, site: str) -> None:
    focused = "document.activeElement.textContent"
    titles = [item.title for item in SampleBackend().items]
    with opened(browser, viewport=DESK) as page:
        page.goto(site + "/views/all")
        page.keyboard.press("j")
        assert page.evaluate(focused) == titles[0]
        page.keyboard.press("j")
        assert page.evaluate(focused) == titles[1]
        page.keyboard.press("k")
        page.keyboard.press("k")  # there is none before the first
        assert page.evaluate(focused) == titles[0]
        page.keyboard.press("o")
        page.wait_for_url("**/items/1?in=all")
        page.keyboard.press("j")
        page.wait_for_url("**/items/2?in=all")
        page.keyboard.press("k")
        page.wait_for_url("**/items/1?in=all")
        with page.expect_request("https://harbour.example/2026/1"):
            page.keyboard.press("s")


def test_keys_find_the_search_box_and_tell_what_they_do(browser: Browser, site: str) -> None:
    with opened(browser, viewport=DESK) as page:
        page.goto(site + "/views/all")
        page.keyboard.press("/")
        page.keyboard.type("jo?")  # letters in a box are letters
        assert page.input_value("#q") == "jo?"
        page.keyboard.press("Enter")
        page.wait_for_url("**/views/all?q=jo*")
        page.goto(site + "/")
        page.keyboard.press("?")
        assert page.is_visible("#keys")
        page.keyboard.press("j")
        page.keyboard.press("Escape")
        assert page.is_hidden("#keys")
        page.keyboard.press("/")
        page.wait_for_url("**/search")


def test_every_page_is_used_without_a_script_too(browser: Browser, site: str) -> None:
    with opened(browser, viewport=DESK, java_script_enabled=False) as page:
        page.goto(site + "/views/all")
        page.click("summary:has-text('Filter')")
        page.click(".filters a:has-text('ar')")
        assert "q=lang%3Aar" in page.url
        page.click("a:has-text('Stories')")
        assert "mode=stories" in page.url
        page.click(".items > li a >> nth=0")
        page.click("a:has-text('Who published it when')")
        page.click("summary:has-text('What it says otherwise')")
        assert page.inner_text("ins") == "at seven"


def test_nothing_of_a_page_breaks_its_own_policy(browser: Browser, site: str) -> None:
    said: list[str] = []
    with opened(browser, viewport=DESK) as page:
        page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
        for path in PAGES:
            page.goto(site + path)
    # The pages that are errors, and pictures of publishers, whom no test reaches.
    ours = [line for line in said if "status of 4" not in line and "ERR_FAILED" not in line]
    assert not ours

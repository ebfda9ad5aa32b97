"""`make demo` as a newcomer sees it: in a browser, and with three feed readers subscribed to it."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import sync_playwright

from demo import screenshots
from demo.__main__ import TOKEN
from demo.stories import load
from tests import parts
from tests.e2e.program import wait_until
from tests.patience import PATIENCE

ROOT = Path(__file__).parent.parent.parent

# reader 3.26 imports `sgmllib`, which today's feedparser brings under another name.
READER = """
import json, sys
import feedparser_sgmllib
sys.modules.setdefault("sgmllib", feedparser_sgmllib)
from reader import make_reader
reader = make_reader(":memory:")
reader.add_feed(sys.argv[1])
reader.update_feeds()
print(json.dumps([[entry.title, entry.source and entry.source.title or entry.feed.title]
                  for entry in reader.get_entries()]))
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo."""

    process: subprocess.Popen[str]
    url: str
    origin: str
    folder: Path

    def titles(self, view: str = "all") -> list[str]:
        """Titles of the view's items, in their order."""
        answer = httpx.get(f"{self.url}/feeds/{view}.json").raise_for_status()
        return [item["title"] for item in answer.json()["items"]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    port, origin_port = parts.free_port(), parts.free_port()
    words = ["--port", str(port), "--origin-port", str(origin_port), "--folder", str(folder)]
    with (folder.parent / "demo-log").open("w+") as log:
        # SIGINT ignored at start, as in a script's background job: the demo ends on it there too.
        started = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "demo", *words]
        process = subprocess.Popen(started, cwd=ROOT, stdout=log, stderr=log, text=True)
        made = Demo(process, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{origin_port}", folder)
        try:

            def arrived() -> bool:
                assert process.poll() is None, (folder.parent / "demo-log").read_text()[-3000:]
                try:
                    return _feed_titles() <= set(made.titles())
                except httpx.HTTPError:
                    return False

            wait_until(arrived, "every story of the sample feeds is served")
            yield made
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            code = process.wait(timeout=PATIENCE)
    assert code == 0
    for url in (made.url, made.origin):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def _feed_titles() -> set[str]:
    """The titles that the sample feeds carry when the origin starts."""
    start = datetime.now(UTC)
    everything = load(start)
    open_to_all = [outlet for outlet in everything.outlets if outlet.id != "night-desk"]
    return {s.title for outlet in open_to_all for s in everything.of(outlet.id, start)}


def test_each_view_shows_the_stories_of_its_sources(demo: Demo) -> None:
    local, world = set(demo.titles("local")), set(demo.titles("world"))
    assert "Orchard census counts 214 kinds of apple" in local - world
    assert "A motor without magnets passes its thousandth hour" in world - local
    assert _feed_titles() <= local | world


def test_stories_that_no_feed_lists_are_found_through_related_links(demo: Demo) -> None:
    hidden = {story.title for story in load(datetime.now(UTC)).stories if not story.in_feed}
    wait_until(lambda: hidden <= set(demo.titles()), "every related story is served")


def test_the_same_text_at_two_outlets_is_one_item_that_names_both(demo: Demo) -> None:
    title = "Shared drills sharpen mountain rescue"
    wait_until(lambda: demo.titles().count(title) == 1, "the copies are one item")
    items = httpx.get(f"{demo.url}/feeds/all.json").json()["items"]
    (item,) = [item for item in items if item["title"] == title]
    # Which of the two leads depends on which had arrived when the view was first read: the fixture
    # reads it while the sources are being polled, and what readers got once never changes.
    lead = item["_aggregator"]["source"]["title"]
    others = [copy["source"] for copy in item["_aggregator"]["also_in"]]
    assert sorted([lead, *others]) == ["Harbour Gazette", "Northern Wire"]


def test_it_shows_a_podcast_pictures_a_private_view_and_a_source_that_fails(demo: Demo) -> None:
    shown = httpx.get(f"{demo.url}/feeds/all.json").json()["items"]
    items = {item["title"]: item for item in shown}
    (file,) = items["Five minutes from the quay: clockwork"]["attachments"]
    assert (file["mime_type"], file["duration_in_seconds"]) == ("audio/wav", 3)
    picture = items["Orchard census counts 214 kinds of apple"]["image"]
    assert httpx.get(picture).headers["content-type"] == "image/png"
    note = "Note on the gates for the morning meeting"
    assert note not in items
    desk = f"{demo.url}/feeds/desk.json"
    assert httpx.get(desk).status_code == 401
    with_token = httpx.get(desk, params={"token": TOKEN}).json()
    assert note in {item["title"] for item in with_token["items"]}
    wait_until(
        lambda: "The Old Lantern" in httpx.get(f"{demo.url}/sources?state=failing").text,
        "the source that fails is shown as failing",
    )
    events = demo.titles("events")
    gates = [title for title in events if "gates" in title.lower() and "quay" not in title]
    assert len(gates) == 1  # two reports on one night


@pytest.mark.required("newsboat")
@pytest.mark.parametrize("extension", ["atom", "rss"])
def test_newsboat_shows_the_merged_feed(
    demo: Demo, newsboat: Path, tmp_path: Path, extension: str
) -> None:
    (tmp_path / "urls").write_text(f"{demo.url}/feeds/all.{extension}\n")
    words: list[str | Path] = ["-u", tmp_path / "urls", "-c", tmp_path / "cache.db", "-x", "reload"]
    subprocess.run(
        [newsboat, *words],
        check=True,
        capture_output=True,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    with sqlite3.connect(tmp_path / "cache.db") as connection:
        titles = {row[0] for row in connection.execute("SELECT title FROM rss_item")}
    assert _feed_titles() <= titles
    assert titles <= set(demo.titles())


@pytest.mark.required("sfeed")
@pytest.mark.parametrize("extension", ["atom", "rss"])
def test_sfeed_reads_the_merged_feed(demo: Demo, sfeed: Path, extension: str) -> None:
    document = httpx.get(f"{demo.url}/feeds/all.{extension}").content
    run = subprocess.run([sfeed, demo.url], input=document, capture_output=True, check=True)
    rows = [line.split("\t") for line in run.stdout.decode().splitlines()]
    titles = {row[1] for row in rows}
    assert _feed_titles() <= titles
    assert all(int(row[0]) > 0 and row[2].startswith(demo.origin) for row in rows)


@pytest.mark.parametrize("extension", ["atom", "rss"])
def test_the_reader_library_shows_the_merged_feed(demo: Demo, extension: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", READER, f"{demo.url}/feeds/all.{extension}"],
        capture_output=True,
        check=True,
        text=True,
    )
    shown = dict(json.loads(run.stdout))
    assert _feed_titles() <= set(shown)
    assert shown["Orchard census counts 214 kinds of apple"] == "Valley Observer"


@pytest.mark.required("chromium")
def test_the_start_page_shows_views_and_sources_in_a_browser(
    demo: Demo, chromium: Path, tmp_path: Path
) -> None:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    picture = tmp_path / "page.png"
    flags.append(f"--user-data-dir={tmp_path / 'profile'}")
    shot = ["--window-size=1000,1200", f"--screenshot={picture}"]
    run = subprocess.run(
        [chromium, *flags, *shot, f"{demo.url}/"],
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    assert picture.stat().st_size > 10_000, run.stderr.decode()[-2000:]
    run = subprocess.run(
        [chromium, *flags, "--dump-dom", f"{demo.url}/"],
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    page = run.stdout.decode()
    for text in ("Everything", "World and science", "Harbour Gazette", "Talblatt"):
        assert text in page


@pytest.mark.required("chromium")
def test_the_pictures_of_the_readme_can_be_taken_of_the_demo(
    demo: Demo, chromium: Path, tmp_path: Path
) -> None:
    wait_until(lambda: screenshots.arrived(demo.url), "everything that the pictures show is there")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        screenshots.take(browser.new_page(), demo.url, tmp_path)
        browser.close()
    taken = {path.name for path in tmp_path.iterdir()}
    assert taken == {path.name for path in (ROOT / "docs" / "images").iterdir()}
    shown = re.findall(r"docs/images/(\w+\.png)", (ROOT / "README.md").read_text("utf-8"))
    assert taken == set(shown)


def test_the_configuration_and_the_database_are_in_the_demos_folder(demo: Demo) -> None:
    assert (demo.folder / "aggregator.db").exists()
    assert demo.origin.rsplit(":", 1)[1] in (demo.folder / "aggregator.yaml").read_text()

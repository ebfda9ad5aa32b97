"""Real feed readers subscribe to the running service: newsboat, sfeed and the `reader` library."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

import feedparser
import pytest
from reader import make_reader

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Origin
from tests.patience import PATIENCE

EXPECTED = {f"{site} reports on bridge {n}" for site in ("north", "south") for n in range(8)}


@pytest.fixture
def serving(program: Program, origin: Origin) -> Program:
    """The service with the items of two sources."""
    for site in ("north", "south"):
        origin.answer(f"/{site}", body=rss(site, range(8)), headers={"ETag": '"1"'})
    program.configure(
        [{"id": site, "url": origin.url(f"/{site}")} for site in ("north", "south")],
        [origin.port],
    )
    program.start()
    wait_until(lambda: len(program.items()) == len(EXPECTED), "every item arrives")
    return program


@pytest.mark.required("newsboat")
@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_newsboat_shows_every_item_once(serving: Program, tmp_path: Path, fmt: str) -> None:
    home = tmp_path / "newsboat"
    home.mkdir()
    (home / "urls").write_text(f"{serving.url}/feeds/all.{fmt}\n")
    (home / "config").write_text("auto-reload no\n")
    cache = home / "cache.db"
    words: list[str | Path] = ["newsboat", "-u", home / "urls", "-c", cache, "-C", home / "config"]
    for _ in range(2):  # the second time everything is known
        subprocess.run(
            [*words, "-x", "reload"], check=True, timeout=PATIENCE, env={"HOME": str(home)}
        )
    with sqlite3.connect(cache) as database:
        titles = [row[0] for row in database.execute("SELECT title FROM rss_item")]
        links = {row[0] for row in database.execute("SELECT url FROM rss_item")}
    assert sorted(titles) == sorted(EXPECTED)
    assert "https://north.example/2026/bridge-3" in links


@pytest.mark.required("sfeed")
@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_sfeed_reads_every_item(serving: Program, fmt: str) -> None:
    body = serving.get(f"/feeds/all.{fmt}").content
    lines = subprocess.run(["sfeed"], input=body, capture_output=True, check=True, timeout=PATIENCE)
    fields = [line.split("\t") for line in lines.stdout.decode().splitlines()]
    assert {field[1] for field in fields} == EXPECTED
    assert len(fields) == len(EXPECTED)
    assert all(field[0].isdigit() and field[5] for field in fields)  # a date and an id each


@pytest.mark.parametrize("fmt", ["atom", "rss", "json"])
def test_the_reader_library_updates_conditionally(
    serving: Program, origin: Origin, fmt: str
) -> None:
    with make_reader(":memory:") as reader:
        url = f"{serving.url}/feeds/all.{fmt}"
        reader.add_feed(url)
        first = reader.update_feed(url)
        again = reader.update_feed(url)
        assert first is not None
        assert first.new == len(EXPECTED)
        assert again is None or (again.new, again.modified) == (0, 0)
        titles = {entry.title for entry in reader.get_entries(feed=url)}
    assert titles == EXPECTED


@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_feedparser_gets_the_whole_document_when_something_is_new(
    serving: Program, origin: Origin, fmt: str
) -> None:
    """It asks for deltas whoever uses it, and rss2email, for one, takes a 226 for an error."""
    url = f"{serving.url}/feeds/all.{fmt}"
    first = feedparser.parse(url)
    assert feedparser.parse(url, etag=first.etag).status == 304
    origin.answer("/north", body=rss("north", range(10)), headers={"ETag": '"2"'})
    serving.command("poll", "--all")
    wait_until(lambda: len(serving.items()) == len(EXPECTED) + 2, "what is new arrives")
    again = feedparser.parse(url, etag=first.etag)
    assert again.status == 200
    assert len(again.entries) == len(EXPECTED) + 2


def test_a_conditional_request_of_an_unchanged_view_brings_no_body(serving: Program) -> None:
    for fmt in ("atom", "rss", "json"):
        first = serving.get(f"/feeds/all.{fmt}", headers={"Accept-Encoding": "gzip"})
        assert first.headers["content-encoding"] == "gzip"
        tag = {"If-None-Match": first.headers["etag"], "Accept-Encoding": "gzip"}
        by_tag = serving.get(f"/feeds/all.{fmt}", headers=tag)
        date = {"If-Modified-Since": first.headers["last-modified"]}
        by_date = serving.get(f"/feeds/all.{fmt}", headers=date)
        assert (by_tag.status_code, by_date.status_code) == (304, 304)
        assert by_tag.content == by_date.content == b""
    tag_before = serving.get("/feeds/all.atom").headers["etag"]
    assert serving.stop() == 0
    serving.start()
    assert serving.get("/feeds/all.atom").headers["etag"] == tag_before

"""The sample news behave like a good publisher's."""

from __future__ import annotations

import io
import socket
import wave
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import feedparser
import httpx
import pytest
import uvicorn
from lxml import html

from aggregator.markup.raster import raster_type
from demo.origin import create_app
from demo.stories import load
from tests.trees import strings

START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
BASE = "http://news.example"


class _Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def client(clock: _Clock) -> Iterator[httpx.Client]:
    """A client of a real server; the address in the documents is another, as behind a proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(BASE, START, clock)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        port = listening.getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
        server.should_exit = True
        thread.join()


FEEDS = [outlet.feed_path for outlet in load(START).outlets]


@pytest.mark.parametrize("path", [path for path in FEEDS if path.endswith(".xml")])
def test_an_xml_feed_is_well_formed_and_carries_its_stories(
    client: httpx.Client, path: str
) -> None:
    parsed = feedparser.parse(client.get(path).content)
    assert not parsed.bozo
    outlet = path.split("/")[1]
    expected = load(START).of(outlet, START)
    assert [entry.title for entry in parsed.entries] == [story.title for story in expected]
    assert [entry.link for entry in parsed.entries] == [BASE + story.path for story in expected]
    times = [
        datetime.fromtimestamp(timegm(entry.published_parsed), UTC) for entry in parsed.entries
    ]
    assert times == [story.published for story in expected]


def test_the_json_feed_carries_its_stories(client: httpx.Client) -> None:
    document = client.get("/valley-observer/feed.json").json()
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    expected = load(START).of("valley-observer", START)
    assert [item["url"] for item in document["items"]] == [BASE + s.path for s in expected]


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_known_by_its_validators_is_not_sent_again(
    client: httpx.Client, clock: _Clock, path: str
) -> None:
    first = client.get(path)
    clock.now += timedelta(seconds=60)
    for header, value in (
        ("If-None-Match", first.headers["etag"]),
        ("If-Modified-Since", first.headers["last-modified"]),
    ):
        again = client.get(path, headers={header: value})
        assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"another"'}).content == first.content


def test_one_story_arrives_while_it_runs_and_changes_the_validators(
    client: httpx.Client, clock: _Clock
) -> None:
    path = "/science-ledger/rss.xml"
    before = client.get(path)
    clock.now += timedelta(seconds=91)
    after = client.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200
    old, new = (len(feedparser.parse(answer.content).entries) for answer in (before, after))
    assert new == old + 1


def test_a_story_is_corrected_while_it_runs_and_says_so(
    client: httpx.Client, clock: _Clock
) -> None:
    (story,) = [one for one in load(START).stories if one.correction is not None]
    path = next(o.feed_path for o in load(START).outlets if o.id == story.outlet)

    def entry() -> feedparser.FeedParserDict:
        entries = feedparser.parse(client.get(path).content).entries
        return next(one for one in entries if one.link == BASE + story.path)

    before, page = entry(), client.get(story.path).text
    clock.now += timedelta(seconds=71)
    after = entry()
    assert after.published == before.published
    assert after.updated > before.updated
    assert after.content != before.content
    assert after.id == before.id
    assert client.get(story.path).text != page


def test_pictures_and_sounds_are_what_they_say(client: httpx.Client) -> None:
    stories = load(START).stories
    pictures = [one for one in stories if one.picture is not None]
    sounds = [one for one in stories if one.sound is not None]
    assert pictures
    assert sounds
    for story in pictures:
        answer = client.get(story.picture_path)
        assert answer.headers["content-type"] == "image/png"
        assert raster_type(answer.content) == "image/png"
    for story in sounds:
        with wave.open(io.BytesIO(client.get(story.sound_path).content)) as file:
            assert file.getnframes() == file.getframerate() * (story.sound or 0)
    assert client.get("/old-lantern/rss.xml").status_code == 404


def test_more_outlets_are_made_each_with_titles_of_its_own() -> None:
    everything = load(START, 50)
    made = [one for one in everything.outlets if one.id.startswith("courier-")]
    assert len({one.title for one in made}) == 50
    titles = [one.title for one in everything.stories if one.outlet.startswith("courier-")]
    assert len(set(titles)) == len(titles) == 150


def test_every_page_of_the_sample_news_answers_and_links_only_to_pages_that_do(
    client: httpx.Client, clock: _Clock
) -> None:
    clock.now += timedelta(minutes=2)
    waiting, seen = [f"{BASE}/"], set[str]()
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = client.get(url.removeprefix(BASE))
        assert answer.status_code == 200, url
        if answer.headers["content-type"].startswith("text/html"):
            waiting += strings(html.fromstring(answer.text), "//@href")
    stories = load(START).stories
    assert {BASE + story.path for story in stories} <= seen


def test_some_stories_are_found_only_through_related_links() -> None:
    stories = load(START).stories
    hidden = {story.id for story in stories if not story.in_feed}
    linked = {each for story in stories for each in story.related}
    assert hidden
    assert hidden <= linked
    assert linked <= {story.id for story in stories}


@pytest.mark.parametrize("path", ["/nobody/", "/nobody/rss.xml", "/talblatt/rss.xml", "/x/y.html"])
def test_what_does_not_exist_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404

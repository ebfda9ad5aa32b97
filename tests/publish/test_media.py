"""People, categories, pictures, files and episodes as each format says them."""

from __future__ import annotations

import pytest

from aggregator.feeds.parse import parse_document
from aggregator.model.feed import Chapters, Enclosure, Episode, Picture, Transcript
from aggregator.model.item import ServedItem
from aggregator.publish.atom import render_atom
from aggregator.publish.formats import FORMATS
from aggregator.publish.jsonfeed import render_json
from aggregator.publish.rss import render_rss
from tests.publish.rules import NS, assert_valid_atom, assert_valid_json, assert_valid_rss
from tests.publish.samples import item, page
from tests.trees import attributes, element, strings

A = "https://harbour.example/"
EPISODE = Episode(
    duration=3723,
    number=7,
    season=2,
    kind="bonus",
    explicit=False,
    image=f"{A}cover.jpg",
    transcripts=(Transcript(f"{A}e.vtt", "text/vtt", "en", "captions"),),
    chapters=Chapters(f"{A}e.json", "application/json+chapters"),
)


def show() -> ServedItem:
    """An episode with two hosts, two pictures and a category that has a label."""
    return item(
        1,
        author="Ida Berg, Per Lund",
        authors=("Ida Berg", "Per Lund"),
        categories=("The sea", "Ports"),
        terms=(("The sea", "sea"),),
        image=f"{A}1.jpg",
        pictures=(Picture(f"{A}1.jpg", "A <big> ferry", 800, 600), Picture(f"{A}2.jpg")),
        enclosures=(Enclosure(f"{A}e.mp3", "audio/mpeg", 5, 3723, "Episode 7"),),
        episode=EPISODE,
    )


@pytest.mark.parametrize("fmt", FORMATS)
def test_what_is_served_is_read_again_as_the_same(fmt: str) -> None:
    (read,) = parse_document(FORMATS[fmt].render(page(show()))).entries
    assert read.authors == ("Ida Berg", "Per Lund")
    assert read.categories == ("The sea", "Ports")
    assert [file.url for file in read.enclosures] == [f"{A}e.mp3"]
    assert read.enclosures[0].duration == 3723
    assert read.image == f"{A}1.jpg"
    if fmt != "json":  # which says the rest in our own members
        assert read.pictures == show().pictures
        assert read.episode == EPISODE


def test_atom_has_an_element_for_each() -> None:
    (entry,) = assert_valid_atom(render_atom(page(show()))).findall("a:entry", NS)
    assert strings(entry, "a:author/a:name/text()", NS) == ["Ida Berg", "Per Lund"]
    assert [attributes(c) for c in entry.findall("a:category", NS)] == [
        {"term": "sea", "label": "The sea"},
        {"term": "Ports"},
    ]
    link = element(entry, "a:link[@rel='enclosure']", NS)
    assert link.get("title") == "Episode 7"


def test_rss_has_an_element_for_each() -> None:
    (shown,) = assert_valid_rss(render_rss(page(show()))).findall("channel/item")
    assert strings(shown, "dc:creator/text()", NS) == ["Ida Berg", "Per Lund"]
    assert strings(shown, "category/text()") == ["The sea", "Ports"]
    assert [attributes(c) for c in shown.findall("media:content", NS)] == [
        {"url": f"{A}1.jpg", "medium": "image", "width": "800", "height": "600"},
        {"url": f"{A}2.jpg", "medium": "image"},
    ]
    assert strings(shown, "media:content/media:description/text()", NS) == ["A <big> ferry"]
    told = {name: shown.findtext(f"itunes:{name}", namespaces=NS)
            for name in ("duration", "episode", "season", "episodeType", "explicit")}  # fmt: skip
    assert told == {
        "duration": "3723", "episode": "7", "season": "2", "episodeType": "bonus",
        "explicit": "false",
    }  # fmt: skip
    assert element(shown, "itunes:image", NS).get("href") == f"{A}cover.jpg"
    assert attributes(element(shown, "podcast:transcript", NS)) == {
        "url": f"{A}e.vtt", "type": "text/vtt", "language": "en", "rel": "captions",
    }  # fmt: skip
    assert attributes(element(shown, "podcast:chapters", NS)) == {
        "url": f"{A}e.json",
        "type": "application/json+chapters",
    }


def test_json_feed_says_the_rest_in_the_extension_object() -> None:
    (shown,) = assert_valid_json(render_json(page(show())))["items"]
    assert shown["authors"] == [{"name": "Ida Berg"}, {"name": "Per Lund"}]
    assert shown["attachments"] == [
        {
            "url": f"{A}e.mp3", "title": "Episode 7", "mime_type": "audio/mpeg",
            "size_in_bytes": 5, "duration_in_seconds": 3723,
        }
    ]  # fmt: skip
    assert shown["_aggregator"]["pictures"] == [
        {"url": f"{A}1.jpg", "alt": "A <big> ferry", "width": 800, "height": 600},
        {"url": f"{A}2.jpg"},
    ]
    assert shown["_aggregator"]["episode"] == {
        "duration": 3723, "season": 2, "number": 7, "type": "bonus", "explicit": False,
        "image": f"{A}cover.jpg",
        "transcripts": [
            {"url": f"{A}e.vtt", "type": "text/vtt", "language": "en", "rel": "captions"}
        ],
        "chapters": {"url": f"{A}e.json", "type": "application/json+chapters"},
    }  # fmt: skip


def test_parts_of_an_episode_have_a_number_in_the_podcast_namespace_only() -> None:
    part = item(1, episode=Episode(number=4.5), enclosures=(Enclosure(f"{A}e.mp3", duration=60),))
    (shown,) = assert_valid_rss(render_rss(page(part))).findall("channel/item")
    assert shown.find("itunes:episode", NS) is None
    assert shown.findtext("podcast:episode", namespaces=NS) == "4.5"
    assert shown.findtext("itunes:duration", namespaces=NS) == "60"


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_address_with_a_blank_is_served(fmt: str) -> None:
    document = FORMATS[fmt].render(page(item(1, link=f"{A}a b", image=f"{A}c d")))
    assert f"{A}a%20b".encode() in document
    assert f"{A}c%20d".encode() in document


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("url", ["javascript:x", "data:,x"])
def test_only_web_addresses_become_media(fmt: str, url: str) -> None:
    episode = Episode(image=url, transcripts=(Transcript(url),), chapters=Chapters(url))
    shown = item(1, episode=episode, pictures=(Picture(url, "x"),), enclosures=(Enclosure(url),))
    assert url.encode() not in FORMATS[fmt].render(page(shown))

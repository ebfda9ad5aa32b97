"""A show's episodes, from its feed through the store into the merged feeds: nothing is lost."""

from __future__ import annotations

import pytest

from aggregator.feeds.parse import parse_document
from aggregator.model.feed import (
    Chapters,
    Enclosure,
    Episode,
    ParsedEntry,
    Person,
    Picture,
    Transcript,
)
from tests.feeds.forms import NAMESPACES
from tests.origin import Origin
from tests.pipeline.conftest import House

A = "https://alpha.example/"
SHOW = (
    "<title>alpha</title><itunes:author>Harbour FM</itunes:author>"
    "<itunes:explicit>no</itunes:explicit><podcast:person>Ida Berg</podcast:person>"
)
ITEMS = f"""
<item><guid isPermaLink="false">urn:alpha:7</guid><title>The ferry</title><link>{A}7</link>
<description>&lt;p>About the ferry.&lt;/p></description>
<enclosure url="{A}7.mp3" type="audio/mpeg" length="5000"/>
<itunes:duration>1:02:03</itunes:duration><itunes:episode>7</itunes:episode>
<itunes:season>2</itunes:season><itunes:episodeType>trailer</itunes:episodeType>
<itunes:explicit>yes</itunes:explicit><itunes:image href="{A}7.jpg"/>
<podcast:transcript url="{A}7.vtt" type="text/vtt" language="en" rel="captions"/>
<podcast:transcript url="{A}7.html" type="text/html"/>
<podcast:chapters url="{A}7.json" type="application/json+chapters"/>
<podcast:person role="guest" group="writing" img="{A}p.jpg" href="{A}per">Per Lund</podcast:person>
<media:content url="{A}ship.jpg" medium="image"><media:description>A ferry</media:description>
<media:credit>Agency</media:credit></media:content></item>
<item><guid isPermaLink="false">urn:alpha:6</guid><title>The port</title><link>{A}6</link>
<description>&lt;p>About the port.&lt;/p></description><podcast:episode>6.5</podcast:episode>
<enclosure url="{A}6.mp3" type="audio/mpeg" length="4000"/></item>
"""
FERRY = Episode(
    duration=3723,
    number=7,
    season=2,
    kind="trailer",
    explicit=True,
    image=f"{A}7.jpg",
    transcripts=(
        Transcript(f"{A}7.vtt", "text/vtt", "en", "captions"),
        Transcript(f"{A}7.html", "text/html"),
    ),
    chapters=Chapters(f"{A}7.json", "application/json+chapters"),
    persons=(Person("Per Lund", "guest", "writing", f"{A}p.jpg", f"{A}per"),),
)
PORT = Episode(number=6.5, explicit=False, persons=(Person("Ida Berg"),))


def polled(house: House, origin: Origin) -> None:
    body = f'<rss version="2.0" {NAMESPACES}><channel>{SHOW}{ITEMS}</channel></rss>'
    origin.answer("/alpha", body=body.encode())
    house.poll("alpha")


def episodes(house: House, fmt: str) -> dict[str | None, ParsedEntry]:
    return {one.title: one for one in parse_document(house.feed(fmt).body).entries}


@pytest.mark.parametrize("fmt", ["rss", "atom"])
def test_players_of_a_merged_feed_read_what_the_show_said(
    house: House, origin: Origin, fmt: str
) -> None:
    polled(house, origin)
    served = episodes(house, fmt)
    assert served["The ferry"].episode == FERRY
    assert served["The port"].episode == PORT
    assert served["The ferry"].enclosures == (Enclosure(f"{A}7.mp3", "audio/mpeg", 5000, 3723),)
    assert served["The ferry"].pictures == (Picture(f"{A}ship.jpg", "A ferry", credit="Agency"),)
    assert [one.author for one in served.values()] == ["Harbour FM", "Harbour FM"]


def test_json_feed_says_what_it_has_a_place_for(house: House, origin: Origin) -> None:
    polled(house, origin)
    served = {one["title"]: one for one in house.articles()}
    ferry = served["The ferry"]
    (file,) = ferry["attachments"]
    assert (file["url"], file["size_in_bytes"]) == (f"{A}7.mp3", 5000)
    assert file["duration_in_seconds"] == 3723
    told = ferry["_aggregator"]["episode"]
    assert (told["season"], told["number"], told["type"]) == (2, 7, "trailer")
    assert [one["url"] for one in told["transcripts"]] == [f"{A}7.vtt", f"{A}7.html"]
    assert told["chapters"]["url"] == f"{A}7.json"
    assert told["persons"] == [
        {
            "name": "Per Lund", "role": "guest", "group": "writing",
            "image": f"{A}p.jpg", "url": f"{A}per",
        }
    ]  # fmt: skip
    assert ferry["_aggregator"]["pictures"][0]["credit"] == "Agency"


def test_an_episode_that_is_read_again_is_no_change(house: House, origin: Origin) -> None:
    polled(house, origin)
    before = house.feed("rss").body
    house.clock.move(hours=1)
    body = f'<rss version="2.0" {NAMESPACES}><channel>{SHOW}{ITEMS}<!-- --></channel></rss>'
    origin.answer("/alpha", body=body.encode())
    (record,) = house.poll("alpha")
    assert (record.new_items, record.changed_items) == (0, 0)
    assert house.feed("rss").body == before

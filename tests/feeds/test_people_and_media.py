"""Authors, categories, pictures, files and what podcast players read, in every format."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator.feeds.values.media import explicit_of, medium_of, ordinal_of, seconds_of, type_of
from aggregator.model.feed import Chapters, Enclosure, Episode, Person, Picture, Transcript
from tests.feeds.forms import TIERS, atom, atom_feed, json_item, rdf, rss

A = "https://a.example/"
ALL = pytest.mark.parametrize("tier", TIERS)


def person(name: str) -> str:
    """An Atom author."""
    return f"<author><name>{name}</name><email>x@a.example</email></author>"


@ALL
def test_all_authors_are_read(tier: str) -> None:
    read = atom(
        "<id>1</id>" + person("Ida Berg") + person("Per Lund") + person("Ida Berg"), tier=tier
    )
    assert (read.authors, read.author) == (("Ida Berg", "Per Lund"), "Ida Berg, Per Lund")
    creators = "<dc:creator>Ida Berg</dc:creator><dc:creator>Per Lund</dc:creator>"
    assert rss("<title>t</title>" + creators, tier=tier).authors == ("Ida Berg", "Per Lund")


def test_authors_of_other_forms() -> None:
    bag = "<rdf:Bag><rdf:li>Ida Berg</rdf:li><rdf:li>Per Lund</rdf:li></rdf:Bag>"
    both = ("Ida Berg", "Per Lund")
    assert rdf(f"<title>t</title><dc:creator>{bag}</dc:creator>").authors == both
    mails = "<author>i@a.example (Ida Berg)</author><author>p@a.example (Per Lund)</author>"
    assert rss("<title>t</title>" + mails).authors == both
    assert (
        rss("<title>t</title><author><name>Ida Berg</name><name>Per Lund</name></author>").authors
        == both
    )
    assert (
        rss("<title>t</title><dc:creator> </dc:creator><author>Ida Berg</author>").author
        == "Ida Berg"
    )


@pytest.mark.parametrize(
    "people",
    [
        {"authors": [{"name": "Ida Berg"}, {"name": "Per Lund"}]},
        {"authors": ["Ida Berg", "Per Lund"]},
        {"authors": [{"name": "Ida Berg"}, {"url": A}, {"name": "Per Lund"}]},
    ],
)
def test_authors_of_json_feed_stand_in_the_item_or_on_top(people: dict[str, Any]) -> None:
    both = ("Ida Berg", "Per Lund")
    assert json_item({"title": "t", **people}).authors == both
    assert json_item({"title": "t"}, **people).authors == both
    assert json_item({"title": "t", "author": {"name": "X"}}, **people).authors == ("X",)


def test_an_author_of_json_feed_without_a_name_is_known_by_the_address() -> None:
    assert json_item({"title": "t", "authors": [{"url": A}, {"avatar": A}]}).authors == (A,)
    assert json_item({"title": "t", "author": {"url": A}}).authors == (A,)
    assert json_item({"title": "t", "authors": [{}]}, author={"name": "Ida"}).authors == ("Ida",)


def test_the_one_author_of_json_feed_1_0() -> None:
    assert json_item({"title": "t"}, author={"name": "Ida Berg"}).author == "Ida Berg"
    assert (
        json_item({"title": "t", "authors": []}, author={"name": "Ida Berg"}).author == "Ida Berg"
    )


@ALL
def test_authors_of_the_feed_stand_in_for_those_of_an_entry(tier: str) -> None:
    assert atom("<title>t</title>", person("Ida Berg"), tier=tier).author == "Ida Berg"
    own = atom("<title>t</title>" + person("Per Lund"), person("Ida Berg"), tier=tier)
    assert own.author == "Per Lund"
    show = "<itunes:author>Harbour FM</itunes:author>"
    assert rss("<title>t</title>", show, tier=tier).author == "Harbour FM"


@ALL
def test_authors_of_the_source_come_before_those_of_the_feed(tier: str) -> None:
    source = f"<source><title>s</title>{person('Per Lund')}</source>"
    assert atom("<title>t</title>" + source, person("Ida Berg"), tier=tier).author == "Per Lund"
    named = "<title>t</title><source><title>s</title></source>"
    assert atom(named, person("Ida Berg"), tier=tier).author == "Ida Berg"


def test_who_answers_for_a_feed_wrote_none_of_it() -> None:
    channel = "<managingEditor>e@a.example (Ed)</managingEditor><webMaster>w@a.example</webMaster>"
    assert rss("<title>t</title>", channel).author is None
    assert rss("<title>t</title>", "<dc:creator>robot@a.example</dc:creator>").author is None
    assert rdf("<title>t</title>", "<dc:creator>Ida Berg</dc:creator>").author == "Ida Berg"


def test_the_feed_says_its_authors() -> None:
    assert atom_feed("<id>1</id>", person("Ida Berg") + person("Per Lund")).authors == (
        "Ida Berg", "Per Lund",
    )  # fmt: skip


@ALL
def test_the_label_of_a_category_is_shown_and_its_term_kept(tier: str) -> None:
    categories = (
        '<category term="sea" label="The sea"/><category term="x"/><category term="x" label="X"/>'
    )
    read = atom("<title>t</title>" + categories, tier=tier)
    assert read.categories == ("The sea", "x", "X")
    assert read.terms == (("The sea", "sea"), ("X", "x"))


@ALL
def test_untyped_media_are_what_their_ending_says(tier: str) -> None:
    media = "".join(
        f'<media:content url="{A}{name}"/>' for name in ("p.JPG?q=85", "v.mp4", "s.mp3", "x")
    )
    read = rss("<title>t</title>" + media, tier=tier)
    assert read.image == f"{A}p.JPG?q=85"
    assert [(file.url, file.type) for file in read.enclosures] == [
        (f"{A}v.mp4", "video/mp4"), (f"{A}s.mp3", "audio/mpeg"), (f"{A}x", None),
    ]  # fmt: skip


@ALL
def test_a_thumbnail_never_hides_the_film(tier: str) -> None:
    thumb = f'<enclosure url="{A}t.jpg" type="image/jpeg" length="1"/>'
    film = f'<media:content url="{A}f.mp4" type="video/mp4" duration="90"/>'
    for both in (thumb + film, film + thumb):
        read = rss("<title>t</title>" + both, tier=tier)
        assert [file.url for file in read.enclosures] == [f"{A}t.jpg", f"{A}f.mp4"]
        assert read.enclosures[1].duration == 90
        assert read.image == f"{A}t.jpg"
    link = f'<link rel="enclosure" href="{A}t.jpg" type="image/jpeg"/>'
    read = atom("<title>t</title>" + link + film, tier=tier)
    assert [file.url for file in read.enclosures] == [f"{A}t.jpg", f"{A}f.mp4"]


def test_a_film_that_only_its_medium_names_is_no_repetition_of_the_sound() -> None:
    sound = f'<enclosure url="{A}s.mp3" type="audio/mpeg" length="7"/>'
    film = f'<media:content url="{A}x?id=1" medium="video"/>'
    read = rss("<title>t</title>" + sound + film)
    assert [file.url for file in read.enclosures] == [f"{A}s.mp3", f"{A}x?id=1"]


def test_media_that_repeat_the_enclosure_are_left_out() -> None:
    sound = f'<enclosure url="{A}s.mp3" type="audio/mpeg" length="7"/>'
    again = f'<media:content url="{A}s.mp3" type="audio/mpeg" duration="60"/>'
    other = (
        f'<media:content url="{A}s.mp3?from=media" type="audio/mpeg"/><media:content url="{A}y"/>'
    )
    read = rss("<title>t</title>" + sound + again + other)
    assert read.enclosures == (Enclosure(f"{A}s.mp3", "audio/mpeg", 7, 60),)


@ALL
def test_the_default_of_media_comes_first(tier: str) -> None:
    films = f'<media:content url="{A}1.mp4"/><media:content url="{A}2.mp4" isDefault="true"/>'
    pictures = f'<media:content url="{A}1.jpg"/><media:content url="{A}2.jpg" isDefault="true"/>'
    read = rss(f"<title>t</title><media:group>{films}</media:group>{pictures}", tier=tier)
    assert [file.url for file in read.enclosures] == [f"{A}2.mp4", f"{A}1.mp4"]
    assert [one.url for one in read.pictures] == [f"{A}2.jpg", f"{A}1.jpg"]
    assert read.image == f"{A}2.jpg"


def picture(name: str, inside: str = "", attributes: str = 'type="image/png"') -> str:
    """A picture of Media RSS."""
    return f'<media:content url="{A}{name}" {attributes}>{inside}</media:content>'


def test_pictures_keep_what_they_show_in_words() -> None:
    first = picture("1.png", '<media:description type="plain">A &lt;big> ferry</media:description>')
    second = picture("2.png", "<media:title>The crew</media:title>", 'medium="image"')
    read = rss("<description>d</description>" + first + second)
    assert read.pictures == (
        Picture(f"{A}1.png", "A <big> ferry"), Picture(f"{A}2.png", "The crew"),
    )  # fmt: skip
    assert (read.title, read.summary) == (None, "d")
    alone = rss("<guid>1</guid>" + first)
    assert (alone.summary, alone.image) == (None, f"{A}1.png")


def test_a_picture_keeps_whose_it_is() -> None:
    credit = "<media:credit>Ida Berg/Harbour Agency</media:credit>"
    inside = rss("<title>t</title>" + picture("1.png", credit))
    beside = rss("<title>t</title>" + picture("1.png") + credit)
    for read in (inside, beside):
        assert read.pictures == (Picture(f"{A}1.png", credit="Ida Berg/Harbour Agency"),)
        assert read.author is None
    several = rss("<title>t</title>" + picture("1.png") + picture("2.png") + credit)
    assert [one.credit for one in several.pictures] == [None, None]


def test_who_made_the_media_is_the_author_where_nobody_else_is() -> None:
    credit = '<media:credit role="{}">Ida Berg</media:credit>'
    for role in ("photographer", "author", "Uploader"):
        assert rss("<title>t</title>" + credit.format(role)).author == "Ida Berg"
    grouped = f"<media:group>{credit.format('uploader')}</media:group>"
    assert atom("<id>1</id>" + grouped).author == "Ida Berg"
    assert rss("<title>t</title>" + credit.format("publishing company")).author is None
    named = "<author>Per Lund</author>"
    assert rss("<title>t</title>" + credit.format("photographer") + named).author == "Per Lund"
    show = "<itunes:author>Harbour FM</itunes:author>"
    assert rss("<title>t</title>" + credit.format("photographer"), show).author == "Harbour FM"


def test_pictures_of_other_forms() -> None:
    link = f'<link rel="enclosure" type="image/png" href="{A}1.png" title="A ferry"/>'
    assert atom("<id>1</id>" + link).pictures == (Picture(f"{A}1.png", "A ferry"),)
    image = f"<image><url>{A}1.png</url><title>A ferry</title></image>"
    assert rss("<title>t</title>" + image).pictures == (Picture(f"{A}1.png", "A ferry"),)
    files = [{"url": f"{A}2.png", "mime_type": "image/png", "title": "The crew"}]
    read = json_item({"image": f"{A}1.png", "banner_image": f"{A}b.png", "attachments": files})
    assert read.pictures == (Picture(f"{A}1.png"), Picture(f"{A}2.png", "The crew"))
    assert json_item({"banner_image": f"{A}b.png"}).image == f"{A}b.png"


def test_sizes_of_one_picture_are_one_picture() -> None:
    sizes = "".join(picture(f"{w}.jpg", attributes=f'width="{w}"') for w in (140, 460, 300))
    assert rss("<title>t</title>" + sizes).pictures == (Picture(f"{A}460.jpg", None, 460),)
    named = "".join(picture(f"p-{n}.jpg", attributes='width="800"') for n in (1, 2))
    assert len(rss("<title>t</title>" + named).pictures) == 2
    crops = picture("a.jpg", attributes='width="90"') + picture("b.jpg", attributes='width="900"')
    grouped = rss(f"<title>t</title><media:group>{crops}</media:group>")
    assert [one.url for one in grouped.pictures] == [f"{A}b.jpg"]
    assert len(rss("<title>t</title>" + crops).pictures) == 2


def test_thumbnails_and_covers_stand_in_for_pictures_only() -> None:
    thumbs = f'<media:thumbnail url="{A}t.jpg"/><media:thumbnail url="{A}u.jpg"/>'
    cover = f'<itunes:image href="{A}c.jpg"/>'
    assert rss("<title>t</title>" + cover + thumbs).pictures == (Picture(f"{A}t.jpg"),)
    assert rss("<title>t</title>" + cover).image == f"{A}c.jpg"
    assert rss("<title>t</title>" + thumbs + picture("1.png")).pictures == (Picture(f"{A}1.png"),)


EPISODE = (
    f'<enclosure url="{A}e.mp3" type="audio/mpeg" length="5"/>'
    "<itunes:duration>1:02:03</itunes:duration><itunes:episode>7</itunes:episode>"
    "<itunes:season>2</itunes:season><itunes:episodeType>Bonus</itunes:episodeType>"
    f'<itunes:explicit>yes</itunes:explicit><itunes:image href="{A}c.jpg"/>'
    f'<podcast:transcript url="{A}e.vtt" type="text/vtt" language="en" rel="captions"/>'
    f'<podcast:chapters url="{A}e.json" type="application/json+chapters"/>'
)


@ALL
def test_what_podcast_players_read_is_read(tier: str) -> None:
    read = rss("<title>t</title>" + EPISODE, tier=tier)
    assert read.enclosures == (Enclosure(f"{A}e.mp3", "audio/mpeg", 5, 3723),)
    assert read.episode == Episode(
        duration=3723,
        number=7,
        season=2,
        kind="bonus",
        explicit=True,
        image=f"{A}c.jpg",
        transcripts=(Transcript(f"{A}e.vtt", "text/vtt", "en", "captions"),),
        chapters=Chapters(f"{A}e.json", "application/json+chapters"),
    )


PERSON = (
    f'<podcast:person role="Guest" group="writing" img="/p.jpg" href="{A}per">Per Lund'
    "</podcast:person><podcast:person>Ida Berg</podcast:person>"
)


def test_people_of_an_episode_are_read_and_its_host_is_the_author() -> None:
    read = rss("<title>t</title>" + PERSON)
    assert read.episode is not None
    assert read.episode.persons == (
        Person("Per Lund", "guest", "writing", "https://news.example/p.jpg", f"{A}per"),
        Person("Ida Berg"),
    )
    assert read.author == "Ida Berg"
    show = "<itunes:author>Harbour FM</itunes:author>"
    assert rss("<title>t</title>" + PERSON, show).author == "Harbour FM"


def test_people_of_a_show_take_part_in_episodes_that_name_none() -> None:
    number = "<title>t</title><itunes:episode>1</itunes:episode>"
    show = "<podcast:person>Ida Berg</podcast:person>"
    inherited, own = rss(number, show).episode, rss(number + PERSON, show).episode
    assert inherited is not None
    assert own is not None
    assert inherited.persons == (Person("Ida Berg"),)
    assert [one.name for one in own.persons] == ["Per Lund", "Ida Berg"]
    assert rss("<title>t</title>", show).episode is None


def test_episodes_of_other_forms() -> None:
    assert (
        atom("<id>1</id>" + EPISODE.replace("enclosure", "ignored")).episode
        == rss("<title>t</title>" + EPISODE).episode
    )
    numbers = "<podcast:season>3</podcast:season><podcast:episode>4.5</podcast:episode>"
    episode = rss("<title>t</title>" + numbers).episode
    assert episode is not None
    assert (episode.season, episode.number) == (3, 4.5)
    files = [{"url": f"{A}e.mp3", "mime_type": "audio/mpeg", "duration_in_seconds": 90}]
    read = json_item({"attachments": files})
    assert (read.enclosures[0].duration, read.episode) == (90, Episode(duration=90))
    assert rss("<title>t</title>").episode is None


def test_a_show_for_adults_has_episodes_for_adults() -> None:
    show = "<itunes:explicit>true</itunes:explicit>"
    told = [
        episode.explicit
        for inside in ("", "<itunes:explicit>no</itunes:explicit>")
        if (
            episode := rss(
                f"<title>t</title><itunes:episode>1</itunes:episode>{inside}", show
            ).episode
        )
    ]
    assert told == [True, False]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3723", 3723), ("1:02:03", 3723), ("62:03", 3723), ("0:45", 45), (" 12 ", 12),
        ("90.5", 90), ("PT1H2M3S", 3723), ("pt45m", 2700), ("0", None), ("", None), (None, None),
        ("62 min", 3720), ("1h 2m 3s", 3723), ("1 hour, 2 minutes", 3720), ("45sec", 45),
        ("3 months", None), ("soon", None), ("211200000", None), ("211200", None), ("9" * 99, None),
    ],
)  # fmt: skip
def test_lengths_of_play(text: str | None, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def test_what_stands_at_an_odd_place_is_read() -> None:
    read = rss(
        f"<title>t</title><enclosure length='62,447,386'>{A}x.mp3</enclosure>"
        f"<thumbnail url='{A}x.jpg'/><author>Ida Berg (ida@news.example)</author>"
        "<itunes:category text='Arts'/><itunes:pubDate>2025-02-03T09:00:00Z</itunes:pubDate>"
    )
    assert [(f.url, f.length, f.type) for f in read.enclosures] == [
        (f"{A}x.mp3", 62_447_386, "audio/mpeg")
    ]
    assert (read.image, read.author, read.categories) == (f"{A}x.jpg", "Ida Berg", ("Arts",))
    assert read.published is not None


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("<authors><author>Ida Berg</author><author>Per Lund</author></authors>",
         ("Ida Berg", "Per Lund")),
        ("<authors>Ida Berg</authors>", ("Ida Berg",)),
        ("<x:creator xmlns:x='http://purl.org/dc/terms/'>Ida Berg</x:creator>", ("Ida Berg",)),
        ("<author>mailto:ida@a.example</author>", ("ida@a.example",)),
        ("<author>ida@a.example ()</author>", ("ida@a.example",)),
        ("<author>noreply@a.example (Ida Berg)</author>", ("Ida Berg",)),
        ("<dc:creator>&lt;a href='/ida'>Ida Berg&lt;/a></dc:creator>", ("Ida Berg",)),
    ],
)  # fmt: skip
def test_names_of_people_in_odd_forms(written: str, names: tuple[str, ...]) -> None:
    assert rss("<title>t</title>" + written).authors == names


def test_small_readings() -> None:
    assert [ordinal_of(text) for text in ("7", " 3.5 ", "07", "0", "x", None)] == [
        7, 3.5, 7, 0, None, None,
    ]  # fmt: skip
    assert [explicit_of(text) for text in ("Explicit", "clean", "maybe", None)] == [
        True, False, None, None,
    ]  # fmt: skip
    assert type_of(f"{A}x.mp3", "application/octet-stream") == "audio/mpeg"
    assert type_of(f"{A}x.mp3", "audio/x") == "audio/x"
    assert type_of(f"{A}x.mp3", "mp3") == "audio/mpeg"
    assert type_of(f"{A}x", "image") == "image"
    assert type_of(f"{A}x.html", None) is None
    assert type_of("magnet:?xt=x.mp3", None) is None
    assert medium_of("image/png", "video") == "image"
    assert medium_of(None, "Image") == "image"

"""What is read from each format."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.feeds.parse import parse_document
from aggregator.model.feed import Enclosure, FeedLink, ParsedEntry, ParsedFeed, Picture

URL = "https://news.example/feed.xml"
NS = (
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:fh="http://purl.org/syndication/history/1.0" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
)


def rss(items: str, channel: str = "") -> ParsedFeed:
    text = f'<?xml version="1.0"?><rss version="2.0" {NS}><channel>{channel}{items}</channel></rss>'
    return parse_document(text.encode(), url=URL)


def item(inside: str) -> ParsedEntry:
    feed = rss(f"<item>{inside}</item>")
    assert feed.error is None
    assert (feed.format, feed.reader) == ("rss", "strict")
    return feed.entries[0]


def atom(inside: str, attributes: str = "") -> ParsedFeed:
    text = f'<feed xmlns="http://www.w3.org/2005/Atom" {attributes}>{inside}</feed>'
    return parse_document(text.encode(), url=URL)


def entry(inside: str, attributes: str = "") -> ParsedEntry:
    feed = atom(f"<entry {attributes}>{inside}</entry>")
    assert (feed.format, feed.reader, feed.error) == ("atom", "strict", None)
    return feed.entries[0]


def test_an_rss_item() -> None:
    read = item(
        """<title>Ships &amp;amp; ports</title><link> /a?b=1&amp;c=2 </link>
        <guid isPermaLink="false">id-1</guid><pubDate>Sat, 07 Sep 2002 00:00:01 GMT</pubDate>
        <description>&lt;p&gt;short&lt;/p&gt;</description>
        <content:encoded><![CDATA[<p>long</p>]]></content:encoded>
        <author>a@b.example (Ann B)</author><category>x</category><category>y</category>
        <enclosure url="/a.mp3" type="audio/mpeg" length="123"/><comments>/talk</comments>
        <source url="https://origin.example/rss">Origin</source>
        <feedburner:origLink>https://origin.example/a</feedburner:origLink>"""
    )
    assert read == ParsedEntry(
        id="id-1",
        link="https://news.example/a?b=1&c=2",
        title="Ships & ports",
        published=datetime(2002, 9, 7, 0, 0, 1, tzinfo=UTC),
        author="Ann B",
        summary="<p>short</p>",
        content="<p>long</p>",
        enclosures=(Enclosure("https://news.example/a.mp3", "audio/mpeg", 123),),
        categories=("x", "y"),
        comments="https://news.example/talk",
        original_link="https://origin.example/a",
        source_title="Origin",
        source_url="https://origin.example/rss",
        published_raw="Sat, 07 Sep 2002 00:00:01 GMT",
        base="https://origin.example/a",
        guid_is_permalink=False,
        authors=("Ann B",),
    )


@pytest.mark.parametrize(
    ("guid", "link", "permalink"),
    [
        ("<guid>https://a.example/1</guid>", "https://a.example/1", True),
        ('<guid isPermaLink="true">https://a.example/1</guid>', "https://a.example/1", True),
        ('<guid isPermaLink="false">https://a.example/1</guid>', None, False),
        ("<guid>not-an-address</guid>", None, False),
        ('<guid isPermaLink="true">tag:a.example,2024:1</guid>', None, False),
        ("<guid>https://a.example/1</guid><link>https://b.example/</link>",
         "https://b.example/", True),
    ],
)  # fmt: skip
def test_a_guid_is_the_address_only_where_it_is_one(
    guid: str, link: str | None, permalink: bool
) -> None:
    read = item(guid + "<title>t</title>")
    assert (read.link, read.guid_is_permalink) == (link, permalink)


def test_a_creator_is_preferred_to_an_address_of_mail() -> None:
    assert (
        item("<title>t</title><author>desk@a.example</author><dc:creator>Ann</dc:creator>").author
        == "Ann"
    )


def test_markup_that_was_not_escaped_is_kept() -> None:
    read = item("<title>a <b>bold</b> word</title><description>x <p>y<br/></p> z</description>")
    assert read.title == "a bold word"
    assert read.summary == "x <p>y<br></p> z"


def test_media_groups_give_enclosures_and_the_image() -> None:
    read = item(
        """<media:group><media:content url="https://a.example/v.mp4" type="video/mp4"
        fileSize="9"><media:title>Inner</media:title></media:content>
        <media:content url="https://a.example/p.jpg" medium="image"/></media:group>
        <media:thumbnail url="https://a.example/t.jpg"/>"""
    )
    assert read.enclosures == (Enclosure("https://a.example/v.mp4", "video/mp4", 9),)
    assert read.image == "https://a.example/p.jpg"
    assert read.title == "Inner"


def test_a_podcast_episode() -> None:
    read = item(
        """<title>E</title><itunes:author>Host</itunes:author><itunes:summary>s</itunes:summary>
        <itunes:image href="https://a.example/e.png"/><itunes:keywords>k1, k2</itunes:keywords>
        <enclosure url="https://a.example/e.mp3" type="audio/mpeg" length="0"/>"""
    )
    assert (read.author, read.summary, read.image) == ("Host", "s", "https://a.example/e.png")
    assert read.categories == ("k1", "k2")
    assert read.enclosures == (Enclosure("https://a.example/e.mp3", "audio/mpeg", None),)


def test_a_date_falls_back_to_what_can_be_read() -> None:
    read = item("<title>t</title><pubDate>soon</pubDate><dc:date>2024-01-02</dc:date>")
    assert read.published == datetime(2024, 1, 2, tzinfo=UTC)
    assert read.date_only
    assert item("<title>t</title><pubDate>soon</pubDate>").published_raw == "soon"


def test_an_item_that_says_nothing_is_left_out() -> None:
    assert rss("<item><pubDate>2024-01-02</pubDate></item><item/>").entries == ()


def test_the_channel_and_its_hints() -> None:
    feed = rss(
        "",
        """<title>My &lt;i&gt;Feed&lt;/i&gt;</title><link>https://news.example/</link>
        <description>About</description><language>en-gb</language><ttl>90</ttl>
        <lastBuildDate>Sat, 07 Sep 2002 00:00:01 GMT</lastBuildDate>
        <image><url>/i.png</url><title>no</title><link>/no</link></image>
        <skipHours><hour>0</hour><hour>7</hour><hour>24</hour><hour>25</hour></skipHours>
        <skipDays><day>Sunday</day><day>saturday</day><day>x</day></skipDays>
        <sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>
        <atom:link rel="self" href="/feed.xml"/><atom:link rel="hub" href="https://hub.example/"/>
        <atom:link rel="next" href="?page=2"/><fh:complete/>""",
    )
    assert (feed.title, feed.link, feed.description) == (
        "My Feed", "https://news.example/", "About"
    )  # fmt: skip
    assert (feed.language, feed.icon) == ("en-gb", "https://news.example/i.png")
    assert feed.updated == datetime(2002, 9, 7, 0, 0, 1, tzinfo=UTC)
    assert feed.hints.ttl == timedelta(minutes=90)
    assert feed.hints.skip_hours == {0, 7}
    assert feed.hints.skip_days == {5, 6}
    assert feed.hints.syndication == timedelta(hours=6)
    assert [(link.rel, link.href) for link in feed.links] == [
        ("self", "https://news.example/feed.xml"),
        ("hub", "https://hub.example/"),
        ("next", "https://news.example/feed.xml?page=2"),
    ]
    assert (feed.complete, feed.archive) == (True, False)


def test_the_link_of_a_channel_is_not_its_atom_link() -> None:
    feed = rss("", '<atom:link href="/feed" rel="self"/><link>https://news.example/</link>')
    assert feed.link == "https://news.example/"


def test_an_atom_entry() -> None:
    feed = atom(
        """<title type="html">F &amp;amp; G</title><id>urn:f</id><subtitle>sub</subtitle>
        <updated>2024-01-01T00:00:00Z</updated><icon>/i.ico</icon>
        <link rel="self" href="/feed.xml"/><link href="https://news.example/"/>
        <entry xml:lang="de"><id>urn:1</id><title type="text">a &lt; b &amp;amp; c</title>
        <link rel="alternate" type="text/html" href="/1"/>
        <link rel="related" href="/2" title="More"/><link rel="replies" href="/1#talk"/>
        <link rel="enclosure" href="/a.ogg" type="audio/ogg" length="7"/>
        <published>2024-01-02T03:04:05+01:00</published><updated>2024-01-03T00:00:00Z</updated>
        <author><name>Ann</name><email>ann@a.example</email></author>
        <category term="t" label="T"/><summary>1 &lt; 2</summary>
        <content type="html">&lt;b&gt;x&lt;/b&gt;</content>
        <source><title>Origin</title><link rel="self" href="https://o.example/f"/></source>
        </entry>""",
        'xml:base="https://base.example/" xml:lang="en"',
    )
    assert (feed.title, feed.id, feed.link) == ("F & G", "urn:f", "https://news.example/")
    assert (feed.description, feed.language) == ("sub", "en")
    assert feed.links == (FeedLink("self", "https://base.example/feed.xml"),)
    assert feed.entries == (
        ParsedEntry(
            id="urn:1",
            link="https://base.example/1",
            title="a < b &amp; c",
            published=datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC),
            updated=datetime(2024, 1, 3, tzinfo=UTC),
            author="Ann",
            summary="1 &lt; 2",
            content="<b>x</b>",
            enclosures=(Enclosure("https://base.example/a.ogg", "audio/ogg", 7),),
            categories=("T",),
            language="de",
            comments="https://base.example/1#talk",
            source_title="Origin",
            source_url="https://o.example/f",
            links=(FeedLink("related", "https://base.example/2", None, "More"),),
            published_raw="2024-01-02T03:04:05+01:00",
            base="https://base.example/",
            authors=("Ann",),
            terms=(("T", "t"),),
        ),
    )


def test_xhtml_content_is_the_inside_of_its_div() -> None:
    read = entry(
        """<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <em>b</em></div></title>
        <content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml">one <x:p>two</x:p>
        <x:br/></x:div></content>"""
    )
    assert read.title == "A b"
    assert read.content is not None
    assert read.content.split() == ["one", "<p>two</p>", "<br>"]


def test_the_base_of_the_content_is_its_own() -> None:
    read = entry(
        '<id>1</id><content type="html" xml:base="deep/">&lt;a href="x"&gt;</content>',
        'xml:base="https://a.example/dir/"',
    )
    assert read.base == "https://a.example/dir/deep/"


def test_text_that_is_declared_text_but_is_html_stays_html() -> None:
    assert entry("<id>1</id><summary>&lt;p&gt;x&lt;/p&gt;</summary>").summary == "<p>x</p>"


def test_a_page_is_preferred_among_alternates() -> None:
    read = entry(
        """<link rel="alternate" type="application/json" href="/j"/>
        <link rel="http://www.iana.org/assignments/relation/alternate" href="/h"/>"""
    )
    assert read.link == "https://news.example/h"


def test_atom_0_3() -> None:
    feed = parse_document(
        b"""<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title mode="escaped">T</title>
        <entry><id>1</id><title>x</title><issued>2004-01-02T00:00:00Z</issued>
        <modified>2004-01-03T00:00:00Z</modified>
        <content type="text/html" mode="escaped">&lt;p&gt;c&lt;/p&gt;</content></entry></feed>""",
        url=URL,
    )
    read = feed.entries[0]
    assert (feed.title, read.content) == ("T", "<p>c</p>")
    assert read.published == datetime(2004, 1, 2, tzinfo=UTC)
    assert read.updated == datetime(2004, 1, 3, tzinfo=UTC)


def test_rdf_has_its_items_beside_the_channel() -> None:
    feed = parse_document(
        b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
        xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
        <channel rdf:about="https://a.example/c"><title>C</title><link>https://a.example/</link>
        <items><rdf:Seq><rdf:li resource="https://a.example/1"/></rdf:Seq></items></channel>
        <item rdf:about="https://a.example/1"><title>I</title><dc:date>2024-01-02T03:04Z</dc:date>
        </item></rdf:RDF>"""
    )
    assert (feed.format, feed.title, feed.id) == ("rdf", "C", "https://a.example/c")
    read = feed.entries[0]
    assert (read.id, read.link, read.title) == ("https://a.example/1", "https://a.example/1", "I")


def test_rss_in_a_namespace_of_its_own_invention() -> None:
    feed = parse_document(
        b'<rss xmlns="https://made-up.example/"><channel><item><title>t</title></item></channel></rss>'
    )
    assert [e.title for e in feed.entries] == ["t"]


def test_json_feed() -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "home_page_url": "https://a.example/",
        "feed_url": "https://a.example/feed.json",
        "next_url": "https://a.example/2.json",
        "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
        "items": [
            {
                "id": 7,
                "url": "/7",
                "external_url": "https://b.example/",
                "title": "T &amp; U",
                "content_html": "<p>x</p>",
                "summary": "a < b",
                "image": "/i.png",
                "date_published": "2024-01-02T03:04:05Z",
                "authors": [{"name": "Ann"}, {"name": "Bob"}],
                "tags": ["x", 3, None],
                "attachments": [{"url": "/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 5}],
            },
            {"content_text": "only <text>"},
            "noise",
            {},
        ],
    }
    feed = parse_document(json.dumps(document).encode(), url="https://a.example/feed.json")
    assert (feed.format, feed.reader, feed.title) == ("json", "json", "J")
    assert [link.rel for link in feed.links] == ["self", "next", "hub"]
    first, second = feed.entries
    assert first == ParsedEntry(
        id="7",
        link="https://a.example/7",
        title="T &amp; U",
        published=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        author="Ann, Bob",
        summary="a &lt; b",
        content="<p>x</p>",
        enclosures=(Enclosure("https://a.example/a.mp3", "audio/mpeg", 5),),
        categories=("x", "3"),
        external_url="https://b.example/",
        image="https://a.example/i.png",
        published_raw="2024-01-02T03:04:05Z",
        base="https://a.example/7",
        authors=("Ann", "Bob"),
        pictures=(Picture("https://a.example/i.png"),),
    )
    assert second.content == "only &lt;text&gt;"


@pytest.mark.parametrize(
    "document",
    [
        '{"version": "https://jsonfeed.org/version/1", "items": [%s]}\n<!-- cached -->',
        '{"version": "https://jsonfeed.org/version/1", "items": [%s,]}',
        '{"version": "https://jsonfeed.org/version/1", "items": %s}',
    ],
)
def test_json_feed_is_read_with_its_usual_faults(document: str) -> None:
    item = '{"id": "1", "title": "a ,] b", "content_text": "one\ntwo", "tags": "x, y"}'
    entry = parse_document((document % item).encode(), url=URL).entries[0]
    assert (entry.title, entry.content, entry.categories) == ("a ,] b", "one<br>two", ("x", "y"))


@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"just words", "not_a_feed"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_feed"),
        (b"<?xml version='1.0'?><opml version='2.0'><body/></opml>", "not_a_feed"),
        (b'{"hello": 1}', "not_a_feed"),
        (b"[1, 2]", "not_a_feed"),
        (b'{"version": ', "malformed"),
        (b"<!DOCTYPE html><title>x</title>", "html"),
        (b"<!-- x --><html><head></head></html>", "html"),
        (b"<rss><channel><item", "malformed"),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, error_class: str) -> None:
    feed = parse_document(body, url=URL)
    assert (feed.format, feed.entries) == (None, ()) or error_class == "malformed"
    assert feed.error_class == error_class
    assert feed.error

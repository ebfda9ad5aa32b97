"""Addresses: the base in force, what may stand in one, and which schemes are read."""

from __future__ import annotations

import pytest

from aggregator.feeds.parse import parse_document
from aggregator.feeds.prepare import prepare_body
from aggregator.model.feed import ParsedEntry
from tests.feeds.forms import TIERS, URL, atom, json_item, rdf, rss

IMG = '&lt;img src="i.png">'
DIV = 'xmlns="http://www.w3.org/1999/xhtml"'


def sources(entry: ParsedEntry) -> list[str]:
    """The addresses of pictures in the body and the summary as they would be stored."""
    body = prepare_body(entry)
    html = body.html + (body.summary or "")
    return [part.split('"')[0] for part in html.split('src="')[1:]]


def test_every_body_has_its_own_base() -> None:
    content = f'<content type="html" xml:base="https://c.example/a/">{IMG}</content>'
    summary = f'<summary type="html" xml:base="https://s.example/b/">{IMG} s</summary>'
    for both in (content + summary, summary + content):
        assert sources(atom("<id>1</id>" + both)) == [
            "https://c.example/a/i.png",
            "https://s.example/b/i.png",
        ]
    plain = '<summary type="html">&lt;img src="i.png"> s</summary>'
    assert sources(atom("<id>1</id>" + content + plain)) == [
        "https://c.example/a/i.png",
        "https://news.example/i.png",
    ]


def test_the_base_of_an_xhtml_div_and_of_what_is_in_it_holds() -> None:
    on_div = (
        f'<content type="xhtml"><div {DIV} xml:base="https://d.example/x/"><img src="i.png"/>'
        "</div></content>"
    )
    assert sources(atom("<id>1</id>" + on_div)) == ["https://d.example/x/i.png"]
    deep = (
        f'<content type="xhtml" xml:base="https://o.example/"><div {DIV}><img src="1.png"/>'
        '<p xml:base="deep/"><img src="2.png"/><b xml:base="er/"><img src="3.png"/></b></p>'
        '<img src="4.png"/></div></content>'
    )
    assert sources(atom("<id>1</id>" + deep)) == [
        f"https://o.example/{name}.png" for name in ("1", "deep/2", "deep/er/3", "4")
    ]


def test_bases_join_from_the_root_down_to_the_link() -> None:
    read = atom(
        '<link xml:base="c/" href="1"/><id>1</id><media:group xml:base="m/">'
        '<media:content xml:base="n/" url="v.mp4"/></media:group>',
        root='xml:base="https://b.example/a/"',
    )
    assert read.link == "https://b.example/a/c/1"
    assert [file.url for file in read.enclosures] == ["https://b.example/a/m/n/v.mp4"]
    item = rss(
        '<title>t</title><link xml:base="c/">1</link>', root='xml:base="https://b.example/a/"'
    )
    assert item.link == "https://b.example/a/c/1"


@pytest.mark.parametrize("tier", TIERS)
def test_bodies_of_rss_are_relative_to_the_page_of_their_item(tier: str) -> None:
    page = "https://blog.example/posts/6.html"
    body = '<description>&lt;a href="#fn1">1&lt;/a> &lt;img src="./b.png"></description>'
    read = rss(f"<title>t</title><link>{page}</link>{body}", tier=tier)
    assert sources(read) == ["https://blog.example/posts/b.png"]
    assert f'href="{page}#fn1"' in prepare_body(read).html


def test_bodies_of_rss_follow_an_xml_base_and_else_what_is_known() -> None:
    body = f"<title>t</title><description>{IMG}</description>"
    link = "<link>https://blog.example/posts/6</link>"
    based = 'xml:base="https://b.example/"'
    assert sources(rss(body + link, root=based)) == ["https://b.example/i.png"]
    assert sources(rss(body, "<link>https://blog.example/home/</link>")) == [
        "https://blog.example/home/i.png"
    ]
    assert sources(rss(body)) == ["https://news.example/i.png"]
    assert sources(rdf(body + link)) == ["https://blog.example/posts/i.png"]
    original = "<fb:origLink xmlns:fb='http://rssnamespace.org/feedburner/ext/1.0'>https://o.example/p/1</fb:origLink>"
    assert sources(rss(body + link + original)) == ["https://o.example/p/i.png"]
    # Atom says what the base is: that of the document (RFC 4287 §2).
    content = f'<content type="html">{IMG}</content>'
    read = atom('<id>1</id><link href="https://o.example/p/1"/>' + content)
    assert sources(read) == ["https://news.example/i.png"]


UNSAFE = [
    ("https://a.example/a b", "https://a.example/a%20b"),
    (" https://a.example/a  b ", "https://a.example/a%20%20b"),
    ("https://a.example/a\n   /b", "https://a.example/a/b"),
    ('https://a.example/"x"', "https://a.example/%22x%22"),
    ("https://a.example/{x}|y^z`", "https://a.example/%7Bx%7D%7Cy%5Ez%60"),
    ("https://a.example/a\u00a0b", "https://a.example/a%C2%A0b"),
    ("https://a.example/ä?q=ö", "https://a.example/ä?q=ö"),
    ("https://a.example/a%20b", "https://a.example/a%20b"),
    ("/x y", "https://news.example/x%20y"),
]


@pytest.mark.parametrize(("written", "link"), UNSAFE)
def test_what_may_not_stand_in_an_address_is_percent_encoded(written: str, link: str) -> None:
    assert rss(f"<title>t</title><link>{written}</link>").link == link
    assert json_item({"attachments": [{"url": written}]}).enclosures[0].url == link
    assert json_item({"url": written}).link == link


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("www.a.example/x", "https://www.a.example/x"),
        ("www.a.example", "https://www.a.example"),
        ("www/x", "https://news.example/www/x"),
        ("//a.example/x", "https://a.example/x"),
    ],
)
def test_a_host_without_its_scheme_is_no_path(written: str, link: str) -> None:
    assert rss(f"<title>t</title><link>{written}</link>").link == link


@pytest.mark.parametrize(
    "words",
    ["N/A", "n/a", "n.a.", "none", "null", "undefined", "#", "#top", "-", "No link available",
     "Not available.", "TBD", "javascript:void(0)", "about:blank"],
)  # fmt: skip
@pytest.mark.parametrize("tier", TIERS)
def test_words_that_are_no_address_are_none(tier: str, words: str) -> None:
    read = rss(
        f"<title>t</title><link>{words}</link><comments>{words}</comments><image>{words}</image>",
        tier=tier,
    )
    assert (read.link, read.comments, read.image) == (None, None, None)
    assert json_item({"url": words, "image": words, "external_url": words}).link is None


@pytest.mark.parametrize(
    "path", ["/1", "?p=5", "./a", "../a", "a.html", "news/one", "index.php?id=3", "a b/c.html"]
)
def test_paths_are_addresses(path: str) -> None:
    assert rss(f"<title>t</title><link>{path}</link>").link is not None
    assert json_item({"url": path}).link is not None


def test_any_words_are_a_path_where_their_base_is_stated() -> None:
    assert rss("<title>t</title><link xml:base='https://b.example/x/'>one</link>").link == (
        "https://b.example/x/one"
    )
    assert atom("<id>1</id><link href='one'/>").link == "https://news.example/one"
    assert atom("<id>1</id><link href='#one'/>").link is None


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("http://https://a.example/x", "https://a.example/x"),
        ("https:/a.example/x", "https://a.example/x"),
        ("https:///a.example/x", "https://a.example/x"),
        ("http//a.example/x", "http://a.example/x"),
        (r"https:\\\\a.example\\x?q=\\1".replace("\\\\", "\\"), "https://a.example/x?q=%5C1"),
        ("https://a.example/x?a=1&amp;amp;b=2", "https://a.example/x?a=1&b=2"),
        ("https://a.example/x?a=1&amp;#038;b=2", "https://a.example/x?a=1&b=2"),
        ("news.example/1", "https://news.example/1"),
        ("www.home.example/1", "https://www.home.example/1"),
        ("home.example/1", "https://home.example/1"),
        ("other.example/1", "https://news.example/other.example/1"),
        ("&lt;a href='https://a.example/x'>here&lt;/a>", "https://a.example/x"),
        ("<a href='https://a.example/x'>here</a>", "https://a.example/x"),
    ],
)
def test_an_address_is_read_as_it_was_meant(written: str, link: str) -> None:
    home = "<link>https://home.example/</link>"
    assert rss(f"<title>t</title><link>{written}</link>", home).link == link


def test_addresses_stand_at_other_places_too() -> None:
    url = "https://a.example/x"
    assert rss(f"<title>t</title><link url='{url}'/>").link == url
    assert rss(f"<title>t</title><url>{url}</url>").link == url
    assert rss(f"<title>t</title><url>{url}?u</url><link>{url}</link>").link == url
    typed = f"<link rel='enclosure' type='image/jpeg'>{url}.jpg</link>"
    read = atom(f"<id>{url}</id><link href='{url}'/>{typed}")
    assert (read.link, read.image) == (url, f"{url}.jpg")
    assert json_item({"image": {"url": url}}).image == url


@pytest.mark.parametrize("tier", TIERS)
def test_an_entry_that_links_to_itself_alone_is_there(tier: str) -> None:
    url = "https://a.example/x"
    own = f"<link rel='self' href='{url}'/>"
    assert atom("<id>urn:1</id>" + own, tier=tier).link == url
    assert atom(f"<id>urn:1</id>{own}<link href='{url}/y'/>", tier=tier).link == f"{url}/y"
    if tier != "feedparser":  # which says of every such link that it is data
        data = own.replace("href", "type='application/atom+xml' href")
        assert atom("<id>urn:1</id><title>t</title>" + data, tier=tier).link is None


def test_channels_of_cdf_are_read() -> None:
    document = (
        "<CHANNEL HREF='https://a.example/'><TITLE>c</TITLE><ITEM HREF='https://a.example/1'>"
        "<TITLE>one</TITLE><ABSTRACT>short</ABSTRACT></ITEM></CHANNEL>"
    )
    (read,) = parse_document(document.encode()).entries
    assert (read.link, read.title, read.summary) == ("https://a.example/1", "one", "short")


def test_a_path_that_is_said_to_be_the_address_is_it() -> None:
    assert (
        rss("<title>t</title><guid isPermaLink='true'>/7</guid>").link == "https://news.example/7"
    )
    assert rss("<title>t</title><guid>/7</guid>").link is None


@pytest.mark.parametrize(
    "document",
    [
        "<feed xmlns='http://www.w3.org/2005/Atom'><link href='https://a.example/'/>"
        "<link rel='self' href='https://a.example/feed'/>"
        "<entry><id>1</id><link href='/x'/></entry></feed>",
        "<rss><channel><link>https://a.example/</link><item><link>/x</link></item></channel></rss>",
        '{"version": "https://jsonfeed.org/version/1", "home_page_url": "https://a.example/",'
        '"items": [{"id": "1", "url": "/x", "content_text": "t"}]}',
    ],
)
def test_a_document_from_a_file_is_where_it_says_to_be(document: str) -> None:
    assert parse_document(document.encode()).entries[0].link == "https://a.example/x"


def test_angle_brackets_in_an_address_are_encoded() -> None:
    assert rss("<title>t</title><link>https://a.example/&lt;x&gt;</link>").link == (
        "https://a.example/%3Cx%3E"
    )
    assert atom('<id>1</id><link href="https://a.example/x y"/>').link == "https://a.example/x%20y"


MAGNET = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("url", [MAGNET, "ftp://files.example/a.iso"])
@pytest.mark.parametrize("tier", TIERS)
def test_attached_files_may_be_ftp_or_magnet(url: str, tier: str) -> None:
    read = rss(f'<title>t</title><link>{url}</link><enclosure url="{url}"/>', tier=tier)
    assert (read.link, [file.url for file in read.enclosures]) == (None, [url])
    read = atom(f'<title>t</title><link rel="enclosure" href="{url}"/>', tier=tier)
    assert (read.link, [file.url for file in read.enclosures]) == (None, [url])


def test_attached_files_of_media_rss_and_json_feed_may_be_so_too() -> None:
    read = rss(f'<title>t</title><media:content url="{MAGNET}"/>')
    assert [file.url for file in read.enclosures] == [MAGNET]
    read = json_item(
        {"attachments": [{"url": MAGNET}, {"url": "data:,x"}, {"url": "javascript:x"}]}
    )
    assert [file.url for file in read.enclosures] == [MAGNET]
    spaced = rss('<title>t</title><enclosure url="ftp://a.example/b c.zip"/>')
    assert [file.url for file in spaced.enclosures] == ["ftp://a.example/b%20c.zip"]


def test_an_external_address_stands_in_for_a_missing_one() -> None:
    external = "https://elsewhere.example/x"
    read = json_item({"external_url": external, "title": "t"})
    assert (read.link, read.external_url) == (external, external)
    assert json_item({"external_url": external, "url": URL}).link == URL
    assert json_item({"external_url": external, "id": URL}).link == URL

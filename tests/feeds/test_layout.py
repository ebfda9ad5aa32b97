"""Feeds whose parts stand under other names, namespaces and elements than the formats say."""

from __future__ import annotations

import pytest

from aggregator.feeds.parse import parse_document
from aggregator.model.feed import ParsedFeed

URL = "https://news.example/feed.xml"
ATOM = "http://www.w3.org/2005/Atom"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ITEM = (
    "<item><title>one</title><link>https://news.example/1</link><guid>1</guid>"
    "<pubDate>Mon, 03 Feb 2025 10:00:00 GMT</pubDate><description>text</description></item>"
)
ENTRY = (
    '<entry><title>one</title><id>1</id><link href="https://news.example/1"/>'
    "<published>2025-02-03T10:00:00Z</published><summary>text</summary></entry>"
)
SECOND = ITEM.replace("one", "two").replace(">1<", ">2<").replace("/1<", "/2<")
NAMESPACES = {
    "atom": ATOM,
    "xhtml": "http://www.w3.org/1999/xhtml",
    "dublin core": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
    "rss 1.0": "http://purl.org/rss/1.0/",
    "rdf": RDF,
    "of nobody": "urn:of:nobody",
}


def read(text: str) -> ParsedFeed:
    return parse_document(text.encode(), url=URL)


def rss(inside: str, attributes: str = "") -> str:
    return (
        f'<rss version="2.0"{attributes}><channel><title>news</title>'
        f"<link>https://news.example/</link>{inside}</channel></rss>"
    )


def is_whole(feed: ParsedFeed, entries: int = 1) -> bool:
    """Whether the feed has its title and, of that many entries, every field of the first."""
    first = feed.entries[0] if feed.entries else None
    return (
        feed.title == "news"
        and feed.error is None
        and len(feed.entries) == entries
        and first is not None
        and (first.id, first.link, first.title, first.summary)
        == ("1", "https://news.example/1", "one", "text")
        and first.published is not None
    )


@pytest.mark.parametrize("namespace", NAMESPACES.values(), ids=NAMESPACES)
def test_a_wrong_default_namespace_hides_nothing(namespace: str) -> None:
    bound = f' xmlns="{namespace}"'
    assert is_whole(read(rss(ITEM, bound)))
    assert is_whole(read(rss(ITEM).replace("<channel>", f"<channel{bound}>")))
    items = (ITEM + SECOND).replace("<item>", f"<item{bound}>")
    assert is_whole(read(rss(items)), 2)
    channel = "<channel><title>news</title></channel>"
    assert is_whole(read(f'<rdf:RDF xmlns:rdf="{RDF}"{bound}>{channel}{ITEM}</rdf:RDF>'))
    assert is_whole(read(f"<feed{bound}><title>news</title>{ENTRY}</feed>"))


def test_modules_keep_their_meaning_under_a_default_namespace_of_their_own() -> None:
    media = "http://search.yahoo.com/mrss/"
    item = ITEM.replace("</item>", '<media:content url="https://news.example/a.mp4"/></item>')
    feed = read(rss(item, f' xmlns="{media}" xmlns:media="{media}"'))
    assert is_whole(feed)
    assert [one.url for one in feed.entries[0].enclosures] == ["https://news.example/a.mp4"]


def test_xhtml_and_atom_elements_inside_rss_are_what_they_say() -> None:
    feed = read(
        rss(
            f'<item><title>one</title><link xmlns="{ATOM}" rel="related" href="https://b.example/"/>'
            '<body xmlns="http://www.w3.org/1999/xhtml"><p>long</p></body></item>'
        )
    )
    assert feed.entries[0].content == "<p>long</p>"
    assert [(link.rel, link.href) for link in feed.entries[0].links] == [
        ("related", "https://b.example/")
    ]


def test_names_that_only_rss_has_are_read_whatever_their_namespace() -> None:
    xhtml = "http://www.w3.org/1999/xhtml"
    item = f'<item><title>one</title><description xmlns="{xhtml}"><p>a</p></description></item>'
    assert read(rss(item)).entries[0].summary == "<p>a</p>"
    item = "<item><title>one</title><encoded>long</encoded></item>"
    assert read(rss(item)).entries[0].content == "long"


def test_names_of_rss_in_atom_are_read() -> None:
    inside = ITEM.replace("item>", "entry>").replace("</entry>", "<author>Ida</author></entry>")
    feed = read(f'<feed xmlns="{ATOM}"><title>news</title><link>{URL}</link>{inside}</feed>')
    assert is_whole(feed)
    assert (feed.format, feed.link, feed.entries[0].author) == ("atom", URL, "Ida")
    assert is_whole(read(f'<feed xmlns="{ATOM}"><title>news</title>{ITEM}</feed>'))
    assert is_whole(read(f"<feed><title>news</title>{ENTRY}</feed>"))


def test_names_of_atom_in_rss_are_read() -> None:
    assert is_whole(read(rss(ENTRY)))
    assert is_whole(read(rss(ENTRY.replace("entry>", "item>"))))
    prefixed = ENTRY.replace("<", "<atom:").replace("<atom:/", "</atom:")
    assert is_whole(read(rss(prefixed, f' xmlns:atom="{ATOM}"')))


@pytest.mark.parametrize(
    "bindings",
    [
        "xmlns:content='urn:x' xmlns:dc='urn:y' xmlns:media='urn:z'",
        "xmlns:content='http://purl.org/dc/elements/1.1/' xmlns:dc='http://search.yahoo.com/mrss/'"
        " xmlns:media='http://purl.org/rss/1.0/modules/content/'",
        "",
    ],
    ids=["unknown", "swapped", "undeclared"],
)
def test_a_well_known_prefix_means_what_it_always_means(bindings: str) -> None:
    item = (
        "<item><title>one</title><dc:creator>Ida</dc:creator><content:encoded>long</content:encoded>"
        "<media:thumbnail url='https://news.example/a.jpg'/></item>"
    )
    for feed in (
        read(rss(item, f" {bindings}")),
        read(rss(item.replace("<item", f"<item {bindings}"))),
    ):
        entry = feed.entries[0]
        assert (entry.author, entry.content, entry.image) == (
            "Ida",
            "long",
            "https://news.example/a.jpg",
        )


def test_names_are_known_in_any_case() -> None:
    feed = read(
        "<RSS><CHANNEL><TITLE>news</TITLE><ITEM><TITLE>one</TITLE>"
        '<GUID ISPERMALINK="FALSE">https://news.example/internal</GUID>'
        '<ENCLOSURE URL="https://news.example/a.mp3" TYPE="audio/mpeg" Length="3"/>'
        '<category TERM="ferries"/></ITEM></CHANNEL></RSS>'
    )
    entry = feed.entries[0]
    assert (entry.link, entry.guid_is_permalink, entry.categories) == (None, False, ("ferries",))
    assert [(e.url, e.type, e.length) for e in entry.enclosures] == [
        ("https://news.example/a.mp3", "audio/mpeg", 3)
    ]
    atom = read(
        f'<feed xmlns="{ATOM}"><link REL="self" HREF="/self"/><entry><id>1</id>'
        '<link Rel="enclosure" Href="/a.mp3" TYPE="audio/mpeg"/><link HREF="/1"/>'
        '<title TYPE="html">a &lt;br> b</title></entry></feed>'
    )
    assert [(link.rel, link.href) for link in atom.links] == [("self", "https://news.example/self")]
    entry = atom.entries[0]
    assert (entry.link, entry.title) == ("https://news.example/1", "a b")
    assert [e.url for e in entry.enclosures] == ["https://news.example/a.mp3"]


@pytest.mark.parametrize("spelt", ["isPermaLink", "isPermalink", "ispermalink", "ISPERMALINK"])
def test_a_guid_that_is_denied_to_be_an_address_is_none(spelt: str) -> None:
    item = f'<item><title>a</title><guid {spelt}="false">https://news.example/x</guid></item>'
    for broken in ("", "<item><x>&</x></item>"):
        assert read(rss(item + broken)).entries[0].link is None


@pytest.mark.parametrize(
    "document",
    [
        rss(f"<items>{ITEM}</items>"),
        rss(f"<list><page>{ITEM}</page></list>"),
        rss("").replace("</rss>", f"{ITEM}</rss>"),
        rss("").replace("</rss>", f"<items>{ITEM}</items></rss>"),
        rss("") + ITEM,
        f"<data>{rss(ITEM)}</data>",
        rss(ITEM).replace("<channel>", "<x><channel>").replace("</channel>", "</channel></x>"),
        f'<feed xmlns="{ATOM}"><title>news</title><entries>{ENTRY}</entries></feed>',
        rss(ITEM).removeprefix('<rss version="2.0">').removesuffix("</rss>"),
        rss(f"<item><guid>0</guid>{ITEM}</item>").replace("<item><guid>0</guid>", "<item>", 1),
        rss(ITEM.replace("</title>", "</titel>")),
        f"<html><head></head><body><pre>{rss(ITEM).replace('<', '&lt;')}</pre></body></html>",
        f'<channel xmlns="http://purl.org/net/rss1.1#"><title>news</title><items>{ITEM}</items></channel>',
    ],
)
def test_entries_are_found_wherever_they_stand(document: str) -> None:
    assert is_whole(read(document))


def test_an_item_in_an_item_is_one_of_its_own() -> None:
    feed = read(rss(f"<item><guid>0</guid><title>zero</title>{ITEM}</item>"))
    assert [entry.title for entry in feed.entries] == ["zero", "one"]


def test_entries_in_and_beside_the_channel_keep_the_order_of_the_document() -> None:
    for wrapped in (f"<items>{SECOND}</items>", SECOND):
        assert is_whole(read(rss(ITEM + wrapped)), 2)
    document = rss(ITEM).replace("</rss>", f"{SECOND}</rss>")
    assert is_whole(read(document), 2)
    assert is_whole(read(rss(ITEM) + SECOND), 2)


def test_nothing_read_is_never_without_an_error() -> None:
    empty = read(rss("<item/><item><pubDate>soon</pubDate></item>"))
    assert (empty.entries, empty.error_class) == ((), "malformed")
    other = read("<tv><channel><display-name>a</display-name></channel><programme/></tv>")
    assert (other.format, other.error_class) == (None, "not_a_feed")
    assert read(rss("")).error is None


@pytest.mark.parametrize(
    "broken",
    [
        ITEM.replace("</link>", ""),
        ITEM.replace("</guid>", ""),
        ITEM.replace("</title>", ""),
        ITEM.replace("</pubDate>", ""),
        ITEM.replace("</link>", "").replace("<link>", "<link/>"),
        ITEM.replace("</link>", "").replace(
            "https://news.example/1", "<![CDATA[https://news.example/1]]>"
        ),
    ],
)
def test_an_element_without_its_end_tag_ends_where_the_next_begins(broken: str) -> None:
    assert is_whole(read(rss(broken + SECOND)), 2)
    assert is_whole(read(rss(broken)))


def test_links_without_end_in_atom_are_void_as_in_html() -> None:
    document = (
        f'<feed xmlns="{ATOM}"><title>news</title><link rel="self" href="{URL}">'
        f"{ENTRY.replace('/>', '>')}</feed>"
    )
    assert is_whole(read(document))


@pytest.mark.parametrize(
    ("document", "titles"),
    [
        (rss("<item><title>one</title><link>https://news.ex")[:-16], ["one"]),
        (rss("<item><title>one</title><descr")[:-16], ["one"]),
        (rss(f"{ITEM}<item><title>two</title><link>https://ne")[:-16], ["one", "two"]),
        (rss("<item><title>on")[:-16], []),
        (
            f'<feed xmlns="{ATOM}"><title>news</title><entry><title>one</title><id>1</id><sum',
            ["one"],
        ),
    ],
)
def test_a_document_cut_off_says_so(document: str, titles: list[str]) -> None:
    feed = read(document)
    assert [entry.title for entry in feed.entries] == titles
    assert feed.error_class == "malformed"
    assert all(entry.link is None or entry.link.endswith("/1") for entry in feed.entries)


def test_an_entry_has_the_same_id_and_address_whichever_tier_reads_it() -> None:
    item = "<item><title>a</title><guid isPermaLink='false'>g1</guid><link>/1</link></item>"
    tiers = {"strict": "", "repair": "<x>&</x>", "feedparser": "<b>", "salvage": "<a>" * 400}
    for tier, broken in tiers.items():
        feed = read(rss(f"{item}<item><guid>g2</guid>{broken}</item>"))
        assert feed.reader == tier
        assert (feed.entries[0].id, feed.entries[0].link) == ("g1", "https://news.example/1")


def test_an_id_that_is_no_address_is_none_whichever_tier_reads_it() -> None:
    item = "<item><title>a</title><guid>g1</guid></item>"
    for broken in ("", "<x>&</x>", "<b>", "<a>" * 400):
        entry = read(rss(f"{item}<item><guid>g2</guid>{broken}</item>")).entries[0]
        assert (entry.id, entry.link) == ("g1", None)


XML = '<?xml version="1.0" encoding="utf-8"?>'


@pytest.mark.parametrize(
    "document",
    [
        f"<!-- made by hand -->{XML}{rss(ITEM)}",
        f"<!-- once <rss> -->{XML}{rss(ITEM)}",
        f"<!-- not <html> --> {rss(ITEM)}",
        f"{XML}<!-- <!DOCTYPE html> <body> -->{rss(ITEM)}",
        f"<!DOCTYPE html>{rss(ITEM)}",
        f"<!DOCTYPE html>\n{XML}{rss(ITEM)}",
        f"{XML}<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'x.dtd'>{rss(ITEM)}",
        f"<html><head></head><body>{rss(ITEM)}</body></html>",
        f"<html xmlns='http://www.w3.org/1999/xhtml'><body>{rss(ITEM)}</body></html>",
        "<!doctype html><html><head><meta charset=utf-8><title>x</title></head><body><p>a<br>"
        f"{rss(ITEM)}</body></html>",
        f"<html><body><pre>{XML}<feed xmlns='{ATOM}'><title>news</title>{ENTRY}</feed></pre>",
        f"<html><body>error</body></html>{XML}{rss(ITEM)}",
        f"<head><script>write('<rss><channel><item>')</script></head>{rss(ITEM)}",
        f"<p>Notice: undefined <b>index</b></p>{rss(ITEM)}",
        f"<html><body><rdf:RDF xmlns:rdf='{RDF}' xmlns='http://purl.org/rss/1.0/'><channel>"
        f"<title>news</title></channel>{ITEM}</rdf:RDF></body></html>",
        rss(ITEM) + "<html><body>appended</body></html>",
    ],
)
def test_a_feed_is_no_web_page_for_what_stands_around_it(document: str) -> None:
    assert is_whole(read(document))


@pytest.mark.parametrize(
    "document",
    [
        "<!-- <rss> --><!DOCTYPE html><html><body>hello</body></html>",
        "<html><head><script>x = '<rss><channel><item><title>a</title>'</script></head></html>",
        f"<html><body><textarea>{rss(ITEM)}</textarea></body></html>",
        f"<html><body><!-- {rss(ITEM)} --></body></html>",
        f"<html><body><rdf:RDF xmlns:rdf='{RDF}'><Work/></rdf:RDF></body></html>",
        "<html><body><feed></feed><channel>one</channel></body></html>",
        f"<!doctype html><p>Write <b>&lt;rss></b>:<pre>{rss(ITEM).replace('<', '&lt;')}</pre>",
    ],
)
def test_a_web_page_that_speaks_of_feeds_is_a_web_page(document: str) -> None:
    feed = read(document)
    assert (feed.format, feed.entries, feed.error_class) == (None, (), "html")


def test_a_document_type_inside_an_entry_is_text() -> None:
    html = "<![CDATA[<!DOCTYPE html [ a ]> b]]>"
    feed = read(rss(f"<item><title>one</title><description>{html}</description></item>"))
    assert feed.entries[0].summary == "<!DOCTYPE html [ a ]> b"

"""Feeds that a page offers."""

from __future__ import annotations

from aggregator.feeds.discover import feed_links
from aggregator.feeds.parse import parse_document
from aggregator.model.feed import FeedLink

URL = "https://news.example/section/page.html"

PAGE = """<!doctype html><html><head><title>x</title>
<link rel="alternate" type="application/rss+xml" title="All &amp; more" href="/feed">
<link rel="ALTERNATE stylesheet" type="Application/Atom+XML; charset=utf-8" href="atom.xml">
<link rel="alternate" hreflang="de" href="/de/"><link rel="stylesheet" href="/feed.css">
<link rel="alternate" type="application/rss+xml" href="/feed">
<link rel="alternate" type="application/rss+xml" href="javascript:1">
<link rel="alternate" type="application/feed+json" href="https://cdn.example/f.json">
</head><body><a href="/rss.xml">RSS</a></body></html>"""


def test_declared_feeds_are_found_in_order_and_once() -> None:
    assert feed_links(PAGE, URL) == (
        FeedLink("alternate", "https://news.example/feed", "application/rss+xml", "All & more"),
        FeedLink("alternate", "https://news.example/section/atom.xml", "application/atom+xml"),
        FeedLink("alternate", "https://cdn.example/f.json", "application/feed+json"),
    )


def test_a_base_element_counts() -> None:
    html = (
        '<head><base href="https://b.example/x/">'
        "<link rel=alternate type=application/rss+xml href=f></head>"
    )
    assert [link.href for link in feed_links(html, URL)] == ["https://b.example/x/f"]


def test_without_declarations_anchors_that_look_like_feeds_count() -> None:
    html = '<a href="/about">x</a><a href="/rss.xml">News</a><a href="/blog/feed/">B</a>'
    assert [(link.href, link.title) for link in feed_links(html, URL)] == [
        ("https://news.example/rss.xml", "News"),
        ("https://news.example/blog/feed/", "B"),
    ]


def test_a_page_instead_of_a_feed_offers_its_feeds() -> None:
    feed = parse_document(PAGE.encode(), url=URL, content_type="text/html")
    assert (feed.format, feed.error_class, len(feed.alternates)) == (None, "html", 3)


def test_a_feed_served_as_html_is_a_feed() -> None:
    body = b"<rss><channel><item><title>&lt;html></title></item></channel></rss>"
    assert parse_document(body, content_type="text/html").format == "rss"


def hrefs(*links: str) -> list[str]:
    head = "".join(f"<link rel=alternate {link}>" for link in links)
    return [link.href.removeprefix("https://news.example") for link in feed_links(head, URL)]


def test_what_is_no_feed_is_not_listed() -> None:
    assert (
        hrefs(
            'type="application/json" href="/wp-json/wp/v2/posts/7" title="JSON"',
            'type="application/json" href="/wp-json/wp/v2/feeds/7"',
            'type="application/json" href="/?rest_route=/wp/v2/pages/7"',
            'type="application/json+oembed" href="/oembed?u=x"',
            'type="text/xml+oembed" href="/wp-json/oembed/1.0/embed?format=xml"',
            'type="application/atomsvc+xml" href="/service"',
            'type="application/activity+json" href="/users/1"',
            'type="application/json" href="/api/page.json"',
            'hreflang="de" href="/feed/"',
            'type="text/html" href="/amp/"',
        )
        == []
    )


def test_odd_media_types_and_addresses_for_programs_are_feeds() -> None:
    odd = [
        "application/rss", "application/atom", "text/rss+xml", "text/atom+xml", "text/rss",
        "application/x-rss+xml", "application/x-atom+xml", "application/xml+rss", "application/rdf",
        "application/feed+json; charset=utf-8", "APPLICATION/RSS+XML", "text/x-rss", "text/xml",
        "application/xml", "application/rss2+xml", "application/rdf+xml",
    ]  # fmt: skip
    assert hrefs(*(f'type="{kind}" href="/{n}"' for n, kind in enumerate(odd))) == [
        f"/{n}" for n in range(len(odd))
    ]
    assert hrefs('type="application/json" href="/feed.json"') == ["/feed.json"]
    assert hrefs('type="application/json" href="/x" title="JSON Feed"') == ["/x"]
    assert hrefs('href="/index.xml"', 'href="feed:https://news.example/f"') == ["/index.xml", "/f"]
    assert hrefs('type="application/rss+xml" href="feed://news.example/f"') == [
        "http://news.example/f"
    ]
    page = '<a href="itpc://news.example/pod">P</a><a href="feed:https://news.example/b">B</a>'
    assert [link.href for link in feed_links(page, URL)] == [
        "http://news.example/pod",
        "https://news.example/b",
    ]


def test_a_link_behind_a_megabyte_of_scripts_is_found_and_one_in_a_script_is_not() -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="{}">'
    script = "<script>var a = '<b><i><div>" + link.format("/no") + "';</script>"
    page = (
        "<html><head><title>x</title>"
        + script * 10_000
        + "<!-- <script> "
        + link.format("/no")
        + " -->"
        + link.format("/yes")
        + "</head></html>"
    )
    assert [link.href for link in feed_links(page, URL)] == ["https://news.example/yes"]

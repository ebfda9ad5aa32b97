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

"""What a page of a view looks like in each format."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.model.feed import Enclosure
from aggregator.model.item import FeedPage, RelatedRef
from aggregator.publish.atom import render_atom
from aggregator.publish.formats import FORMATS
from aggregator.publish.jsonfeed import render_json
from aggregator.publish.rss import render_rss
from tests.publish.rules import NS, assert_valid_atom, assert_valid_json, assert_valid_rss
from tests.publish.samples import BASE, HOSTILE, NOON, full_item, item, page, source
from tests.trees import attributes, element, strings

VALID: dict[str, Callable[[bytes], object]] = {
    "atom": assert_valid_atom,
    "rss": assert_valid_rss,
    "json": assert_valid_json,
}
XML = {"atom": assert_valid_atom, "rss": assert_valid_rss}


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    "shown",
    [
        page(),
        page(full_item(1), item(2)),
        page(full_item(1), archive=True, description=None, older={}),
        replace(page(), items=()),
    ],
    ids=["plain", "full", "archive", "empty"],
)
def test_every_document_obeys_the_rules_of_its_format(fmt: str, shown: FeedPage) -> None:
    VALID[fmt](FORMATS[fmt].render(shown))


@pytest.mark.parametrize("fmt", FORMATS)
def test_the_same_page_gives_the_same_bytes(fmt: str) -> None:
    assert FORMATS[fmt].render(page(full_item())) == FORMATS[fmt].render(page(full_item()))


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda t: repr(t[:12]))
def test_a_hostile_title_leaves_the_document_valid(fmt: str, hostile: str) -> None:
    shown = page(
        item(1, title=hostile, author=hostile, categories=(hostile,), text=hostile, html=hostile),
        view_title=hostile,
        description=hostile,
    )
    if fmt == "rss" and not hostile.strip():
        shown = replace(shown, view_title="A view has a name", description=None)
    VALID[fmt](FORMATS[fmt].render(shown))


_ANY_TEXT = st.text(st.characters(), max_size=60)


@settings(max_examples=60)
@given(_ANY_TEXT, _ANY_TEXT, _ANY_TEXT)
def test_any_text_anywhere_leaves_every_format_valid_and_agreeing(
    title: str, url: str, body: str
) -> None:
    shown = page(
        item(
            1,
            title=title,
            link=f"https://a.example/{url}",
            html=body,
            summary=body,
            author=title,
            categories=(title, body),
            language=url,
            image=f"https://a.example/{url}",
            enclosures=(Enclosure(f"https://a.example/{url}", body, None),),
            related=(RelatedRef(f"https://a.example/{url}", body, title),),
            source=source(title=title),
        )
    )
    atom = assert_valid_atom(render_atom(shown))
    rss = assert_valid_rss(render_rss(shown))
    feed = assert_valid_json(render_json(shown))
    shown_title = feed["items"][0]["title"]
    assert (atom.findtext("a:entry/a:title", namespaces=NS) or "") == shown_title
    assert (rss.findtext("channel/item/title") or "") == shown_title


def _moment(parsed: time.struct_time) -> datetime:
    return datetime.fromtimestamp(timegm(parsed), UTC)


@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_an_independent_reader_reads_back_titles_ids_links_and_dates(fmt: str) -> None:
    items = (full_item(1), item(2, title="Tea & <scones>"), item(3, title="渡轮恢复运行"))
    read = feedparser.parse(FORMATS[fmt].render(page(*items)))
    assert not read.bozo
    assert read.feed.title == "Everything"
    assert [e.id for e in read.entries] == [i.public_id for i in items]
    assert [e.link for e in read.entries] == [i.link for i in items]
    assert read.entries[2].title == "渡轮恢复运行"
    assert [e.author for e in read.entries] == ["Ada Boatwright"] * 3
    for entry, sent in zip(read.entries, items, strict=True):
        assert _moment(entry.published_parsed) == sent.published
        assert _moment(entry.updated_parsed) == sent.updated
    assert read.entries[1].content[0].value == items[1].html
    assert next(e.href for e in read.entries[0].enclosures) == "https://harbour.example/a.mp3"


def test_times_are_written_in_utc_whatever_zone_they_come_in() -> None:
    there = timezone(timedelta(hours=8))
    shown = page(item(1, published=NOON.astimezone(there), updated=NOON.astimezone(there)))
    assert b"<published>2026-03-01T12:00:00Z</published>" in render_atom(shown)
    assert b"<pubDate>Sun, 01 Mar 2026 12:00:00 GMT</pubDate>" in render_rss(shown)
    assert b'"date_published":"2026-03-01T12:00:00Z"' in render_json(shown)


def _links(element: etree._Element, rel: str) -> list[tuple[str | None, str | None]]:
    return [
        (e.get("href"), e.get("title"))
        for e in element.findall("a:link", NS)
        if e.get("rel") == rel
    ]


@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_xml_carries_related_copies_and_provenance_as_atom_links(fmt: str) -> None:
    tree = XML[fmt](FORMATS[fmt].render(page(full_item())))
    entry = element(tree, "a:entry" if fmt == "atom" else "channel/item", NS)
    assert _links(entry, "related") == [
        ("https://elsewhere.example/about-ferries", None),
        ("https://harbour.example/0", "Storm stops ferries"),
        ("https://harbour.example/00", None),
    ]
    assert _links(entry, "via") == [
        ("https://gull.example/x", "Also in Gull Daily"),
        ("https://harbour.example/the-article-that-listed-it", None),
    ]
    contributors = "a:contributor/a:name/text()" if fmt == "atom" else "dc:contributor/text()"
    named = strings(entry, contributors, NS)
    assert named == ["Gull Daily", "Agency Wire"]
    assert strings(entry, "media:thumbnail/@url", NS) == ["https://harbour.example/ferry.jpg"]


def test_json_carries_related_copies_and_provenance_in_the_extension_object() -> None:
    feed = assert_valid_json(render_json(page(full_item())))
    assert feed["_aggregator"]["about"] == f"{BASE}/about"
    (shown,) = feed["items"]
    assert shown["external_url"] == "https://elsewhere.example/about-ferries"
    assert shown["tags"] == ["Transport", "Sea"]
    assert shown["attachments"] == [
        {
            "url": "https://harbour.example/a.mp3",
            "mime_type": "audio/mpeg",
            "size_in_bytes": 1234,
        },
        {"url": "https://harbour.example/b.pdf", "mime_type": "application/pdf"},
    ]
    assert shown["_aggregator"] == {
        "story": {"id": 7},
        "about": f"{BASE}/about",
        "source": {
            "title": "The Harbour Post",
            "url": "https://harbour.example/",
            "feed_url": "https://harbour.example/feed.xml",
        },
        "related": [
            {
                "url": "https://harbour.example/0",
                "title": "Storm stops ferries",
                "heading": "Related News",
                "state": "known",
            },
            {"url": "https://harbour.example/00", "state": "refused"},
        ],
        "also_in": [
            {
                "source": "Gull Daily",
                "url": "https://gull.example/x",
                "title": "Ferry back",
                "published": "2026-03-01T12:00:00Z",
            },
            {"source": "Agency Wire"},
        ],
        "via": "https://harbour.example/the-article-that-listed-it",
        "comments": "https://harbour.example/1/comments",
        "revision": 2,
        "withdrawn": True,
        "paywalled": True,
    }


def test_an_atom_entry_names_its_source_with_id_title_link_and_pinned_update() -> None:
    tree = assert_valid_atom(render_atom(page(item())))
    origin = element(tree, "a:entry/a:source", NS)
    assert origin.findtext("a:id", namespaces=NS) == "tag:harbour.example,2020:feed"
    assert origin.findtext("a:title", namespaces=NS) == "The Harbour Post"
    assert origin.findtext("a:updated", namespaces=NS) == "2026-03-01T12:00:00Z"
    assert _links(origin, "alternate") == [("https://harbour.example/", None)]
    assert _links(origin, "self") == [("https://harbour.example/feed.xml", None)]


def test_rss_names_the_source_feed_and_stays_silent_about_a_secret_one() -> None:
    shown = page(item(1), item(2, source=source(feed_url=None)))
    first, second = assert_valid_rss(render_rss(shown)).findall("channel/item")
    assert element(first, "source").get("url") == "https://harbour.example/feed.xml"
    assert second.find("source") is None
    assert second.findtext("dc:source", namespaces=NS) == "The Harbour Post"
    assert b"feed.xml" not in render_atom(page(item(2, source=source(feed_url=None))))


def test_rss_sends_one_enclosure_and_links_the_others() -> None:
    (shown,) = assert_valid_rss(render_rss(page(full_item()))).findall("channel/item")
    (enclosure,) = shown.findall("enclosure")
    assert attributes(enclosure) == {
        "url": "https://harbour.example/a.mp3",
        "length": "1234",
        "type": "audio/mpeg",
    }
    assert _links(shown, "enclosure") == [("https://harbour.example/b.pdf", None)]


def test_rss_describes_with_the_summary_or_an_escaped_excerpt() -> None:
    long = "a < b " * 200
    shown = page(item(1, summary="<p>Short</p>"), item(2, text=long))
    first, second = assert_valid_rss(render_rss(shown)).findall("channel/item")
    assert first.findtext("description") == "<p>Short</p>"
    excerpt = second.findtext("description") or ""
    assert excerpt.startswith("a &lt; b a &lt; b")
    assert excerpt.endswith("…")
    assert second.findtext("content:encoded", namespaces=NS) == item(2).html


@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_a_page_links_to_itself_its_other_formats_and_the_older_page(fmt: str) -> None:
    tree = XML[fmt](FORMATS[fmt].render(page()))
    holder = tree if fmt == "atom" else element(tree, "channel")
    assert _links(holder, "self") == [(f"{BASE}/feeds/all.{fmt}", None)]
    older = [(f"{BASE}/feeds/all.{fmt}?page=xyz", None)]
    assert _links(holder, "next") == _links(holder, "prev-archive") == older
    assert _links(holder, "current") == []
    assert holder.find("fh:archive", NS) is None
    others = {f"{BASE}/feeds/all.{o}" for o in FORMATS if o != fmt} | {f"{BASE}/views/all"}
    assert {href for href, _ in _links(holder, "alternate")} == others


@pytest.mark.parametrize("fmt", ["atom", "rss"])
def test_an_older_page_says_that_it_is_an_archive_and_leads_back(fmt: str) -> None:
    tree = XML[fmt](FORMATS[fmt].render(page(archive=True)))
    holder = tree if fmt == "atom" else element(tree, "channel")
    current = [(f"{BASE}/feeds/all.{fmt}", None)]
    assert _links(holder, "current") == _links(holder, "first") == current
    assert holder.find("fh:archive", NS) is not None


def test_json_pages_by_next_url() -> None:
    assert assert_valid_json(render_json(page()))["next_url"] == f"{BASE}/feeds/all.json?page=xyz"
    assert "next_url" not in assert_valid_json(render_json(page(older={})))


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//a.example", "x y"])
def test_only_web_addresses_become_links(fmt: str, url: str) -> None:
    shown = item(
        1,
        link=url,
        comments=url,
        image=url,
        external_url=url,
        via=url,
        enclosures=(Enclosure(url),),
        related=(RelatedRef(url, "t"),),
        source=source(link=url, feed_url=url),
    )
    document = FORMATS[fmt].render(page(shown))
    VALID[fmt](document)
    assert url.encode() not in document


def test_an_entry_has_content_when_it_has_no_link() -> None:
    bare = item(1, link=None, html=None, text=None, summary=None)
    (entry,) = assert_valid_atom(render_atom(page(bare))).findall("a:entry", NS)
    assert entry.find("a:content", NS) is not None


def test_the_language_is_named_where_it_is_known() -> None:
    shown = page(item(1, language="zh_CN"), item(2, language="no language"))
    first, second = assert_valid_atom(render_atom(shown)).findall("a:entry", NS)
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    assert first.get(lang) == "zh-CN"
    assert second.get(lang) is None
    assert assert_valid_json(render_json(shown))["items"][0]["language"] == "zh-CN"


def test_a_withdrawn_item_is_marked() -> None:
    tree = assert_valid_atom(render_atom(page(full_item())))
    assert strings(tree, "a:entry/a:category[@term='withdrawn']/@label", NS)
    assert "withdrawn" in strings(
        assert_valid_rss(render_rss(page(full_item()))), "channel/item/category/text()"
    )

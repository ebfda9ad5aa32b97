"""Documents made to hurt: bounded in time and memory, nothing raised, the rest still read."""

from __future__ import annotations

import asyncio
import resource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.feeds.parse import parse_document
from aggregator.feeds.prepare import prepare_body
from aggregator.isolate import WorkerPool
from aggregator.markup.text import clean
from aggregator.model.feed import ParsedFeed
from tests.patience import PATIENCE

from .hostile import DOCUMENTS

URL = "https://news.example/feed"
CPU_SECONDS = 20  # of a process that reads one document: those of a busy machine count as any


def read_and_prepare(name: str) -> tuple[ParsedFeed, int, int]:
    """In a worker: the feed, the bytes of its prepared bodies, and the peak of memory in MB.

    The process is killed when it has used the CPU seconds that a document may take.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    feed = parse_document(DOCUMENTS[name](), url=URL)
    size = sum(len(prepare_body(entry).html.encode()) for entry in feed.entries)
    return feed, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@pytest.fixture(scope="module")
def read(one_lane: None) -> dict[str, tuple[ParsedFeed, int, int]]:
    """Every hostile document, read in one pool with the limits of the service, a process each."""

    async def whole() -> dict[str, tuple[ParsedFeed, int, int]]:
        async with WorkerPool(
            1, idle=60, max_tasks=1, preload=["aggregator.feeds.prepare"]
        ) as pool:
            return {
                name: await pool.run(read_and_prepare, name, timeout=PATIENCE) for name in DOCUMENTS
            }

    return asyncio.run(whole())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_is_read_within_its_limits(
    name: str, read: dict[str, tuple[ParsedFeed, int, int]]
) -> None:
    feed, _, megabytes = read[name]
    assert megabytes < 300
    assert len(feed.entries) <= DEFAULT_LIMITS.entries
    for entry in feed.entries[:200]:
        assert len((entry.title or "").encode()) <= DEFAULT_LIMITS.title
        assert len((entry.author or "").encode()) <= DEFAULT_LIMITS.author
        assert len((entry.content or entry.summary or "").encode()) <= DEFAULT_LIMITS.body
        assert len(entry.categories) <= DEFAULT_LIMITS.many
        for text in (entry.id, entry.title, entry.summary, entry.content, entry.author):
            assert clean(text or "") == (text or "")


@pytest.mark.parametrize(
    "name",
    [
        "attributes_on_one_item",
        "attributes_malformed",
        "entity_bomb",
        "quadratic_entity",
        "external_entity",
        "surrogate_reference",
        "depth",
        "balanced_depth",
        "depth_inside_description",
        "json_number",
        "script_after_the_root",
    ],
)
def test_the_honest_entry_beside_the_hostile_one_is_kept(
    name: str, read: dict[str, tuple[ParsedFeed, int, int]]
) -> None:
    assert "kept" in [entry.title for entry in read[name][0].entries]


@pytest.mark.parametrize(
    ("name", "error_class"),
    [
        ("over_the_limit", "limit"),
        ("depth", "limit"),
        ("empty", "empty"),
        ("zeros", "empty"),
        ("html_depth", "html"),
        ("json_depth", "malformed"),
        ("unfinished_doctype", "not_a_feed"),
    ],
)
def test_why_reading_stopped_is_said(
    name: str, error_class: str, read: dict[str, tuple[ParsedFeed, int, int]]
) -> None:
    assert read[name][0].error_class == error_class
    assert read[name][0].error


def test_entries_beyond_the_cap_are_counted(
    read: dict[str, tuple[ParsedFeed, int, int]],
) -> None:
    feed = read["two_hundred_thousand_items"][0]
    assert (len(feed.entries), feed.dropped) == (5_000, 195_000)


def test_entities_bring_in_no_file_and_no_bomb(
    read: dict[str, tuple[ParsedFeed, int, int]],
) -> None:
    assert "root:" not in (read["external_entity"][0].entries[0].title or "")
    assert len(read["entity_bomb"][0].entries[0].title or "") < 100


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_raise(body: bytes) -> None:
    parse_document(body, url=URL)


_PIECES = st.sampled_from(
    [
        *("<rss>", "</rss>", "<channel>", "</channel>", "<item>", "</item>", "<feed>", "<entry>"),
        *("</entry>", "<title>", "</title>", "<![CDATA[", "]]>", "<!--", "-->", "&amp;", "&"),
        *("&nbsp;", "&#xD800;", "<", ">", " ", "'", "=", "<link/>", "<guid>", "x", "\x00", "\x01"),
        *("é", "<a:b>", "<?xml ", "?>", "<!DOCTYPE x [", "]>", '{"items":[', "]}", "<div>", "]"),
        *('<content type="xhtml">', ' xmlns="http://www.w3.org/2005/Atom"', "\ud800"),
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_no_soup_of_tags_makes_the_reader_raise(soup: str) -> None:
    feed = parse_document(("<rss>" + soup).encode("utf-8", "surrogatepass"), url=URL)
    for entry in feed.entries:
        prepare_body(entry)

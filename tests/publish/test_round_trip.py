"""What we publish, read back by our own reader, is what we hold: over hostile content."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.feeds.parse import parse_document
from aggregator.feeds.values.fields import name_of, person_of
from aggregator.markup.sanitize import sanitize_html
from aggregator.markup.text import clean, one_line, plain_title, unwrap_cdata
from aggregator.model.feed import Enclosure, ParsedEntry
from aggregator.model.item import ServedItem
from aggregator.publish.formats import FORMATS
from tests.publish.samples import NOON, item, page

# Texts with what XML, HTML, JSON and their readers trip over, and any other character.
PIECES = st.one_of(
    st.sampled_from(
        ["]]>", "<![CDATA[", "&amp;", "&lt;b&gt;", "&nope;", "<b>", "</item>", "<!--", "\u2028",
         "\x00", "\u202e", "\ufffe", "\ud800", "👩‍👧", "é", "e\u0301", '"', "'", "\\u0041", "a b"]
    ),
    st.text(max_size=12),
)  # fmt: skip
WORDS = st.lists(PIECES, max_size=6).map("".join)
# What the reader keeps: one line, out of any CDATA, XML-safe; names without references in them.
LINES = WORDS.map(lambda text: unwrap_cdata(one_line(clean(text))).strip()).filter(
    lambda text: bool(text) and unwrap_cdata(text) == text
)
PEOPLE = LINES.filter(lambda name: person_of(name, DEFAULT_LIMITS) == name)
LABELS = LINES.filter(lambda name: name_of(name, DEFAULT_LIMITS) == name)
MARKUP = st.lists(
    st.one_of(
        WORDS,
        WORDS.map(lambda text: f"<p>{text}</p>"),
        st.just('<img src="https://a.example/i.jpg" alt="a&quot;b"><a href="/x?a=1&amp;b=2">x</a>'),
    ),
    max_size=4,
).map(lambda parts: sanitize_html(clean("".join(parts)), "https://a.example/").strip())
TIMES = st.integers(0, 10**9).map(lambda seconds: NOON - timedelta(seconds=seconds))
FILES = st.lists(
    st.builds(
        Enclosure,
        st.integers(1, 9).map(lambda n: f"https://a.example/{n}.mp3?a=1&b=2"),
        st.just("audio/mpeg"),
        st.integers(1, 10**9),
    ),
    max_size=2,
    unique_by=lambda file: file.url,
).map(tuple)


@st.composite
def held(draw: st.DrawFn) -> ServedItem:
    """An item as it is kept, for a page where each has a number of its own."""
    published = draw(TIMES)
    html = draw(MARKUP)
    return item(
        1,
        title=draw(LINES),
        html=html or "<p>Nothing else.</p>",
        text="text",
        author=draw(PEOPLE),
        published=published,
        updated=published + timedelta(seconds=draw(st.integers(0, 10**6))),
        categories=tuple(draw(st.lists(LABELS, max_size=3, unique=True))),
        enclosures=draw(FILES),
    )


def moment(one: datetime | None) -> datetime | None:
    return one.replace(microsecond=0) if one is not None else None


def told(fmt: str, one: ServedItem) -> dict[str, object]:
    """What the format can say of an item."""
    return {
        "id": one.public_id,
        "link": one.link,
        # RSS does not say whether a title is text or HTML, and readers take it as either.
        "title": (plain_title(one.title) or None) if fmt == "rss" else one.title,
        "published": moment(one.published),
        "updated": moment(one.updated),
        "content": one.html,
        "author": one.author,
        "categories": one.categories,
        "files": [(e.url, e.type, e.length) for e in one.enclosures],
    }


def read(one: ParsedEntry) -> dict[str, object]:
    return {
        "id": one.id,
        "link": one.link,
        "title": one.title,
        "published": moment(one.published),
        "updated": moment(one.updated),
        "content": one.content,
        "author": one.author,
        "categories": one.categories,
        "files": [(e.url, e.type, e.length) for e in one.enclosures],
    }


@settings(max_examples=60)
@given(st.lists(held(), min_size=1, max_size=3))
def test_what_we_publish_reads_back_as_what_we_hold(items: list[ServedItem]) -> None:
    numbered = [
        replace(one, public_id=f"https://h.example/{n}", link=f"https://h.example/{n}")
        for n, one in enumerate(items)
    ]
    for fmt, form in FORMATS.items():
        feed = parse_document(form.render(page(*numbered)), content_type=form.content_type)
        assert feed.error is None
        assert feed.reader == ("json" if fmt == "json" else "strict")
        assert len(feed.entries) == len(numbered)
        for one, kept in zip(feed.entries, numbered, strict=True):
            found = read(one)
            differs = {k: (v, found[k]) for k, v in told(fmt, kept).items() if v != found[k]}
            assert not differs, fmt

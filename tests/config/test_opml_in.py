"""Subscriptions of other readers become sources, and sources become YAML that reads back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from aggregator.config.lists.opml_in import (
    Imported,
    ImportedSource,
    OpmlError,
    imported_yaml,
    opml_to_yaml,
    read_opml,
)
from aggregator.config.lists.write import quote, write_list
from aggregator.config.load import load_settings
from aggregator.model.settings import Secret, SourceSettings
from aggregator.publish.opml import render_opml
from tests.config.conftest import Load

SUBSCRIPTIONS = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- exported -->
<opml version="1.1"><head><title>My feeds</title></head><body>
  <outline text="News">
    <outline text="World, politics">
      <outline type="rss" text="BBC: World" xmlUrl="https://feeds.example.org/world?a=1&amp;b=2"/>
    </outline>
    <outline TITLE="Caf\xe9" text="x" XMLURL="feed://cafe.example/rss" category="/Food/Drink,fun"/>
  </outline>
  <outline text="BBC again" xmlUrl="http://www.feeds.example.org/world?a=1&amp;b=2"/>
  <outline text="Caf&#233;" xmlUrl="https://cafe.example/other"/>
  <outline text="\xc4\xd6" xmlUrl="feed:https://umlaut.example/"/>
  <outline text="Just a note"/>
  <outline text="Script" xmlUrl="javascript:alert(1)"/>
  <outline text="Empty folder"></outline>
</body></opml>"""


def test_folders_and_categories_become_tags_and_titles_become_ids() -> None:
    assert read_opml(SUBSCRIPTIONS).sources == (
        ImportedSource(
            "bbc-world",
            "https://feeds.example.org/world?a=1&b=2",
            "BBC: World",
            ("News", "World politics"),
        ),
        ImportedSource("cafe", "http://cafe.example/rss", "Café", ("News", "Food", "Drink", "fun")),
        ImportedSource("cafe-2", "https://cafe.example/other", "Café"),
        ImportedSource("ao", "https://umlaut.example/", "ÄÖ"),
    )


def test_what_is_left_out_is_said() -> None:
    assert read_opml(SUBSCRIPTIONS).notes == (
        "line 13: “Just a note” has no feed address: left out",
        "line 14: “Script” (javascript:alert(1)) has no http address: left out",
        "line 15: “Empty folder” has no feed address: left out",
        "line 10: http://www.feeds.example.org/world?a=1&b=2 is there more than once: kept once",
    )


def test_the_same_feed_in_two_folders_has_the_tags_of_both() -> None:
    read = read_opml(
        b"<opml><body>"
        b"<outline text='A'><outline text='x' xmlUrl='https://example.org/f'/></outline>"
        b"<outline text='B'><outline text='x' xmlUrl='https://example.org/f'/></outline>"
        b"</body></opml>"
    )
    assert [source.tags for source in read.sources] == [("A", "B")]
    assert read.notes == (
        "line 1: https://example.org/f is there more than once: kept once, with the tags B added",
    )


def test_what_is_configured_already_keeps_its_id_and_is_not_added() -> None:
    read = read_opml(SUBSCRIPTIONS, {"cafe", "ao"}, ["https://feeds.example.org/world?a=1&b=2"])
    assert [source.id for source in read.sources] == ["cafe-2", "cafe-3", "ao-2"]
    assert (
        "line 6: https://feeds.example.org/world?a=1&b=2 is configured already: left out"
        in read.notes
    )
    assert (read.left_out, read.repeated, read.configured) == (3, 0, 2)


def test_a_title_without_latin_letters_gives_the_host_as_id() -> None:
    read = read_opml(
        '<opml><body><outline text="新闻" xmlUrl="https://news.example.cn/x"/></body></opml>'.encode()
    )
    assert read.sources == (ImportedSource("news-example-cn", "https://news.example.cn/x", "新闻"),)


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE o [<!ENTITY a "b">]><opml><body><outline text="&a;"/></body></opml>',
        b'<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body>&x;</body></opml>',
        '<!DOCTYPE o [<!ENTITY a "b">]><opml><body/></opml>'.encode("utf-16"),
        b"<html><body>no</body></html>",
        b"<opml><head/></opml>",
        b"sources: []",
        b"",
        b"\0\0\0",
    ],
)
def test_what_is_no_opml_or_declares_entities_is_refused(data: bytes) -> None:
    with pytest.raises(OpmlError):
        read_opml(data)


def test_ten_thousand_folders_in_one_another_are_survived() -> None:
    deep = b"<opml><body>" + b'<outline text="x">' * 10_000
    assert read_opml(deep).sources == ()


def test_the_yaml_loads(load: Load) -> None:
    text = opml_to_yaml(SUBSCRIPTIONS, {"cafe"})
    assert text.startswith(
        "# 4 subscriptions read, 1 there more than once, 3 left out.\n# line 13: "
    )
    sources = load(text).sources
    assert [(s.id, s.url, s.title, s.tags) for s in sources] == [
        (s.id, s.url, s.title, s.tags) for s in read_opml(SUBSCRIPTIONS, {"cafe"}).sources
    ]
    assert load(opml_to_yaml(b"<opml><body/></opml>")).sources == ()


words = st.text(min_size=1, max_size=30).map(lambda text: " ".join(text.split()))
lines = words.filter(lambda text: text and text.isprintable() and "," not in text)


@given(
    st.lists(
        st.tuples(
            lines,
            st.lists(lines, max_size=3, unique=True),
            st.from_regex(r"[!-~]{0,20}", fullmatch=True),
        ),
        max_size=5,
    )
)
@example([("no", ["null", "1.0", "- x", "a: b", "#c", "~"], "?a=${HOME}&b=$${x}#'\"")])
@example([("2026-01-02", ["yes", "0x1F", "1e3", "é", "=", "<<", "&a", "*a"], "")])
def test_whatever_stands_in_a_source_is_read_as_it_was_written(
    drawn: list[tuple[str, list[str], str]],
) -> None:
    given_sources = tuple(
        ImportedSource(f"s{n}", f"https://host{n}.example/{rest}", title, tuple(tags))
        for n, (title, tags, rest) in enumerate(drawn)
    )
    text = imported_yaml(Imported(given_sources))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        path.write_text(text, encoding="utf-8")
        read = load_settings(path, environ={}).sources
    assert [(s.id, s.url, s.title, s.tags) for s in read] == [
        (s.id, s.url, s.title, s.tags) for s in given_sources
    ]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
@example("\x85\u2028\ufeff\x7f\t\0")
def test_a_quoted_text_is_the_same_text_to_any_yaml_reader(text: str) -> None:
    expected = text.replace("${", "$${")
    assert yaml.safe_load(f"a: {quote(text)}\n") == {"a": expected}
    assert yaml.safe_load(f"[{quote(text)}, x]\n") == [expected, "x"]


def test_a_list_is_written_as_a_person_would() -> None:
    entries: list[dict[str, Any]] = [
        {"id": "a", "url": "https://example.org/f?x=1&y=2", "title": "A: b", "tags": ["x", "no"]},
        {"id": "b", "url": "https://example.org/g", "title": None, "tags": [], "enabled": False},
    ]
    assert write_list("sources", entries) == (
        "sources:\n"
        "  - id: a\n"
        "    url: https://example.org/f?x=1&y=2\n"
        '    title: "A: b"\n'
        '    tags: [x, "no"]\n'
        "  - id: b\n"
        "    url: https://example.org/g\n"
        "    enabled: no\n"
    )


@given(st.lists(st.tuples(lines, st.lists(lines, max_size=3, unique=True)), max_size=4))
def test_what_is_exported_is_imported_as_it_was(drawn: list[tuple[str, list[str]]]) -> None:
    """In the order of the first tags: sources with the same first tag stand together."""
    sources = [
        SourceSettings(f"s{n}", f"https://host{n}.example/f", title, tuple(tags))
        for n, (title, tags) in enumerate(drawn)
        if not any(tag.startswith("/") or len(tag.encode()) > 60 for tag in tags)
    ]
    read = read_opml(render_opml(sources, "x")).sources
    assert {s.url: (s.title, s.tags) for s in read} == {s.url: (s.title, s.tags) for s in sources}


def test_user_and_password_survive_export_with_secrets_and_import(load: Load) -> None:
    source = SourceSettings(
        "a", "https://example.org/f", auth=(Secret("me@x"), Secret("p:/w")), private=True
    )
    (read,) = load(opml_to_yaml(render_opml([source], "x", with_secrets=True))).sources
    assert (read.url, read.auth, read.private) == (source.url, source.auth, True)

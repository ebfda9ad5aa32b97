"""Bodies made safe and absolute, for new and changed entries."""

from __future__ import annotations

import pickle

from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.feeds.prepare import prepare_body
from aggregator.markup.sanitize import SANITIZER_VERSION
from aggregator.model.feed import ParsedEntry


def entry(**fields: str | None) -> ParsedEntry:
    return ParsedEntry(**{"id": "1", "link": "https://a.example/x/1", "title": "t", **fields})  # type: ignore[arg-type]


def test_the_content_is_the_body_and_the_summary_stands_beside_it() -> None:
    body = prepare_body(
        entry(content='<p onclick="x">long <a href="2">l</a></p>', summary="<b>short</b>")
    )
    assert body.html == (
        '<p>long <a href="https://a.example/x/2" rel="noopener noreferrer nofollow">l</a></p>'
    )
    assert (body.summary, body.text) == ("<b>short</b>", "long l")
    assert body.sanitizer_version == SANITIZER_VERSION


def test_the_summary_is_the_body_where_there_is_no_content() -> None:
    body = prepare_body(entry(summary="<i>only</i>"))
    assert (body.html, body.summary, body.text) == ("<i>only</i>", None, "only")


def test_a_summary_that_equals_the_content_is_not_kept_twice() -> None:
    assert prepare_body(entry(content="<p>x</p>", summary="<p>x")).summary is None


def test_nothing_gives_nothing() -> None:
    body = prepare_body(entry())
    assert (body.html, body.summary, body.text) == ("", None, "")


def test_links_are_resolved_against_the_base_of_the_body() -> None:
    body = prepare_body(entry(content='<img src="i.png">', base="https://b.example/d/"))
    assert 'src="https://b.example/d/i.png"' in body.html


def test_a_body_may_name_its_base_itself() -> None:
    body = prepare_body(
        entry(content='<base target=x href="../e/"><img src="i.png">', base="https://b.example/d/")
    )
    assert 'src="https://b.example/e/i.png"' in body.html


def test_a_body_that_grows_beyond_the_cap_is_cut_and_still_closed() -> None:
    body = prepare_body(entry(content="<p>" + "&" * 90_000 * 5 + "</p>" + "<p>\u00e9</p>" * 80_000))
    assert len(body.html.encode()) <= DEFAULT_LIMITS.body
    assert body.html.count("<p>") == body.html.count("</p>")


def test_what_is_prepared_can_travel_between_processes() -> None:
    body = prepare_body(entry(content="<p>x</p>"))
    assert pickle.loads(pickle.dumps(body)) == body

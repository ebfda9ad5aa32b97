"""Numbers in references, in every tier that may read the document."""

from __future__ import annotations

import json

import pytest

from aggregator.feeds.mending.references import mend_references
from aggregator.feeds.parse import parse_document
from aggregator.feeds.prepare import prepare_body

WRITTEN = "It&#146;s &#x93;late&#x94; &#150; &#55357;&#56832;&#xD83D;&#xde01; again"
MEANT = "It’s “late” – 😀😁 again"
BROKEN = {
    "strict": "",
    "repair": "<x>&</x>",
    "feedparser": "<b>",
    "salvage": "<a>" * 400 + "</a>" * 400,
}


def rss(title: str, broken: str) -> bytes:
    return (
        f"<rss><channel><title>t</title><item><guid>1</guid><title>{title}</title></item>"
        f"<item><guid>2</guid>{broken}</item></channel></rss>"
    ).encode()


@pytest.mark.parametrize("tier", BROKEN)
@pytest.mark.parametrize(
    "title",
    [WRITTEN, f"<![CDATA[{WRITTEN}]]>", WRITTEN.replace("&", "&amp;")],
    ids=["plain", "cdata", "escaped"],
)
def test_numbers_mean_what_html_reads_in_them(tier: str, title: str) -> None:
    feed = parse_document(rss(title, BROKEN[tier]))
    assert feed.reader == tier
    assert feed.entries[0].title == MEANT


@pytest.mark.parametrize("kind", ["text", "html", None])
def test_in_atom_too(kind: str | None) -> None:
    declared = f' type="{kind}"' if kind else ""
    feed = parse_document(
        f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title{declared}>{WRITTEN}'
        f"</title><author><name>{WRITTEN}</name></author></entry></feed>".encode()
    )
    assert (feed.entries[0].title, feed.entries[0].author) == (MEANT, MEANT)


def test_in_bodies_too() -> None:
    for body in (WRITTEN, WRITTEN.replace("&", "&amp;"), f"<![CDATA[{WRITTEN}]]>"):
        feed = parse_document(
            f"<rss><channel><item><description>{body}</description></item></channel></rss>".encode()
        )
        assert prepare_body(feed.entries[0]).html == MEANT
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": "1", "content_html": WRITTEN}],
    }
    assert prepare_body(parse_document(json.dumps(document).encode()).entries[0]).html == MEANT


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("a&#146 b", "a’ b"),
        ("a&#99999999999;b", "ab"),
        ("a&#xD83D;b", "ab"),
        ("a&#56832;&#55357;b", "ab"),
        ("a&#0;b", "ab"),
        ("a&#129;b", "ab"),
    ],
)
def test_a_number_without_its_end_is_read_and_an_impossible_one_goes(
    written: str, title: str
) -> None:
    assert parse_document(rss(written, "<x>&</x>")).entries[0].title == title


def test_what_is_no_half_and_no_number_stays() -> None:
    for text in ("&#55357;", "&#57344;&#55296;", "&#5;&#50;", "&#8217;", "&#160;", "#55357;"):
        assert mend_references(text, is_xml=True) == text
    cdata = "<![CDATA[&#146;]]>&#146;"
    assert mend_references(cdata, is_xml=True) == "<![CDATA[&#146;]]>’"
    assert mend_references(cdata, is_xml=False) == cdata


def test_text_encoded_twice_is_mended_when_its_bytes_were_taken_for_windows_1252_too() -> None:
    for text in ("It’s late – again", "Größe in München"):
        for encoding in ("cp1252", "latin-1"):
            twice = text.encode().decode(encoding)
            assert parse_document(rss(twice, "")).entries[0].title == text
    assert parse_document(rss("â€œlateâ€\x9d", "")).entries[0].title == "“late”"
    assert parse_document(rss("&#226;&#128;&#153;", "")).entries[0].title == "’"
    assert (
        parse_document(rss("Ãœber Â© allem – “â”", "")).entries[0].title == "Ãœber Â© allem – “â”"
    )

"""Documents that are not well-formed, and how much of them is read all the same."""

from __future__ import annotations

import pytest

from aggregator.feeds.mending.repair import drop_doctype
from aggregator.feeds.parse import parse_document
from aggregator.model.feed import ParsedFeed

URL = "https://news.example/feed.xml"
GOOD = "<item><guid>1</guid><title>one</title></item><item><guid>2</guid><title>two</title></item>"


def read(text: str) -> ParsedFeed:
    return parse_document(text.encode(), url=URL)


def rss(items: str) -> str:
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
    )


@pytest.mark.parametrize(
    ("document", "titles"),
    [
        ("\n\n  " + rss(GOOD), ["one", "two"]),
        ("Warning: mysql in line 3<br />\n" + rss(GOOD), ["one", "two"]),
        (rss(GOOD) + "<script>alert(1)</script>", ["one", "two"]),
        (rss(GOOD) + "\n<!-- cached -->trailing & words", ["one", "two"]),
        (rss("<item><title>caf&eacute; &copy; &nbsp;x</title></item>"), ["café © x"]),
        (rss("<item><title>a &unknown; b</title></item>"), ["a &unknown; b"]),
        (rss("<item><title>Q&A & more</title></item>"), ["Q&A & more"]),
        (rss("<item><title>a < b</title></item>"), ["a < b"]),
        (rss("<item><title>a\x08b\x00c</title></item>"), ["abc"]),
        (rss("<item><title>a&#x1;b&#xD800;c&#146;d</title></item>"), ["abc’d"]),
        (rss("<item><title><![CDATA[Q&A &eacute;]]></title><x>&</x></item>"), ["Q&A é"]),
        (rss("<item><dc:title>t</dc:title></item>"), ["t"]),
        (rss("<item><title>t</title><zzz:x>y</zzz:x></item>"), ["t"]),
        (rss("<!-- a -- b --><item><title>t</title></item>"), ["t"]),
        ("<!DOCTYPE rss SYSTEM 'x.dtd'>" + rss(GOOD).partition("?>")[2], ["one", "two"]),
        (
            '<!DOCTYPE rss [<!ENTITY co "A &#38; B Ltd"> <!ENTITY sp "&#160;">]>'
            "<rss><channel><item><title>&co;&sp;!</title></item></channel></rss>",
            ["A & B Ltd !"],
        ),
    ],
)
def test_the_usual_faults_are_mended(document: str, titles: list[str]) -> None:
    feed = read(document)
    assert [entry.title for entry in feed.entries] == titles
    assert feed.error is None
    assert feed.reader in ("strict", "repair")


def test_a_document_cut_off_keeps_its_whole_entries_and_says_so() -> None:
    feed = read(rss(GOOD + "<item><title>thr")[:-22])
    assert [entry.title for entry in feed.entries][:2] == ["one", "two"]
    assert (feed.reader, feed.error_class) == ("repair", "malformed")


def test_mismatched_tags_are_left_to_feedparser() -> None:
    feed = read(rss("<item><title>one</title><b>bold</item><item><title>two</title></item>"))
    assert feed.reader == "feedparser"
    assert "one" in [entry.title for entry in feed.entries]
    assert feed.error is None


def test_one_entry_too_deep_costs_no_other() -> None:
    deep = "<item><title>deep</title>" + "<a>" * 500 + "</a>" * 500 + "</item>"
    feed = read(rss(GOOD + deep + "<item><title>three</title></item>"))
    assert [entry.title for entry in feed.entries] == ["one", "two", "three"]
    assert (feed.reader, feed.error_class, feed.dropped) == ("salvage", "limit", 1)
    assert feed.title == "t"


def test_salvage_works_for_atom_and_rdf_as_well() -> None:
    deep = "<x>" * 500 + "</x>" * 500
    atom = read(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>f</title><entry><id>1</id></entry>'
        f"<entry><id>2</id>{deep}</entry></feed>"
    )
    rdf = read(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/"><channel><title>c</title></channel>'
        f"<item><title>a</title></item><item>{deep}</item></rdf:RDF>"
    )
    assert (atom.title, [e.id for e in atom.entries]) == ("f", ["1"])
    assert (rdf.title, [e.title for e in rdf.entries]) == ("c", ["a"])


def test_a_document_type_goes_with_its_internal_subset() -> None:
    found = drop_doctype('<!DOCTYPE r [<!ENTITY a "b"><!ENTITY % p "q"><!ENTITY c "&a;">]><r/>')
    assert found.text == "<r/>"
    assert found.entities == {"a": "b"}

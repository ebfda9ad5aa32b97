"""Documents damaged or cut off on their way: what is whole is read, and nothing is hidden."""

from __future__ import annotations

import json

import pytest

from aggregator.feeds.mending.sections import close_sections
from aggregator.feeds.parse import parse_document
from aggregator.model.feed import ParsedFeed
from tests.feeds.forms import NAMESPACES, URL

ONE = "<item><title>one</title><link>https://a.example/1</link><guid>1</guid></item>"
TWO = ONE.replace("one", "two").replace("1<", "2<")
THREE = ONE.replace("one", "three").replace("1<", "3<")
START = f'<rss version="2.0" {NAMESPACES}><channel><title>c</title>'
END = "</channel></rss>"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>f</title>'
ENTRY = "<entry><id>1</id><title>one</title></entry>"


def read(text: str) -> ParsedFeed:
    return parse_document(text.encode(), url=URL)


def titles(text: str) -> list[str | None]:
    return [entry.title for entry in read(text).entries]


OPEN = "<![CDATA["


@pytest.mark.parametrize(
    ("items", "summaries"),
    [
        (f"<item><title>one</title><description>{OPEN}<p>a</p></description></item>"
         f"<item><title>two</title><description>{OPEN}b]]></description></item>" + THREE,
         ["<p>a</p>", "b", None]),
        (f"<item><title>one</title><description>{OPEN}<p>a</p></description></item>" + TWO + THREE,
         ["<p>a</p>", None, None]),
        (f"<item><title>{OPEN}one</title></item><item><title>{OPEN}two]]></title></item>" + THREE,
         [None, None, None]),
        (f"<item><title>{OPEN}one</title></item>" + TWO + THREE, [None, None, None]),
        (f"<item><title>one</title><guid>{OPEN}1</guid></item><item><title>two</title>"
         f"<guid>{OPEN}2]]></guid></item>" + THREE, [None, None, None]),
        (f"<item><title>one</title><content:encoded>{OPEN}a</content:encoded></item>"
         f"<item><title>two</title><content:encoded>{OPEN}b</content:encoded></item>" + THREE,
         [None, None, None]),
    ],
)  # fmt: skip
def test_a_section_without_an_end_hides_no_item(items: str, summaries: list[str | None]) -> None:
    feed = read(START + items + END)
    assert [entry.title for entry in feed.entries] == ["one", "two", "three"]
    assert [entry.summary for entry in feed.entries] == summaries
    assert feed.error is None


def test_a_section_without_an_end_hides_no_entry_of_atom() -> None:
    def entry(name: str, end: str) -> str:
        content = f'<content type="html">{OPEN}<p>x</p>{end}</content>'
        return f"<entry><id>{name}</id><title>{name}</title>{content}</entry>"

    document = ATOM + entry("one", "") + entry("two", "]]>") + "</feed>"
    assert titles(document) == ["one", "two"]
    assert read(document).entries[0].content == "<p>x</p>"


@pytest.mark.parametrize(
    "body",
    [
        f"{OPEN}Write <item><title>x</title><description>y</description></item>]]>",
        f"{OPEN}a {OPEN}b]]> c]]>",
        f"{OPEN}a]]]]>{OPEN}>b]]>",
        "&lt;![CDATA[a]]&gt;",
    ],
)
def test_a_section_that_quotes_a_feed_or_its_own_marks_is_left_alone(body: str) -> None:
    document = f"{START}<item><title>one</title><description>{body}</description></item>{TWO}{END}"
    assert titles(document) == ["one", "two"]
    assert close_sections(document) is document


def test_closing_sections_costs_no_more_than_the_length() -> None:
    for piece in (OPEN, f"<a>{OPEN}", f"<a>{OPEN}</a>", f"<a>{OPEN}]]></a>{OPEN}", f"{OPEN}</b>"):
        close_sections(piece * 50_000)


@pytest.mark.parametrize(
    "item",
    [
        "<item><title><![cdata[one]]></title></item>",
        "<item><title><![ CDATA [one]]></title></item>",
        "<item><title>one]]></title></item>",
        "<item><title>one</title><author>Ida <ida@a.example></author></item>",
        "<item><title>one</title><description>at <https://a.example/x></description></item>",
        "<item><title>one</title><thumbs><1536x1536>https://a.example/x</1536x1536></thumbs></item>",
        '<item><title>one</title><media:content url="https://a.example/1.jpg"></item>',
        '<item><title>one</title><enclosure url="https://a.example/a.mp3" length/></item>',
        "<item><title>one</title><guid isPermaLink=false>1</guid></item>",
        "<item><title>one</Title></item>",
        "<item><title>one</title><description>a<br>b<p>c</description></item>",
        "<item><title>one</title></item><?php echo 1; ?><!-- a -- b -->",
    ],
)
def test_damage_within_an_item_costs_no_other(item: str) -> None:
    feed = read(START + item + TWO + END)
    assert [entry.title for entry in feed.entries] == ["one", "two"]
    assert feed.error is None


def test_an_empty_namespace_is_taken_for_none() -> None:
    item = "<item><title>one</title><dc:creator>Ida</dc:creator></item>"
    document = f'<rss version="2.0" xmlns:dc=""><channel>{item}{TWO}{END}'
    assert [entry.author for entry in read(document).entries] == ["Ida", None]


def test_an_author_with_mail_in_angle_brackets_is_a_name() -> None:
    item = "<item><title>one</title><author>Ida Berg <ida@a.example></author></item>"
    assert read(START + item + END).entries[0].author == "Ida Berg"


CUT = {
    "after the headline": ("<title>two</title>", None, None),
    "within a tag": ("<title>two</title><link>https://a.example/2</link><descr", None, "2"),
    "within an address": ("<title>two</title><guid>2</guid><link>https://a.exa", "2", None),
    "within an id": ("<title>two</title><link>https://a.example/2</link><guid>tag:a", None, "2"),
    "within the text": ("<guid>2</guid><title>two</title><description>Some wo", "2", None),
    "within a section": (f"<guid>2</guid><title>two</title><description>{OPEN}Some", "2", None),
    "within a group": ("<title>two</title><media:group><media:title>t</media:title>", None, None),
    "within its end": ("<title>two</title><guid>2</guid></ite", "2", None),
}


@pytest.mark.parametrize(("inside", "identity", "link"), CUT.values(), ids=CUT)
def test_of_an_item_that_was_cut_off_everything_is_read_that_is_whole(
    inside: str, identity: str | None, link: str | None
) -> None:
    feed = read(f"{START}{ONE}<item>{inside}")
    assert [entry.title for entry in feed.entries] == ["one", "two"]
    assert [entry.cut_off for entry in feed.entries] == [False, True]
    last = feed.entries[-1]
    assert (last.id, last.link) == (identity, f"https://a.example/{link}" if link else None)
    assert (last.summary, last.enclosures) == (None, ())
    assert feed.error_class == "malformed"
    assert "cut off within its last entry" in (feed.error or "")
    assert feed.title == "c"


@pytest.mark.parametrize("inside", ["", "<title>tw", "<guid>2</guid>", "<guid>2</guid><title>t"])
def test_an_item_that_was_cut_off_before_any_words_is_left_out(inside: str) -> None:
    feed = read(f"{START}{ONE}<item>{inside}")
    assert [entry.title for entry in feed.entries] == ["one"]
    assert (feed.error_class, feed.entries[0].cut_off) == ("malformed", False)


def test_a_document_cut_off_between_its_items_has_only_whole_ones() -> None:
    for end in ("", "<", "<ite", "</channel>", "\n  "):
        feed = read(f"{START}{ONE}{TWO}{end}")
        assert [(entry.title, entry.cut_off) for entry in feed.entries] == [
            ("one", False), ("two", False),
        ]  # fmt: skip
        assert "cut off" in (feed.error or "")


def test_entries_of_other_formats_are_read_as_far_as_they_are_whole() -> None:
    atom = read(
        f'{ATOM}{ENTRY}<entry><id>2</id><title>two</title><link href="/2"/><content>x &amp;'
    )
    assert [(e.id, e.title, e.link) for e in atom.entries] == [
        ("1", "one", None), ("2", "two", "https://news.example/2"),
    ]  # fmt: skip
    rdf = read(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/"><channel><title>c</title></channel>'
        '<item rdf:about="urn:1"><title>one</title></item>'
        '<item rdf:about="urn:2"><title>two</title><link>https'
    )
    assert [(e.id, e.title) for e in rdf.entries] == [("urn:1", "one"), ("urn:2", "two")]


def test_a_json_feed_that_was_cut_off_keeps_its_whole_items() -> None:
    items = [{"id": str(n), "title": f"t{n}", "content_text": "[{,"} for n in (1, 2, 3)]
    whole = json.dumps({"version": "https://jsonfeed.org/version/1", "title": "J", "items": items})
    start = whole.index('{"id": "2"')
    for cut in range(start, len(whole) - 1):
        feed = read(whole[:cut])
        complete = whole[:cut].count("}")
        assert [entry.id for entry in feed.entries] == ["1", "2", "3"][:complete]
        assert (feed.title, feed.error_class) == ("J", "malformed")
    assert read(whole[: whole.index("items")]).error_class == "malformed"


def test_json_that_is_wrapped_for_a_script_is_read() -> None:
    text = json.dumps(
        {"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "t"}]}
    )
    for document in (f"callback({text});", f"a.b$c( {text} )", f")]}}'\n{text}", f")]}}',{text}"):
        assert titles(document) == ["t"]

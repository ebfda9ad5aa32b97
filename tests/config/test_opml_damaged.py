"""Damaged lists: every subscription is read as it was meant, or named with its line."""

# ruff: noqa: E501 - lines of OPML

from __future__ import annotations

import html
import random
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from aggregator.config.lists.opml_in import (
    MAX_NOTES,
    Imported,
    ImportedSource,
    OpmlError,
    imported_yaml,
    read_opml,
)
from aggregator.config.lists.outlines import MAX_OUTLINES, read_outlines
from aggregator.config.load import load_settings
from tests.config.conftest import Load

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="1.0"><head/><body>\n'
END = "</body></opml>\n"


def only(outlines: str) -> ImportedSource:
    """The one subscription of a list of these outlines."""
    (source,) = read_opml(f"{HEAD}{outlines}{END}".encode()).sources
    return source


def read(outlines: str) -> Imported:
    return read_opml(f"{HEAD}{outlines}{END}".encode())


@pytest.mark.parametrize(
    ("attributes", "url", "title"),
    [
        ('text="A & B" xmlUrl="https://a.example/f?a=1&b=2"', "https://a.example/f?a=1&b=2", "A & B"),
        ('text="A" xmlUrl="https://a.example/?x=1&copy=2&lt=3&reg=4"', "https://a.example/?x=1&copy=2&lt=3&reg=4", "A"),
        ('text="R&eacute;sum&eacute; &bogus;" xmlUrl="https://a.example/f"', "https://a.example/f", "Résumé &bogus;"),
        ('text="The "Best" of" xmlUrl="https://a.example/f"', "https://a.example/f", 'The "Best" of'),
        ('description="say "x", <a href="https://x.example/?a=1" title="y">z</a>" title="T" xmlUrl="https://a.example/f"', "https://a.example/f", "T"),
        ('text="NYT > Food" description="<p>unclosed" xmlUrl="https://a.example/f"', "https://a.example/f", "NYT > Food"),
        ("text='Joe's blog' xmlUrl='https://a.example/f'", "https://a.example/f", "Joe's blog"),
        ("text=\"it\" xmlUrl=\"https://a.example/it's\" title=\"x\"y\"", "https://a.example/it's", 'x"y'),
        ('text="Ding\x07Dong" xmlUrl="https://a.example/f"', "https://a.example/f", "DingDong"),
        ('text="a" text="b" xmlUrl="https://a.example/f" xmlUrl="https://a.example/f"', "https://a.example/f", "a"),
        ("text=News xmlUrl=https://a.example/f?a=b", "https://a.example/f?a=b", "News"),
        ("text=“News” xmlUrl=“https://a.example/f”", "https://a.example/f", "News"),
        ('text="a"xmlUrl="https://a.example/f"', "https://a.example/f", "a"),
        ('type="rss" text="a" url="https://a.example/f"', "https://a.example/f", "a"),
        ('type="application/feed+json" text="a" xmlUrl="https://a.example/f"', "https://a.example/f", "a"),
        ('text="a" xmlUrl="https://a.example/f?x=&#x26;&#38;y"', "https://a.example/f?x=&&y", "a"),
        ('text="a" xmlUrl=" \n https://a.example/a b\n"', "https://a.example/a%20b", "a"),
        ('text="a" xmlUrl="itpc://a.example/f"', "http://a.example/f", "a"),
        ('text="a" xmlUrl="pcast:https://a.example/f"', "https://a.example/f", "a"),
        ('text="a" xmlUrl="FEED:HTTPS://a.example/f"', "HTTPS://a.example/f", "a"),
        ('text="a" xmlUrl="feed://https://a.example/f"', "https://a.example/f", "a"),
        ('text="a" xmlUrl="www.a.example/f"', "http://www.a.example/f", "a"),
        ('text="a" xmlUrl="https://a.example/f/http://b.example/g"', "https://a.example/f/http://b.example/g", "a"),
        ('text="Posts on &> /dev/null" xmlUrl="https://a.example/f"', "https://a.example/f", "Posts on &> /dev/null"),
    ],
)  # fmt: skip
def test_a_damaged_outline_is_read_as_it_was_meant(attributes: str, url: str, title: str) -> None:
    source = only(f"<outline {attributes} />")
    assert (source.url, source.title) == (url, title)


@pytest.mark.parametrize(
    ("outline", "said"),
    [
        ('<outline text="a" xmlUrl="https://a.exam\nple/f"/>', "a line break stood in it"),
        ('<outline text="a" xmlUrl="https://a.exam&#x2028;\n ple/f"/>', "a line break stood in it"),
        ('<outline text="a" xmlUrl="https://a.exam\x01ple/f"/>', "a control character stood in it"),
        ('<outline text="a" xmlUrl="https://a.exam&#1;ple/f"/>', "a control character stood in it"),
        ('<outline xmlUrl="https://a.example/f htmlUrl="https://a.example/"/>', "no closing quotation mark"),
        ('<outline text="a" xmlUrl="https://a.example/f/>\n<outline text="b"/>', "no closing quotation mark"),
        ('<outline xmlUrl="https://a.example/f" xmlUrl="https://b.example/f"/>', "several addresses"),
        ('<outline xmlUrl="https://a.example/f?a=1&amp;amp;b=2"/>', "its “&” were escaped twice"),
        ('<outline xmlUrl="https//a.example/f"/>', "its beginning was not that of an address"),
        ('<outline xmlUrl="https:/a.example/f"/>', "its beginning was not that of an address"),
        ('<outline xmlUrl="https:\\\\a.example\\f"/>', "its beginning was not that of an address"),
        ('<outline xmlUrl="http://https://a.example/f"/>', "its beginning was not that of an address"),
    ],
)  # fmt: skip
def test_an_address_that_is_not_as_it_was_written_is_told_with_its_line(
    outline: str, said: str
) -> None:
    (source,) = read("<outline text='x'/>\n" + outline).sources
    assert source.url.startswith("https://a.example/f")
    (note,) = [note for note in read("<outline text='x'/>\n" + outline).notes if said in note]
    assert note.startswith("line 4: ")
    assert source.url in note


@pytest.mark.parametrize(
    "outline",
    [
        '<outline text="Lost" xmlUrl="| my-script"/>',
        '<outline text="Lost" xmlUrl="htps://a.example/f"/>',
        '<outline text="Lost" xmlUrl="https://a.example/\ufffd"/>',
        '<outline text="Lost" xmlUrl="https://a.example:port/"/>',
        '<outline text="Lost" xmlUrl="https://' + "x" * 9000 + '"/>',
        '<outline text="Lost" type="HTML+XPath" xmlUrl="https://a.example/" frss:xPathItem="//p"/>',
        '<outline text="Lost" type="JSON+DotNotation" xmlUrl="https://a.example/data"/>',
        '<outline text="Lost" frss:xPathItem="//p" xmlUrl="https://a.example/"/>',
        '<outline text="Lost" type="include" url="https://a.example/more.opml"/>',
        '<outline text="Lost" type="rss" htmlUrl="https://a.example/"/>',
    ],
)
def test_what_cannot_be_read_or_is_no_feed_is_named_with_its_line(outline: str) -> None:
    seen = read(f'<outline text="a" xmlUrl="https://x.example/f"/>\n\n{outline}\n')
    assert [source.title for source in seen.sources] == ["a"]
    assert (seen.left_out, seen.summary()) == (1, "1 subscription read, 1 left out")
    (note,) = [note for note in seen.notes if "Lost" in note]
    assert note.startswith("line 5: ")
    assert note.endswith("left out")
    assert len(note) < 400


def test_an_address_in_a_note_shows_no_password() -> None:
    seen = read('<outline text="a" xmlUrl="htps://me:s3cret@a.example/?token=abc"/>')
    assert seen.left_out == 1
    assert "s3cret" not in "".join(seen.notes)
    assert "abc" not in "".join(seen.notes)


UMLAUTS = '<opml><body><outline text="Größe" xmlUrl="https://a.example/f"/></body></opml>'


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="utf-8"?>' + UMLAUTS.encode("latin-1"),
        b'<?xml version="1.0" encoding="utf-16"?>' + UMLAUTS.encode(),
        b'<?xml version="1.0" encoding="no-such-thing"?>' + UMLAUTS.encode(),
        b'<?xml version="1.0" encoding="us-ascii"?>' + UMLAUTS.encode(),
        b'<?xml version="1.0" encoding="iso-8859-1"?>' + UMLAUTS.encode("utf-8-sig"),
        UMLAUTS.encode("utf-16"),
        b"\n\n" + UMLAUTS.encode(),
    ],
)
def test_a_wrong_or_impossible_encoding_costs_nothing(data: bytes) -> None:
    assert [(s.url, s.title) for s in read_opml(data).sources] == [("https://a.example/f", "Größe")]


LIST = """<outline text="News"><outline text="A" type="rss" xmlUrl="https://a.example/?a=1&amp;b=2"/>
<outline text="B" type="rss" xmlUrl="https://b.example/f"/></outline>
<outline text="C" type="rss" xmlUrl="https://c.example/f"/>"""
WRAPPED = [
    f"<!DOCTYPE html><html><head><title>x</title></head><body>{HEAD}{LIST}{END}</body></html>",
    f"<html><body><pre>{html.escape(HEAD + LIST + END)}</pre></body></html>",
    # As a browser writes what it took for HTML: no `/>`, every outline in the one before.
    "<html><body><opml><head></head>"
    + HEAD
    + re.sub(r"/>", ">", LIST).replace("xmlUrl", "xmlurl")
    + "</outline></outline></opml></body></html>",
]


@pytest.mark.parametrize("document", WRAPPED)
def test_a_list_in_a_web_page_is_read(document: str) -> None:
    assert [(s.url, s.title) for s in read_opml(document.encode()).sources] == [
        ("https://a.example/?a=1&b=2", "A"),
        ("https://b.example/f", "B"),
        ("https://c.example/f", "C"),
    ]


def test_a_comment_hides_outlines_and_one_without_an_end_does_not() -> None:
    one, two = (f'<outline xmlUrl="https://{name}.example/f"/>' for name in "ab")
    assert [s.url for s in read(f"<!-- {one} -->{two}").sources] == ["https://b.example/f"]
    assert [s.url for s in read(f"<!-- {one} {two}").sources] == [
        "https://a.example/f",
        "https://b.example/f",
    ]


TITLES = (
    *("Plain", "Bread & Butter", "NYT > Food", 'The "Best"', '5" records', "Joe's <b>Blog</b>"),
    *(
        "R&eacute;sum&eacute;",
        "&bogus;",
        "Ding\x07Dong",
        "新闻",
        "a < b",
        "<![CDATA[ x ]]>",
        "<!-- y",
    ),
    *('say "a=b"', 'ends with quote"', '"starts', "tag /> in it", "I <3 it"),
)
TEXTS = (
    *("", "<p>this &amp; that</p>", '<a href="http://x.example/?a=1&b=2" title="foo">link</a>'),
    *('He said "hi" & "bye" to \'all\'', 'line\nbreak & "quote"\n', "<img src='x' alt=\"y\"/>"),
    *("unclosed <p", "see <outline", "5 > 3 & 2 < 4", "xmlUrl"),
)
ADDRESSES = (
    *("https://h{}.example/feed", "https://h{}.example/rss?a=1&b=2", "https://h{}.example/it's"),
    *("http://www.h{}.example/x.xml?lang=en&copy=1&reg=x&para=3", "https://me:p%40@h{}.example/f"),
    *("https://h{}.example/?q=a+b&lt=3&gt=4&sect=5", "https://h{}.example/é;x?y=&#38"),
)


def damaged(chance: random.Random) -> tuple[list[str], str]:
    """Forty subscriptions in four folders whose values were never escaped, and the document."""
    addresses, lines = [], []
    for number in range(40):
        if number % 10 == 0:
            lines.append(f'<outline text="Folder {number}">')
        url, title = chance.choice(ADDRESSES).format(number), chance.choice(TITLES)
        addresses.append(url)
        attributes = [
            f'text="{title} {number}"', f'title="{title} {number}"', 'type="rss"',
            f'description="{chance.choice(TEXTS)}"', f'xmlUrl="{url}"', 'htmlUrl="https://x.example/"',
        ]  # fmt: skip
        chance.shuffle(attributes)
        end = chance.choice(["/>", " />", "></outline>"])
        lines.append(f"<outline {chance.choice([' ', '   ']).join(attributes)}{end}")
        if number % 10 == 9:
            lines.append("</outline>")
    return addresses, "\n".join(lines)


@pytest.mark.parametrize("seed", range(40))
def test_every_subscription_of_a_list_that_escapes_nothing_is_read(seed: int) -> None:
    addresses, outlines = damaged(random.Random(seed))
    assert [source.url for source in read(outlines).sources] == addresses


def test_a_list_cut_off_anywhere_gives_what_stands_before_the_cut_and_names_the_rest() -> None:
    document = HEAD + LIST
    whole = [source.url for source in read_opml(document.encode()).sources]
    for cut in range(len(HEAD), len(document)):
        head = document[:cut]
        seen = read_opml(head.encode())
        complete = len(re.findall(r'xmlUrl="[^"]*"', head))
        assert [source.url for source in seen.sources] == whole[:complete], head[-40:]
        if len(re.findall('<outline text="[ABC]"', head)) > complete:
            assert any("the file ends within" in note for note in seen.notes), head[-40:]


def test_a_character_damaged_anywhere_else_changes_no_address() -> None:
    document = HEAD + LIST + END
    right = {source.url for source in read_opml(document.encode()).sources}
    addresses = [match.span() for match in re.finditer(r'xmlUrl="[^"]*"', document)]
    places = [p for p in range(len(document)) if not any(a <= p < b for a, b in addresses)]
    chance = random.Random(2)
    for _ in range(1000):
        place, character = chance.choice(places), chance.choice("\"'<>&=/ \n\x01;x")
        broken = document[:place] + character + document[place + chance.choice((0, 1)) :]
        try:
            seen = read_opml(broken.encode())
        except OpmlError:
            continue
        read_now = {source.url for source in seen.sources}
        assert read_now <= right, broken
        assert len(right - read_now) <= seen.left_out, broken


NAMES = st.sampled_from(["text", "title", "xmlUrl", "type", "foo", "x:y"])
VALUES = st.text(alphabet="ab<>&\"' \n=/é;#x", max_size=12)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), max_size=4), st.booleans())
def test_what_is_well_formed_is_read_as_an_xml_parser_reads_it(
    drawn: list[dict[str, str]], nested: bool
) -> None:
    root = etree.Element("opml", nsmap={"x": "urn:x"})
    above = etree.SubElement(root, "body")
    for attributes in drawn:
        below = etree.SubElement(above, "outline")
        for name, value in attributes.items():
            below.set(name.replace("x:", "{urn:x}"), value)
        above = below if nested else above
    tags = read_outlines(etree.tostring(root, encoding="unicode")).tags
    lower = [{name.lower(): value for name, value in one.items()} for one in drawn]
    assert [tag.attributes for tag in tags if tag is not None] == lower
    assert not any(tag.mended for tag in tags if tag is not None)
    assert sum(1 for tag in tags if tag and not tag.closed) == tags.count(None)


@given(st.text(max_size=40), st.text(alphabet='<>"= xmlUrloutine&/\n', max_size=80))
def test_whatever_is_imported_loads(address: str, text: str) -> None:
    outlines = f'{text}<outline text="{text}" xmlUrl="https://a.example/{address}"/>'
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.yaml"
        path.write_text(imported_yaml(read(outlines)), encoding="utf-8")
        load_settings(path, environ={})


def test_an_address_with_a_line_separator_does_not_break_the_configuration(load: Load) -> None:
    outlines = "".join(
        f'<outline text="a{mark}b" xmlUrl="https://x.example/{number}{mark}y"/>'
        for number, mark in enumerate(("\u2028", "\u2029", "\x85", "\u00a0", "\u3000", "\x0b"))
    )
    settings = load(imported_yaml(read(outlines)))
    assert [source.url for source in settings.sources] == [
        *(f"https://x.example/{number}y" for number in range(3)),
        *("https://x.example/3%C2%A0y", "https://x.example/4%E3%80%80y", "https://x.example/5y"),
    ]


def test_sixty_thousand_outlines_are_read_and_what_is_said_stays_short() -> None:
    many = "".join(f'<outline text="T" xmlUrl="https://h{n}.example/f"/>' for n in range(60_000))
    seen = read(many)
    assert len({source.id for source in seen.sources}) == 60_000
    folders = "".join(
        f'<outline text="F{n}"><outline text="T" xmlUrl="https://h.example/f"/></outline>'
        for n in range(5_000)
    )
    seen = read(folders)
    assert (len(seen.sources), seen.repeated) == (1, 4_999)
    assert len(seen.notes) == MAX_NOTES + 1
    assert seen.notes[-1] == f"and {4_999 - MAX_NOTES} notes more"


def test_more_outlines_than_any_list_has_are_told() -> None:
    seen = read("\n".join(["<outline text='x'/>"] * MAX_OUTLINES) + "\n<outline text='y'/>")
    assert seen.left_out == MAX_OUTLINES
    assert seen.notes[0].startswith(f"line {MAX_OUTLINES + 3}: the list has more than")


@pytest.mark.parametrize(
    "unit",
    [
        *("<outline ", '<outline text="', "<", '"', " ", 'a=" ', ' text="', ' xmlUrl="', "<!-- "),
        *("</outline>", '<x xmlUrl="https://a/b"', '" a', ">", "\n", "&amp;"),
    ],
)
def test_half_a_megabyte_of_nothing_but_trouble_comes_to_an_end(unit: str) -> None:
    """Where a step were quadratic, this would run into the limit of a test."""
    seen = read('<outline text="' + unit * (2**19 // len(unit)))
    assert len(seen.sources) <= 1

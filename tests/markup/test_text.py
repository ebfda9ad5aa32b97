"""Strings that may enter XML, and the text of HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from aggregator.markup.tangle import is_tangled, strip_tags
from aggregator.markup.text import (
    canonical_to_text,
    cap,
    clean,
    html_title,
    html_to_text,
    one_line,
    plain_title,
    text_title,
    text_to_html,
    unwrap_cdata,
)

ANYTHING = st.text(alphabet=st.characters(), max_size=200)


@given(ANYTHING)
def test_a_cleaned_string_may_stand_in_an_xml_document(s: str) -> None:
    element = etree.Element("t")
    element.text = clean(s)
    again = etree.fromstring(etree.tostring(element, encoding="utf-8"))
    assert (again.text or "") == clean(s)


@given(ANYTHING)
def test_cleaning_twice_changes_nothing_more(s: str) -> None:
    assert clean(clean(s)) == clean(s)


@pytest.mark.parametrize(
    "bad", ["\x00", "\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\ufdd0", "\U0010ffff"]
)
def test_unsafe_characters_are_dropped(bad: str) -> None:
    assert clean(f"a{bad}b") == "ab"


def test_tab_newline_return_and_astral_characters_stay() -> None:
    assert clean("a\tb\nc\rd😀") == "a\tb\nc\rd😀"


@given(ANYTHING, st.integers(min_value=0, max_value=300))
def test_a_cap_is_a_prefix_within_the_limit_on_a_character_boundary(s: str, limit: int) -> None:
    s = clean(s)
    cut = cap(s, limit)
    assert s.startswith(cut)
    assert len(cut.encode()) <= limit
    assert cut == s or len(s[: len(cut) + 1].encode()) > limit


def test_one_line_collapses_white_space() -> None:
    assert one_line("  a\n\t b\u00a0c ") == "a b c"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("<p>Hello\n <b>w</b>or<i>ld</i></p><ul><li>a<li>b</ul>", "Hello world\na\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("x<script>alert(1)</script><style>p{}</style>y", "xy"),
        ("a <!-- no --> b", "a b"),
        ("&lt;p&gt; &amp;amp; caf&eacute;", "<p> &amp; café"),
        ("a &lt;b title=x&gt; c", "a <b title=x> c"),
        ('<a title="x > y">t</a>', "t"),
        ("<td>a</td><td>b</td>", "ab"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("a&#0;b&#x1;c&#xD800;", "a\ufffdbc\ufffd"),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


@given(ANYTHING)
def test_text_of_anything_is_clean(s: str) -> None:
    text = html_to_text(s)
    assert clean(text) == text
    assert text == text.strip()


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("AT&amp;amp;T", "AT&T"),
        ("AT&T", "AT&T"),
        ("a < b &amp; c", "a < b & c"),
        ("<b>Bold</b> news", "Bold news"),
        ('<a href="x"><em>Both</em></a>', "Both"),
        ("&lt;i&gt;x&lt;/i&gt;", "x"),
        ("How to use the <b> tag", "How to use the <b> tag"),
        ("vector<int> in C++", "vector<int> in C++"),
        ("one<br/>two", "one two"),
        ("x&nbsp;y\n  z", "x y z"),
        ("it&#39;s &#8220;it&#8221;", "it's “it”"),
    ],
)
def test_a_title_becomes_one_plain_line(raw: str, title: str) -> None:
    assert plain_title(raw) == title


def test_a_title_declared_html_loses_every_tag_but_keeps_escaped_ones() -> None:
    assert html_title("<p>Less: <em>&lt;</em></p>") == "Less: <"
    assert html_title("The &lt;b&gt;old&lt;/b&gt; &amp;lt;") == "The <b>old</b> &lt;"
    assert html_title("AT&amp;amp;T &amp;#8217;24") == "AT&amp;T ’24"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("The <em>old</em>\n element &amp; &eacute;", "The <em>old</em> element &amp; &eacute;"),
        ("It&#8217;s late", "It’s late"),
        ("<b> and &#60;", "<b> and &#60;"),
    ],
)
def test_a_title_declared_plain_keeps_its_tags_and_named_references(text: str, title: str) -> None:
    assert text_title(text) == title


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one < two & three", "one &lt; two &amp; three"),
        ("one\r\n  two  \r\n", "one<br>two"),
        ("one\n\n \n<b>two</b>\nthree", "<p>one</p><p>&lt;b&gt;two&lt;/b&gt;<br>three</p>"),
        ("Tom &amp; Ann&nbsp;x", "Tom &amp; Ann\u00a0x"),
        ("&amp; is no <b>", "&amp;amp; is no &lt;b&gt;"),
        ("", ""),
    ],
)
def test_plain_text_becomes_html_with_its_breaks(text: str, html: str) -> None:
    assert text_to_html(text) == html


def test_text_that_was_wrapped_to_a_width_flows() -> None:
    wrapped = (
        "The ferry that had been laid up since the storm of November is back\n"
        "in service, and its crew, who had been on other boats, came with\n"
        "it.\n\nTickets are sold on board."
    )
    assert text_to_html(wrapped).count("<br>") == 0
    assert text_to_html(wrapped).count("<p>") == 2
    listed = "Read more about the ferry and about all of the other boats here:\n"
    assert text_to_html(listed + "https://a.example/1\nhttps://a.example/2").count("<br>") == 2


def test_marks_of_escaped_cdata_sections_go() -> None:
    assert unwrap_cdata("<![CDATA[a]]> b <![CDATA[c") == "a b c"
    assert unwrap_cdata("a ]]> b") == "a ]]> b"
    assert unwrap_cdata(" &lt;![CDATA[a <b>c</b>]]&gt;\n") == "a <b>c</b>"
    assert unwrap_cdata("use &lt;![CDATA[a]]&gt;") == "use &lt;![CDATA[a]]&gt;"


def test_a_long_run_of_half_markup_costs_no_more_than_its_length() -> None:
    for piece in ("<a x='", "<img ", "<![CDATA[", "&#", "<p", '<a x="', "\n a"):
        assert text_to_html(piece * 100_000)
        assert unwrap_cdata(piece * 100_000) is not None


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 20_000,
        "<b>" * 5_000 + "</i>" * 5_000,
        "".join(f"<p><font color={i}></p>" for i in range(5_000)),
        "<div><table><td></div></table>" * 5_000,
        "<li><ul></li>" * 5_000,
        "<p><pre></p>" * 5_000,
        "<span><div></span>" * 5_000,
        "<b><div></b>" * 5_000,
        "<p><button></p>" * 5_000,
        "<a " + " ".join(f"a{i}=1" for i in range(5_000)) + ">",
        "&" * 200_000,
    ],
)
def test_what_makes_an_html_parser_quadratic_is_recognised(bomb: str) -> None:
    assert is_tangled(bomb)
    assert "word" in html_to_text(bomb + " word")


@pytest.mark.parametrize(
    "page",
    [
        "<p>one<p>two" * 3_000,
        "<ul>" + "<li>x" * 3_000 + "</ul>",
        "<table>" + "<tr><td>a<td>b" * 3_000 + "</table>",
        "<div><p>a <b>c</b></p><br></div>" * 3_000,
        '<img src="data:image/png;base64,' + "A/b+" * 50_000 + '">',
        "<!--" * 5_000,
    ],
)
def test_long_honest_markup_is_not_taken_for_a_bomb(page: str) -> None:
    assert not is_tangled(page)


def test_tags_can_be_stripped_without_a_parse() -> None:
    assert strip_tags("<b a='x'>one</b><!-- no --><script>x</script>two &amp; <") == (
        " one    two & <"
    )


def test_of_sanitised_html_block_tags_are_breaks_and_others_nothing() -> None:
    html = '<p>One <b>two</b></p><pre>three</pre><br>four<img src="a"><h2 id="x">five</h2>&lt;p&gt;'
    assert canonical_to_text(html) == "One two\nthree\nfour\nfive\n<p>"

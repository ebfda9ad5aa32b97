"""Titles, names and bodies are read as what their format declares them to be."""

from __future__ import annotations

import pytest

from aggregator.feeds.prepare import prepare_body
from tests.feeds.forms import TIERS, atom, atom_feed, json_item, rdf, rss, rss_feed

ATOM_TIERS = pytest.mark.parametrize("tier", TIERS)


@ATOM_TIERS
def test_an_atom_title_keeps_the_words_that_it_is_about(tier: str) -> None:
    def title(attributes: str, text: str) -> str | None:
        return atom(f"<title{attributes}>{text}</title><id>1</id>", tier=tier).title

    assert title(' type="text"', "On &lt;b>bold&lt;/b> &amp;amp; ") == "On <b>bold</b> &amp;"
    assert title("", "The &lt;em>old&lt;/em> element") == "The <em>old</em> element"
    html = "The &amp;lt;em&amp;gt;old&amp;lt;/em&amp;gt; element"
    assert title(' type="html"', html) == "The <em>old</em> element"
    assert title(' type="html"', "The &lt;em>new&lt;/em> one") == "The new one"
    assert title(' type="html"', "Q&amp;amp;A &lt;br/> x") == "Q&A x"
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml">A <em>b</em> &lt;i></div>'
    assert title(' type="xhtml"', xhtml) == "A b <i>"


def test_titles_of_feeds_and_sources_are_read_alike() -> None:
    feed = atom_feed(
        '<id>1</id><source><title type="html">&amp;lt;b&amp;gt;s</title></source>',
        '<subtitle type="text">a &lt;b>c&lt;/b></subtitle>',
    )
    assert feed.description == "a <b>c</b>"
    assert feed.entries[0].source_title == "<b>s"


def test_a_title_of_json_feed_is_plain_text() -> None:
    assert json_item({"title": "The <em>old</em> &lt;p&gt;"}).title == "The <em>old</em> &lt;p&gt;"
    assert json_item({"title": "It&#8217;s late"}).title == "It’s late"


@pytest.mark.parametrize("tier", TIERS)
def test_a_title_of_rss_may_be_either(tier: str) -> None:
    assert (
        rss("<title>a &lt;b>c&lt;/b> R&amp;amp;D &lt; x</title>", tier=tier).title == "a c R&D < x"
    )


def test_atom_0_3_says_by_mode_what_a_title_is() -> None:
    assert atom('<id>1</id><title mode="escaped">a &lt;b>c&lt;/b></title>').title == "a c"
    plain = '<id>1</id><title mode="escaped" type="text/plain">a &lt;b>c&lt;/b></title>'
    assert atom(plain).title == "a <b>c</b>"


@pytest.mark.parametrize("tier", TIERS)
def test_names_escaped_twice_are_decoded(tier: str) -> None:
    read = rss(
        "<title>t</title><category>R&amp;amp;D</category><author>Tom &amp;amp; Ann</author>",
        tier=tier,
    )
    assert read.categories == ("R&D",)
    assert read.authors == ("Tom & Ann",)
    read = atom(
        '<id>1</id><category term="Food &amp;amp; Drink"/>'
        "<author><name>O&amp;#8217;Neill</name></author>",
        tier=tier,
    )
    assert (read.categories, read.author) == (("Food & Drink",), "O’Neill")


def test_a_category_that_is_a_link_is_its_words() -> None:
    read = rss(
        "<title>t</title><category>&lt;a href='/x'>Ferries&lt;/a></category>"
        "<category>Map&lt;K,V></category><keywords>ports, sea</keywords>"
    )
    assert read.categories == ("Ferries", "Map<K,V>", "ports", "sea")


def test_names_escaped_twice_are_decoded_in_rdf_and_json_feed_as_well() -> None:
    read = rdf(
        "<title>t</title><dc:subject>R&amp;amp;D</dc:subject><dc:creator>A&amp;amp;B</dc:creator>"
    )
    assert (read.categories, read.author) == (("R&D",), "A&B")
    read = json_item({"title": "t", "tags": ["R&amp;D"], "authors": [{"name": "A &amp; B"}]})
    assert (read.categories, read.author) == (("R&D",), "A & B")


LINES = "One &lt;two>\nthree\n\nFour &amp; five"
AS_HTML = "<p>One &lt;two&gt;<br>three</p><p>Four &amp; five</p>"


@ATOM_TIERS
@pytest.mark.parametrize("attributes", ["", ' type="text"', ' type="text/plain"'])
def test_plain_text_of_atom_becomes_html(tier: str, attributes: str) -> None:
    assert atom(f"<id>1</id><content{attributes}>{LINES}</content>", tier=tier).content == AS_HTML
    assert atom(f"<id>1</id><summary{attributes}>{LINES}</summary>", tier=tier).summary == AS_HTML


def test_plain_text_of_json_feed_becomes_html() -> None:
    text = "One <two>\nthree\n\nFour & five"
    assert json_item({"content_text": text}).content == AS_HTML
    assert json_item({"summary": text, "content_html": "<p>x</p>"}).summary == AS_HTML
    assert json_item({"content_text": "<p>One</p>"}).content == "&lt;p&gt;One&lt;/p&gt;"


def test_text_that_is_declared_plain_is_no_markup() -> None:
    read = atom('<id>1</id><summary type="text">a &lt;b>c&lt;/b></summary>')
    assert read.summary == "a &lt;b&gt;c&lt;/b&gt;"


@pytest.mark.parametrize("where", ["{}", "<media:group>{}</media:group>"])
def test_a_description_of_media_rss_is_plain_text_unless_it_is_not(where: str) -> None:
    def summary(attributes: str, text: str) -> str | None:
        told = f"<media:description{attributes}>{text}</media:description>"
        return rss("<title>t</title>" + where.format(told)).summary

    assert summary("", LINES) == AS_HTML
    assert summary("", "at a &lt;b at c>") == "at a &lt;b at c&gt;"
    assert summary("", "see &lt;a href='x'>y&lt;/a>\nz") == "see <a href='x'>y</a>\nz"
    assert summary("", "one&lt;br>two") == "one<br>two"
    assert summary(' type="plain"', "a &lt;i>b&lt;/i>") == "a &lt;i&gt;b&lt;/i&gt;"
    assert summary(' type="html"', "a &lt;b at c>") == "a <b at c>"


def test_a_summary_for_players_keeps_its_lines() -> None:
    assert rss("<title>t</title><itunes:summary>a\nb</itunes:summary>").summary == "a<br>b"


@ATOM_TIERS
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("When: Wednesday\n\nWhere: the hall", "<p>When: Wednesday</p><p>Where: the hall</p>"),
        ("\n  Changes\n  - faster &amp; safer\n", "Changes<br>- faster & safer"),
        ("a\nb &lt;3", "a<br>b <3"),
        ("<![CDATA[R&amp;D &eacute;\nb]]>", "R&amp;D &eacute;<br>b"),
        ("one line\n", "one line"),
        ("a &lt;b&gt;c&lt;/b&gt;\nd", "a <b>c</b>\nd"),
        ("&lt;!-- x --&gt;a\nb", "<!-- x -->a\nb"),
    ],
)
def test_a_body_of_rss_without_any_tag_keeps_its_lines(tier: str, written: str, read: str) -> None:
    assert rss(f"<title>t</title><description>{written}</description>", tier=tier).summary == read


def test_lines_that_come_from_a_width_are_joined_in_narrow_text_too() -> None:
    text = (
        "Before people travel to Mars, engines will have to be new\n"
        "that let us fly through the Solar System more quickly\nthan today."
    )
    assert rss(f"<title>t</title><description>{text}</description>").summary == " ".join(
        text.split()
    )
    verse = (
        "And the sea was as still as a mirror,\nand we stood\n"
        "on the shore of the quiet islands\nand sang"
    )
    assert rss(f"<title>t</title><description>{verse}</description>").summary == verse.replace(
        "\n", "<br>"
    )


@pytest.mark.parametrize("tier", TIERS)
def test_escaped_cdata_sections_are_kept(tier: str) -> None:
    cdata = "&lt;![CDATA[some &lt;b>text&lt;/b> here]]&gt;"
    read = rss(
        f"<title>&lt;![CDATA[Head]]&gt;</title><description>{cdata}</description>", tier=tier
    )
    assert (read.title, read.summary) == ("Head", "some <b>text</b> here")
    read = atom(f'<id>1</id><content type="html">{cdata}</content>', tier=tier)
    assert read.content == "some <b>text</b> here"


def test_escaped_cdata_sections_are_kept_everywhere() -> None:
    read = rss(
        "<title>t</title><content:encoded>&lt;![CDATA[&lt;p>x&lt;/p>]]&gt;</content:encoded>"
        "<category>&lt;![CDATA[News]]&gt;</category><author>&lt;![CDATA[Ann]]&gt;</author>"
        "<link>&lt;![CDATA[https://a.example/1]]&gt;</link>"
    )
    assert (read.content, read.categories, read.author) == ("<p>x</p>", ("News",), "Ann")
    assert read.link == "https://a.example/1"
    assert json_item({"content_html": "a <![CDATA[b]]> c"}).content == "a b c"


@pytest.mark.parametrize("kind", ["html", "xhtml", ""])
def test_text_beside_a_single_div_is_kept(kind: str) -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml">inner</div>'
    for body in (f"Hello {div} world", f"Hello {div}", f"{div} world"):
        read = atom(f'<id>1</id><content type="{kind}">{body}</content>')
        text = prepare_body(read).text
        assert text.split() == body.replace(div, "inner").split()
    assert atom(f'<id>1</id><content type="xhtml"> {div}\n</content>').content == "inner"


def test_bodies_under_other_names_are_read() -> None:
    rdf_value = (
        '<content:items><rdf:Bag><rdf:li><content:item><rdf:value rdf:parseType="Literal">'
        '<p xmlns="http://www.w3.org/1999/xhtml">Long</p></rdf:value></content:item></rdf:li>'
        "</rdf:Bag></content:items>"
    )
    assert rdf("<title>t</title>" + rdf_value).content == "<p>Long</p>"
    teaser = "<itunes:subtitle>Sub</itunes:subtitle>"
    assert rss("<title>t</title>" + teaser).summary == "Sub"
    assert rss(f"<title>t</title>{teaser}<description>d</description>").summary == "d"
    excerpt = "<x:encoded xmlns:x='http://wordpress.org/export/1.2/excerpt/'>ex</x:encoded>"
    assert rss("<title>t</title>" + excerpt).summary == "ex"
    abstract = "<x:abstract xmlns:x='http://purl.org/dc/terms/'>abs</x:abstract>"
    assert rss("<title>t</title>" + abstract).summary == "abs"


def test_a_feeds_description_loses_its_tags() -> None:
    feed = rss_feed("<title>t</title>", "<description>&lt;p>a &lt;b>c&lt;/b>&lt;/p></description>")
    assert feed.description == "a c"


def test_looking_for_markup_costs_no_more_than_the_length() -> None:
    for piece in ("<a x='", "<img ", "<![CDATA[", "<p ", '<a x="', "<a " + " " * 50, "&#"):
        read = json_item({"summary": piece * 20_000, "title": piece * 20_000})
        assert read.summary
        document = piece.replace("<", "&lt;") * 20_000
        assert atom(f"<id>1</id><content>{document}</content>".replace("&#", "&amp;#")).content


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            "&amp;lt;p&amp;gt;A &amp;lt;b&amp;gt;c&amp;lt;/b&amp;gt;&amp;lt;/p&amp;gt;",
            "<p>A <b>c</b></p>",
        ),
        ("Write &amp;lt;p&amp;gt;a&amp;lt;/p&amp;gt;", "Write &lt;p&gt;a&lt;/p&gt;"),
        ("&amp;lt;int&amp;gt; and &amp;lt;/int&amp;gt;", "&lt;int&gt; and &lt;/int&gt;"),
        ("&lt;p&gt;&amp;lt;p&amp;gt;&lt;/p&gt;", "<p>&lt;p&gt;</p>"),
    ],
)
def test_a_body_that_was_escaped_twice_as_a_whole_is_html(written: str, read: str) -> None:
    assert rss(f"<title>t</title><description>{written}</description>").summary == read


def test_marks_of_cdata_around_a_plain_title_are_no_words() -> None:
    assert atom("<id>1</id><title>&lt;![CDATA[Open letter]]&gt;</title>").title == "Open letter"


def test_the_whole_story_of_news_feeds_is_the_content() -> None:
    story = "<y:full-text xmlns:y='http://news.yandex.ru'>One.\n\nTwo.</y:full-text>"
    assert rss(f"<title>t</title><description>s</description>{story}").content == (
        "<p>One.</p><p>Two.</p>"
    )

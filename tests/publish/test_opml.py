"""The sources as OPML 2.0."""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from aggregator.model.settings import Secret, SourceSettings, ViewSettings
from aggregator.publish.opml import render_opml, render_views
from tests.trees import attributes, element

NEWS = SourceSettings(
    "news", "https://example.org/feed?a=1&b=2", title="News & <more>", tags=("world", "a/b")
)


def outlines(data: bytes) -> list[dict[str, str]]:
    return [attributes(one) for one in etree.fromstring(data).iter("outline")]


def test_a_source_stands_under_its_first_tag_with_all_its_tags_as_categories() -> None:
    other = replace(NEWS, id="other", title=None, url="https://example.org/2", tags=("world",))
    lone = replace(NEWS, id="lone", title=None, url="https://example.org/3", tags=())
    data = render_opml([NEWS, lone, other], "Desk", titles={"other": "Its own"})
    root = etree.fromstring(data)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert root.findtext("head/title") == "Desk"
    folder = element(root, "body/outline[@text='world']")
    assert [attributes(one) for one in folder] == [
        {
            "type": "rss",
            "text": "News & <more>",
            "title": "News & <more>",
            "xmlUrl": "https://example.org/feed?a=1&b=2",
            "category": "world,a/b",
        },
        {
            "type": "rss",
            "text": "Its own",
            "title": "Its own",
            "xmlUrl": "https://example.org/2",
            "category": "world",
        },
    ]
    assert element(root, "body/outline[@xmlUrl='https://example.org/3']").get("text") == "lone"


def test_no_secret_is_written_unless_asked_for() -> None:
    sources = [
        replace(NEWS, id="a", url="https://example.org/t0k3n/feed", url_is_secret=True),
        replace(NEWS, id="b", auth=(Secret("me"), Secret("p w")), headers={"X-Key": Secret("h1")}),
    ]
    public = render_opml(sources, "Desk").decode()
    assert "t0k3n" not in public
    assert "p%20w" not in public
    assert [one["xmlUrl"] for one in outlines(public.encode()) if "xmlUrl" in one] == [NEWS.url]
    private = render_opml(sources, "Desk", with_secrets=True)
    assert [one["xmlUrl"] for one in outlines(private) if "xmlUrl" in one] == [
        "https://example.org/t0k3n/feed",
        "https://me:p%20w@example.org/feed?a=1&b=2",
    ]
    assert b"h1" not in private


def test_hostile_text_stays_well_formed() -> None:
    nasty = replace(NEWS, title="]]>\x00\x0b<b>\ud800\ufffe\n\u202e &amp;", tags=('"<\x01>',))
    assert outlines(render_opml([nasty], "\x00x"))[1]["text"] == "]]><b> \u202e &amp;"


def test_the_same_sources_give_the_same_bytes() -> None:
    assert render_opml([NEWS], "x") == render_opml([NEWS], "x")


def test_a_source_names_its_own_site_and_no_other_kind_of_address() -> None:
    sites = {NEWS.id: "https://example.org/", "lone": "javascript:alert(1)"}
    lone = replace(NEWS, id="lone", url="https://example.org/3", tags=())
    found = outlines(render_opml([NEWS, lone], "Desk", sites=sites))
    assert [one.get("htmlUrl") for one in found if "xmlUrl" in one] == [
        "https://example.org/",
        None,
    ]


def test_views_are_listed_with_their_titles_feeds_and_pages() -> None:
    views = [ViewSettings("all", "All & more", description="Everything"), ViewSettings("b", "B")]
    data = render_views(
        views, "Desk", lambda name: f"https://n.example/{name}.atom", lambda name: f"/views/{name}"
    )
    assert outlines(data) == [
        {
            "type": "rss",
            "text": "All & more",
            "title": "All & more",
            "xmlUrl": "https://n.example/all.atom",
            "htmlUrl": "/views/all",
            "description": "Everything",
        },
        {
            "type": "rss",
            "text": "B",
            "title": "B",
            "xmlUrl": "https://n.example/b.atom",
            "htmlUrl": "/views/b",
        },
    ]

"""A story comes out of every markup field by field."""

# ruff: noqa: E501 - lines of HTML

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aggregator.model.article import Article
from aggregator.model.settings import RelatedOverride
from tests.articles.pages import (
    MARKUPS,
    RELATED,
    SITE,
    Story,
    article_from,
    chinese_story,
    english_story,
    german_story,
)

PUBLISHED = datetime(2017, 6, 30, 1, 12, 33, tzinfo=UTC)
EXPECTED_LINKS = [
    f"{SITE}/view/2017-06/30/content_7657001.htm",
    f"{SITE}/view/2017-06/29/content_7656114.htm",
    f"{SITE}/view/2017-06/28/content_7655020.htm",
]


def read(markup: str, story: Story) -> Article:
    return article_from(MARKUPS[markup](story).encode(), story.url)


@pytest.mark.parametrize("markup", MARKUPS)
def test_the_story_comes_out_field_by_field(markup: str) -> None:
    story = english_story(RELATED)

    article = read(markup, story)

    assert article.title == "Shared drills sharpen mountain rescue"
    assert article.publisher == "Upland Daily"
    assert article.editor == "Runa Falkenberg"
    assert article.authors == ()
    assert article.image is not None
    assert article.image.url == f"{SITE}/images/2017/drill.jpg"
    assert article.image.caption == story.caption
    assert article.image.credit == "Theo Lindahl"
    assert article.text.split("\n\n") == list(story.paragraphs)
    assert [link.url for link in article.links] == EXPECTED_LINKS
    assert [link.text for link in article.links] == [title for title, _ in RELATED]
    assert {link.heading for link in article.links} == {"Related News"}
    assert article.is_article, article.reason


@pytest.mark.parametrize("markup", MARKUPS)
def test_the_publication_day_is_right(markup: str) -> None:
    article = read(markup, english_story())

    assert article.published is not None
    assert article.published.tzinfo is UTC
    assert article.published.date() == PUBLISHED.date()


@pytest.mark.parametrize("markup", ["semantic", "json_ld", "amp"])
def test_a_stated_time_is_exact(markup: str) -> None:
    assert read(markup, english_story()).published == PUBLISHED


@pytest.mark.parametrize("markup", ["inline_siblings", "joined_line"])
def test_a_printed_time_refines_a_day_that_is_stated_or_in_the_address(markup: str) -> None:
    story = english_story()

    published = read(markup, story).published

    assert published is not None
    assert published.isoformat()[:19] == (story.published or "")[:19]


def test_a_printed_time_of_another_day_refines_nothing() -> None:
    story = english_story()
    page = MARKUPS["joined_line"](story).replace(
        f'content="{(story.published or "")[:10]}"', 'content="2017-06-27"'
    )

    published = article_from(page, story.url).published

    assert published == datetime(2017, 6, 27, tzinfo=UTC)


def test_a_time_behind_an_editor_is_not_part_of_the_name() -> None:
    story = english_story()
    page = MARKUPS["div_soup"](story).replace(
        "<span>Source：", "<span>Editor: Ada Brink 2017-06-30 09:12:33</span><span>Source："
    )

    assert article_from(page, story.url).editor == "Ada Brink"


@pytest.mark.parametrize("markup", MARKUPS)
def test_an_empty_related_block_means_no_links(markup: str) -> None:
    article = read(markup, english_story(()))

    assert article.links == ()
    assert article.text.split("\n\n") == list(english_story().paragraphs)


@pytest.mark.parametrize("markup", MARKUPS)
def test_a_page_without_related_block_has_no_links(markup: str) -> None:
    assert read(markup, english_story()).links == ()


@pytest.mark.parametrize("markup", ["table_portal", "semantic", "div_soup"])
@pytest.mark.parametrize("make", [chinese_story, german_story])
def test_other_languages_come_out_alike(markup: str, make: object) -> None:
    story = make((("夜航船员的第一个冬天", "/a/1001.html"), ("北岛居民等来新码头", "/a/1002.html")))  # type: ignore[operator]

    article = read(markup, story)

    assert article.title == story.title
    assert article.publisher == story.publisher
    assert article.text.split("\n\n") == list(story.paragraphs)
    assert [link.text for link in article.links] == [title for title, _ in story.related]
    assert article.published is not None
    assert (
        article.published == datetime.fromisoformat(story.published).astimezone(UTC)
        or article.published.isoformat()[:10] in story.published
    )


@pytest.mark.parametrize("markup", ["table_portal", "semantic", "div_soup"])
def test_the_chinese_editor_line_is_read_and_kept_out_of_the_text(markup: str) -> None:
    article = read(markup, chinese_story())

    assert article.editor == "林晓舟"
    assert "责任编辑" not in article.text
    assert article.image is not None
    assert article.image.caption == "4月11日晚，首班夜间渡轮从东码头出发。"
    assert article.image.credit == "陈一帆"
    assert article.language is not None
    assert article.language.startswith("zh")


def test_html_keeps_links_and_emphasis_of_the_text_and_nothing_active() -> None:
    story = english_story()
    page = MARKUPS["semantic"](story).replace(
        "<p>Norling spoke at the",
        '<p onclick="x()"><a href="/people/norling">Norling</a> <b>spoke</b> <script>x()</script>at the',
    )

    article = article_from(page, story.url)

    assert f'href="{SITE}/people/norling"' in article.html
    assert "<b>spoke</b>" in article.html
    assert "Norling spoke at the" in article.text
    assert "script" not in article.html
    assert "onclick" not in article.html
    assert article.html.count("<p>") == len(story.paragraphs)


def test_the_feeds_own_title_decides_between_candidates() -> None:
    page = (
        "<title>Ferry returns at night</title><meta property=og:title content='Night ferry: a town"
        " celebrates'><h1>They came back in the dark</h1>" + "<p>" + "Words of the story. " * 40
    )

    plain = article_from(page, "https://example.org/a")
    told = article_from(page, "https://example.org/a", feed_title="Ferry returns at night!")

    assert set(plain.titles) >= {
        "Ferry returns at night",
        "Night ferry: a town celebrates",
        "They came back in the dark",
    }
    assert told.title == "Ferry returns at night"


def test_robots_paywall_and_addresses_are_told() -> None:
    page = (
        MARKUPS["json_ld"](english_story())
        .replace(
            "</head>",
            '<meta name="robots" content="noarchive, NOFOLLOW"><link rel="amphtml" href="/amp/1">'
            '<link rel="canonical" href="/c/1"><meta property="og:url" content="/o/1"></head>',
        )
        .replace('"isAccessibleForFree": true', '"isAccessibleForFree": "False"')
    )

    article = article_from(page, english_story().url)

    assert (article.robots.noindex, article.robots.nofollow, article.robots.noarchive) == (
        False,
        True,
        True,
    )
    assert article.paywalled
    assert article.canonical == f"{SITE}/c/1"
    assert article.amp_url == f"{SITE}/amp/1"
    assert article.og_url == f"{SITE}/o/1"


def test_an_author_equal_to_the_publisher_is_dropped() -> None:
    page = MARKUPS["json_ld"](english_story()).replace(
        '"editor":', '"author": [{"name": "UPLAND DAILY"}, {"name": "Mara Lindqvist"}], "editor":'
    )

    assert article_from(page, english_story().url).authors == ("Mara Lindqvist",)


@pytest.mark.parametrize(
    ("opening", "place"),
    [
        ("BEIJING, June 29 (Xinhua) -- Officials met on Thursday and ", "Beijing"),
        ("NEW DELHI — Officials met on Thursday and ", "New Delhi"),
        ("Officials met in Varnholt on Thursday and ", None),
    ],
)
def test_the_dateline_names_the_place(opening: str, place: str | None) -> None:
    story = english_story()
    page = MARKUPS["semantic"](story).replace(
        "<p>Reaching climbers", f"<p>{opening}reaching climbers"
    )

    assert article_from(page, story.url).place == place


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("", "no title"),
        ("<title>404 Not Found</title><h1>Not Found</h1><p>nothing here", "error page"),
        ("<title>News of today</title><h1>News</h1><p>Short.", "too little text"),
    ],
)
def test_what_is_no_article_says_why(page: str, reason: str) -> None:
    article = article_from(page, "https://example.org/")

    assert not article.is_article
    assert reason in article.reason


def test_a_front_page_is_no_article() -> None:
    teasers = "".join(
        f'<div><h3><a href="/n/{n}00123">Headline number {n} of a long front page today</a></h3></div>'
        for n in range(200)
    )
    text = "<p>" + "This paper brings you the news of the valley every morning. " * 8

    article = article_from(f"<title>The Valley Post</title>{teasers}{text}", "https://v.example/")

    assert not article.is_article
    assert article.reason.startswith("a list")


def test_overrides_add_and_remove_links() -> None:
    story = english_story(RELATED)
    page = MARKUPS["semantic"](story).replace(
        "</main>",
        '<div id="dossier"><a href="/d/1">A dossier on the border region</a></div></main>',
    )

    article = article_from(
        page,
        story.url,
        overrides=RelatedOverride(select=("#dossier a",), exclude=("li.card:first-child",)),
    )

    assert [(link.url, link.rule) for link in article.links] == [
        (EXPECTED_LINKS[1], "heading"),
        (EXPECTED_LINKS[2], "heading"),
        (f"{SITE}/d/1", "select"),
    ]


def test_the_declared_charset_is_honoured() -> None:
    page = MARKUPS["table_portal"](chinese_story()).replace("charset=utf-8", "charset=gb2312")

    article = article_from(page.encode("gb18030"), chinese_story().url)

    assert article.title == chinese_story().title

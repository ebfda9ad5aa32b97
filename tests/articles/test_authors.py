"""Who wrote a text: what is stated, what is printed, and what is neither."""

# ruff: noqa: E501 - lines of HTML

from __future__ import annotations

import pytest

from aggregator.articles.reading.names import names_of
from tests.articles.pages import article_from

URL = "https://www.morningledger.example/2024/05/quay"
PROSE = "".join(
    f"<p>{text}</p>"
    for text in (
        "The old quay opens to walkers in June, once the gravel between the rails is levelled and the lamps along the cold store are lit again.",
        "Volunteers meet on Saturdays at nine; gloves and spades are lent by the library, which also keeps the plan of the beds and the list of helpers.",
        "The board will look at the ground again after two winters and decide then whether the cranes come back or the apple trees may stay.",
    )
)


def authors(byline: str, head: str = "", after: str = "") -> tuple[str, ...]:
    return article_from(
        f"<html><head><title>The quay opens</title>{head}</head><body><nav><a href=/>Home</a></nav>"
        f"<main><h1>The quay opens</h1>{byline}<div class=text>{PROSE}{after}</div></main></body></html>",
        URL,
    ).authors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("By Ines Falk and Tom Brandt", ("Ines Falk", "Tom Brandt")),
        ("Ines Falk og Tom Brandt", ("Ines Falk", "Tom Brandt")),
        ("Ines Falk och Tom Brandt", ("Ines Falk", "Tom Brandt")),
        ("Inés Falk y Tomás Brandt", ("Inés Falk", "Tomás Brandt")),
        ("Ines Falk e Tom Brandt", ("Ines Falk", "Tom Brandt")),
        ("Инна Фальк и Том Брандт", ("Инна Фальк", "Том Брандт")),
        ("Ines Falk ve Tom Brandt", ("Ines Falk", "Tom Brandt")),
        ("Von Ines Falk und Tom Brandt", ("Ines Falk", "Tom Brandt")),
        ("Marta Ortega y Gasset", ("Marta Ortega y Gasset",)),
        ("ByInes Falk", ("Ines Falk",)),
        ("Ines Falk (inf)", ("Ines Falk",)),
        ("Ines Falk, Director of Gardens", ("Ines Falk",)),
        ("Ines Falk, PhD, Tom Brandt", ("Ines Falk", "Tom Brandt")),
        ("12 minutes", ()),
        ("Reading Time", ()),
        ("字号", ()),
        ("105092", ()),
        ("ines@ledger.example", ()),
        ("page.head.extra.author", ()),
        ("Written by", ()),
    ],
)
def test_names_are_told_from_what_stands_around_them(text: str, expected: tuple[str, ...]) -> None:
    assert names_of(text) == expected


@pytest.mark.parametrize(
    "byline",
    [
        "<p>By Ines Falk</p>",
        "<div><span>By</span> <a href=/staff/12>Ines Falk</a></div>",
        "<div>Written by</div><div><a href=/x>Ines Falk</a></div>",
        "<ul><li>Von: <span><a href=/x>Ines Falk</a></span></li></ul>",
        "<div class=post-author>Ines Falk</div><div>12 minutes</div>",
        "<a href=/author/ines-falk>Ines Falk</a> <span>5 min read</span>",
    ],
)
def test_a_printed_byline_is_read_from_one_element_or_several(byline: str) -> None:
    assert authors(byline) == ("Ines Falk",)


def test_several_authors_may_stand_in_elements_of_their_own() -> None:
    byline = "<div>By <a href=/1>Ines Falk</a>, <a href=/2>Tom Brandt</a> and <a href=/3>Li Wen</a></div>"

    assert authors(byline) == ("Ines Falk", "Tom Brandt", "Li Wen")


def test_a_name_in_bold_before_or_behind_the_text_signs_it() -> None:
    assert authors("", after="<p><strong>Ines Falk</strong></p>") == ("Ines Falk",)
    assert authors("", after="<p><strong>You may also like:</strong></p>") == ()


@pytest.mark.parametrize("stated", ["Morning Ledger", "morningledger", "ledger_login7"])
def test_the_sites_name_and_a_login_give_way_to_a_printed_byline(stated: str) -> None:
    head = f'<meta name=author content="{stated}"><meta property=og:site_name content="Morning Ledger">'

    assert authors("<p>By Ines Falk</p>", head) == ("Ines Falk",)


def test_the_publisher_alone_is_no_author_unless_the_page_prints_it_as_one() -> None:
    head = '<meta name=author content="Morning Ledger"><meta property=og:site_name content="Morning Ledger">'

    assert authors("", head) == ()
    assert authors("<p>By Morning Ledger</p>", head) == ("Morning Ledger",)


def test_the_editor_gives_way_to_the_author_who_is_printed() -> None:
    head = "<meta name=author content='Tom Brandt'>"

    assert authors("<p class=author>Ines Falk</p><p>Editor: Tom Brandt</p>", head) == ("Ines Falk",)


@pytest.mark.parametrize("said", ["Print Article", "In This Article", "TURN THE VOLUME UP"])
def test_a_heading_or_a_button_beside_the_text_is_no_author(said: str) -> None:
    assert authors(f"<h3>{said}</h3><button>{said}</button><ul><li>{said}</li></ul>") == ()


def test_a_printed_list_of_authors_completes_the_one_who_is_stated() -> None:
    head = "<meta name=author content='Ines Falk'>"
    byline = "<div>By <a href=/author/1>Ines Falk</a>, <a href=/author/2>Tom Brandt</a></div>"

    assert authors(byline, head) == ("Ines Falk", "Tom Brandt")
    # "More" beside the name is no second author
    assert authors(
        "<a href=/author/1>Ines Falk</a> <a href=/author/1>About Ines Falk</a>", head
    ) == ("Ines Falk",)


def test_a_reviewer_who_is_marked_as_an_author_is_none() -> None:
    marked = "<span itemprop=author>{}</span>"
    page = f"<div>Written by <b>{marked.format('Ines Falk')}</b></div><div>Reviewed by <b>{marked.format('Tom Brandt')}</b></div>"

    assert authors(page) == ("Ines Falk",)


@pytest.mark.parametrize(
    "box",
    [
        "<div><p>Posted by:</p><p>Ines Falk</p></div>",
        "<h3>Author</h3><p>Ines Falk</p>",
        "<div class=post-author__name>Ines Falk</div>",
        "<div><img src=/f.jpg alt='Portrait of Ines Falk'><p><b>Ines Falk</b> <i>Gardener</i></p></div>",
        "<div>Authors</div><div><i class=face>IF</i><i class=who>Ines Falk</i><i>Head Gardener, Quay Trust</i></div>",
    ],
)
def test_a_box_behind_the_text_tells_the_author(box: str) -> None:
    assert authors("", after=box) == ("Ines Falk",)


def test_the_author_of_another_article_below_the_text_is_not_its_own() -> None:
    other = "<h2>Read also</h2><article><a href=/2024/06/crane>The crane returns</a><p>By Tom Brandt</p></article>"

    assert authors("", after=other) == ()


def test_a_link_to_a_page_of_people_is_a_byline_where_its_text_is_a_name() -> None:
    assert authors("<p><i>14 May 2024</i> / <a href=/team/ines-falk>Ines Falk</a></p>") == (
        "Ines Falk",
    )
    assert authors("<p><i>14 May 2024</i> / <a href=/team/>Team</a></p>") == ()


def test_a_desk_signs_where_nobody_else_does() -> None:
    assert authors("<div class=author><div class=name>Newsdesk</div></div>") == ("Newsdesk",)


def test_a_site_named_for_its_writer_states_an_author_a_publication_does_not() -> None:
    head = '<meta name=author content="{0}"><meta property=og:site_name content="{0}">'

    assert authors("", head.format("Ines Falk")) == ("Ines Falk",)
    assert authors("", head.format("Morning Ledger")) == ()


def test_the_member_of_a_forum_is_its_author_by_the_name_that_is_printed() -> None:
    assert authors("<span itemprop=author><a href=/u/1>quayfan88</a></span>") == ("quayfan88",)

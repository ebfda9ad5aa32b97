"""Who wrote a text: what is stated, what is printed, and what is neither."""

# ruff: noqa: E501 - lines of HTML

from __future__ import annotations

import pytest

from aggregator.articles.extract import extract_article
from aggregator.articles.reading.names import names_of

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
    return extract_article(
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

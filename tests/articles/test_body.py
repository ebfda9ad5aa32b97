"""Nothing of an article's text is lost, read twice or taken from beside it."""

# ruff: noqa: E501 - lines of HTML and of prose

from __future__ import annotations

import pytest

from aggregator.articles.reading.candidates import lines_of
from tests.articles.pages import article_from

URL = "https://paper.example/2024/05/gardens-of-the-harbour"
TITLE = "Gardens of the old harbour"
HEAD = f"<html><head><title>{TITLE}</title></head><body>"

OPENING = "The harbour board has given the old quay to the gardeners of the town, who will plant it in spring and open it to everybody in the first week of June."
SECOND = "Most of the ground is gravel and broken brick, so the beds are raised and the soil comes from the compost yard behind the fish market on the other bank."
THIRD = "Volunteers meet on Saturdays at nine; gloves and spades are lent by the library, which also keeps the plan of the beds and the list of those who water."
CLOSING = "The board will look at the gardens again after two winters and decide then whether the cranes come back or the apple trees may stay where they are."
NOTE = "A short note on the gardens of the quay, and on the people of the town who dig and water them all year."
PLANTS = {
    "Sea kale": "it grows on shingle by nature, needs hardly any water once it is rooted, and flowers white in May for almost five weeks.",
    "Tamarisk": "salt does not hurt it, the wind does not break it, and it hides the wall of the cold store from the benches within three years.",
    "Thrift": "small cushions of it hold the gravel between the rails, where nothing else has lasted for longer than a summer so far.",
}
LIST = "<ul>" + "".join(f"<li><b>{k}:</b> {v}</li>" for k, v in PLANTS.items()) + "</ul>"


def page(inner: str, head: str = HEAD) -> str:
    return f"{head}<main><h1>{TITLE}</h1>{inner}</main></body></html>"


def paragraphs(inner: str) -> list[str]:
    return article_from(page(inner), URL).text.split("\n\n")


def p(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def test_a_list_among_the_paragraphs_is_kept_in_its_place() -> None:
    """One that precision mode takes for links beside the text."""
    linked = LIST.replace("<b>", '<a href="/plants/x"><b>').replace("</b>", "</b></a>")

    found = paragraphs(f"<div class=text>{p(OPENING, SECOND)}{linked}{p(THIRD, CLOSING)}</div>")

    assert found[:2] == [OPENING, SECOND]
    assert found[-2:] == [THIRD, CLOSING]
    assert found[2:-2] == [f"{name}: {text}" for name, text in PLANTS.items()]


def test_a_text_that_precision_mode_loses_is_found_again() -> None:
    """A page builder calls every block of the text a widget; quick precision drops them."""
    texts = (OPENING, SECOND, THIRD, CLOSING)
    blocks = "".join(f'<section class="widget text-box">{p(text)}</section>' for text in texts)
    html = page(f"<article>{p(NOTE)}{blocks}</article>")

    found = article_from(html, URL).text.split("\n\n")

    assert [text for _, text in lines_of(html, {"favor_precision": True, "fast": True})] == [NOTE]
    assert found == [NOTE, *texts]


def test_code_is_read_once_with_the_line_it_stands_in() -> None:
    found = paragraphs(
        p(
            OPENING,
            "Type <code>water --all</code> and wait for the pumps of the quay to answer with their numbers, one by one.",
        )
        + "<pre><code>water --all\npump 1: ready</code></pre>"
        + p(SECOND, CLOSING)
    )

    assert found.count("water --all pump 1: ready") + found.count("water --all\npump 1: ready") == 1
    assert sum("water --all" in line for line in found) == 2


def test_text_between_blocks_is_not_dropped() -> None:
    """Text that stands in no paragraph of its own, behind a list or a quotation."""
    loose = "Behind the list the text goes on without a paragraph of its own, as editors of old systems leave it when they paste a note."

    found = paragraphs(
        f"<div class=text>{p(OPENING, SECOND)}<ul><li>{PLANTS['Thrift']}</li></ul>{loose}{p(THIRD, CLOSING)}</div>"
    )

    assert loose in found
    assert len(found) == len(set(found))


def test_a_label_between_two_paragraphs_is_text() -> None:
    """A review of books names authors; they are not the page's."""
    found = article_from(
        page(
            f'<div class="byline">By Ines Falk</div><div class=text>{p(OPENING)}<p>Author: Oona Brandt</p>{p(SECOND, THIRD)}<p>Date: 3 May to 9 June</p>{p(CLOSING)}</div>'
        ),
        URL,
    )

    assert found.authors == ("Ines Falk",)
    assert "Author: Oona Brandt" in found.text
    assert "Date: 3 May to 9 June" in found.text


def test_what_stands_behind_the_block_of_the_text_is_left_out() -> None:
    about = "The Harbour Paper is a weekly for the quays and the streets behind them, printed since 1931 by a cooperative of its readers and setters."

    found = paragraphs(
        f"<div class=text>{p(OPENING, SECOND, THIRD, CLOSING)}{p(OPENING.replace('harbour', 'river'))}</div><div class=about>{p(about)}</div>"
    )

    assert about not in found
    assert CLOSING in found


def test_an_opening_outside_the_block_of_the_text_is_kept() -> None:
    found = paragraphs(
        f"<article><div class=a>{p(OPENING)}</div><div class=b>{p(SECOND, THIRD, CLOSING)}{LIST}</div></article>"
    )

    assert found[0] == OPENING


def test_a_guessed_caption_deletes_no_paragraph() -> None:
    """The last paragraph ends in the agency's name; a whole text is centred; a product's text is named so."""
    picture = '<p><img src="/quay.jpg" width="600" height="400"></p>'
    last = CLOSING.replace("where they are.", "where they are. (Reuters)")
    centred = "".join(f'<p style="text-align: center">{t}</p>' for t in (SECOND, THIRD, CLOSING))
    cards = "".join(
        f'<div class=card><img src="/{n}.jpg" width="300" height="300"><div class="desc"><p>{text} {SECOND} {THIRD}</p></div></div>'
        for n, text in PLANTS.items()
    )

    assert paragraphs(f"<div>{p(OPENING, SECOND, THIRD)}{picture}{p(last)}</div>")[-1] == last
    assert SECOND in paragraphs(f"<div>{p(OPENING)}{picture}{centred}</div>")
    assert len(paragraphs(f"<div>{p(OPENING)}{cards}{p(CLOSING)}</div>")) == 5


def test_a_heading_over_text_stays_whatever_it_is_called() -> None:
    found = paragraphs(f"<div>{p(OPENING)}<h2>Popular plants</h2>{p(SECOND, THIRD, CLOSING)}</div>")

    assert "Popular plants" in found


CONSENT = "When you visit any website, it may keep or read information in your browser, mostly as cookies, about you, your choices or your device. "


@pytest.mark.parametrize(
    "window",
    [
        "<div role=dialog aria-modal=true>{}</div>",
        "<div role=alertdialog>{}</div>",
        "<dialog open>{}</dialog>",
        '<div class="page-location-popup">{}</div>',
        '<div class="fade newsletter-modal">{}</div>',
    ],
)
def test_the_text_of_a_window_above_the_page_is_not_the_articles(window: str) -> None:
    short = f"<div class=text>{p(OPENING, SECOND)}</div>"
    notices = "".join(window.format(p(CONSENT * 3)) for _ in range(4))

    found = article_from(page(short).replace("</body>", f"{notices}{short * 4}</body>"), URL).text

    assert "cookies" not in found
    assert OPENING in found


def test_an_article_in_a_dialog_is_read() -> None:
    shown = f"<div role=dialog><h1>{TITLE}</h1>{p(OPENING, SECOND, THIRD, CLOSING)}</div>"

    assert OPENING in article_from(f"{HEAD}<p>Menu</p>{shown}</body>", URL).text

"""A merged feed within its bounds, and the outlet where readers show it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aggregator.model.settings import Byline
from aggregator.publish.byline import with_byline
from aggregator.publish.fit import SUMMARY, fit
from aggregator.publish.formats import FORMATS
from tests.publish.samples import item, page

LONG = "The ferry sails again. " * 400
ITEMS = tuple(
    replace(item(n), number=n, public_id=f"tag:x,2026:{n}", html=f"<p>{LONG}</p>", text=LONG)
    for n in range(40, 0, -1)
)


@pytest.mark.parametrize("name", FORMATS)
def test_a_page_that_fits_is_given_as_it_is(name: str) -> None:
    whole = replace(page(), items=ITEMS)
    render = FORMATS[name].render
    found = fit(whole, render, 10_000_000)
    assert (found.body, found.shortened) == (render(whole), 0)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.9, 0.5, 0.25])
def test_the_oldest_bodies_become_summaries_until_it_fits(name: str, share: float) -> None:
    whole = replace(page(), items=ITEMS)
    render = FORMATS[name].render
    most = int(len(render(whole)) * share)
    found = fit(whole, render, most)
    assert len(found.body) <= most
    assert 0 < found.shortened < len(ITEMS)
    assert fit(whole, render, most) == found


def test_every_item_stays_and_the_newest_keep_their_bodies() -> None:
    whole = replace(page(), items=ITEMS)
    most = len(FORMATS["json"].render(whole)) // 2
    found = fit(whole, FORMATS["json"].render, most)
    items = json.loads(found.body)["items"]
    assert len(items) == len(ITEMS)
    kept = [len(one.get("content_html") or one.get("content_text", "")) for one in items]
    assert kept[0] > len(LONG)
    assert kept[-1] <= SUMMARY + 2


def test_a_page_that_cannot_fit_is_as_short_as_it_can_be() -> None:
    found = fit(replace(page(), items=ITEMS), FORMATS["atom"].render, 1000)
    assert found.shortened == len(ITEMS)


def test_a_byline_names_the_outlet_beside_the_author_or_before_the_headline() -> None:
    one = replace(item(), title="Ferry resumes", author="Mara Lind", authors=("Mara Lind",))
    outlet = one.source.title
    assert with_byline(one, Byline.SOURCE).authors == (f"Mara Lind – {outlet}",)
    assert with_byline(replace(one, author=None, authors=()), Byline.SOURCE).authors == (outlet,)
    prefixed = with_byline(one, Byline.TITLE_PREFIX)
    assert prefixed.title == f"{outlet}: Ferry resumes"
    assert with_byline(prefixed, Byline.TITLE_PREFIX) == prefixed
    assert with_byline(one, Byline.NONE) == one

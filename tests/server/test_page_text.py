"""Text taken from article pages is shown to whoever holds a token, or to all if so configured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from aggregator.model.pages import DecisionLine, ItemPage, RevisionLine, TextSide
from aggregator.model.states import DecisionKind
from tests.server.samples import CHANGED, SampleBackend, served, settings_of

WORDS = "What only the page says"


@dataclass
class Backend(SampleBackend):
    """One item with the text of its page."""

    async def item_page(self, number: int) -> ItemPage | None:
        item = replace(served(number), html=None, text=None, summary=None)
        side = TextSide("Harbour Post", "A", number, None, ((f"{WORDS}, too", True),))
        return ItemPage(
            item,
            views=("all",),
            full=replace(item, html=f"<p>{WORDS}</p>"),
            revisions=(RevisionLine(0, CHANGED, "Before", (("=", f"{WORDS}, before"),)),),
            decisions=(
                DecisionLine(
                    DecisionKind.COPY, "The same text", sides=(side, side), from_page=True
                ),
            ),
        )


@pytest.mark.parametrize(
    ("settings", "headers", "shown"),
    [
        (settings_of(), {}, False),
        (settings_of(token="sesame"), {"Authorization": "Bearer sesame"}, True),
        (
            replace(settings_of(), service=replace(settings_of().service, page_text="everywhere")),
            {},
            True,
        ),
    ],
)
def test_the_item_page_keeps_it_from_whoever_needs_no_token(
    serve: Any, settings: Any, headers: dict[str, str], shown: bool
) -> None:
    with serve(Backend(), settings) as client:
        page = client.get("/items/3", headers=headers)
    assert page.status_code == 200
    assert (WORDS in page.text) is shown

"""A document is searched once for what may not be served: no string of it gets through for that."""

from __future__ import annotations

import pytest

from aggregator.feeds.parse import parse_document

ITEM = "<rss version='2.0'><channel><item><guid>a</guid><title>{0}</title><description>{0}"
END = "</description></item></channel></rss>"
NONCHARACTERS = (0xFDD0, 0xFDDF, 0xFDEF, 0x1FFFE, 0x8FFFF, 0xFFFFE, 0x10FFFF)


@pytest.mark.parametrize("form", ["raw", "&#{};", "&#0{};", "&#x{:x};", "&#x00{:X};"])
@pytest.mark.parametrize("code", NONCHARACTERS, ids=hex)
def test_a_noncharacter_is_dropped_however_it_is_written(code: int, form: str) -> None:
    written = chr(code) if form == "raw" else form.format(code)
    document = (ITEM + END).format(f"The{written} ferry")
    entry = parse_document(document.encode()).entries[0]
    assert (entry.title, entry.summary) == ("The ferry", "The ferry")


def test_a_noncharacter_out_of_text_that_was_encoded_twice_is_dropped() -> None:
    twice = "Fähre\ufdd0 und Brücke".encode().decode("latin-1")
    entry = parse_document((ITEM + END).format(twice).encode()).entries[0]
    assert (entry.title, entry.summary) == ("Fähre und Brücke", "Fähre und Brücke")

"""Names by their capitals: where these say something, and only there."""

from __future__ import annotations

import pytest

from aggregator.identity.texts.names import names
from tests.identity.shipped import comparable


def test_words_with_capitals_inside_a_sentence_are_names() -> None:
    text = "Yesterday the ferry Aurora left Port Ellen. Nobody knew that the FAA had warned it."
    assert names(text, 50) == {"aurora", "port", "ellen", "faa"}


def test_the_beginning_of_a_sentence_or_a_quotation_says_nothing() -> None:
    assert names("He said: “Never again.” Then they left – Monday, it seems.", 50) == frozenset()


@pytest.mark.parametrize(
    "text", ["FERRY SINKS OFF PORT ELLEN WITH FORTY", "Ferry Sinks Off Port Ellen In Heavy Seas"]
)
def test_capitals_everywhere_say_nothing(text: str) -> None:
    assert names(text, 50) == frozenset()


def test_scripts_without_capitals_have_none() -> None:
    assert names("外交部发言人表示，中方愿同各方一道 قال المتحدث باسم الوزارة", 50) == frozenset()


def test_only_the_opening_is_read_and_boilerplate_left_out() -> None:
    text = "A brief from Lima\n" + "It rained in Oslo again. " * 3 + "x " * 200 + "at Rome"
    assert names(text, 12) == {"lima", "oslo"}
    told = "A ferry left the town of Lima today. " * 6
    assert comparable(f"{told}\nRelated News\nA walk in Rome").names == {"lima"}

"""Tokens of full text, and what a document keeps of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.queries.document import EVERY, GAP, PUBLIC, Part, make_document
from aggregator.queries.words import needs, segments


def _found(query: str, text: str) -> bool:
    return make_document(None, None, text, None).holds(needs(tuple(segments(query))), PUBLIC)


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("北京", "他在北京大学学习", True),
        ("北", "他在北京大学学习", True),
        ("北学", "他在北京大学学习", False),
        ("北京大学", "北京的大学", False),
        ("iPhone 手", "新iPhone手机", True),
        ("สวัสดี", "คำว่าสวัสดีครับ", True),
        ("東京", "ﾄｳｷｮｳ 東京タワー", True),
        ("トウキョウ", "ﾄｳｷｮｳ 東京タワー", True),
        ("서울", "서울 시청", True),
        ("हिन्दी", "यह हिन्दी है", True),
        ("नद", "यह हिन्दी है", False),
        ("café", "cafe\N{COMBINING ACUTE ACCENT} noir", True),
        ("cafe", "café", False),
        ("STRASSE", "Straße", True),
        ("self-hosted", "a self hosted thing", True),
        ("self hosted", "a hosted self", False),
        ("C++", "Learn C++ fast", True),
        ("C++", "Learn C fast", False),
        ("c", "Learn C++ fast", True),
        ("learn c++ fast", "Learn C++ fast", True),
        ("C#", "in C#, F# and C", True),
        ("1,000", "over 1,000 people", True),
        ("3.14", "pi is 3.14159", False),
        ("example.org/news", "see https://example.org/news?x", True),
        ("a@b.org", "mail a@b.org now", True),
        ("don't", "don’t stop", True),
        ("climate", "climates", False),
        ("الكتاب", "الكتـاب", True),
    ],
)
def test_what_words_find(query: str, text: str, found: bool) -> None:
    assert _found(query, text) is found


def test_a_document_keeps_no_more_than_every_index_can() -> None:
    long = make_document(
        "the " * 500, "x", " ".join(f"word{n} the" for n in range(50_000)), "a" * 9
    )
    tokens = [token for part in Part for token in long.parts[part]]
    assert len(tokens) < 16_000
    assert tokens.count("the") == 250
    assert GAP in long.parts[Part.TEXT]
    wide = make_document(None, None, " ".join("龍" * 39 + str(n) for n in range(20_000)), None)
    assert sum(len(token.encode()) for token in set(wide.parts[Part.TEXT])) < 1_000_000


def test_no_phrase_is_found_across_parts_and_no_page_by_whoever_may_not_see_it() -> None:
    document = make_document("red", "green", "blue", "secret")
    assert not document.holds(needs(("red", "green")), EVERY)
    assert document.holds(needs(("secret",)), EVERY)
    assert not document.holds(needs(("secret",)), PUBLIC)


@settings(max_examples=80)
@given(st.text(max_size=60), st.integers(0, 20), st.integers(1, 4))
def test_every_phrase_of_a_text_is_found_in_it(text: str, start: int, length: int) -> None:
    phrase = tuple(segments(text)[start : start + length])
    assert not phrase or make_document(None, None, text, None).holds(needs(phrase), PUBLIC)

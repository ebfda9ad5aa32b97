"""Words in any script."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator.identity.texts.tokens import has_unspaced, is_number, is_unspaced, word_spans, words


def test_case_punctuation_and_compatibility_forms_do_not_matter() -> None:
    assert words("The “Big” Apple’s ﬁre") == ["the", "big", "apple", "s", "fire"]
    assert words("STRASSE Straße") == ["strasse", "strasse"]
    assert words("ＡＢＣ１２３") == words("abc123") == ["abc", "123"]


def test_figures_keep_their_separators() -> None:
    assert words("up 1,234.5 points (4.2%)") == ["up", "1,234.5", "points", "4.2"]
    assert words("٣٫٥ في المئة")[0] == "3.5"
    assert words("上昇率は３・４％")[-1] == words("增长３．４％")[-1] == "3.4"
    assert words("增长3，4月")[2:4] == ["4", "月"]
    assert is_number("3.5")
    assert not is_number("b2b")


def test_optional_signs_do_not_matter() -> None:
    assert words("مُحَمَّدٌ الـكتاب") == words("محمد الكتاب")
    assert words("Schiff\u00adfahrt") == words("Schifffahrt")


def test_accents_do_not_matter_for_capitals_often_lack_them() -> None:
    assert words("Élysée ΑΘΗΝΑ İSTANBUL Ёлка") == words("ELYSEE Αθήνα istanbul елка")
    assert words("أحمد إلى مكتبة") == words("احمد الي مكتبه")
    assert words("がギ 한글") == ["がギ", "한글"]


def test_combining_signs_stay_with_their_word() -> None:
    assert len(words("हिन्दी समाचार")) == 2


def test_scripts_without_spaces_become_overlapping_grams() -> None:
    assert words("株価は上昇") == ["株価は", "価は上", "は上昇"]
    assert words("東京") == ["東京"]
    assert words("日経225は")[1] == "225"


TEXT = st.text(
    alphabet=st.sampled_from("aB 1.,½①٣日本語カｶはนี้हि\u00ad\u200b\n–’ßİ") | st.characters(),
    max_size=80,
)


@given(TEXT)
def test_every_word_has_a_place_in_the_text(text: str) -> None:
    tokens, spans = words(text), word_spans(text)
    assert len(tokens) == len(spans)
    for start, end in spans:
        assert 0 <= start < end <= len(text)


@given(TEXT, TEXT)
def test_words_of_two_lines_are_the_words_of_each(one: str, other: str) -> None:
    assert words(f"{one}\n{other}") == words(one) + words(other)


@given(TEXT, st.integers(0, 5))
def test_the_places_of_the_first_words_are_those_of_all(text: str, most: int) -> None:
    assert word_spans(text, most)[:most] == word_spans(text)[:most]


@given(TEXT)
def test_scripts_without_spaces_are_seen_in_a_text_as_in_its_words(text: str) -> None:
    assert has_unspaced(text) or not any(map(is_unspaced, words(text)))

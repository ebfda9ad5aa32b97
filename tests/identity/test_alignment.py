"""How two texts that share much differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator.identity.texts.alignment import Alignment, align, common_runs
from aggregator.identity.texts.fingerprints import SHINGLE, shingles


def aligned(a: str, b: str) -> Alignment:
    one, two = a.split(), b.split()
    return align(one, shingles(one), two, shingles(two))


STORY = "the ferry left the harbour at dawn with forty people and sank in the bay before noon"


def test_what_was_cut_or_added_replaces_nothing() -> None:
    whole = aligned(STORY, f"by our own reporter {STORY} and that was all there is to it")
    assert (whole.opening, whole.replaced, whole.conflicts) == (0, 0.0, 0)
    assert 0.1 < whole.begins < 0.2


def test_what_one_has_in_front_and_the_other_behind_is_told() -> None:
    assert aligned(f"{STORY}{' one' * 30}", f"{'two ' * 40}{STORY}").crossed == 30
    assert aligned(f"{STORY}{' one' * 30}", STORY).crossed == 0


def test_other_words_in_the_same_place_replace() -> None:
    other = STORY.replace("forty people and sank", "some old friends who sang")
    found = aligned(STORY, other)
    assert 0.2 < found.replaced < 0.4
    assert found.conflicts == 0


def test_figures_against_figures_are_a_conflict_and_a_dateline_is_none() -> None:
    here = STORY.replace("forty", "40")
    assert aligned(here, STORY.replace("forty", "41")).conflicts == 1
    assert aligned(here, STORY.replace("forty", "four")).conflicts == 0
    assert aligned(f"PORT 3 March - {here}", f"BAY 4 March - {here}").conflicts == 0


def test_a_beginning_of_its_own_on_both_sides_is_told() -> None:
    found = aligned(f"{'one ' * 30}{STORY}", f"{'two ' * 40}{STORY}")
    assert found.opening == 30
    assert aligned("a b c d e", "f g h i j") == Alignment(5, 1.0, 0, 0.0)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "1", "2", "d"]), max_size=40)


@given(WORDS, WORDS)
def test_it_has_no_direction_and_its_shares_are_shares(a: list[str], b: list[str]) -> None:
    there = align(a, shingles(a), b, shingles(b))
    assert there == align(b, shingles(b), a, shingles(a))
    assert 0 <= there.replaced <= 1
    assert 0 <= there.begins <= 1
    assert 0 <= there.opening <= min(len(a), len(b))


@given(WORDS, WORDS)
def test_runs_are_the_same_words_in_both(a: list[str], b: list[str]) -> None:
    for run in common_runs(shingles(a), shingles(b)):
        assert run.words >= SHINGLE
        assert a[run.a : run.a + run.words] == b[run.b : run.b + run.words]

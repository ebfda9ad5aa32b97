"""What a new version changed, as a reader sees it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator.identity.changes import changes


def without(kind: str, runs: tuple[tuple[str, str], ...]) -> str:
    return "".join(text for name, text in runs if name != kind)


def test_a_corrected_figure_is_taken_out_and_put_in() -> None:
    runs = changes("The ferry left\nat seven in all.", "The ferry left at six in all.")
    assert runs == (
        ("=", "The ferry left at "), ("-", "seven"), ("+", "six"), ("=", " "), ("=", "in all."),
    )  # fmt: skip


def test_a_phrase_that_was_added_is_one_run() -> None:
    runs = changes("It sank.", "It sank. All were saved.")
    assert runs == (("=", "It sank. "), ("+", "All were saved."))
    assert changes("It sank. All were saved.", "It sank.") == (
        ("=", "It sank. "), ("-", "All were saved."),
    )  # fmt: skip


def test_in_scripts_without_spaces_characters_are_compared() -> None:
    runs = changes("部队在昨天完成了三次演练。", "部队在昨天完成了四次演练。")
    assert runs == (("=", "部队在昨天完成了"), ("-", "三"), ("+", "四"), ("=", "次演练。"))


def test_white_space_alone_is_no_change() -> None:
    assert changes("One\n\ntwo  three", "One two three") == (("=", "One two three"),)


def test_texts_that_would_take_long_are_replaced_whole() -> None:
    runs = changes("a " * 4000 + "b", "c " + "a " * 3000)
    assert [kind for kind, _ in runs] == ["-", "+"]
    old, new = (" ".join(f"c {side}{place}" for place in range(4000)) for side in "ab")
    assert len(changes(old, new)) <= 3
    # Each word is found alone, in a round that passes over all that are left.
    old, new = (" ".join(f"u{place} {side}{place}" for place in range(4000)) for side in "uz")
    assert [kind for kind, _ in changes(old, new)] == ["=", "-", "+"]
    old, new = (" ".join(f"u{place} {side}{place}" for place in range(400)) for side in "uz")
    assert len(changes(old, new)) > 1000


@given(
    st.text(alphabet="ab 三四\n", max_size=40),
    st.text(alphabet="ab 三四\n", max_size=40),
)
def test_the_runs_hold_both_versions(old: str, new: str) -> None:
    runs = changes(old, new)
    for kind, version in (("+", old), ("-", new)):
        assert "".join(without(kind, runs).split()) == "".join(version.split())

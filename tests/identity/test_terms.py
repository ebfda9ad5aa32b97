"""Terms as people read them: whole words in place of stems."""

from __future__ import annotations

from aggregator.identity.texts.terms import spelled


def test_stems_are_spelled_out_as_a_text_writes_them() -> None:
    text = "Brisbane International semifinals: Élysées beaten, Brisbane again"
    stems = ("brisban", "interna", "semifin", "elysees", "brisban", "nowhere")
    assert spelled(stems, "", text) == (
        "Brisbane", "International", "semifinals", "Élysées", "nowhere",
    )  # fmt: skip


def test_pieces_of_unspaced_scripts_and_numbers_stay_as_they_are() -> None:
    assert spelled(("渡轮", "42"), "渡轮服务在风暴后恢复 42") == ("渡轮", "42")

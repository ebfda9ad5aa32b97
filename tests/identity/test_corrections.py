"""A new entry that is an earlier item of its source, corrected; and one that only looks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.identity.corrections import corrected, headline, time_apart, was_taken_out
from aggregator.model.copies import CopyDecision, CopyThresholds
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import Earlier, EntryIntent, KnownEntry, PreparedBody
from aggregator.model.states import EntryKind, Mark
from tests.identity.shipped import comparable, judge_correction, prepare_text, unlisted
from tests.identity.texts import ENGLISH, GERMAN, LANGUAGES, MARKET_REPORTS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIGURES = {"a": 101, "b": 2, "c": 37, "d": 4.5, "e": 55, "f": 66, "g": 78}


def judge(
    new: str, earlier: str, *, hours: float = 2, taken_out: bool = False, mark: Mark = Mark.HEADLINE
) -> CopyDecision:
    return judge_correction(
        comparable(new),
        comparable(earlier),
        apart=timedelta(hours=hours),
        taken_out=taken_out,
        mark=mark,
    )


@pytest.mark.parametrize("text", LANGUAGES.values(), ids=LANGUAGES)
def test_a_corrected_text_is_a_correction_in_any_script(text: str) -> None:
    note = "Correction: the report has been changed since." if text.isascii() else "訂正しました"
    assert judge(f"{text}\n{note}", text).same


def test_the_reason_and_the_evidence_say_what_was_found() -> None:
    found = judge(ENGLISH + "\nThe ferry line corrected the name of the port.", ENGLISH)
    assert found.score == 1.0
    assert found.reason == (
        "its publisher sent it again under another id, with the same headline; the earlier id is "
        "gone, 100% of the shorter text is in the other, and no figure speaks against it"
    )
    assert found.evidence.numbers_asked
    assert found.evidence.vetoes == ()


def test_another_text_is_no_correction() -> None:
    assert not judge(GERMAN, ENGLISH).same


def test_a_bulletin_with_other_figures_is_no_correction() -> None:
    report = MARKET_REPORTS["en"]
    monday = report.format(**FIGURES, word="up", day="March 3")
    later = report.format(**{k: v + 11 for k, v in FIGURES.items()}, word="up", day="March 3")
    assert judge(monday, monday).same
    assert "numbers" in judge(later, monday).evidence.vetoes
    assert not judge(later, monday, taken_out=True, mark=Mark.ADDRESS).same


def test_a_bulletin_about_another_day_is_no_correction() -> None:
    report = MARKET_REPORTS["en"]
    monday = report.format(**FIGURES, word="up", day="March 3")
    tuesday = report.format(**FIGURES, word="up", day="March 4")
    assert "dates" in judge(tuesday, monday).evidence.vetoes


def test_after_the_window_the_earlier_one_must_have_been_taken_out_and_hardly_changed() -> None:
    note = "\nThe ferry line corrected the name of the port."
    half = ENGLISH[: len(ENGLISH) * 2 // 3]
    assert not judge(ENGLISH + note, ENGLISH, hours=30).same
    assert judge(ENGLISH + note, ENGLISH, hours=30, taken_out=True).same
    assert judge(half, ENGLISH, hours=2).same
    assert not judge(half, ENGLISH, hours=30, taken_out=True).same
    assert judge(half, ENGLISH, hours=30, mark=Mark.ADDRESS).same


def test_the_window_is_the_operator_s() -> None:
    ready = comparable(ENGLISH)
    wide = CopyThresholds(correction_window=timedelta(days=3))
    found = judge_correction(
        ready, ready, apart=timedelta(days=2), taken_out=False, thresholds=wide
    )
    assert found.same


def test_a_short_text_says_nothing() -> None:
    assert judge("Nothing new today.", "Nothing new today.").evidence.vetoes == ("short",)


# -- which earlier entry it may be ----------------------------------------------------------------


def known(number: int, url_key: str | None = None) -> KnownEntry:
    return KnownEntry(number, number, f"key-{number}", "hash", None, None, url_key, "Ferry sinks")


def earlier(number: int, url_key: str | None = None, text: str | None = ENGLISH) -> Earlier:
    return Earlier(known(number, url_key), NOON, text)


def new(title: str | None = "Ferry sinks", text: str = ENGLISH, **fields: object) -> EntryIntent:
    return EntryIntent(
        EntryKind.NEW, "key-new", ParsedEntry(None, None, title), "other hash",
        body=PreparedBody("", text), prepared=prepare_text(text), **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def listed(number: int, title: str = "Another headline") -> EntryIntent:
    return EntryIntent(
        EntryKind.TOUCHED, f"key-{number}", ParsedEntry(None, None, title), "h", known=known(number)
    )


FERRY = {headline("FERRY sinks!"): [earlier(7)]}


def test_an_unlisted_entry_with_the_headline_is_asked_about() -> None:
    assert unlisted([listed(3), new()], FERRY, {}) == {1: earlier(7)}


def test_while_the_earlier_one_is_listed_both_are_items() -> None:
    assert unlisted([listed(7), new()], FERRY, {}) == {}


def test_a_headline_that_recurs_says_nothing() -> None:
    title = headline("Ferry sinks")
    assert unlisted([new()], {title: [earlier(7), earlier(8)]}, {}) == {}
    assert unlisted([new(), listed(3, "Ferry sinks")], FERRY, {}) == {}
    assert unlisted([new(None)], {"": [earlier(7)]}, {}) == {}


def test_one_address_counts_under_any_headline() -> None:
    at = {"u": earlier(7, "u")}
    one = new("Barge sinks", url_key="u", url_key_is_identity=True)
    assert unlisted([one], {}, at) == {0: earlier(7, "u")}
    assert unlisted([replace(one, url_key_is_identity=False)], {}, at) == {}


def test_an_earlier_entry_is_taken_once_and_only_with_a_text() -> None:
    at = {"u": earlier(7, "u")}
    one = new("Barge sinks", url_key="u", url_key_is_identity=True)
    assert list(unlisted([one, new()], FERRY, at)) == [0]
    assert unlisted([new()], {headline("Ferry sinks"): [earlier(7, text=None)]}, {}) == {}
    assert unlisted([new(text="Too short.")], FERRY, {}) == {}


def test_an_entry_was_taken_out_when_several_older_ones_are_still_listed() -> None:
    assert was_taken_out([listed(2), listed(3), listed(4)], earlier(7))
    assert not was_taken_out([listed(2), listed(3), listed(8), listed(9)], earlier(7))


def test_the_time_between_two_is_the_source_s_own_and_never_in_the_future() -> None:
    dated = replace(new(), entry=ParsedEntry(None, None, None, published=NOON + timedelta(hours=1)))
    assert time_apart(dated, earlier(7), NOON + timedelta(days=2)) == timedelta(hours=1)
    assert time_apart(new(), earlier(7), NOON + timedelta(days=2)) == timedelta(days=2)
    ahead = replace(new(), entry=ParsedEntry(None, None, None, published=NOON + timedelta(days=9)))
    assert time_apart(ahead, earlier(7), NOON + timedelta(hours=3)) == timedelta(hours=3)


def test_an_intent_becomes_a_rename_with_its_evidence() -> None:
    decision = judge(ENGLISH, ENGLISH)
    found = corrected(new(), earlier(7), decision)
    assert (found.kind, found.known, found.decision) == ("renamed", known(7), decision)
    assert found.body is not None
    same = replace(new(), content_hash="hash")
    assert corrected(same, earlier(7), decision).body is None

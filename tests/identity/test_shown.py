"""Every change is a change: what differs besides the words is shown, passing addresses wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.identity.entries import Known, Reading, identify
from aggregator.identity.keys import KeyedEntry, key_entries
from aggregator.identity.shown import is_passing, shown_state
from aggregator.model.feed import Enclosure, Episode, ParsedEntry, Picture
from aggregator.model.item import EntryIntent, KnownEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENTRY = ParsedEntry(
    id="a",
    link="https://example.org/ferry",
    title="Ferry resumes",
    published=NOON,
    author="Mara Lind",
    content='<p>The ferry sails <a href="https://example.org/plan?v=1">again</a>.</p>',
    enclosures=(Enclosure("https://cdn.example.org/ferry.mp3?sig=1", "audio/mpeg"),),
    categories=("harbour",),
    image="https://cdn.example.org/ferry.jpg?v=1",
)
CHANGES = {
    "link": {"link": "https://example.org/ferry-resumes"},
    "author": {"author": "Mara Lind and Jon Berg"},
    "category": {"categories": ("harbour", "traffic")},
    "picture": {"image": "https://cdn.example.org/other.jpg"},
    "enclosure": {"enclosures": (Enclosure("https://cdn.example.org/other.mp3", "audio/mpeg"),)},
    "authors": {"authors": ("Mara Lind",)},
    "words for a picture": {"pictures": (Picture("https://cdn.example.org/f.jpg", "A ferry"),)},
    "length of an episode": {"episode": Episode(duration=90)},
    "address in the text": {"content": (ENTRY.content or "").replace("/plan", "/timetable")},
    "title in typography": {"title": "“Ferry” resumes"},
}


def keyed(entry: ParsedEntry) -> KeyedEntry:
    return key_entries([entry], "guid")[0]


def known(entry: ParsedEntry, **more: object) -> KnownEntry:
    one = keyed(entry)
    row = KnownEntry(
        1, 1, one.key, one.content_hash, "a", one.alias, one.url_key, entry.title,
        published=entry.published, reader=2, shown=one.shown, shown_at=NOON,
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


def seen(
    entry: ParsedEntry, before: KnownEntry, *, hours: float = 1, version: int = 2
) -> EntryIntent:
    known_now = Known({before.key: before}, {}, {}, NOON, empty=False)
    reading = Reading(NOON + timedelta(hours=hours), version)
    return identify([keyed(entry)], known_now, reading).intents[0]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_readers_see_is_replaced_without_a_revision(change: dict[str, object]) -> None:
    changed = replace(ENTRY, **change)  # type: ignore[arg-type]
    assert seen(changed, known(ENTRY)).kind == "replaced"


@pytest.mark.parametrize(
    "change",
    [{"published": NOON + timedelta(days=1)}, {"updated": NOON}, {"published_raw": "yesterday"}],
    ids=str,
)
def test_an_edit_of_a_date_alone_is_no_change(change: dict[str, object]) -> None:
    assert seen(replace(ENTRY, **change), known(ENTRY)).kind == "touched"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "after"), [("C++ 26 is out", "C# 26 is out"), ("Loss of 5 %", "Loss of 5 €")]
)
def test_a_title_that_changes_in_signs_is_a_revision(before: str, after: str) -> None:
    assert seen(replace(ENTRY, title=after), known(replace(ENTRY, title=before))).kind == "changed"


def signed(number: int) -> ParsedEntry:
    sound = Enclosure(f"https://cdn.example.org/ferry.mp3?sig={number}", "audio/mpeg")
    return replace(ENTRY, enclosures=(sound,))


def busted(number: int) -> ParsedEntry:
    return replace(ENTRY, image=f"https://cdn.example.org/ferry.jpg?v={number}")


def test_the_first_other_parameter_counts_and_marks_the_entry() -> None:
    assert seen(busted(2), known(ENTRY)).kind == "replaced"
    assert is_passing(shown_state(busted(2)), known(ENTRY))


@pytest.mark.parametrize("pass_", [signed, busted], ids=["enclosure", "picture"])
def test_an_address_that_passes_is_written_once_an_hour_and_moves_no_view(
    pass_: Callable[[int], ParsedEntry],
) -> None:
    before = known(pass_(2), passing=True)
    assert seen(pass_(3), before, hours=0.5).kind == "touched"
    later = seen(pass_(3), before, hours=2)
    assert (later.kind, later.quiet) == ("replaced", True)


@pytest.mark.parametrize(
    ("others", "same", "quiet"),
    [(0, 0, False), (1, 0, False), (2, 0, True), (2, 3, True), (2, 4, False), (30, 10, True)],
)
def test_parameters_that_differ_in_half_of_a_document_pass_from_the_start(
    others: int, same: int, quiet: bool
) -> None:
    """Besides the entry itself so many differ in parameters alone, and so many do not."""

    def made(number: int, mark: int) -> ParsedEntry:
        link = f"https://example.org/{number}"
        return replace(busted(mark), id=f"n{number}", link=link, title=f"Report {number}")

    count = 1 + others
    old = [made(n, 1) for n in range(count + same)]
    new = [made(n, 2 if n < count else 1) for n in range(count + same)]
    held = {}
    for number, one in enumerate(key_entries(old, "guid")):
        row = replace(known(ENTRY), entry_id=number, item_id=number, key=one.key,
                      content_hash=one.content_hash, guid=one.entry.id, shown=one.shown,
                      url_key=one.url_key, title=one.entry.title)  # fmt: skip
        held[one.key] = row
    reading = Reading(NOON + timedelta(hours=2), 2)
    found = identify(key_entries(new, "guid"), Known(held, {}, {}, NOON, empty=False), reading)
    first = next(one for one in found.intents if one.guid == "n0")
    assert (first.kind, first.quiet) == ("replaced", quiet)


def test_a_return_to_the_state_before_moves_no_view() -> None:
    other = replace(ENTRY, author="Jon Berg")
    before = known(other, shown_before=shown_state(ENTRY))
    assert seen(ENTRY, before, hours=0.5).kind == "touched"
    later = seen(ENTRY, before, hours=3)
    assert (later.kind, later.quiet) == ("replaced", True)


def test_a_real_change_does_not_wait_for_what_passes() -> None:
    before = known(busted(2), passing=True)
    assert seen(replace(busted(3), author="Jon Berg"), before).kind == "replaced"


def test_what_a_new_release_reads_otherwise_is_no_publishers_change() -> None:
    other = replace(ENTRY, content="<p>The ferry sails again, and on Sundays.</p>")
    assert seen(other, known(ENTRY), version=3).kind == "replaced"
    assert seen(ENTRY, known(ENTRY), version=3).kind == "touched"
    assert seen(other, known(ENTRY)).kind == "changed"


def test_a_date_that_a_new_release_reads_better_is_mended() -> None:
    dated = replace(ENTRY, published=NOON - timedelta(days=2))
    assert seen(dated, known(replace(ENTRY, published=None)), version=3).kind == "replaced"
    assert seen(dated, known(replace(ENTRY, published=NOON)), version=3).kind == "replaced"
    assert seen(dated, known(replace(ENTRY, published=NOON))).kind == "touched"
    guessed = replace(dated, date_inferred=True)
    assert seen(guessed, known(replace(ENTRY, published=None)), version=3).kind == "touched"
    later = replace(ENTRY, published=NOON + timedelta(days=9))  # was and is not yet
    assert seen(later, known(replace(ENTRY, published=NOON)), version=3).kind == "touched"


def test_what_is_gone_stays_gone_whatever_a_new_release_reads() -> None:
    other = replace(ENTRY, content="<p>The ferry sails again, and on Sundays.</p>")
    assert seen(other, known(ENTRY, tombstone=True), version=3).kind == "touched"

"""Grouping the last days anew by other thresholds: first only to see, then for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from aggregator.model.copies import CopyThresholds
from aggregator.pipeline.showing import decisions
from aggregator.pipeline.upkeep import regroup
from aggregator.store.copies.memory import Grouping
from aggregator.store.decisions import forgotten
from aggregator.store.decisions.scratch import Scratch
from tests.e2e.stories import stream
from tests.identity.texts import ENGLISH
from tests.store.test_copies import (
    NOON,
    Desk,
    desk,
    merge,
    other_story,
    partition,
    split,
    trimmed,
    version,
)

__all__ = ["desk"]

DEFAULT = CopyThresholds()
STRICT = replace(DEFAULT, containment=0.99, containment_young=0.99, sure=0.99)
LOOSE = replace(DEFAULT, containment=0.2, containment_young=0.2)
HALF = " ".join(ENGLISH.split()[:45]) + "\n" + other_story(2, 60)  # shares 40 % of itself


def look(desk: Desk, limits: CopyThresholds, since: datetime = NOON) -> list[tuple[str, int, int]]:
    found = regroup.look(desk.database, limits, since)
    return [(one.kind, one.a.number, one.b.number) for one in found.changed]


def apply(desk: Desk, limits: CopyThresholds, since: datetime = NOON) -> regroup.Regrouping:
    return regroup.apply(desk.database, limits, since, desk.now)


def kinds(desk: Desk, number: int) -> list[tuple[str, int | None]]:
    with desk.database.read() as connection:
        return [
            (d.kind, d.other_number)
            for d in decisions.decisions(connection, number, CopyThresholds())
        ]


def test_a_look_says_what_would_change_and_changes_nothing(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("beta", f"{trimmed(ENGLISH)}\n{other_story(1)}")
    before = desk.groups()
    assert look(desk, DEFAULT) == []
    found = regroup.look(desk.database, STRICT, NOON)
    assert (found.items, len(found.changed)) == (2, 1)
    (one,) = found.changed
    assert (one.kind, one.a.number, one.b.number) == ("parted", first, second)
    assert "99% is needed" in one.decision.reason
    assert desk.groups() == before
    assert kinds(desk, second) == [("copy", first)]


def test_applied_it_parts_and_joins_again_and_says_so(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("beta", f"{trimmed(ENGLISH)}\n{other_story(1)}")
    seen = version(desk, "all")
    apply(desk, STRICT)
    assert not desk.together(first, second)
    assert kinds(desk, second) == [("apart", first)]
    with desk.database.read() as connection:
        (line,) = decisions.decisions(connection, second, CopyThresholds())
    assert "under other thresholds they were one" in line.why
    assert version(desk, "all") == seen + 1
    assert look(desk, STRICT) == []
    apply(desk, DEFAULT)
    assert desk.together(first, second)
    assert ("copy", first) in kinds(desk, second)


def test_looser_thresholds_join_what_was_two(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("beta", HALF)
    assert not desk.together(first, second)
    assert look(desk, LOOSE) == [("joined", first, second)]
    apply(desk, LOOSE)
    assert desk.together(first, second)


def test_one_source_s_two_items_are_no_candidates_for_joining(desk: Desk) -> None:
    desk.take("alpha", ENGLISH, HALF)
    assert look(desk, LOOSE) == []


def test_what_was_decided_by_hand_stays(desk: Desk) -> None:
    numbers = [desk.take(name, ENGLISH)[0] for name in ("alpha", "beta", "gamma")]
    split(desk, numbers[1])
    (other,) = desk.take("beta", other_story(7))
    merge(desk, numbers[0], other)
    before = partition(desk)
    for limits in (STRICT, LOOSE, DEFAULT):
        apply(desk, limits)
        assert partition(desk) == before


def test_items_before_the_days_keep_their_groups_and_can_be_joined(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("beta", f"{trimmed(ENGLISH)}\n{other_story(1)}")
    desk.now += timedelta(days=5)
    since = desk.now
    (third,) = desk.take("gamma", HALF)
    assert look(desk, STRICT, since) == []
    apply(desk, LOOSE, since)
    assert desk.together(first, second, third)
    apply(desk, DEFAULT, since)
    assert desk.together(first, second)
    assert not desk.together(first, third)


def test_a_merge_by_hand_with_an_item_older_than_the_window_stays(desk: Desk) -> None:
    (old,) = desk.take("alpha", ENGLISH)
    desk.now += timedelta(days=40)
    (new,) = desk.take("beta", other_story(3))
    merge(desk, old, new)
    for since in (desk.now, desk.now - timedelta(days=7), NOON):
        assert look(desk, DEFAULT, since) == []
        apply(desk, DEFAULT, since)
        assert desk.together(old, new)


def test_a_split_from_an_item_older_than_the_window_stays(desk: Desk) -> None:
    """The second was split from the first; what joins the second must not meet the first's."""
    (first,) = desk.take("alpha", ENGLISH)
    desk.now += timedelta(days=10)
    (second,) = desk.take("beta", ENGLISH)
    split(desk, second)
    (third,) = desk.take("gamma", ENGLISH)
    desk.now += timedelta(days=8)
    (fourth,) = desk.take("delta", ENGLISH)
    before = desk.groups()
    assert before[first] == before[third] != before[second]
    for days in (1, 7, 30):
        apply(desk, DEFAULT, desk.now - timedelta(days=days))
        groups = desk.groups()
        assert groups[first] == groups[third] != groups[second]
        assert groups[fourth] in (groups[first], groups[second])


def test_a_group_keeps_the_number_of_a_founder_from_older_days(desk: Desk) -> None:
    """The group bears the number of an item that is not grouped anew."""
    (first,) = desk.take("alpha", ENGLISH)
    desk.now += timedelta(days=20)
    since = desk.now
    (second,) = desk.take("beta", other_story(3))
    (third,) = desk.take("gamma", other_story(3))
    merge(desk, first, second)
    split(desk, third)
    apply(desk, STRICT, since)
    assert desk.groups() == {first: first, second: first, third: third}


def test_merges_by_hand_with_items_whose_text_is_gone_stay(desk: Desk) -> None:
    """Two are one only through a third that is older or newer, and not kept any more."""
    numbers = [desk.take(name, other_story(number))[0] for number, name in enumerate("abcde")]
    first, second, third, fourth, fifth = numbers
    merge(desk, first, second)
    merge(desk, first, third)
    merge(desk, fourth, fifth)
    with desk.database.write() as connection:
        forgotten.forget(connection, [first, fifth], desk.now)
    (sixth,) = desk.take("gamma", other_story(8))
    merge(desk, fifth, sixth)
    assert look(desk, DEFAULT) == []
    apply(desk, DEFAULT)
    assert desk.groups() == dict.fromkeys(numbers[:3], first) | dict.fromkeys(
        (fourth, fifth, sixth), fourth
    )


def test_splits_from_items_whose_text_is_gone_stay(desk: Desk) -> None:
    first, second, third = (desk.take(name, ENGLISH)[0] for name in ("alpha", "beta", "gamma"))
    split(desk, third)
    with desk.database.write() as connection:
        forgotten.forget(connection, [first], desk.now)
    before = desk.groups()
    apply(desk, DEFAULT)
    assert desk.groups() == before == {first: first, second: first, third: third}


def test_what_parts_because_of_other_thresholds_is_told_where_the_founder_is_gone(
    desk: Desk,
) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    (second,) = desk.take("beta", f"{trimmed(ENGLISH)}\n{other_story(1)}")
    (third,) = desk.take("gamma", f"{trimmed(ENGLISH)}\n{other_story(2)}")
    assert desk.together(first, second, third)
    with desk.database.write() as connection:
        forgotten.forget(connection, [first], desk.now)
    assert look(desk, STRICT) == [("parted", second, third)]
    apply(desk, STRICT)
    assert desk.groups() == {first: first, second: first, third: third}


def test_nothing_parts_unsaid_from_an_item_before_the_days(desk: Desk) -> None:
    """The window was longer when the second came."""
    (first,) = desk.take("alpha", ENGLISH)
    desk.now += timedelta(days=5)
    (second,) = desk.take("beta", ENGLISH)
    assert desk.together(first, second)
    shorter = replace(DEFAULT, window=timedelta(days=2))
    assert look(desk, shorter, desk.now - timedelta(days=1)) == []
    apply(desk, shorter, desk.now - timedelta(days=1))
    assert desk.together(first, second)


def test_what_came_in_the_meantime_is_grouped_with_the_rest(desk: Desk) -> None:
    (first,) = desk.take("alpha", ENGLISH)
    with desk.database.read() as live:
        scratch = Scratch(live, DEFAULT, NOON)
    with scratch:
        (second,) = desk.take("beta", trimmed(ENGLISH))
        with desk.database.read() as live:
            scratch.advance(live)
        groups = scratch.groups()
    assert groups == {first: first, second: first}


def test_groups_that_changed_meanwhile_are_worked_out_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [desk.take(name, ENGLISH)[0] for name in ("alpha", "beta", "gamma")]
    made: list[Scratch] = []

    class Interrupted(Scratch):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            if not made:
                split(desk, numbers[2])
            made.append(self)

    monkeypatch.setattr(regroup, "Scratch", Interrupted)
    apply(desk, DEFAULT)
    assert len(made) == 2
    assert not desk.together(numbers[0], numbers[2])


def test_thresholds_that_take_shorter_texts_find_them_from_then_on(desk: Desk) -> None:
    brief = " ".join(ENGLISH.split()[:12])
    short = replace(DEFAULT, min_shingles=6)
    (first,) = desk.take("alpha", brief)
    apply(desk, short)
    settings = replace(desk.grouping.settings, copies=short)
    (second,) = desk.take("beta", brief, grouping=Grouping(settings))
    assert desk.together(first, second)


def test_done_twice_it_changes_nothing_more_and_a_new_member_still_finds_its_group(
    desk: Desk,
) -> None:
    pieces = stream(12, 8)
    for piece in pieces:
        desk.take(f"s{piece.source}", piece.text, title=piece.title)
    apply(desk, DEFAULT)
    after = partition(desk)
    assert look(desk, DEFAULT) == []
    apply(desk, DEFAULT)
    assert partition(desk) == after
    copied = next(piece for piece in pieces if piece.truth.startswith("story"))
    (number,) = desk.take("late", copied.text)
    assert len([n for n, g in desk.groups().items() if g == desk.groups()[number]]) > 1

"""Which group a new item joins, and which member of a group is shown."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.identity.texts.groups import choose_lead
from aggregator.model.copies import CopyThresholds, Member, TextOfItem
from tests.identity.shipped import choose_group
from tests.identity.texts import ENGLISH, GERMAN

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)
COPY = ENGLISH.rsplit("\n\n", 1)[0]


def item(number: int, text: str, group: int | None = None, source: str = "") -> TextOfItem:
    return TextOfItem(
        item_id=number, source_id=source or f"s{number}", text=text,
        group=number if group is None else group, source_items=100, shared_fingerprints=5,
    )  # fmt: skip


def member(number: int, **fields: object) -> Member:
    return Member(item_id=number, published=NOW, first_seen=NOW, **fields)  # type: ignore[arg-type]


def test_an_item_joins_the_group_of_the_text_it_copies() -> None:
    found = choose_group(item(9, COPY), [item(1, GERMAN), item(2, ENGLISH, group=7)])
    assert (found.group, found.with_item) == (7, 2)
    assert found.decision is not None
    assert found.decision.score == 1.0
    assert [c.item_id for c in found.compared] == [2, 1]


def test_without_a_copy_an_item_stays_alone_and_says_what_was_nearest() -> None:
    found = choose_group(item(9, COPY), [item(1, GERMAN)])
    assert found.group is None
    assert "item 1" in found.reason
    assert choose_group(item(9, COPY), []).reason == "no other item shares a fingerprint"


def test_a_text_that_holds_two_groups_together_merges_them() -> None:
    head, tail = COPY.split("\n\n")[:2], COPY.split("\n\n")[2:]
    halves = [item(1, "\n".join(head), group=1), item(2, "\n".join(tail), group=2)]
    found = choose_group(item(9, ENGLISH), halves)
    assert {found.group, *found.also} == {1, 2}


def test_what_an_operator_split_stays_split() -> None:
    alone = choose_group(item(9, COPY), [item(2, ENGLISH, group=7)], kept_apart={7})
    assert alone.group is None
    assert "operator" in alone.reason
    assert alone.compared[0].overruled
    both = [item(1, ENGLISH, group=1), item(2, COPY, group=2)]
    found = choose_group(item(9, COPY), both, apart_groups={frozenset((1, 2))})
    assert found.group in (1, 2)
    assert found.also == ()


def test_two_items_of_one_source_are_one_only_when_practically_the_same() -> None:
    def both(text: str, title: str, other: str = "Ferry sinks") -> bool:
        new = replace(item(9, text, source="a"), title=title)
        return choose_group(new, [replace(item(1, ENGLISH, source="a"), title=other)]).group == 1

    assert both(ENGLISH, "Ferry sinks!")
    assert not both(COPY, "Ferry sinks")
    assert not both(ENGLISH, "Another ferry sinks")


def test_the_order_of_candidates_does_not_matter() -> None:
    candidates = [item(n, ENGLISH if n % 2 else GERMAN, group=n % 3) for n in range(1, 8)]
    expected = choose_group(item(9, COPY), candidates)
    for seed in range(5):
        shuffled = random.Random(seed).sample(candidates, len(candidates))
        assert choose_group(item(9, COPY), shuffled) == expected


def test_only_the_nearest_candidates_are_compared() -> None:
    candidates = [item(n, ENGLISH) for n in range(1, 30)]
    found = choose_group(item(99, COPY), candidates, thresholds=CopyThresholds(max_candidates=4))
    assert len(found.compared) == 4


# -- the lead -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "lead"),
    [
        ([member(1, aggregator=True), member(2)], 2),
        ([member(1), member(2, preference=1)], 2),
        ([member(1, readable=False), member(2)], 2),
        ([member(1), member(2, served=True)], 2),
        ([member(1, private=True), member(2)], 2),
        ([member(1, private=True, served=True), member(2)], 2),
        ([member(1, private=True)], None),
        ([], None),
        ([member(2), member(1)], 1),
    ],
)
def test_the_lead_of_a_group(members: list[Member], lead: int | None) -> None:
    assert choose_lead(members) == lead


def test_the_earliest_of_equals_leads() -> None:
    later = Member(item_id=1, published=NOW + timedelta(hours=1), first_seen=NOW)
    assert choose_lead([later, member(2)]) == 2


def test_a_guarded_view_may_show_a_private_member() -> None:
    assert choose_lead([member(1, private=True)], private_allowed=True) == 1

"""Deleted entries (RFC 6721): what a feed takes back, and what ours say is gone."""

from __future__ import annotations

import pytest
from lxml import etree

from aggregator.pipeline.parts import Parts
from aggregator.pipeline.upkeep.forget import forget_items
from aggregator.publish.atom import TOMBSTONES
from aggregator.store.items import items
from tests.origin import Origin
from tests.pipeline.conftest import House

ATOM = "{http://www.w3.org/2005/Atom}"
MARK = "Withdrawn by its publisher"


def atom(*numbers: int, deleted: tuple[int, ...] = ()) -> bytes:
    entries = "".join(
        f"<entry><id>tag:alpha.example,2026:{n}</id><title>Bridge {n} opens</title>"
        f"<link href='https://alpha.example/{n}'/><updated>2026-03-01T11:00:00Z</updated>"
        f"<summary>The bridge of quarter {n} opens on Monday after years of work.</summary></entry>"
        for n in numbers
    )
    gone = "".join(
        f"<at:deleted-entry ref='tag:alpha.example,2026:{n}' when='2026-03-01T11:30:00Z'/>"
        for n in deleted
    )
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom' xmlns:at='{TOMBSTONES}'>"
        f"<id>tag:alpha.example,2026:feed</id><title>Alpha</title>"
        f"<updated>2026-03-01T11:00:00Z</updated>{entries}{gone}</feed>"
    ).encode()


def tombstones(house: House) -> list[str]:
    tree = etree.fromstring(house.feed("atom").body)
    return [one.get("ref") or "" for one in tree.iter(f"{{{TOMBSTONES}}}deleted-entry")]


def ids(house: House) -> list[str]:
    tree = etree.fromstring(house.feed("atom").body)
    return [str(one.findtext(f"{ATOM}id")) for one in tree.iter(f"{ATOM}entry")]


def poll(house: House, origin: Origin, body: bytes, path: str = "alpha") -> None:
    origin.answer(f"/{path}", body=body)
    house.clock.move(hours=1)
    house.poll(path)


def test_what_a_feed_says_is_deleted_is_withdrawn_until_it_is_listed_again(
    house: House, origin: Origin
) -> None:
    poll(house, origin, atom(1, 2))
    served = ids(house)
    assert tombstones(house) == []
    poll(house, origin, atom(2, deleted=(1,)))
    assert set(tombstones(house)) < set(served)
    assert len(tombstones(house)) == 1
    assert house.feed("atom").body.count(MARK.encode()) == 1
    poll(house, origin, atom(1, 2))
    assert tombstones(house) == []
    assert MARK.encode() not in house.feed("atom").body


def test_a_source_takes_back_its_own_entries_alone(house: House, origin: Origin) -> None:
    poll(house, origin, atom(1))
    poll(house, origin, atom(7, deleted=(1,)), path="beta")
    assert tombstones(house) == []


@pytest.mark.parametrize("days", [29, 31])
def test_what_a_person_had_forgotten_is_told_for_thirty_days(
    house: House, origin: Origin, days: int
) -> None:
    poll(house, origin, atom(1, 2))

    async def forget(parts: Parts) -> None:
        numbers = await parts.database.run_read(items.numbers_of, "alpha")
        await forget_items(parts, numbers[:1])

    before = ids(house)
    house.run(forget)
    assert len(tombstones(house)) == 1
    assert set(tombstones(house)) == set(before) - set(ids(house))
    house.clock.move(days=days)
    poll(house, origin, atom(2, 3))
    assert len(tombstones(house)) == (1 if days < 30 else 0)

"""A document that ended in the middle: what is whole is served, and becomes the item it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aggregator.store import schema as t
from tests.origin import Origin
from tests.pipeline.conftest import House
from tests.pipeline.test_over_time import entry, publish, rows

GUID_FIRST = ("guid", "title", "link", "pubDate", "description")
GUID_LAST = ("title", "link", "pubDate", "description", "guid")


def send_cut(house: House, origin: Origin, before: str, parts: list[str], kept: int) -> None:
    """The document ends within the part after the first `kept` of its last item."""
    house.clock.move(hours=1)
    cut = "<item>" + "".join(parts[:kept]) + parts[kept][:-10]
    body = f"<rss version='2.0'><channel><title>alpha</title>{before}{cut}"
    origin.answer("/alpha", body=body.encode(), headers={"etag": '"cut"'})
    house.poll("alpha")


def parts_of(item: str, order: tuple[str, ...]) -> list[str]:
    """The elements of an item in another order."""
    return [item[item.index(f"<{tag}") : item.index(f"</{tag}>") + len(tag) + 3] for tag in order]


@pytest.mark.parametrize("kept", range(1, 5))
@pytest.mark.parametrize("order", [GUID_FIRST, GUID_LAST], ids=["guid first", "guid last"])
def test_an_entry_that_was_cut_off_becomes_the_whole_one_without_a_revision(
    house: House, origin: Origin, order: tuple[str, ...], kept: int
) -> None:
    now = house.clock.now()
    older = entry("a", now)
    publish(house, origin, older)
    parts = parts_of(entry("b", now + timedelta(hours=1)), order)
    send_cut(house, origin, older, parts, kept)
    seen = {one["id"] for one in house.articles()}
    assert len(seen) == (2 if order[0] == "guid" and kept > 1 else 1)
    publish(house, origin, older, f"<item>{''.join(parts)}</item>")
    served = {one["title"]: one for one in house.articles()}
    assert set(served) == {"Report a", "Report b"}
    assert seen <= {one["id"] for one in served.values()}
    assert served["Report b"]["url"] == "https://alpha.example/b"
    assert "harbour road" in served["Report b"]["content_html"]
    assert rows(house, t.revision.c.number) == []


@pytest.mark.parametrize("order", [GUID_FIRST, GUID_LAST], ids=["guid first", "guid last"])
def test_an_entry_that_is_known_loses_nothing_where_its_document_is_cut_off(
    house: House, origin: Origin, order: tuple[str, ...]
) -> None:
    now = house.clock.now()
    older, parts = entry("a", now), parts_of(entry("b", now), order)
    publish(house, origin, older, f"<item>{''.join(parts)}</item>")
    before = house.articles()
    for kept in range(1, 5):
        send_cut(house, origin, older, parts, kept)
        assert house.articles() == before
    assert rows(house, t.revision.c.number) == []


def test_the_rest_of_an_entry_is_asked_for_whatever_the_server_says_of_changes(
    house: House, origin: Origin
) -> None:
    now = house.clock.now()
    older = entry("a", now)
    send_cut(house, origin, older, parts_of(entry("b", now), GUID_FIRST), 3)
    house.clock.move(hours=1)
    house.poll("alpha")
    assert "if-none-match" not in origin.requests("/alpha")[-1].headers

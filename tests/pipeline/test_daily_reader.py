"""A reader that asks once a day gets every text once, whatever its sources do (invariant 11)."""

from __future__ import annotations

from typing import Any

import pytest

from aggregator.pipeline.parts import Parts
from aggregator.store import schema as t
from aggregator.store.items import writing
from aggregator.store.sources import polls
from tests.origin import Origin
from tests.pipeline.conftest import House, rss
from tests.pipeline.test_private import TEXT


def test_a_text_is_shown_though_a_copy_lies_in_the_archive_of_a_new_source(
    house: House, origin: Origin
) -> None:
    """Of a new source only what is recent comes on top: who reads daily never sees the rest."""
    many = rss(*range(1000, 1130), site="beta", text="stands")
    origin.answer("/beta", body=many)
    house.poll("beta")
    house.feed()
    house.clock.move(hours=1)
    backlog = rss(*range(11, 31), text="is like no other")
    oldest = _item(rss(1, text=TEXT)).replace(b"01 Mar 2026", b"01 Mar 2025")
    origin.answer("/alpha", body=backlog.replace(b"</channel>", oldest + b"</channel>"))
    house.poll("alpha")
    body = house.feed("rss").body
    assert b"alpha.example/2026/bridge-30<" in body
    assert b"alpha.example/2026/bridge-1<" not in body  # in the archive
    house.clock.move(hours=1)
    copy = _item(rss(1, site="beta", text=TEXT))
    origin.answer("/beta", body=many.replace(b"<item>", copy + b"<item>", 1))
    house.poll("beta")
    body = house.feed("rss").body
    assert b"beta.example/2026/bridge-1<" in body
    assert b"alpha.example/2026/bridge-1<" not in body


def _item(document: bytes) -> bytes:
    return b"<item>" + document.split(b"<item>")[1].split(b"</item>")[0] + b"</item>"


def test_a_first_poll_that_was_cut_short_still_brings_what_is_recent_on_top(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BATCH", 20)
    origin.answer("/alpha", body=rss(*range(1, 61)))
    house.clock.move(hours=36, minutes=50)  # two days after the fiftieth
    with monkeypatch.context() as broken:
        broken.delattr(polls, "log_poll")
        with pytest.raises(AttributeError):
            house.poll("alpha")
    house.clock.move(minutes=1)
    house.poll("alpha")

    async def on_top(parts: Parts) -> list[str]:
        def read(connection: Any) -> list[str]:
            i = t.item.c
            return list(connection.scalars(
                t.item.select().with_only_columns(i.title).where(i.sort_at == i.first_seen)
            ))  # fmt: skip

        return await parts.database.run_read(read)

    assert len(house.titles()) == 60
    assert sorted(house.run(on_top)) == [f"Bridge {n} opens" for n in range(51, 61)]

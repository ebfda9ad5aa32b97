"""Pages of a source that becomes private while they wait or are being read (invariant 12)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from sqlalchemy import Connection, select

from aggregator.pipeline.configure import apply_settings
from aggregator.pipeline.following.visit import Follower, drain
from aggregator.pipeline.parts import Parts
from aggregator.store import schema as t
from tests.origin import Origin, Wire, reply
from tests.pipeline.conftest import House
from tests.pipeline.test_follow import Site, article, link
from tests.pipeline.test_private import hidden


def scopes(connection: Connection) -> dict[str, set[str]]:
    """The scopes of items, of pages and of URL keys."""
    kinds: dict[str, Any] = {"item": t.item, "page": t.page, "url_key": t.url_key}
    return {name: set(connection.scalars(select(k.c.scope))) for name, k in kinds.items()}


def test_a_page_read_while_its_source_becomes_private_is_private(
    house: House, origin: Origin
) -> None:
    site = Site(house, origin)
    site.feed(1)
    site.page(1, 2)
    house.poll("alpha")

    async def work(parts: Parts) -> None:
        asked, go_on = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        async def answer(wire: Wire) -> None:
            loop.call_soon_threadsafe(asked.set)
            await asyncio.to_thread(go_on.wait, 30)
            headers = {"Content-Type": "text/html; charset=utf-8"}
            await wire.send(reply(200, headers, article(2, [link(3)])))

        origin.route(link(2)[1], answer)
        reading = asyncio.create_task(drain(parts, Follower(parts)))
        await asked.wait()
        changed = hidden(house)
        await parts.database.run_write(apply_settings, changed, parts.clock.now())
        go_on.set()
        await reading

    house.run(work)
    assert site.query(scopes) == {"item": {"alpha"}, "page": {"alpha"}, "url_key": {"alpha"}}
    house.settings = hidden(house)
    assert b"Quay plan" not in house.feed().body

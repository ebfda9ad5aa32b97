"""News for open streams: from now on, after a cursor, and what is lost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.pushing.streaming import Event, Newsroom
from aggregator.work.push import Pusher
from tests.origin import Origin
from tests.patience import PATIENCE
from tests.pipeline.conftest import House, claimed, rss


def titles(events: list[Event]) -> list[Any]:
    return [json.loads(event.data)["title"] for event in events if event.data is not None]


def test_a_stream_tells_each_new_item_once_in_order_and_goes_on_after_a_cursor(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))

    async def work(parts: Parts) -> None:
        pusher, room = Pusher(parts), Newsroom(parts)

        async def polled(*numbers: int) -> None:
            origin.answer("/alpha", body=rss(*numbers))
            source = house.settings.sources[0]
            await poll_source(parts, source, await claimed(parts, source))
            await pusher.tick()

        async def read(stream: Any, number: int) -> list[Event]:
            async with asyncio.timeout(PATIENCE):
                return [await anext(stream) for _ in range(number)]

        await polled(1)
        stream = room.events("all", None)
        begun = asyncio.create_task(read(stream, 1))
        while not begun.done():
            await pusher.tick()
            await asyncio.sleep(0.01)
        (begin,) = begun.result()
        assert begin.data is None
        await polled(1, 2, 3)
        found = await read(stream, 2)
        assert sorted(titles(found)) == ["Bridge 2 opens", "Bridge 3 opens"]
        await stream.aclose()

        again = room.events("all", found[0].cursor)
        assert titles(await read(again, 2)) == titles(found[1:])
        await again.aclose()
        first = room.events("all", begin.cursor)
        assert titles(await read(first, 3)) == titles(found)
        await first.aclose()

        for cursor in (0, found[-1].cursor + 1):
            unknown = room.events("all", cursor)
            (said,) = await read(unknown, 1)
            assert (said.lost, said.cursor) == (True, found[-1].cursor)
            await unknown.aclose()

    house.run(work)

"""Addresses that pass, in many feeds: a view moves for them once a day, and shows them by then."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from aggregator.model.settings import SourceSettings, ViewMode, ViewSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.showing.views import Publisher
from aggregator.pipeline.upkeep import maintain
from aggregator.store.views import rendered
from tests.origin import Origin, Wire, reply
from tests.pipeline.conftest import House, claimed

FEEDS, ROUNDS, EVERY = 20, 14, timedelta(hours=6)
DAY = timedelta(days=1)
MADE = re.compile(r"made=(\d+)")


def passing(house: House, origin: Origin, name: str, entries: int, *, until: datetime) -> None:
    """A feed whose enclosures are signed, and its pictures marked, anew for each answer."""

    async def handler(wire: Wire) -> None:
        made = int(min(house.clock.now(), until).timestamp() / 60)
        items = "".join(
            f"<item><guid>{name}-{n}</guid><title>{name} reports number {n}</title>"
            f"<link>https://{name}.example/{n}</link>"
            f"<enclosure url='https://cdn.example/{name}/{n}.mp3?made={made}&amp;sig={made * 31}'"
            " type='audio/mpeg' length='9'/><description>&lt;p&gt;&lt;img src='https://cdn."
            f"example/{name}/{n}.jpg?made={made}'&gt; Desk {name} wrote text {n}.&lt;/p&gt;"
            "</description></item>"
            for n in range(entries)
        )
        body = f"<rss version='2.0'><channel><title>{name}</title>{items}</channel></rss>"
        await wire.send(reply(200, {}, body.encode()))

    origin.route(f"/{name}", handler)


def configure(house: House, origin: Origin, names: list[str]) -> None:
    house.configure(
        sources=tuple(SourceSettings(name, origin.url(f"/{name}")) for name in names),
        views=(ViewSettings("all", "Everything", mode=ViewMode.ARTICLES),),
    )


async def poll(parts: Parts, source: SourceSettings) -> Any:
    return await poll_source(parts, source, await claimed(parts, source))


async def jobs(parts: Parts) -> None:
    """What the service does besides polling."""
    await maintain.show_waiting(parts)
    await maintain.tidy_views(parts)


def made(view: Any) -> list[int]:
    return [
        int(minute)
        for item in json.loads(view.body)["items"]
        for minute in MADE.findall(json.dumps(item))
    ]


def test_signed_enclosures_and_marked_pictures_of_many_feeds_move_a_view_once_a_day(
    house: House, origin: Origin
) -> None:
    names = [f"f{n}" for n in range(FEEDS)]
    begun, forever = house.clock.now(), house.clock.now() + 99 * DAY
    for name in names:
        passing(house, origin, name, 3, until=forever)
    configure(house, origin, names)
    moves: list[datetime] = []
    ages: list[timedelta] = []
    changed = []

    async def work(parts: Parts) -> None:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        last = None
        for number in range(ROUNDS):
            for place, source in enumerate(house.settings.sources):
                house.clock.at = begun + number * EVERY + place * EVERY / FEEDS
                changed.append((await poll(parts, source)).changed_items)
                await jobs(parts)
                state = await parts.database.run_read(rendered.view_state, "all")
                if state is not None and state.version != last and number:
                    moves.append(house.clock.now())
                last = state and state.version
            view = await publisher.rendered("all", "json", None)
            oldest = min(made(view)) * 60
            ages.append(timedelta(seconds=house.clock.now().timestamp() - oldest))

    house.run(work)
    assert sum(changed) == 0
    assert len(moves) == ROUNDS * EVERY // DAY
    assert all(later - earlier >= DAY for earlier, later in pairwise(moves))
    # From a poll to the next an address may age, and a day until it is shown.
    assert max(ages) <= DAY + EVERY


def test_what_passed_once_more_and_never_again_is_shown_within_a_day(
    house: House, origin: Origin
) -> None:
    begun = house.clock.now()
    passing(house, origin, "alpha", 4, until=begun + timedelta(hours=2))
    configure(house, origin, ["alpha"])
    last = int((begun + timedelta(hours=2)).timestamp() / 60)
    shown: list[bool] = []

    async def work(parts: Parts) -> None:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        (source,) = house.settings.sources
        for _ in range(27):
            await poll(parts, source)
            await jobs(parts)
            shown.append(set(made(await publisher.rendered("all", "json", None))) == {last})
            house.clock.move(hours=1)

    house.run(work)
    await_shown = shown.index(True)
    assert 2 < await_shown <= 25
    assert all(shown[await_shown:])


def test_nothing_waits_where_nothing_passed(house: House, origin: Origin) -> None:
    passing(house, origin, "alpha", 4, until=house.clock.now() - DAY)
    configure(house, origin, ["alpha"])

    async def work(parts: Parts) -> list[int]:
        found = []
        (source,) = house.settings.sources
        for _ in range(4):
            await poll(parts, source)
            house.clock.move(hours=30)
            found.append(await maintain.show_waiting(parts))
        return found

    assert house.run(work) == [0, 0, 0, 0]

"""What each page, feed and command costs at 10,000 and at 1,000,000 items of 10,000 sources.

    python -m bench.routes [--small 10000] [--large 1000000] [--sources 10000] [--url POSTGRESQL]

Each store is made by bulk inserts (`bench.large_store`), in a folder of its own or, with `--url`
(given twice: for the small and for the large one), in an empty PostgreSQL database. Each route is
asked through the whole application, without a network. Printed are CPU milliseconds of this process
and wall milliseconds, which for PostgreSQL hold the server's part, of the second answer, and of the
first where a feed is rendered for it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from aggregator.config.load import load_settings
from aggregator.opening import open_parts
from aggregator.pipeline.showing import counting, sources
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.pipeline.upkeep import maintain
from aggregator.server.access.guesses import POLICY
from aggregator.server.app import create_app
from bench import large_store

PAGES = (
    "/", "/sources", "/sources?tag=t4&q=s&after=s00004", "/views/all", "/views/whole",
    "/views/told", "/views/tenth", "/views/quiet", "/views/few", "/sources/s00001",
    "/sources/s00003", "/items/5000", "/stories/5000", "/status", "/health/ready", "/metrics",
    "/opml",
)  # fmt: skip
FEEDS = (
    "/feeds/all.atom", "/feeds/whole.rss", "/feeds/told.json", "/feeds/tenth.atom",
    "/feeds/quiet.atom", "/feeds/few.atom", "/feeds/source/s00001.atom", "/feeds/tag/t4.atom",
)  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Milliseconds: of this process, and until the answer was there."""

    cpu: float
    wall: float


async def cost(verb: Callable[[], Awaitable[Any]]) -> Cost:
    """What it costs to await a verb once."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    await verb()
    return Cost((time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000)


async def measure(path: Path) -> dict[str, Cost]:
    """Every route of a store, by what was asked."""
    found: dict[str, Cost] = {}
    settings = load_settings(path)

    async def opened() -> None:
        async with open_parts(settings):
            pass

    await opened()  # the first applies the configuration and migrates
    found["start: database and configuration"] = await cost(opened)
    async with open_parts(settings) as parts:
        await maintain.sanitize_again(parts)  # the first looks through everything
        found["start: sanitiser's version"] = await cost(lambda: maintain.sanitize_again(parts))
        await counting.count(parts)
        found["job: numbers of the hours"] = await cost(lambda: counting.count_hours(parts))
        found["command: status"] = await cost(
            lambda: parts.database.run_read(sources.every, settings)
        )
        publisher = Publisher(parts.database, parts.clock, lambda: settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: settings, Condition())
        app = create_app(pages, lambda: settings, guess_policy=POLICY)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            for route in PAGES:
                await client.get(route)
                found[route] = await cost(lambda route=route: client.get(route))  # type: ignore[misc]
            for route in FEEDS:
                first = await cost(lambda route=route: client.get(route))  # type: ignore[misc]
                found[f"{route}, rendered"] = first
    return found


def main() -> None:
    """Make two stores, measure both, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--url", action="append", default=[])
    given = parser.parse_args()
    found: list[dict[str, Cost]] = []
    with tempfile.TemporaryDirectory() as made:
        for number, items in enumerate((given.small, given.large)):
            folder = Path(made) / str(items)
            folder.mkdir()
            url = given.url[number] if given.url else f"sqlite:///{folder}/aggregator.db"
            path = large_store.configuration(folder, url, given.sources)
            large_store.make(path, items)
            found.append(asyncio.run(measure(path)))
    print(table(found[0], found[1], given.small, given.large))


def table(small: dict[str, Cost], large: dict[str, Cost], items: int, more: int) -> str:
    """Both stores side by side, and how much the larger one costs of the smaller one."""
    lines = [
        f"| | {items:,} items: CPU ms | wall ms | {more:,} items: CPU ms | wall ms | grows by |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, one in small.items():
        other = large[name]
        grows = other.wall / max(one.wall, 1.0)
        lines.append(
            f"| {name} | {one.cpu:.1f} | {one.wall:.1f} | {other.cpu:.1f} | {other.wall:.1f} "
            f"| {grows:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

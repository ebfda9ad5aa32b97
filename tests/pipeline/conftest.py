"""The verbs with all their real parts against a scripted origin; only the clock is ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any, TypeVar

import pytest

from aggregator.isolate.pool import WorkerPool
from aggregator.model.item import PollRecord
from aggregator.model.settings import (
    FetchingSettings,
    PollingSettings,
    Secret,
    Settings,
    SourceSettings,
    StorageSettings,
    ViewMode,
    ViewSettings,
)
from aggregator.opening import open_parts
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.showing.views import Publisher
from aggregator.store.sources import claims, states
from aggregator.store.views import selections, served
from tests.origin import Origin
from tests.patience import PATIENCE

T = TypeVar("T")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = timedelta(seconds=PATIENCE)
SCORE: dict[str, int] = {}  # what `test_polite` counted; printed at the end of the run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the politeness score."""
    if SCORE:
        terminalreporter.write_sep("-", "politeness score")
    for line, count in SCORE.items():
        terminalreporter.write_line(f"{count:6}  {line}")


async def claimed(parts: Parts, source: SourceSettings) -> claims.Claim:
    """The lease that a poll of a source needs."""
    now, lease = parts.clock.now(), parts.settings.polling.lease
    claim = await parts.database.run_write(claims.claim_one, source.id, now, parts.owner, lease)
    assert claim is not None, f"{source.id} is being polled"
    return claim


@dataclass
class HeldClock:
    """Stands still until a test moves it."""

    at: datetime = NOON
    set_by: timedelta = timedelta(0)  # of that, what somebody set it by

    def now(self) -> datetime:
        return self.at

    def elapsed(self) -> float:
        return (self.at - self.set_by - NOON).total_seconds()

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.at += timedelta(**by)

    def set(self, **by: float) -> None:
        """Set the clock, while no time passes."""
        self.at += timedelta(**by)
        self.set_by += timedelta(**by)


@dataclass
class House:
    """A configuration and what can be done with it, each call with freshly opened parts."""

    settings: Settings
    runner: asyncio.Runner
    workers: WorkerPool
    clock: HeldClock = field(default_factory=HeldClock)

    def run(self, work: Callable[[Parts], Coroutine[Any, Any, T]]) -> T:
        async def inside() -> T:
            opened = open_parts(self.settings, clock=self.clock, workers=self.workers)
            async with opened as parts:
                return await work(parts)

        return self.runner.run(inside())

    def poll(self, *names: str) -> list[PollRecord]:
        """Poll the named sources, or all, one after the other."""

        async def work(parts: Parts) -> list[PollRecord]:
            records = []
            for source in self.settings.sources:
                if not names or source.id in names:
                    claim = await claimed(parts, source)
                    records.append(await poll_source(parts, source, claim))
            return records

        return self.run(work)

    def titles(self, view: str = "all") -> list[str]:
        """What a view shows, newest first."""

        async def work(parts: Parts) -> list[str]:
            def read(connection: Any) -> list[str]:
                places = selections.newest(connection, selections.Selection(None), 1000)
                found = served.served_items(connection, [p.number for p in places])
                return [found[p.number].title for p in places]

            return await parts.database.run_read(read)

        return self.run(work)

    def feed(self, fmt: str = "atom", view: str = "all") -> Any:
        """A rendered view."""

        async def work(parts: Parts) -> Any:
            publisher = Publisher(parts.database, parts.clock, lambda: self.settings)
            return await publisher.rendered(view, fmt, None)

        return self.run(work)

    def articles(self) -> list[dict[str, Any]]:
        """Every article, as a view of them all serves them in JSON."""
        self.configure(views=(ViewSettings("all", "Everything", mode=ViewMode.ARTICLES),))
        found: list[dict[str, Any]] = json.loads(self.feed("json").body)["items"]
        return found

    def state(self, name: str) -> Any:
        async def work(parts: Parts) -> Any:
            return await parts.database.run_read(states.feed_state, name)

        return self.run(work)

    def configure(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as made:
        yield made


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all: the workers below belong to it."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(autouse=True, scope="module")
def _one_lane(one_lane: None) -> None:
    """A document is not refused because reading others takes long."""


@pytest.fixture(scope="session")
def workers(runner: asyncio.Runner) -> Iterator[WorkerPool]:
    """Worker processes that are started once."""
    pool = WorkerPool(1, idle=60, preload=("aggregator.pipeline.polling.reading",))
    yield pool
    runner.run(pool.close())


@pytest.fixture
def house(database_url: str, origin: Origin, runner: asyncio.Runner, workers: WorkerPool) -> House:
    """Two sources on the origin, on either database."""
    return House(
        Settings(
            storage=StorageSettings(url=Secret(database_url)),
            polling=PollingSettings(host_gap=timedelta(0), min_refresh=timedelta(0)),
            fetching=FetchingSettings(
                allow_networks=(ip_network("127.0.0.1/32"),), allow_ports=(origin.port,),
                parse_workers=1, parse_timeout=LONG, timeout=LONG,
            ),
            sources=(
                SourceSettings("alpha", origin.url("/alpha")),
                SourceSettings("beta", origin.url("/beta")),
            ),
            views=(ViewSettings("all", "Everything"),),
        ),
        runner,
        workers,
    )  # fmt: skip


def rss(*numbers: int, site: str = "alpha", text: str = "opened after repairs") -> bytes:
    """A feed with an item for each number, newest first."""
    items = "".join(
        f"<item><guid>https://{site}.example/?p={n}</guid><title>Bridge {n} opens</title>"
        f"<link>https://{site}.example/2026/bridge-{n}</link>"
        f"<pubDate>Sun, 01 Mar 2026 {n // 60 % 12:02d}:{n % 60:02d}:00 GMT</pubDate>"
        f"<description>&lt;p&gt;Bridge number {n} of {site} {text}.&lt;/p&gt;</description></item>"
        for n in sorted(numbers, reverse=True)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>{site}</title>'
        f"<link>https://{site}.example/</link><description>d</description>{items}</channel></rss>"
    ).encode()

"""A worker takes jobs, and does nothing by a clock that cannot be right."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from aggregator.model.settings import (
    FetchingSettings,
    PollingSettings,
    Secret,
    Settings,
    SourceSettings,
    StorageSettings,
)
from aggregator.model.states import Role
from aggregator.opening import open_parts
from aggregator.pipeline.showing.pages import Condition
from aggregator.work import queue
from aggregator.work.queue import Queue, job_queue
from aggregator.work.queued import Queued
from aggregator.work.worker import Asked, Worker
from tests.e2e.feeds import rss
from tests.origin import Origin
from tests.patience import PATIENCE
from tests.pipeline.conftest import HeldClock

pytestmark = pytest.mark.required("postgres")


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.05)


def test_a_worker_with_a_wrong_clock_asks_nobody_until_it_is_set(
    postgres_with_tables_url: str,
) -> None:
    clock = HeldClock()
    right = clock.now()
    with Origin() as origin:
        origin.answer("/feed", body=rss("paper", range(2)))
        settings = Settings(
            storage=StorageSettings(url=Secret(postgres_with_tables_url)),
            polling=PollingSettings(min_refresh=timedelta(0)),
            fetching=FetchingSettings(
                allow_networks=(ip_network("127.0.0.1/32"),), allow_ports=(origin.port,),
                parse_workers=1,
            ),
            sources=(SourceSettings("paper", origin.url("/feed")),),
        )  # fmt: skip

        async def work() -> list[Any]:
            found: list[Any] = []
            async with open_parts(settings, clock=clock) as parts:
                await parts.database.run_write(queue.prepare)
                opened = job_queue(parts.database, connections=2)
                condition = Condition(role=Role.WORKER)
                other = replace(parts, clock=HeldClock(right.replace(year=2020)), owner="worker")
                worker = Worker(other, condition, Asked(2, list(Queue), timedelta(seconds=5)))
                async with opened.app.open_async():
                    engine = Queued(parts, opened.jobs)
                    worker.start()
                    found.append(await engine.begin_polls(clock.now()))
                    await until(lambda: condition.clock is not None)
                    found.append(len(origin.requests("/feed")))
                    other.clock = clock
                    clock.move(seconds=2)
                    await engine.begin_polls(clock.now())
                    await until(lambda: origin.requests("/feed") != [])
                    found.append(condition.clock)
                    await worker.stop(timedelta(seconds=5))
            return found

        assert asyncio.run(work()) == [1, 0, None]

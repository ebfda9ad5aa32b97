"""All parts of the program, made of settings, opened together and closed in the end."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from aggregator import __version__
from aggregator.fetch.client import Fetcher
from aggregator.isolate.pool import WorkerPool
from aggregator.model.http import HostSlots
from aggregator.model.settings import Settings
from aggregator.pipeline import policy
from aggregator.pipeline.budgets.slots import DatabaseSlots, LocalSlots
from aggregator.pipeline.configure import apply_settings, installation
from aggregator.pipeline.following import reading as page_reading
from aggregator.pipeline.following.queue import reads_pages
from aggregator.pipeline.parts import Parts, Workers
from aggregator.pipeline.polling import reading
from aggregator.store.database import Database
from aggregator.store.facts import APPLIED, fact
from aggregator.store.migrate import is_current, migrate
from aggregator.store.sources import claims
from aggregator.telemetry.clock import Clock, SystemClock

if TYPE_CHECKING:
    from aggregator.pipeline.preview import Reader

log = structlog.get_logger("aggregator")

_COLLECT_EVERY = 10_000  # objects; Python's own 700 cost a twentieth of a poll
_PREPARATION = 1.0  # seconds between two looks whether it is done
_WORKER_IDLE = 60.0  # seconds without a document after which a process that reads them ends


def user_agent(settings: Settings) -> str:
    """Who we say we are (RFC 9110 §10.1.5)."""
    contact = f" (+{settings.service.contact})" if settings.service.contact else ""
    return f"{settings.product_token}/{__version__}{contact}"


@asynccontextmanager
async def open_parts(
    settings: Settings,
    *,
    clock: Clock | None = None,
    patience: timedelta = timedelta(seconds=3),
    owner: str = "",
    workers: Workers | None = None,
    pages: bool = False,
    applies: bool = True,
) -> AsyncIterator[Parts]:
    """All parts of the program, built from settings and closed at the end.

    The database is migrated and the configuration applied to it; a process that does not do that
    itself (`applies`) waits for another. `workers` that are handed in are used and left open; with
    `pages` ours are ready for article pages, if any are read.

    Raises:
        DatabaseError: the database cannot be used.
    """
    clock = clock or SystemClock()
    owner = owner or f"cli-{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    database = Database(settings.storage.url.reveal())
    try:
        if applies:
            migrate(database)
        else:
            await _others_preparation(database)
        with database.write() as connection:
            mint = installation(connection, settings, clock.now())
            if applies:
                apply_settings(connection, settings, clock.now())
        holder: list[Parts] = []
        slots = DatabaseSlots(
            database, clock, owner, lambda: holder[0].settings.polling, patience=patience
        )
        fetcher = _fetcher(settings, slots)
        own: WorkerPool | None = None
        if workers is None:
            wanted = pages and any(reads_pages(source, settings) for source in settings.sources)
            workers = own = _workers(settings, articles=wanted)
        parts = Parts(settings, database, fetcher, workers, clock, mint, owner)
        holder.append(parts)
        # What was loaded stays to the end, and a poll makes few cycles.
        gc.freeze()
        gc.set_threshold(_COLLECT_EVERY, 10, 10)
        try:
            yield parts
        finally:
            await fetcher.aclose()
            if own is not None:
                await own.close()
            with suppress(Exception):  # a database that died must not hide why we stop
                await database.run_write(claims.release_owned, owner)
    finally:
        database.close()


async def _others_preparation(database: Database) -> None:
    """Wait until another process has made the tables and applied a configuration.

    Raises `DatabaseError` when the database was written by a newer version.
    """
    told = False
    while True:
        with database.read() as connection:
            if is_current(connection) and fact(connection, APPLIED) is not None:
                return
        if not told:
            told = True
            log.warning("waiting for this version's tables and a configuration: start "
                        "“aggregator schedule”")  # fmt: skip
        await asyncio.sleep(_PREPARATION)


@asynccontextmanager
async def open_reader(settings: Settings, *, articles: bool = False) -> AsyncIterator[Reader]:
    """The client and the workers alone, for commands that store nothing.

    Host budgets are kept within the command: one request at a time and the gap between them.
    With `articles` the workers start with what reads article pages.
    """
    clock = SystemClock()
    polling = settings.polling
    slots = LocalSlots(clock, polling.host_gap, polling.article_gap)
    fetcher = _fetcher(settings, slots)
    workers = _workers(settings, articles=articles)
    from aggregator.pipeline.preview import Reader

    try:
        yield Reader(settings, fetcher, workers)
    finally:
        await fetcher.aclose()
        await workers.close()


def _fetcher(settings: Settings, slots: HostSlots) -> Fetcher:
    fetching = settings.fetching
    return Fetcher(
        policy.fetch_limits(settings),
        user_agent=user_agent(settings),
        slots=slots,
        allow_networks=fetching.allow_networks,
        allow_ports=fetching.allow_ports,
        proxy=fetching.proxy.reveal() if fetching.proxy else None,
        proxy_trusted=fetching.proxy_trusted,
        ca_bundle=fetching.ca_bundle,
    )


def _workers(settings: Settings, *, articles: bool = False) -> WorkerPool:
    fetching = settings.fetching
    return WorkerPool(
        fetching.parse_workers,
        idle=_WORKER_IDLE,
        max_memory=fetching.parse_memory,
        preload=(
            reading.__name__,
            *reading.IN_WORKERS,
            *((page_reading.__name__, *page_reading.IN_WORKERS) if articles else ()),
        ),
    )

"""What a request costs does not grow with the store: counted, not timed.

SQLite says how many steps of its virtual machine a request took; of PostgreSQL every statement is
explained, with whole scans forbidden wherever an index can answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from aggregator.model.pages import SourceOrder, SourceQuery
from aggregator.model.settings import Settings
from aggregator.opening import open_parts
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.store import tally
from aggregator.store.database import Database
from bench import large_store
from tests.pipeline.conftest import HeldClock

SOURCES = 100
COUNTED = 20  # at a request: few here, so that every count reaches its bound
FEW, MANY = 4_000, 16_000  # of both, fewer than a document has came in the last 48 hours
_LARGE = "item|item_text|entry|url_key|poll_log|related_link|revision|article|merge_log"


async def _page(pages: Pages, view: str) -> object:
    return await pages.view_page(view, None)


async def _feed(pages: Pages, view: str) -> object:
    return await pages.rendered(view, "atom", None)


ROUTES: dict[str, Callable[[Pages], Coroutine[Any, Any, Any]]] = {
    "start page": lambda pages: pages.overview(private=True),
    "status": lambda pages: pages.status_page(private=False, operator=True),
    "sources": lambda pages: pages.source_list(SourceQuery(), private=True),
    "sources by tag": lambda pages: pages.source_list(
        SourceQuery("s00003", tag="t4", text="s", order=SourceOrder.TAG), private=True
    ),
    "source": lambda pages: pages.source_page("s00001"),
    "source that was quiet": lambda pages: pages.source_page("s00003"),
    "item": lambda pages: pages.item_page(500),
    "story": lambda pages: pages.story_page(500),
    "ready": lambda pages: pages.ready(),
    "metrics": lambda pages: pages.metrics(),
}

for _view in ("all", "whole", "told", "tenth", "quiet", "few"):
    ROUTES[f"page of {_view}"] = partial(_page, view=_view)
    ROUTES[f"feed of {_view}"] = partial(_feed, view=_view)


def filled(folder: Path, url: str, items: int) -> Settings:
    folder.mkdir()
    return large_store.make(large_store.configuration(folder, url, SOURCES), items)


def each_route(settings: Settings, begun: Callable[[Any, str], None]) -> None:
    """Ask for every route; `begun` learns of the database and of what is asked for next."""

    async def ask() -> None:
        async with open_parts(settings, clock=HeldClock(large_store.END)) as parts:
            publisher = Publisher(parts.database, parts.clock, lambda: settings)
            pages = Pages(parts.database, publisher, parts.clock, lambda: settings, Condition())
            for name, route in ROUTES.items():
                begun(parts.database, name)
                assert await route(pages) is not None, name

    asyncio.run(ask())


def steps(settings: Settings) -> dict[str, int]:
    """Thousands of steps of SQLite's machine that each route takes."""
    taken: dict[str, int] = {}
    now = ""

    def count() -> int:
        taken[now] += 1
        return 0

    def begun(database: Any, name: str) -> None:
        nonlocal now
        if not now:
            event.listen(
                database.engine, "checkout", lambda raw, *_: raw.set_progress_handler(count, 1000)
            )
        now = name
        taken[name] = 0

    each_route(settings, begun)
    return taken


def test_no_route_costs_more_in_a_store_four_times_as_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "MOST", COUNTED)
    few, many = (
        steps(filled(tmp_path / str(n), f"sqlite:///{tmp_path}/{n}.db", n)) for n in (FEW, MANY)
    )
    grown = {name: (few[name], many[name]) for name in few if many[name] > 1.5 * few[name] + 20}
    assert not grown


def test_no_statement_of_a_route_reads_a_whole_table(tmp_path: Path, postgres_url: str) -> None:
    settings = filled(tmp_path / "store", postgres_url, FEW)
    asked: dict[str, tuple[str, Any]] = {}
    now = ""

    def heard(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.setdefault(statement, (now, parameters))

    def begun(database: Any, name: str) -> None:
        nonlocal now
        if not now:
            event.listen(database.engine, "before_cursor_execute", heard)
        now = name

    each_route(settings, begun)
    database = Database(postgres_url)
    scanned = {}
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, (route, parameters) in asked.items():
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            lines = "\n".join(row[0] for row in plan)
            if re.search(rf"Seq Scan on ({_LARGE})\b", lines):
                scanned[route] = f"{statement}\n{lines}"
    database.close()
    assert len(asked) > 30
    assert not scanned, "\n\n".join(scanned.values())

"""Housekeeping: old texts go, their keys stay; old HTML is sanitised again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from aggregator.identity.shown import PASSING
from aggregator.markup.sanitize import SANITIZER_VERSION, sanitize_html
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.upkeep.copy_index import tidy_copies
from aggregator.store import changed, facts
from aggregator.store.decisions import forgotten
from aggregator.store.following import articles, budgets
from aggregator.store.items import words
from aggregator.store.sources import documents, polls
from aggregator.store.views import rendered

_AT_ONCE = 500
_DOCUMENTS = 64  # stored with their bytes, for the next start and other processes
_SANITIZER = "all html is of sanitizer version"  # a fact of the store


async def purge(parts: Parts) -> int:
    """Forget texts past their time and old poll records.

    Returns how many items became tombstones. In small transactions, so that polls go on.
    """
    await tidy_copies(parts)
    now = parts.clock.now()
    storage = parts.settings.storage
    gone = 0
    while True:
        numbers = await parts.database.run_write(
            forgotten.purge_text, now - storage.keep_text, _AT_ONCE, storage.max_items_per_source
        )
        gone += len(numbers)
        if len(numbers) < _AT_ONCE:
            break
    await parts.database.run_write(polls.drop_old_polls, now - storage.keep_poll_log)
    await _drop_documents(parts, now - storage.keep_text if storage.keep_raw else None)
    await parts.database.run_write(budgets.drop_old_budgets, now.date().isoformat())
    return gone


async def _drop_documents(parts: Parts, before: datetime | None) -> None:
    """Drop documents older than `before`, or all of them, some at a time."""
    while await parts.database.run_write(documents.drop, before, _AT_ONCE) == _AT_ONCE:
        pass
    budget = parts.settings.storage.keep_raw
    if budget is not None:
        parts.room.look(await parts.database.run_write(documents.trim, budget))


async def sanitize_again(parts: Parts) -> int:
    """Sanitise HTML kept by an older sanitiser before it is served (invariant 10).

    That all of it is of one version is a fact of the store: nothing is looked through at a start
    that brings no other sanitiser. An older release sets the fact back to its own version.
    Returns how many texts there were.
    """
    database, version = parts.database, str(SANITIZER_VERSION)
    if await database.run_read(facts.fact, _SANITIZER) == version:
        return 0
    done = await _again(parts, words.stale_html, _put_all)
    done += await _again(parts, articles.stale_articles, _put_pages)
    await database.run_write(facts.set_fact, _SANITIZER, version)
    return done


async def tidy_views(parts: Parts) -> None:
    """Keep versions of views cheap to read, and stored documents few.

    A view costs one row for each change, and each of its documents its size: both are bounded here.
    """
    await parts.database.run_write(changed.add_up)
    await parts.database.run_write(rendered.strip_rendered, _DOCUMENTS)


async def show_waiting(parts: Parts) -> int:
    """Show what passes in entries where a view did not move for a day; returns how many moved."""
    now = parts.clock.now()
    return await parts.database.run_write(changed.show_waiting, now, now - PASSING)


# Number, HTML, summary and the link they are relative to; then without the link, sanitised.
_Stale = list[tuple[int, str, str | None, str | None]]
_Clean = list[tuple[int, str, str | None]]


async def _again(
    parts: Parts,
    stale: Callable[[Connection, int, int, int], _Stale],
    put: Callable[[Connection, _Clean], None],
) -> int:
    """Sanitise what is `stale`, some rows at a time; returns how many there were."""
    done = last = 0
    while True:
        old = await parts.database.run_read(stale, SANITIZER_VERSION, last, _AT_ONCE)
        if not old:
            return done
        last = old[-1][0]
        clean = await parts.workers.run(_sanitize_all, old, timeout=60.0, share="upkeep")
        await parts.database.run_write(put, clean)
        done += len(old)


def _sanitize_all(rows: _Stale) -> _Clean:
    return [
        (number, sanitize_html(html, link), sanitize_html(summary, link) if summary else None)
        for number, html, summary, link in rows
    ]


def _put_pages(connection: Connection, rows: _Clean) -> None:
    for number, html, _ in rows:
        articles.put_article_html(connection, number, html, SANITIZER_VERSION)


def _put_all(connection: Connection, rows: _Clean) -> None:
    for number, html, summary in rows:
        words.put_html(connection, number, html, summary, SANITIZER_VERSION)

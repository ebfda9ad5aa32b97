"""Housekeeping: old texts go, their keys stay; old HTML is sanitised again."""

from __future__ import annotations

from sqlalchemy import Connection

from aggregator.markup.sanitize import SANITIZER_VERSION, sanitize_html
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.upkeep.copy_index import tidy_copies
from aggregator.store.decisions import forgotten
from aggregator.store.following import articles, budgets
from aggregator.store.items import words
from aggregator.store.sources import polls

_AT_ONCE = 500


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
    await parts.database.run_write(budgets.drop_old_budgets, now.date().isoformat())
    return gone


async def sanitize_again(parts: Parts) -> int:
    """Sanitise HTML kept by an older sanitiser before it is served (invariant 10)."""
    done = 0
    while True:
        old = await parts.database.run_read(words.stale_html, SANITIZER_VERSION, _AT_ONCE)
        if not old:
            return done
        clean = await parts.workers.run(_sanitize_all, old, timeout=60.0, share="upkeep")
        await parts.database.run_write(_put_all, clean)
        done += len(old)


async def sanitize_pages_again(parts: Parts) -> int:
    """The same for text that was taken from pages."""
    done = 0
    while True:
        old = await parts.database.run_read(articles.stale_articles, SANITIZER_VERSION, _AT_ONCE)
        if not old:
            return done
        clean = await parts.workers.run(_sanitize_all, old, timeout=60.0, share="upkeep")
        await parts.database.run_write(_put_pages, clean)
        done += len(old)


def _sanitize_all(
    rows: list[tuple[int, str, str | None, str | None]],
) -> list[tuple[int, str, str | None]]:
    return [
        (number, sanitize_html(html, link), sanitize_html(summary, link) if summary else None)
        for number, html, summary, link in rows
    ]


def _put_pages(connection: Connection, rows: list[tuple[int, str, str | None]]) -> None:
    for number, html, _ in rows:
        articles.put_article_html(connection, number, html, SANITIZER_VERSION)


def _put_all(connection: Connection, rows: list[tuple[int, str, str | None]]) -> None:
    for number, html, summary in rows:
        words.put_html(connection, number, html, summary, SANITIZER_VERSION)

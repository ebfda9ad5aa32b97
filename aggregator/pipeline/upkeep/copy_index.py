"""Upkeep of the copy index: what is too old to be compared goes, a new kind of fingerprint is made.

In many small transactions, so that polls go on beside it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection

from aggregator.identity.texts.copies import prepare_text, restore
from aggregator.identity.texts.fingerprints import VERSION
from aggregator.identity.texts.stories import story_item
from aggregator.identity.texts.terms import VERSION as TERMS
from aggregator.model.copies import CopyThresholds, PreparedText
from aggregator.pipeline.parts import Parts
from aggregator.store import facts
from aggregator.store import schema as t
from aggregator.store.copies import index, stories
from aggregator.store.copies.boilerplate import drop_old_counts, known_boilerplate
from aggregator.store.copies.fingerprints import index_text
from aggregator.store.copies.texts import first_item_since, texts_after

_SLICES = 64  # of the index, each in a transaction of its own
_LONGER = timedelta(days=2)  # kept beyond the window: an operator may widen it a little
_AT_ONCE = 200  # items fingerprinted in one worker task
_DAY_FACT, _VERSION_FACT = "copies tidied", "fingerprint version"
_TERMS_FACT = "terms version"


async def tidy_copies(parts: Parts) -> None:
    """Once a day drop fingerprints and paragraph counts past their time; reindex when needed."""
    now = parts.clock.now()
    limits = parts.settings.dedup.copies
    await _reindex(parts, limits)
    await _read_terms(parts)
    today = now.date().isoformat()
    if await parts.database.run_read(facts.fact, _DAY_FACT) == today:
        return
    oldest = await parts.database.run_read(first_item_since, now - limits.window - _LONGER)
    for part in range(_SLICES):
        await parts.database.run_write(index.drop, oldest, part, _SLICES)
    await _tidy_stories(parts)
    await parts.database.run_write(drop_old_counts, now, limits.boilerplate_groups)
    await parts.database.run_write(facts.set_fact, _DAY_FACT, today)


async def _tidy_stories(parts: Parts) -> None:
    """Drop terms past their time."""
    window, now = parts.settings.dedup.stories.window, parts.clock.now()
    oldest = await parts.database.run_read(first_item_since, now - window)
    for part in range(_SLICES):
        await parts.database.run_write(index.drop, oldest, part, _SLICES, t.term_posting_list)
    await parts.database.run_write(stories.drop_terms, now, window)


async def _reindex(parts: Parts, limits: CopyThresholds) -> None:
    """Make the index anew after an upgrade that reads texts otherwise; groups stay as they are."""
    version = await parts.database.run_write(facts.set_fact_once, _VERSION_FACT, str(VERSION))
    if version == str(VERSION):
        return
    for part in range(_SLICES):
        await parts.database.run_write(index.drop, None, part, _SLICES)
    since = parts.clock.now() - limits.window
    last = await parts.database.run_read(first_item_since, since) - 1
    while True:
        rows = await parts.database.run_read(texts_after, last, _AT_ONCE)
        if not rows:
            break
        boilerplate = await parts.database.run_read(
            _known_boilerplate, {row.source_id for row in rows}, limits
        )
        texts = [(row.text, boilerplate[row.source_id]) for row in rows]
        prepared = await parts.workers.run(_prepare, texts, timeout=60.0, share="upkeep")
        numbers = [row.id for row in rows]
        await parts.database.run_write(_index, numbers, prepared, limits)
        last = numbers[-1]
    await parts.database.run_write(facts.set_fact, _VERSION_FACT, str(VERSION))


async def _read_terms(parts: Parts) -> None:
    """Read the terms of the items of the last days after an upgrade; stories stay as they are."""
    known = await parts.database.run_read(facts.fact, _TERMS_FACT)
    if known == str(TERMS):
        return
    if known is not None:
        await parts.database.run_write(stories.forget_terms)
    dedup, now = parts.settings.dedup, parts.clock.now()
    since = now - dedup.stories.window
    last = await parts.database.run_read(first_item_since, since) - 1
    while True:
        rows = await parts.database.run_read(stories.without_terms, last, _AT_ONCE)
        if not rows:
            break
        names = {row.source_id for row in rows}
        boilerplate = await parts.database.run_read(_known_boilerplate, names, dedup.copies)
        texts = [(row.text, boilerplate[row.source_id]) for row in rows]
        prepared = await parts.workers.run(_prepare, texts, timeout=60.0, share="upkeep")
        told = [
            story_item(
                row.id, stories.shown_at(row), row.title, restore(text), dedup.stories,
                source=row.source_id, story=row.story_id,
            )
            for row, text in zip(rows, prepared, strict=True)
        ]  # fmt: skip
        recent = [item for item in told if item.at >= since]
        await parts.database.run_write(stories.remember, recent, dedup, now)
        last = rows[-1].id
    await parts.database.run_write(facts.set_fact, _TERMS_FACT, str(TERMS))


def _known_boilerplate(
    connection: Connection, sources: Collection[str], limits: CopyThresholds
) -> dict[str, frozenset[int]]:
    return {name: known_boilerplate(connection, name, limits) for name in sources}


def _prepare(texts: list[tuple[str, frozenset[int]]]) -> list[PreparedText]:
    return [prepare_text(text, boilerplate) for text, boilerplate in texts]


def _index(
    connection: Connection,
    numbers: list[int],
    prepared: list[PreparedText],
    limits: CopyThresholds,
) -> None:
    for number, text in zip(numbers, prepared, strict=True):
        index_text(connection, number, text, limits)

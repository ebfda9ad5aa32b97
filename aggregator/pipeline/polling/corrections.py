"""Which new entries of a document are corrected states of earlier items, before anything is stored.

The policy is `identity.corrections`. Nothing is compared inside the transaction that stores a poll;
should another process have stored the entry by then, the write does nothing a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from aggregator.identity.copies import comparable, restore
from aggregator.identity.corrections import (
    corrected,
    headline,
    is_edition,
    same_address,
    time_apart,
    unlisted,
    was_taken_out,
)
from aggregator.identity.entries import Known
from aggregator.model.feed import ParsedFeed
from aggregator.model.item import Earlier, EntryIntent
from aggregator.model.settings import SourceSettings
from aggregator.model.states import EntryKind
from aggregator.pipeline import access
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.reading import judge_corrections
from aggregator.store.items import entries, keys


def lists_everything(feed: ParsedFeed) -> bool:
    """Whether an entry's absence from a document says anything: it was read to its end."""
    return feed.error is None and not feed.dropped


async def find_corrections(
    parts: Parts,
    source: SourceSettings,
    intents: Sequence[EntryIntent],
    found: Known,
    boilerplate: frozenset[int],
    timeout: float,
) -> list[EntryIntent]:
    """The intents of a whole document, with new entries that are no news as what they are.

    Args:
        parts: The database and the workers.
        source: Whose document it is.
        intents: With prepared bodies and texts.
        found: What the store knows of the document's entries.
        boilerplate: The paragraphs that the source is known to repeat.
        timeout: Seconds for the comparison in a worker.

    Raises:
        WorkerError: the worker was ended.
    """
    now, limits = parts.clock.now(), parts.settings.dedup.copies
    new = [intent for intent in intents if intent.kind == EntryKind.NEW]
    if not new:
        return list(intents)
    titles = {headline(intent.entry.title) for intent in new} - {""}
    hits = {i.url_key: found.by_url_key[i.url_key] for i in new if i.url_key in found.by_url_key}

    def look_up(connection: Connection) -> dict[int, Earlier]:
        since = now - limits.window
        namesakes = entries.namesakes(connection, source.id, titles, since)
        numbers = {hit.entry_id: key for key, hit in hits.items() if key is not None}
        states = entries.earlier_states(connection, source.id, list(numbers))
        neighbours = {numbers[n]: state for n, state in states.items() if state.at >= since}
        return unlisted(intents, namesakes, neighbours, limits)

    maybe = await parts.database.run_read(look_up)
    if not maybe:
        return list(intents)
    taken = await parts.database.run_read(_elsewhere, source, intents, maybe)
    pairs = [(place, earlier) for place, earlier in maybe.items() if place not in taken]
    decisions = await parts.workers.run(
        judge_corrections,
        [
            (
                intents[place].prepared, earlier.text,
                time_apart(intents[place], earlier, now), was_taken_out(intents, earlier),
                same_address(intents[place], earlier),
            )
            for place, earlier in pairs
        ],
        boilerplate, limits, timeout=timeout, share=source.id,
    )  # fmt: skip
    told = list(intents)
    for (place, earlier), decision in zip(pairs, decisions, strict=True):
        if decision.same:
            told[place] = corrected(intents[place], earlier, decision)
    return told


async def part_editions(
    parts: Parts,
    source: SourceSettings,
    intents: Sequence[EntryIntent],
    boilerplate: frozenset[int],
) -> list[EntryIntent]:
    """The intents, with renamed entries that are new editions at a fixed address as new ones."""
    renamed = {
        i.known.entry_id: place
        for place, i in enumerate(intents)
        if i.kind is EntryKind.RENAMED and i.known is not None and i.prepared is not None
    }
    told = list(intents)
    if not renamed:
        return told
    states = await parts.database.run_read(entries.earlier_states, source.id, list(renamed))
    for number, earlier in states.items():
        intent = told[renamed[number]]
        if intent.prepared is None or earlier.text is None:
            continue
        if is_edition(
            intent, earlier, restore(intent.prepared), comparable(earlier.text, boilerplate)
        ):
            told[renamed[number]] = replace(
                intent,
                kind=EntryKind.NEW,
                known=None,
                url_key_is_identity=False,
                aliases=(),
                withdraws_address=True,
                why="a new edition at an address that its source uses again: another id, "
                "a later date, and less than half of the text is the same",
            )
    return told


def _elsewhere(
    connection: Connection,
    source: SourceSettings,
    intents: Sequence[EntryIntent],
    maybe: dict[int, Earlier],
) -> Collection[int]:
    """The places of entries whose address already belongs to another item: they are that one."""
    by_place = {place: keys.identity_keys(intents[place]) for place in maybe}
    scope = access.scope(source)
    held = keys.holders_in(connection, scope, [key for some in by_place.values() for key in some])
    return {
        place
        for place, earlier in maybe.items()
        if any(
            held.get(key, earlier.known.item_id) != earlier.known.item_id for key in by_place[place]
        )
    }

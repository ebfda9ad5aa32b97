"""Which new entries of a document are corrected states of earlier items, before anything is stored.

The policy is `identity.corrections`. Nothing is compared inside the transaction that stores a poll;
should another process have stored the entry by then, the write does nothing a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from aggregator.identity.corrections import (
    corrected,
    headline,
    is_another,
    is_edition,
    is_restated,
    of_same_date,
    same_address,
    time_apart,
    unlisted,
    was_taken_out,
)
from aggregator.identity.entries import Known, is_at_another_address
from aggregator.identity.keys import key_by_link
from aggregator.identity.texts.copies import comparable, restore
from aggregator.model.feed import ParsedFeed
from aggregator.model.item import Earlier, EntryIntent
from aggregator.model.settings import SourceSettings
from aggregator.model.states import EntryKind, Mark
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
    dates = {intent.entry.published for intent in new if intent.entry.published is not None}
    hits = {i.url_key: found.by_url_key[i.url_key] for i in new if i.url_key in found.by_url_key}

    def look_up(connection: Connection) -> tuple[dict[int, Earlier], list[tuple[int, Earlier]]]:
        since = now - limits.window
        named, dated = entries.namesakes(connection, source.id, titles, dates, since)
        numbers = {hit.entry_id: key for key, hit in hits.items() if key is not None}
        states = entries.earlier_states(connection, source.id, list(numbers))
        neighbours = {numbers[n]: state for n, state in states.items() if state.at >= since}
        maybe = unlisted(intents, named, neighbours, limits)
        return maybe, of_same_date(intents, dated, maybe)

    maybe, dated = await parts.database.run_read(look_up)
    if not maybe and not dated:
        return list(intents)
    pairs = [*maybe.items(), *dated]
    taken = await parts.database.run_read(_elsewhere, source, intents, pairs)
    pairs = [pair for pair in pairs if pair not in taken]
    told = list(intents)
    claimed = set()
    for place, earlier in dated:
        if (place, earlier) in pairs and is_restated(intents[place], earlier):
            told[place] = corrected(intents[place], earlier)
            claimed.add(earlier.known.item_id)
    decisions = await parts.workers.run(
        judge_corrections,
        [
            (
                intents[place].prepared, earlier.text,
                time_apart(intents[place], earlier, now), was_taken_out(intents, earlier),
                _mark(intents[place], earlier),
            )
            for place, earlier in pairs
        ],
        boilerplate, limits, timeout=timeout, share=source.id,
    )  # fmt: skip
    for (place, earlier), decision in zip(pairs, decisions, strict=True):
        item = earlier.known.item_id
        if decision.same and told[place].kind is EntryKind.NEW and item not in claimed:
            told[place] = corrected(intents[place], earlier, decision)
            claimed.add(item)
    return told


def _mark(intent: EntryIntent, earlier: Earlier) -> Mark:
    if same_address(intent, earlier):
        return Mark.ADDRESS
    same = headline(intent.entry.title) == headline(earlier.known.title)
    return Mark.HEADLINE if same else Mark.DATE


async def part_editions(
    parts: Parts,
    source: SourceSettings,
    intents: Sequence[EntryIntent],
    boilerplate: frozenset[int],
) -> list[EntryIntent]:
    """The intents, with what is no state of the entry that its address or its id names as new.

    A renamed entry may be a new edition at a fixed address, and one at another address and under
    another headline another article, whose id was used before.
    """
    renamed = {
        i.known.entry_id: place
        for place, i in enumerate(intents)
        if i.known is not None and i.prepared is not None and (_is_moved(i) or _has_used_id(i))
    }
    told = list(intents)
    if not renamed:
        return told
    states = await parts.database.run_read(entries.earlier_states, source.id, list(renamed))
    for number, earlier in states.items():
        intent = told[renamed[number]]
        if intent.prepared is None or earlier.text is None:
            continue
        another = key_by_link(intent.entry) if _has_used_id(intent) else None
        if another and is_another(
            intent, earlier, restore(intent.prepared), comparable(earlier.text, boilerplate)
        ):
            told[renamed[number]] = replace(
                intent,
                kind=EntryKind.NEW,
                known=None,
                key=another,
                reuses_id=True,
                why="its id was another article's: another address and headline, a later date, "
                "and less than half of the text is the same",
            )
        elif is_edition(
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


def _is_moved(intent: EntryIntent) -> bool:
    return intent.kind is EntryKind.RENAMED


def _has_used_id(intent: EntryIntent) -> bool:
    known = intent.known
    return (
        intent.kind is EntryKind.CHANGED
        and known is not None
        and intent.url_key_is_identity
        and is_at_another_address(intent.entry, intent.url_key, known)
    )


def _elsewhere(
    connection: Connection,
    source: SourceSettings,
    intents: Sequence[EntryIntent],
    pairs: Sequence[tuple[int, Earlier]],
) -> Collection[tuple[int, Earlier]]:
    """The pairs whose new entry's address already belongs to another item: it is that one."""
    by_place = {place: keys.identity_keys(intents[place]) for place, _ in pairs}
    scope = access.scope(source)
    held = keys.holders_in(connection, scope, [key for some in by_place.values() for key in some])
    return [
        (place, earlier)
        for place, earlier in pairs
        if any(
            held.get(key, earlier.known.item_id) != earlier.known.item_id for key in by_place[place]
        )
    ]

"""Entries whose ids and addresses do not last, found again by what they say.

Some publishers make ids or addresses anew for every document, or give neither: a headline service
whose links carry a token, a page that is scraped. By key such a document is new in full at each
poll. That its words came before, as a whole, shows what it is. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from aggregator.identity.keys import KeyedEntry
from aggregator.identity.texts.tokens import words
from aggregator.model.item import KnownEntry

_SHARE = 0.5  # of a document's entries: fewer may be headlines that recur
_FEWEST = 2
_SHARE_OF_LATER = 2 / 3  # where dates are later too, as those of editions are
_FEWEST_LATER = 3
_NO_DATE = datetime(1, 1, 1, tzinfo=UTC)

Pairs = dict[int, KnownEntry]  # by place in the document


def found_again(
    missed: Mapping[int, KeyedEntry], gone: Sequence[KnownEntry], *, listed: int, unlasting: bool
) -> Pairs:
    """The entries of a document that no key finds, as the known ones that they are.

    Args:
        missed: By their place in the document.
        gone: Known entries of the source that the document does not list.
        listed: How many entries the document has.
        unlasting: The source is known for such documents.

    Returns:
        What has the words and the date of one that is gone; and all that has the words or the
        headline of one, where this is half of the document (two thirds and three of it where the
        dates are later than they were).
    """
    pairs = _paired(missed, gone)
    if unlasting:
        return pairs
    later = {place for place, known in pairs.items() if _is_later(missed[place], known)}
    if not later:
        as_a_whole = len(pairs) >= max(_FEWEST, _SHARE * listed)
    else:
        as_a_whole = len(pairs) >= max(_FEWEST_LATER, _SHARE_OF_LATER * listed)
    if as_a_whole:
        return pairs
    return {
        place: known
        for place, known in pairs.items()
        if missed[place].entry.published is not None
        and missed[place].entry.published == known.published
        and missed[place].content_hash == known.content_hash
    }


def _paired(missed: Mapping[int, KeyedEntry], gone: Sequence[KnownEntry]) -> Pairs:
    """By words, in the order of dates; then by a headline that stands once on either side."""
    pairs = _in_order(
        missed, gone, lambda one: one.content_hash, lambda known: known.content_hash, once=False
    )
    taken = {known.entry_id for known in pairs.values()}
    by_headline = _in_order(
        {place: one for place, one in missed.items() if place not in pairs},
        [known for known in gone if known.entry_id not in taken],
        lambda one: " ".join(words(one.entry.title or "")),
        lambda known: " ".join(words(known.title or "")),
        once=True,
    )
    return pairs | {
        place: known for place, known in by_headline.items() if not _is_later(missed[place], known)
    }


def _in_order(
    missed: Mapping[int, KeyedEntry],
    gone: Sequence[KnownEntry],
    of_one: Callable[[KeyedEntry], str],
    of_known: Callable[[KnownEntry], str],
    *,
    once: bool,
) -> Pairs:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, one in missed.items():
        places[of_one(one)].append(place)
    known_by: defaultdict[str, list[KnownEntry]] = defaultdict(list)
    for known in gone:
        known_by[of_known(known)].append(known)
    found: Pairs = {}
    for mark, some in places.items():
        others = known_by.get(mark, [])
        if not mark or not others or (once and len(some) + len(others) > 2):
            continue
        newest_first = sorted(some, key=lambda place: _date(missed[place]), reverse=True)
        others = sorted(others, key=lambda k: (k.published or _NO_DATE, k.entry_id), reverse=True)
        found |= dict(zip(newest_first, others, strict=False))
    return found


def _is_later(one: KeyedEntry, known: KnownEntry) -> bool:
    at, before = one.entry.published, known.published
    return at is not None and before is not None and at > before


def _date(one: KeyedEntry) -> datetime:
    return one.entry.published or _NO_DATE

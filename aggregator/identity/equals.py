"""Entries of one document that are the same but for their dates: as many items as dates.

Status pages and weather services send one text again and again. The dates tell such entries apart,
and they are matched with what is known in the order of their dates, as a set: when a publisher
moves all of them, nothing is new. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from aggregator.identity.keys import KeyedEntry
from aggregator.model.item import KnownEntry

_NO_DATE = datetime(1, 1, 1, tzinfo=UTC)


def match_equals(
    keyed: Sequence[KeyedEntry], by_key: Mapping[str, KnownEntry], recent: Iterable[KnownEntry]
) -> dict[int, KnownEntry | None]:
    """The known entry that each of several equal ones is, by its place in `keyed`; None: it is new.

    Args:
        keyed: Of one document.
        by_key: What is known by a key of an entry.
        recent: The source's newest entries.
    """
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(keyed):
        if one.equal is not None:
            groups[one.equal].append(place)
    if not groups:
        return {}
    found: dict[int, KnownEntry | None] = {}
    recent = list(recent)
    for places in groups.values():
        ones = {place: keyed[place] for place in sorted(places, key=lambda p: _date(keyed[p]))}
        first = keyed[places[0]]
        pool = {k.entry_id: k for k in recent if _is_equal(first, k)}
        for one in ones.values():
            for key in (one.key, *one.candidates):
                if (hit := by_key.get(key)) is not None and _is_equal(one, hit):
                    pool[hit.entry_id] = hit
        found |= _by_date(ones, sorted(pool.values(), key=_stored))
    return found


def _by_date(
    ones: Mapping[int, KeyedEntry], pool: Sequence[KnownEntry]
) -> dict[int, KnownEntry | None]:
    """Equal dates first; then what is older than those, in order; what is left is new.

    `ones` and `pool` stand in the order of their dates. Without one equal date all have moved.
    """
    dated, keyed = {k.published: k for k in pool}, {k.key: k for k in pool}
    found = {place: dated.get(one.entry.published) for place, one in ones.items()}
    exact = {k.entry_id for k in found.values() if k is not None}
    for place, one in ones.items():
        known = keyed.get(one.key)  # a date in the future was stored as the time of arrival
        if found[place] is None and known is not None and known.entry_id not in exact:
            found[place] = known
    taken = {k.entry_id for k in found.values() if k is not None}
    left = [k for k in pool if k.entry_id not in taken]
    newest = max((_date(ones[p]) for p, k in found.items() if k is not None), default=None)
    moved = [p for p, k in found.items() if k is None and (not newest or _date(ones[p]) < newest)]
    if len(left) > len(moved):
        left = left[len(left) - len(moved) :]  # the oldest dropped out
    found.update(zip(moved, left, strict=False))
    return found


def _is_equal(one: KeyedEntry, known: KnownEntry) -> bool:
    return (
        known.content_hash == one.content_hash
        and known.url_key == one.url_key
        and (known.guid or "") == (one.entry.id or "")
    )


def _date(one: KeyedEntry) -> datetime:
    return one.entry.published or _NO_DATE


def _stored(known: KnownEntry) -> tuple[datetime, int]:
    return known.published or _NO_DATE, known.entry_id

"""What each entry of a document is to a source: new, changed, seen before, or renamed.

Pure: the document's keyed entries and what the store knows go in, intents come out. The store
re-checks every key in its transaction, so a stale answer here cannot store an entry twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.identity.agreement import titles_agree
from aggregator.identity.keys import KeyedEntry
from aggregator.identity.shown import difference
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import EntryIntent, KnownEntry
from aggregator.model.states import EntryKind

ON_TOP = timedelta(hours=48)  # invariant 11: what a first document brings on top of a view
_FLIP_SHARE = 0.5
_FLIP_MINIMUM = 3
_FLOOD_MINIMUM = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a source's entries that this document may mean.

    `by_key` includes former keys of renamed entries. `newest_published` is of the whole source;
    `empty` says that the source has no entry at all yet.
    """

    by_key: dict[str, KnownEntry]
    by_alias: dict[str, KnownEntry]
    by_url_key: dict[str, KnownEntry]
    newest_published: datetime | None
    empty: bool


@dataclass(frozen=True, slots=True)
class Identified:
    """Intents in the order they are to be stored (oldest first), and what was noticed."""

    intents: tuple[EntryIntent, ...]
    guid_flip: bool = False
    flood: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document was read.

    Attributes:
        now: The time of the poll.
        version: Of our reading: what a new version reads differently is no publisher's change.
        older: The keys of entries that only older pages of the feed list.
        reused: URL keys under which the source brings one edition after the other.
    """

    now: datetime
    version: int
    older: frozenset[str] = frozenset()
    reused: frozenset[str] = frozenset()


def identify(keyed: Sequence[KeyedEntry], known: Known, reading: Reading) -> Identified:
    """Decide what every entry of one document is."""
    present = {entry.key for entry in keyed} | {c for e in keyed for c in e.candidates}
    present |= {k.key for e in keyed if (k := _by_key(e, known))}
    flip = _is_guid_flip(keyed, known, present)
    claimed: set[int] = {k.entry_id for e in keyed if (k := _by_key(e, known))}
    intents: list[EntryIntent] = []
    for one in _told_by_address(keyed, reading.reused):
        hit = _by_key(one, known)
        if hit is not None:
            intents.append(_seen(one, hit, reading))
            continue
        former = _renamed(one, known, present, flip)
        if former is not None and former.entry_id not in claimed:
            claimed.add(former.entry_id)
            intents.append(_intent(EntryKind.RENAMED, one, former, _rename_reason(flip)))
            continue
        intents.append(_intent(EntryKind.NEW, one, None, "no entry of this source has this id"))
    ordered, flood = _order(intents, known, reading)
    return Identified(tuple(ordered), guid_flip=flip, flood=flood)


def _told_by_address(keyed: Iterable[KeyedEntry], reused: frozenset[str]) -> Iterable[KeyedEntry]:
    """The entries, without the identity of addresses that are used again and again."""
    for one in keyed:
        again = one.url_key in reused
        yield replace(one, url_is_identity=False, extra_url_keys=()) if again else one


def _by_key(one: KeyedEntry, known: Known) -> KnownEntry | None:
    hit = known.by_key.get(one.key)
    if hit is not None:
        return hit
    for candidate in one.candidates:
        hit = known.by_key.get(candidate)
        if hit is not None and _is_same_place(one, hit):
            return hit
    return None


def _is_same_place(one: KeyedEntry, hit: KnownEntry) -> bool:
    """A weak key needs the same address, or where there is none the same headline."""
    if one.url_key and hit.url_key:
        return one.url_key == hit.url_key
    return titles_agree(hit.title, one.entry.title)


def _seen(one: KeyedEntry, hit: KnownEntry, reading: Reading) -> EntryIntent:
    same = hit.content_hash == one.content_hash
    if hit.tombstone:
        if same or hit.forgotten or hit.reader != reading.version:
            return _intent(EntryKind.TOUCHED, one, hit, "known, its text is no longer kept")
        return _intent(EntryKind.CHANGED, one, hit, "it was no longer kept and is listed anew")
    if hit.reader != reading.version and not (
        same and hit.shown == one.shown and not _is_redated(one.entry, hit, reading.now)
    ):
        return _intent(EntryKind.REPLACED, one, hit, "a new release reads it otherwise")
    if not same:
        return _intent(EntryKind.CHANGED, one, hit, "the text changed")
    found = difference(one.shown, hit, reading.now)
    if found is None:
        return _intent(EntryKind.TOUCHED, one, hit, "same text")
    kind = EntryKind.REPLACED if found.replaces else EntryKind.TOUCHED
    return replace(_intent(kind, one, hit, found.why), quiet=found.quiet)


def _is_redated(entry: ParsedEntry, hit: KnownEntry, now: datetime) -> bool:
    """Whether a date is read otherwise than before; one that was later than then says nothing."""
    said = entry.published
    if said is None or said > now or entry.date_inferred:
        return False
    return hit.published is None or said < hit.published


def _renamed(one: KeyedEntry, known: Known, present: set[str], flip: bool) -> KnownEntry | None:
    """The known entry that this one is under another id (its old id must be gone)."""
    by_url = known.by_url_key.get(one.url_key) if one.url_key and one.url_is_identity else None
    if flip and by_url is not None and by_url.key not in present:
        return by_url
    by_alias = known.by_alias.get(one.alias) if one.alias else None
    for former in (by_alias, by_url):
        if former is None or former.key in present:
            continue
        if former.content_hash == one.content_hash or titles_agree(former.title, one.entry.title):
            return former
    return None


def _rename_reason(flip: bool) -> str:
    if flip:
        return "every id of the document changed while its links stayed: remapped in bulk"
    return "same address and text under another id, and the old id is gone"


def _is_guid_flip(keyed: Sequence[KeyedEntry], known: Known, present: set[str]) -> bool:
    missed = [one for one in keyed if _by_key(one, known) is None]
    moved = [
        one
        for one in missed
        if one.url_key
        and one.url_is_identity
        and (hit := known.by_url_key.get(one.url_key)) is not None
        and hit.key not in present
    ]
    return len(moved) >= _FLIP_MINIMUM and len(moved) >= _FLIP_SHARE * len(keyed)


def _intent(kind: EntryKind, one: KeyedEntry, known: KnownEntry | None, why: str) -> EntryIntent:
    return EntryIntent(
        kind=kind,
        key=one.key,
        entry=one.entry,
        content_hash=one.content_hash,
        guid=one.entry.id,
        alias=one.alias,
        url_key=one.url_key,
        url_key_is_identity=one.url_is_identity,
        known=known,
        why=why,
        aliases=one.extra_url_keys,
        shown=one.shown,
    )


def _order(
    intents: Iterable[EntryIntent], known: Known, reading: Reading
) -> tuple[list[EntryIntent], bool]:
    """Oldest first, with the back catalogue marked: it stands by its date, not on top.

    That is what is older than 48 hours or undated among what the first document of a source, older
    pages or a flood bring. Any other new entry is news, however it is dated.
    """
    oldest_first = _oldest_first(list(intents))
    new = [intent for intent in oldest_first if intent.kind == EntryKind.NEW]
    newest, before = known.newest_published, reading.now - ON_TOP
    old = [i for i in new if newest and i.entry.published and i.entry.published < newest]
    flood = not known.empty and len(new) >= _FLOOD_MINIMUM and len(old) * 2 > len(new)
    aside = new if known.empty else [i for i in new if i.key in reading.older]
    catalogue = {id(i) for i in [*aside, *(old if flood else [])]}
    archived = {
        id(i) for i in new if id(i) in catalogue and ((at := _date(i.entry)) is None or at < before)
    }
    marked = [replace(i, archived=True) if id(i) in archived else i for i in oldest_first]
    return marked, flood


def _oldest_first(intents: list[EntryIntent]) -> list[EntryIntent]:
    """By publication date where all have one, else the document from its end."""
    backwards = intents[::-1]
    dates = [_date(intent.entry) for intent in backwards]
    if any(date is None for date in dates):
        return backwards
    paired = sorted(zip(dates, range(len(backwards)), strict=True))
    return [backwards[index] for _, index in paired]


def _date(entry: ParsedEntry) -> datetime | None:
    return entry.published or entry.updated

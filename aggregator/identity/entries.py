"""What each entry of a document is to a source: new, changed, seen before, or renamed.

Pure: the document's keyed entries and what the store knows go in, intents come out. The store
re-checks every key in its transaction, so a stale answer here cannot store an entry twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aggregator.identity.agreement import titles_agree
from aggregator.identity.equals import match_equals
from aggregator.identity.hashing import digest, hashes_elsewhere
from aggregator.identity.keys import KeyedEntry, key_by_link
from aggregator.identity.relisted import found_again
from aggregator.identity.shown import difference, pass_together
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import EntryIntent, KnownEntry
from aggregator.model.states import EntryKind

ON_TOP = timedelta(hours=48)  # invariant 11: what a first document brings on top of a view
_AGAIN = "the document came again under other ids and addresses, with the same words"
_AGAIN_MINIMUM = 2
_FLIP_SHARE = 0.5
_FLIP_MINIMUM = 3
_FLOOD_MINIMUM = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a source's entries that this document may mean.

    `by_key` includes former keys of renamed entries. `newest_published` is of the whole source;
    `empty` says that the source has no entry at all yet. `recent` is what the last document listed,
    where `wants_recent` asked for it.
    """

    by_key: dict[str, KnownEntry]
    by_alias: dict[str, KnownEntry]
    by_url_key: dict[str, KnownEntry]
    newest_published: datetime | None
    empty: bool
    recent: tuple[KnownEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Identified:
    """Intents in the order they are to be stored (oldest first), and what was noticed.

    `again` says that half of the document or more was known, but not by its keys.
    """

    intents: tuple[EntryIntent, ...]
    guid_flip: bool = False
    flood: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document was read.

    Attributes:
        now: The time of the poll.
        version: Of our reading: what a new version reads differently is no publisher's change.
        older: The keys of entries that only older pages of the feed list.
        reused: URL keys under which the source brings one edition after the other.
        unlasting: Neither ids nor addresses of the source last: entries are known by their words.
        again: A document that was read before is read once more; `now` is when it came. Nothing
            that is read otherwise is the publisher's change.
    """

    now: datetime
    version: int
    older: frozenset[str] = frozenset()
    reused: frozenset[str] = frozenset()
    unlasting: bool = False
    again: bool = False


def wants_recent(keyed: Sequence[KeyedEntry], by_key: Mapping[str, KnownEntry]) -> bool:
    """Whether `identify` needs what the last document listed: half of this one is not known."""
    missed = sum(1 for one in keyed if not any(k in by_key for k in (one.key, *one.candidates)))
    return missed * 2 >= len(keyed) or any(one.equal for one in keyed)


def identify(keyed: Sequence[KeyedEntry], known: Known, reading: Reading) -> Identified:
    """Decide what every entry of one document is.

    An entry that was cut off with its document changes nothing that is known, and is new only by an
    id of its own: without one, the whole entry would be another.
    """
    cut = [one for one in keyed if one.entry.cut_off and one.entry.id is not None]
    told = _told_by_address((one for one in keyed if not one.entry.cut_off), reading.reused)
    told, hits, reused = _hits(told, known)
    present = {one.key for one in (*told, *cut)} | {hit.key for hit in hits.values()}
    flip = _is_guid_flip(told, hits, known, present)
    claimed = {hit.entry_id for hit in hits.values()}
    former: dict[int, tuple[KnownEntry, str]] = {}
    for place, one in enumerate(told):
        if place in hits or one.equal:
            continue
        hit = _renamed(one, known, present, flip)
        if hit is not None and hit.entry_id not in claimed:
            claimed.add(hit.entry_id)
            former[place] = (hit, _rename_reason(flip))
    missed = {
        place: one
        for place, one in enumerate(told)
        if place not in hits and place not in former and not one.equal
    }
    gone = [k for k in known.recent if k.entry_id not in claimed and k.key not in present]
    pairs = found_again(missed, gone, listed=len(told), unlasting=reading.unlasting)
    former |= {place: (hit, _AGAIN) for place, hit in pairs.items()}
    before = {place: hit for place, (hit, _) in former.items()} | hits
    together = pass_together((told[place].shown, hit) for place, hit in before.items())
    intents = [
        _seen(one, hits[place], reading, together=together)
        if place in hits
        else _renamed_intent(one, *former[place], reading, together=together)
        if place in former
        else _intent(EntryKind.NEW, one, None, "no entry of this source has this id")
        for place, one in enumerate(told)
    ]
    intents = [replace(i, reuses_id=True) if n in reused else i for n, i in enumerate(intents)]
    intents += _cut_off(cut, known, claimed)
    again = len(former) >= max(_AGAIN_MINIMUM, _FLIP_SHARE * len(told))
    ordered, flood = _order(intents, known, reading)
    return Identified(tuple(ordered), guid_flip=flip, flood=flood, again=again)


def _cut_off(
    keyed: Iterable[KeyedEntry], known: Known, claimed: Collection[int]
) -> Iterator[EntryIntent]:
    """What entries are that the document ended within."""
    for one in keyed:
        hit = known.by_key.get(one.key)
        if hit is not None and hit.entry_id not in claimed:
            yield _intent(EntryKind.TOUCHED, one, hit, "the document ended within it")
        elif hit is None and (one.url_key or "") not in known.by_url_key:
            yield _intent(EntryKind.NEW, one, None, "no entry of this source has this id")


def _told_by_address(keyed: Iterable[KeyedEntry], reused: frozenset[str]) -> list[KeyedEntry]:
    """The entries, without the identity of addresses that are used again and again."""
    return [
        replace(one, url_is_identity=False, extra_url_keys=()) if one.url_key in reused else one
        for one in keyed
    ]


def _hits(
    keyed: Sequence[KeyedEntry], known: Known
) -> tuple[list[KeyedEntry], dict[int, KnownEntry], set[int]]:
    """The entries with their keys, what these find, and whose ids are another's: by place."""
    equals = match_equals(keyed, known.by_key, known.recent)
    addresses = {one.url_key for one in keyed}
    told, hits = list(keyed), {}
    taken: set[str] = set()
    reused: set[int] = set()
    oldest_first = sorted(range(len(keyed)), key=lambda place: _turn(keyed[place]))
    for place in oldest_first if equals else range(len(keyed)):
        one = keyed[place]
        hit = equals[place] if place in equals else _by_key(one, known)
        if hit is not None and _is_anothers_id(one, hit, known, addresses):
            told[place] = replace(one, key=key_by_link(one.entry) or one.key, alias=None)
            hit = known.by_url_key.get(one.url_key or "")
            reused.add(place)
        elif hit is None and one.equal is not None:
            told[place] = replace(one, key=_free_key(one, known.by_key, taken))
            taken.add(told[place].key)
        if hit is not None:
            hits[place] = hit
    return told, hits, reused


def _turn(one: KeyedEntry) -> float:
    return one.entry.published.timestamp() if one.entry.published else 0.0


def _free_key(one: KeyedEntry, by_key: Mapping[str, KnownEntry], taken: Collection[str]) -> str:
    """The key of a new one among equal entries: that of one alone, if it is still to be had."""
    for key in (one.equal or one.key, one.key):
        if key not in by_key and key not in taken:
            return key
    return digest(one.key, str(len(taken)))


def _is_anothers_id(
    one: KeyedEntry, hit: KnownEntry, known: Known, addresses: Collection[str | None]
) -> bool:
    """Whether an id that is known means another entry now: ids that are places in a list.

    The entry has another address and another headline, and either the known one stands in the
    document too, at its own address, or this one's address is known as that of another entry.
    """
    if not is_at_another_address(one.entry, one.url_key, hit) or not one.url_is_identity:
        return False
    elsewhere = known.by_url_key.get(one.url_key or "")
    return hit.url_key in addresses or (
        elsewhere is not None and elsewhere.entry_id != hit.entry_id
    )


def is_at_another_address(entry: ParsedEntry, url_key: str | None, known: KnownEntry) -> bool:
    """Whether an entry with a known id has another address and another headline than it had."""
    return (
        entry.id is not None
        and entry.id == known.guid
        and None not in (url_key, known.url_key, entry.title, known.title)
        and url_key != known.url_key
        and not titles_agree(known.title, entry.title)
    )


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


def _seen(one: KeyedEntry, hit: KnownEntry, reading: Reading, *, together: bool) -> EntryIntent:
    same = hit.content_hash == one.content_hash
    ours = reading.again or hit.reader != reading.version
    if hit.tombstone:
        if same or hit.forgotten or ours:
            return _intent(EntryKind.TOUCHED, one, hit, "known, its text is no longer kept")
        return _intent(EntryKind.CHANGED, one, hit, "it was no longer kept and is listed anew")
    if reading.again:
        return _read_again(one, hit, reading, together=together)
    if hit.reader != reading.version and not (
        same and hit.shown == one.shown and not _is_redated(one.entry, hit, reading.now)
    ):
        return _intent(EntryKind.REPLACED, one, hit, "a new release reads it otherwise")
    if not same and not _has_the_words(one, hit):
        return _intent(EntryKind.CHANGED, one, hit, "the text changed")
    found = difference(one.shown, hit, reading.now, together=together)
    if found is None:
        redated = one.equal is not None and one.entry.published != hit.published
        return replace(_intent(EntryKind.TOUCHED, one, hit, "same text"), redated=redated)
    kind = EntryKind.REPLACED if found.replaces else EntryKind.TOUCHED
    return replace(_intent(kind, one, hit, found.why), quiet=found.quiet)


def _read_again(
    one: KeyedEntry, hit: KnownEntry, reading: Reading, *, together: bool
) -> EntryIntent:
    """Everything that its document says of an entry, but what waits because it passes."""
    found = None
    if hit.reader == reading.version and hit.content_hash == one.content_hash:
        found = difference(one.shown, hit, reading.now, together=together)
    if found is not None and not found.replaces:
        return _intent(EntryKind.TOUCHED, one, hit, found.why)
    quiet = found is not None and found.quiet
    intent = _intent(EntryKind.REPLACED, one, hit, "its document was read again")
    return replace(intent, quiet=quiet)


def _has_the_words(one: KeyedEntry, hit: KnownEntry) -> bool:
    """Whether an entry says what it said, if perhaps in another element."""
    entry = one.entry
    return hit.content_hash == one.content_hash or hit.content_hash in hashes_elsewhere(
        entry.title, entry.summary, entry.content
    )


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


def _renamed_intent(
    one: KeyedEntry, former: KnownEntry, why: str, reading: Reading, *, together: bool
) -> EntryIntent:
    """The intent of a known entry under another key; `quiet` where only what passes differs."""
    found = None
    if former.content_hash == one.content_hash:
        found = difference(one.shown, former, reading.now, together=together)
    quiet = found is not None and (found.quiet or why is _AGAIN)
    intent = replace(_intent(EntryKind.RENAMED, one, former, why), quiet=quiet)
    if found is not None and not found.replaces:
        intent = replace(intent, shown=former.shown)
    return replace(intent, same_words=_has_the_words(one, former))


def _rename_reason(flip: bool) -> str:
    if flip:
        return "every id of the document changed while its links stayed: remapped in bulk"
    return "same address and text under another id, and the old id is gone"


def _is_guid_flip(
    keyed: Sequence[KeyedEntry], hits: Mapping[int, KnownEntry], known: Known, present: set[str]
) -> bool:
    moved = [
        one
        for place, one in enumerate(keyed)
        if place not in hits
        and one.url_key
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

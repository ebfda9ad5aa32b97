"""The key of an entry within its source, by a policy that fits what the source's ids are worth.

22 % of entries have no id, some feeds repeat one, 8 % of feeds give several items one link: neither
guid nor link alone is an identity. A policy is chosen from the document, kept, and only degraded.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.identity.hashing import content_hash, digest, revision_hash
from aggregator.identity.shown import shown_state
from aggregator.model.feed import ParsedEntry
from aggregator.urls.key import url_key
from aggregator.urls.origin import split

POLICIES = ("guid", "link", "link+date", "link+title", "content")
_DEGRADE_ABOVE = 0.05  # share of empty or repeated ids
_HOPELESS = 0.5
# Of a link as its entry's key has it: for good, whatever else is learned about links.
_SESSION = re.compile(r";\w*sess\w*=[^/;]*", re.IGNORECASE)
_PASSING = re.compile(r"utm_|(?=\w*sess)\w*+(?<=id)=|sid=[0-9a-f]{32}$", re.IGNORECASE)
_Alike = tuple[str, str | None, str]  # what entries have in common that are the same but for a date
_SCHEME_AND_HOST = re.compile(r"^[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeyedEntry:
    """An entry with everything that may identify it, hashed.

    `key` is the one in force; `candidates` are keys it may have had: a repeated id alone, ids
    under stronger policies.
    `url_key` is set for any usable link; `url_is_identity` only where a link can be an identity.
    `equal` is set where the document has several entries that differ in their dates alone: the key
    that one of them would have.
    """

    entry: ParsedEntry
    key: str
    candidates: tuple[str, ...]
    alias: str | None
    url_key: str | None
    url_is_identity: bool
    extra_url_keys: tuple[str, ...]
    content_hash: str
    shown: str
    equal: str | None = None


def choose_policy(entries: Sequence[ParsedEntry], current: str | None) -> str:
    """The identity policy for a document: the current one, unless it is worth too little here.

    Sticky: never stronger than `current`. A document too small to judge changes nothing.
    """
    start = POLICIES.index(current) if current in POLICIES else 0
    distinct = list({(e.id, e.link, e.title, e.summary, e.content): e for e in entries}.values())
    if not distinct or (current is not None and len(distinct) < 4):
        return POLICIES[start]
    shares: dict[str, float] = {}
    for policy in POLICIES[start:-1]:
        parts = [_identity(entry, policy) for entry in distinct]
        counts = Counter(part for part in parts if part)
        bad = sum(1 for part in parts if not part or counts[part] > 1)
        shares[policy] = 0.0 if bad <= 1 and len(distinct) >= 4 else bad / len(distinct)
        if shares[policy] <= _DEGRADE_ABOVE:
            return policy
    # None is good: the least bad, for a key by content makes a new entry of every edit.
    best = min(shares, key=lambda policy: shares[policy], default=POLICIES[-1])
    return best if shares.get(best, 1.0) < _HOPELESS else POLICIES[-1]


def key_entries(
    entries: Sequence[ParsedEntry], policy: str, extra_parameters: Sequence[str] = ()
) -> list[KeyedEntry]:
    """Keys for all entries of one document, no two alike.

    `extra_parameters` are tracking parameters an operator names: they count for the URL keys that
    items of several sources meet by, not for the entry's own key, which a setting must not change.

    An entry without the policy's own id takes the next policy that gives one. Entries that repeat
    an id within the document are told apart by their URL key, then by their content, then by their
    dates where all have one; of entries that are the same word for word one is left, and of those
    at one address too, whatever ids they have.
    """
    url_keys = [_url(entry, extra_parameters) for entry in entries]
    guid_counts = Counter(entry.id for entry in entries)
    hashes = [content_hash(entry.title, entry.summary, entry.content) for entry in entries]
    bases = [_base_key(entry, policy, hashes[i]) for i, entry in enumerate(entries)]
    base_counts = Counter(bases)
    rank = POLICIES.index(policy)
    keyed: list[KeyedEntry] = []
    taken: set[str] = set()
    alike = [(b, link, h) for b, (link, _), h in zip(bases, url_keys, hashes, strict=True)]
    dates = _dates(entries, alike)
    link_counts = Counter(link for link, _ in {(a[1], a[2]) for a in alike})
    told: set[tuple[str, str | None, str, str]] = set()
    for entry, (link_key, is_identity), hashed, base, same in zip(
        entries, url_keys, hashes, bases, alike, strict=True
    ):
        many = len(dates[same]) > 1
        date = _instant(entry.published)
        whole = ("" if is_identity else base, link_key, hashed, date if many or is_identity else "")
        if whole in told:
            continue  # the same entry twice, word for word
        told.add(whole)
        repeated = base_counts[base] > 1
        # All repeats are told apart, the first too: which one stands first changes from day to day.
        key = (
            digest(base, lasting_link(entry.original_link or entry.link) or hashed)
            if repeated
            else base
        )
        equal = key if many else None
        if many:
            key = digest(key, "dated", date)
        if key in taken:
            key = digest(key, hashed)
        taken.add(key)
        former = [base] if repeated else []
        former += [equal] if equal else []
        for name in POLICIES[:rank]:
            part = _identity(entry, name)
            if part and (name != "guid" or guid_counts[entry.id] == 1):
                former.append(digest(name, part))
        keyed.append(
            KeyedEntry(
                entry=entry,
                key=key,
                candidates=tuple(former),
                alias=_alias(entry.id) if entry.id and guid_counts[entry.id] == 1 else None,
                url_key=link_key,
                url_is_identity=is_identity and link_counts[link_key] == 1 and not many,
                extra_url_keys=_extra_keys(entry, link_key, extra_parameters),
                content_hash=revision_hash(hashed, entry.title),
                shown=shown_state(entry),
                equal=equal,
            )
        )
    return keyed


def _dates(entries: Sequence[ParsedEntry], alike: Sequence[_Alike]) -> dict[_Alike, set[str]]:
    """The dates that tell entries apart which are alike otherwise; none where one has no date."""
    found: defaultdict[_Alike, set[str]] = defaultdict(set)
    for entry, same in zip(entries, alike, strict=True):
        found[same].add("" if entry.date_inferred else _instant(entry.published))
    return {same: set() if "" in dates else dates for same, dates in found.items()}


def key_by_link(entry: ParsedEntry) -> str | None:
    """The key that an entry has where ids do not tell; None without a usable link."""
    link = lasting_link(entry.original_link or entry.link)
    return digest("link", link) if link else None


def _base_key(entry: ParsedEntry, policy: str, hashed: str) -> str:
    """The key by the policy, or by the next one that the entry has something for."""
    for name in POLICIES[POLICIES.index(policy) : -1]:
        part = _identity(entry, name)
        if part:
            return digest(name, part)
    return digest("content", hashed)


def _identity(entry: ParsedEntry, policy: str) -> str:
    """What identifies the entry under a policy; empty when it has none."""
    if policy == "guid":
        return entry.id or ""
    link = lasting_link(entry.original_link or entry.link)
    if not link or policy == "link":
        return link
    if policy == "link+date":
        if entry.published is None or entry.date_inferred:  # one that moves with its neighbours
            return ""
        return f"{link} {_instant(entry.published)}"
    return f"{link} {entry.title}" if entry.title else ""


def lasting_link(link: str | None) -> str:
    """A link as the key of its entry has it; empty where there is none.

    URL keys become better with every release, and what a source sent must not be new again with
    one: this form never changes. Links that differ otherwise from poll to poll are renamed entries.
    """
    parts = split(link or "")
    if parts is None:
        return ""
    port = f":{parts.port}" if parts.port else ""
    path = _SESSION.sub("", parts.path).rstrip("/")
    query = "&".join(p for p in parts.query.split("&") if p and not _PASSING.match(p))
    fragment = f"#{parts.fragment}" if parts.fragment.startswith(("!", "/")) else ""
    return f"{parts.host.removeprefix('www.')}{port}{path}?{query}{fragment}"


def _instant(moment: datetime | None) -> str:
    return "" if moment is None else str(int(moment.timestamp()))


def _url(entry: ParsedEntry, extra: Sequence[str] = ()) -> tuple[str | None, bool]:
    """The hashed URL key of an entry's link and whether it can be an identity across sources.

    A link blog's or discussion's link is another publication's: it never identifies the entry.
    """
    link = entry.original_link or entry.link
    found = url_key(link, extra_parameters=extra) if link else None
    if found is None:
        return None, False
    elsewhere = entry.external_url is not None and entry.external_url == link
    return digest("url", found.key), found.identity and not elsewhere


def _extra_keys(entry: ParsedEntry, first: str | None, extra: Sequence[str]) -> tuple[str, ...]:
    """Identity-grade keys of the entry's other addresses for itself."""
    if not entry.original_link or not entry.link or entry.link == entry.original_link:
        return ()
    found = url_key(entry.link, extra_parameters=extra)
    if found is None or not found.identity:
        return ()
    key = digest("url", found.key)
    return () if key == first else (key,)


def _alias(guid: str) -> str | None:
    """A guid without scheme and host: survives http→https and a change of domain."""
    rest = _SCHEME_AND_HOST.sub("", guid).rstrip("/")
    return digest("alias", rest) if len(rest) > 3 else None

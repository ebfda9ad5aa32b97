"""What of an entry readers see, as a hash: any difference in it is a change of what is served.

A difference in words is a revision (`identity.hashing.content_hash`); any other replaces what is
served without one. Addresses that differ in their parameters alone may be passing: signed
enclosures, pictures with a mark against caches. An entry's own history tells which are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from aggregator.identity.hashing import digest
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import KnownEntry

PASSING = timedelta(hours=24)  # how long a passing difference waits for a real one
PASSING_ENCLOSURE = timedelta(hours=1)  # the same for enclosures, whose addresses may expire

_NOT_SHOWN = frozenset(
    {
        "id",
        "published",
        "updated",
        "published_raw",
        "date_only",
        "date_inferred",
        "guid_is_permalink",
    }
)
_PARAMETERS = re.compile(r"(https?://[^\s\"'<>?#]++)(?:[?#][^\s\"'<>]*+)?")
_SHOWN = tuple(field.name for field in fields(ParsedEntry) if field.name not in _NOT_SHOWN)
_PART = 16


@dataclass(frozen=True, slots=True)
class Difference:
    """How what is listed differs from what is served.

    Attributes:
        replaces: It is written now.
        quiet: It is written, and shown with the next change of a view.
        why: In words.
    """

    replaces: bool
    quiet: bool
    why: str


def shown_state(entry: ParsedEntry) -> str:
    """The hash of everything a reader sees: exact, without parameters, and of enclosures alone.

    Dates and ids are no part of it: an edit of the date alone is no change.
    """
    whole = repr([getattr(entry, name) for name in _SHOWN])
    enclosures = repr([one.url for one in entry.enclosures])
    parts = (whole, _PARAMETERS.sub(r"\1", whole), enclosures)
    return "".join(digest("shown", part)[:_PART] for part in parts)


def difference(shown: str, known: KnownEntry, now: datetime) -> Difference | None:
    """What becomes of an entry whose words are those that are served; None when nothing differs.

    Args:
        shown: The listed entry's `shown_state`.
        known: What the store knows of it.
        now: The time.
    """
    if known.shown is None or shown == known.shown:
        return None
    addresses_only = _bare(shown) == _bare(known.shown)
    returns = known.shown_before is not None and shown == known.shown_before
    if not returns and not (addresses_only and known.passing):
        return Difference(True, False, "what is shown differs: link, picture, markup or names")
    waited = now - known.shown_at if known.shown_at is not None else PASSING
    if waited >= PASSING:
        return Difference(True, False, "addresses that pass, shown anew after a day")
    if _enclosures(shown) != _enclosures(known.shown) and waited >= PASSING_ENCLOSURE:
        return Difference(True, True, "the address of an enclosure passes")
    return Difference(False, False, "differs in what its own history shows to be passing")


def is_passing(shown: str, known: KnownEntry) -> bool:
    """Whether the entry's addresses differ in parameters alone: the next such difference waits."""
    if known.shown is None:
        return False
    return known.passing or (shown != known.shown and _bare(shown) == _bare(known.shown))


def _bare(shown: str) -> str:
    return shown[_PART : 2 * _PART]


def _enclosures(shown: str) -> str:
    return shown[2 * _PART :]

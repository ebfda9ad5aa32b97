"""What of an entry readers see, as a hash: any difference in it is a change of what is served.

A difference in words is a revision (`identity.hashing.content_hash`); any other replaces what is
served without one. Addresses that differ in their parameters alone may be passing: signed
enclosures, pictures with a mark against caches. An entry's own history tells which are, or that
half of its document differs so at once. What passes is written at most once an hour, and moves no
view: readers get it with the next change of a view, at the latest after a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from aggregator.identity.hashing import digest
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import KnownEntry

PASSING = timedelta(hours=24)  # how long a passing difference waits for another change of a view
REWRITTEN = timedelta(hours=1)  # between two writes of what passes in an entry
_TOGETHER = 3  # entries of a document: nobody corrects the parameters of so many at once

_NOT_SHOWN = frozenset(
    {
        "id",
        "published",
        "updated",
        "published_raw",
        "date_only",
        "date_inferred",
        "cut_off",
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
    # Nothing compares the last any more; without it all that is stored would differ.
    enclosures = repr([one.url for one in entry.enclosures])
    parts = (whole, _PARAMETERS.sub(r"\1", whole), enclosures)
    return "".join(digest("shown", part)[:_PART] for part in parts)


def difference(
    shown: str, known: KnownEntry, now: datetime, *, together: bool
) -> Difference | None:
    """What becomes of an entry whose words are those that are served; None when nothing differs.

    Args:
        shown: The listed entry's `shown_state`.
        known: What the store knows of it.
        now: The time.
        together: As many entries of its document differ in parameters alone (`pass_together`).
    """
    if known.shown is None or shown == known.shown:
        return None
    returns = known.shown_before is not None and shown == known.shown_before
    passes = _bare(shown) == _bare(known.shown) and (known.passing or together)
    if not returns and not passes:
        return Difference(True, False, "what is shown differs: link, picture, markup or names")
    if known.shown_at is not None and now - known.shown_at < REWRITTEN:
        return Difference(False, False, "differs in what passes, and was written within the hour")
    return Difference(True, True, "differs in what passes: shown with the next change of a view")


def pass_together(pairs: Iterable[tuple[str, KnownEntry]]) -> bool:
    """Whether half of a document's known entries, three at least, differ in parameters alone.

    `pairs` are the `shown_state` of a listed entry and what the store knows of it.
    """
    found = [_bare(shown) == _bare(known.shown) and shown != known.shown
             for shown, known in pairs if known.shown is not None]  # fmt: skip
    return sum(found) >= max(_TOGETHER, len(found) / 2)


def is_passing(shown: str, known: KnownEntry) -> bool:
    """Whether the entry's addresses differ in parameters alone: the next such difference waits."""
    if known.shown is None:
        return False
    return known.passing or (shown != known.shown and _bare(shown) == _bare(known.shown))


def _bare(shown: str) -> str:
    return shown[_PART : 2 * _PART]

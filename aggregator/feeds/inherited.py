"""What a feed says once for all its entries."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.model.feed import Person


@dataclass(frozen=True, slots=True)
class Inherited:
    """What holds for an entry unless it says otherwise.

    `home` is the page that bodies of RSS items without a link are relative to; `explicit` is of the
    iTunes tags; `persons` take part in every episode that names none.
    """

    authors: tuple[str, ...] = ()
    home: str | None = None
    explicit: bool | None = None
    persons: tuple[Person, ...] = ()

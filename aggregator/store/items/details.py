"""What few items have, in one column: several authors, pictures, an episode, terms of categories.

Most items have none of it, and then the column is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aggregator.model.feed import Chapters, Episode, ParsedEntry, Person, Picture, Transcript


@dataclass(frozen=True, slots=True)
class Details:
    """As `ServedItem` has them."""

    authors: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    episode: Episode | None = None
    terms: tuple[tuple[str, str], ...] = ()


def packed(entry: ParsedEntry) -> dict[str, Any] | None:
    """The details of an entry as JSON; what `author` and `image` say already is left out."""
    pictures = entry.pictures
    plain = len(pictures) == 1 and pictures[0].url == entry.image
    plain = plain and pictures[0].alt is None and pictures[0].credit is None
    found: dict[str, Any] = {
        "authors": list(entry.authors) if len(entry.authors) > 1 else None,
        "pictures": None if plain else [_told(picture) for picture in pictures],
        "episode": _told(entry.episode) if entry.episode else None,
        "terms": [list(pair) for pair in entry.terms],
    }
    return {name: value for name, value in found.items() if value} or None


def unpacked(stored: Mapping[str, Any] | None) -> Details:
    """The details in a row."""
    if not stored:
        return Details()
    return Details(
        authors=tuple(stored.get("authors", ())),
        pictures=tuple(Picture(**one) for one in stored.get("pictures", ())),
        episode=_episode(stored["episode"]) if "episode" in stored else None,
        terms=tuple((name, term) for name, term in stored.get("terms", ())),
    )


def _told(value: Picture | Episode) -> dict[str, Any]:
    return {name: told for name, told in asdict(value).items() if told not in (None, ())}


def _episode(stored: Mapping[str, Any]) -> Episode:
    parts = dict(stored)
    parts["transcripts"] = tuple(Transcript(**one) for one in parts.get("transcripts", ()))
    parts["persons"] = tuple(Person(**one) for one in parts.get("persons", ()))
    if "chapters" in parts:
        parts["chapters"] = Chapters(**parts["chapters"])
    return Episode(**parts)

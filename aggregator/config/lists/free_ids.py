"""Ids for sources that a person did not name."""

from __future__ import annotations

from collections.abc import Collection

from aggregator.config.values.plain import slug
from aggregator.urls.origin import host


class FreeIds:
    """Ids made of titles, or of hosts where a title has no letters of ours; each only once."""

    def __init__(self, taken: Collection[str]) -> None:
        self._taken = set(taken)
        self._counts: dict[str, int] = {}  # where to go on: a thousand may have one title

    def take(self, title: str | None, url: str) -> str:
        """An id for the source of this title and address, which no other gets after it."""
        name = slug(title or "") or slug(host(url) or "") or "feed"
        tried, count = name, self._counts.get(name, 1)
        while tried in self._taken:
            count += 1
            tried = f"{name[: 62 - len(str(count))]}-{count}"
        self._counts[name] = count
        self._taken.add(tried)
        return tried

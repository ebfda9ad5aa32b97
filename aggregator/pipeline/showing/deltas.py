"""What changed in a document since a reader got it (RFC 3229 with the manipulation `feed`).

For the last versions of each document it is remembered which items it had, and in what state, under
both of its tags. It is kept in memory alone: after a restart a reader gets the whole document once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import replace

from aggregator.model.item import FeedPage, ServedItem

VERSIONS = 20  # of each document
_DOCUMENTS = 64

Key = tuple[str, str]  # a view and a format
States = Mapping[int, int]  # by number of an item, a hash of all that a reader sees of it


class Versions:
    """What the last versions of documents held."""

    def __init__(self) -> None:
        self._of: OrderedDict[Key, OrderedDict[str, States]] = OrderedDict()

    def add(self, key: Key, tags: Collection[str], page: FeedPage) -> None:
        """Remember a version under its entity tags."""
        states = {item.number: _state(item) for item in page.items}
        versions = self._of.setdefault(key, OrderedDict())
        self._of.move_to_end(key)
        for tag in tags:
            versions[tag] = states
            versions.move_to_end(tag)
        while len(versions) > VERSIONS * max(1, len(tags)):
            versions.popitem(last=False)
        while len(self._of) > _DOCUMENTS:
            self._of.popitem(last=False)

    def find(self, key: Key, tags: Collection[str]) -> States | None:
        """What the version held that one of these tags names."""
        versions = self._of.get(key, OrderedDict())
        return next((versions[tag] for tag in tags if tag in versions), None)


def _state(item: ServedItem) -> int:
    """Differs where anything that a reader sees of an item does, within this process."""
    return hash(repr(item))


def since(page: FeedPage, had: States) -> FeedPage:
    """The page with what is new or shown otherwise alone."""
    changed = tuple(item for item in page.items if had.get(item.number) != _state(item))
    return replace(page, items=changed)

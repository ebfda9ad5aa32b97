"""What the copy step keeps in memory between two polls: less to read in a transaction.

Nothing here decides anything: a process that starts with an empty memory comes to the same groups.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from aggregator.identity.texts.copies import (
    ComparableText,
    comparable,
    is_unaffected,
    pack,
    restore,
)
from aggregator.model.copies import PreparedText
from aggregator.model.settings import DedupSettings

_TEXTS = 4000  # texts kept ready, flat; one of 200 words takes 3 kB
_OPEN = 64  # of them kept open too: the items of a document have the same candidates

T = TypeVar("T")
_Key = tuple[int, int]  # an item and the hash of its text


class ReadyTexts:
    """Stored texts made comparable, those used last."""

    def __init__(self, most: int = _TEXTS) -> None:
        self._most = most
        self._kept: OrderedDict[_Key, tuple[frozenset[int], PreparedText]] = OrderedDict()
        self._open: OrderedDict[_Key, tuple[PreparedText, ComparableText]] = OrderedDict()

    def get(self, item_id: int, text: str, boilerplate: frozenset[int]) -> ComparableText:
        """The text of an item, made ready now or before."""
        key = (item_id, hash(text))
        before, flat = self._kept.get(key, (boilerplate, None))
        if flat is None or not is_unaffected(flat, before ^ boilerplate):
            found = comparable(text, boilerplate)
            flat = pack(found)
            _keep(self._open, key, (flat, found), _OPEN)
        _keep(self._kept, key, (boilerplate, flat), self._most)
        opened = self._open.get(key)
        if opened is None or opened[0] is not flat:
            opened = flat, restore(flat)
        _keep(self._open, key, opened, _OPEN)
        return opened[1]

    def put(self, item_id: int, text: str, boilerplate: frozenset[int], flat: PreparedText) -> None:
        """Keep a text that was made ready elsewhere."""
        _keep(self._kept, (item_id, hash(text)), (boilerplate, flat), self._most)


@dataclass(slots=True)
class Grouping:
    """The thresholds in force and the memory: one a process, used by one writer at a time."""

    settings: DedupSettings = field(default_factory=DedupSettings)
    texts: ReadyTexts = field(default_factory=ReadyTexts)


def _keep(kept: OrderedDict[_Key, T], key: _Key, what: T, most: int) -> None:
    kept[key] = what
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)

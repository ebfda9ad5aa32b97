"""What the copy step keeps in memory between two polls: less to read in a transaction.

Nothing here decides anything: a process that starts with an empty memory comes to the same groups.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeVar

from aggregator.identity.copies import ComparableText, comparable, pack, restore
from aggregator.model.copies import PreparedText
from aggregator.model.settings import DedupSettings

_TEXTS = 4000  # texts kept ready, flat; one of 200 words takes 3 kB
_OPEN = 64  # of them kept open too: the items of a document have the same candidates

T = TypeVar("T")
_Key = tuple[int, int, frozenset[int]]


class ReadyTexts:
    """Stored texts made comparable, those used last."""

    def __init__(self, most: int = _TEXTS) -> None:
        self._most = most
        self._kept: OrderedDict[_Key, PreparedText] = OrderedDict()
        self._open: OrderedDict[_Key, ComparableText] = OrderedDict()

    def get(self, item_id: int, text: str, boilerplate: frozenset[int]) -> ComparableText:
        """The text of an item, made ready now or before."""
        key = (item_id, hash(text), boilerplate)
        found = self._open.get(key)
        if found is None:
            flat = self._kept.get(key)
            if flat is None:
                found = comparable(text, boilerplate)
                flat = pack(found)
            else:
                found = restore(flat)
            _keep(self._kept, key, flat, self._most)
        _keep(self._open, key, found, _OPEN)
        return found

    def put(self, item_id: int, text: str, boilerplate: frozenset[int], flat: PreparedText) -> None:
        """Keep a text that was made ready elsewhere."""
        _keep(self._kept, (item_id, hash(text), boilerplate), flat, self._most)


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

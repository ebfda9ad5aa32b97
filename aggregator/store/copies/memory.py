"""What the copy step keeps in memory between two polls: less to read in a transaction.

Nothing here decides anything: a process that starts with an empty memory comes to the same groups.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from aggregator.identity.copies import ComparableText, comparable
from aggregator.model.settings import DedupSettings

_TEXTS = 1500  # texts kept ready; a text of 200 words takes about 15 kB


class ReadyTexts:
    """Stored texts made comparable, those used last."""

    def __init__(self, most: int = _TEXTS) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[int, int, frozenset[int]], ComparableText] = OrderedDict()

    def get(self, item_id: int, text: str, boilerplate: frozenset[int]) -> ComparableText:
        """The text of an item, made ready now or before."""
        key = (item_id, hash(text), boilerplate)
        found = self._kept.get(key)
        if found is None:
            found = comparable(text, boilerplate)
        self._keep(key, found)
        return found

    def put(
        self, item_id: int, text: str, boilerplate: frozenset[int], ready: ComparableText
    ) -> None:
        """Keep a text that was made ready elsewhere."""
        self._keep((item_id, hash(text), boilerplate), ready)

    def _keep(self, key: tuple[int, int, frozenset[int]], ready: ComparableText) -> None:
        self._kept[key] = ready
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


@dataclass(slots=True)
class Grouping:
    """The thresholds in force and the memory: one a process, used by one writer at a time."""

    settings: DedupSettings = field(default_factory=DedupSettings)
    texts: ReadyTexts = field(default_factory=ReadyTexts)

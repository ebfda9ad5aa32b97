"""The stored items that new ones are compared with, read for many of them at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from aggregator.model.copies import CopyThresholds
from aggregator.store import schema as t
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.copies.texts import own_text
from aggregator.store.rows import batches

# Made once: making a statement takes longer than running it.
_ROWS = (
    select(t.item.c.id, t.item.c.source_id, t.item.c.group_id, t.item.c.title, own_text())
    .join(t.item_text, t.item_text.c.item_id == t.item.c.id)
    .join(t.article, t.article.c.item_id == t.item.c.id, isouter=True)
    .where(
        t.item.c.id.in_(bindparam("numbers", expanding=True)),
        t.item.c.first_seen >= bindparam("since"),
    )
)
_SIZE = select(func.count()).select_from(
    select(t.entry.c.id)
    .where(
        t.entry.c.source_id == bindparam("source"), t.entry.c.first_seen < bindparam("before")
    )
    .limit(bindparam("most"))
    .subquery()
)  # fmt: skip


@dataclass(slots=True)
class Candidate:
    """A stored item; `group` is its copy group by now."""

    item_id: int
    source_id: str
    group: int
    title: str | None
    text: str


class Candidates:
    """What a batch reads of items within the window of copies, and of their sources."""

    def __init__(
        self,
        connection: Connection,
        limits: CopyThresholds,
        now: datetime,
        boilerplate: dict[str, frozenset[int]],
    ) -> None:
        """`boilerplate`: that of sources for which it is known already."""
        self._connection = connection
        self._limits = limits
        self._now = now
        self._boilerplate = boilerplate
        self._sizes: dict[str, int] = {}
        self._rows: dict[int, Candidate | None] = {}  # None: too old, or its text is gone

    def read(self, numbers: Iterable[int]) -> None:
        """Have these items at hand, and no longer those that were before."""
        self._rows = {}
        self._read(numbers)

    def of(self, numbers: Sequence[int]) -> Iterator[Candidate]:
        """Those of the items that may be compared, in the order given."""
        self._read(number for number in numbers if number not in self._rows)
        for number in numbers:
            found = self._rows[number]
            if found is not None:
                yield found

    def moved(self, groups: Collection[int], target: int) -> None:
        """Members of copy groups became members of another."""
        for row in self._rows.values():
            if row is not None and row.group in groups:
                row.group = target

    def boilerplate_of(self, source_id: str) -> frozenset[int]:
        """The paragraphs that a source is known to repeat."""
        if source_id not in self._boilerplate:
            self._boilerplate[source_id] = known_boilerplate(
                self._connection, source_id, self._limits
            )
        return self._boilerplate[source_id]

    def size_of(self, source_id: str) -> int:
        """How many items of a source were read before this document, as far as it matters."""
        if source_id not in self._sizes:
            values = {
                "source": source_id, "before": self._now, "most": self._limits.young_source,
            }  # fmt: skip
            self._sizes[source_id] = self._connection.scalar(_SIZE, values) or 0
        return self._sizes[source_id]

    def _read(self, numbers: Iterable[int]) -> None:
        for some in batches(numbers):
            self._rows.update(dict.fromkeys(some))
            values = {"numbers": some, "since": self._now - self._limits.window}
            for row in self._connection.execute(_ROWS, values):
                self._rows[row.id] = Candidate(*row)

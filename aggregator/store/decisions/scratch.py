"""The items of the last days grouped once more, in a database of its own that nobody else sees.

They are replayed in their order of commits by the code that places new items (`store.copies`), so
what comes out is what these thresholds would have done, not an estimate of it. Nothing is counted
as boilerplate again: what is known of each source now is used from the start.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, select

from aggregator.identity.texts.boilerplate import repeated_paragraphs
from aggregator.identity.texts.copies import prepare_text
from aggregator.identity.texts.groups import choose_group
from aggregator.model.copies import CopyDecision, CopyEvidence, CopyThresholds, TextOfItem
from aggregator.model.settings import DedupSettings
from aggregator.model.states import DecisionKind
from aggregator.store import schema as t
from aggregator.store.copies import placing
from aggregator.store.copies.fingerprints import index_text
from aggregator.store.copies.groups import apart_groups, join_groups
from aggregator.store.copies.memory import Grouping
from aggregator.store.copies.texts import first_item_since, own_text
from aggregator.store.database import Database

_AT_ONCE = 500
_ANCHOR = 0  # an item that stands for all others that entries belong to
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)


Progress = Callable[[int], None]  # told how many items were read, now and then


def unheard(_: int) -> None:
    """Progress that nobody waits for."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A pair that one item was placed by: `item` came later."""

    item: int
    other: int
    decision: CopyDecision


class Scratch:
    """A scratch database with the groups of the items since a time; use it as a context manager.

    Args:
        live: A transaction of the service's database.
        limits: The thresholds to group by.
        since: Items first seen from then on are grouped anew. Those of the window before keep
            their groups and are there to be joined; so do older ones that an operator, or a page,
            said something about.
        progress: Told how many items were read, after each batch.
    """

    def __init__(
        self,
        live: Connection,
        limits: CopyThresholds,
        since: datetime,
        progress: Progress = unheard,
    ) -> None:
        self._limits = limits
        self._progress = progress
        self._grouping = Grouping(DedupSettings(copies=limits))
        self._exits = ExitStack()
        self._boilerplate: dict[str, frozenset[int]] = {}
        self._together: defaultdict[int, set[int]] = defaultdict(set)
        self._alone: dict[int, int] = {}  # an item set aside, by a group that has none before
        self.first = first_item_since(live, since)  # the first that is grouped anew
        self.start = first_item_since(live, since - limits.window)
        self.last = self.start - 1
        self.live_groups: dict[int, int] = {}  # by item, as they are in the service's database
        self.purged: frozenset[int] = frozenset()  # those of them whose text is no longer kept
        self.split: frozenset[tuple[int, int]] = frozenset()
        try:
            self._open(live)
            self.advance(live)
        except BaseException:
            self._exits.close()
            raise

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _open(self, live: Connection) -> None:
        folder = self._exits.enter_context(TemporaryDirectory(prefix="aggregator-"))
        database = Database(f"sqlite:///{Path(folder) / 'scratch.db'}")
        self._exits.callback(database.close)
        t.metadata.create_all(database.engine)
        self._connection = self._exits.enter_context(database.write())
        self._connection.execute(t.item.insert(), [_item(_ANCHOR, "", None, _LONG_AGO, _ANCHOR)])
        self._read_sources(live)
        self._read_overrides(live)

    def _read_sources(self, live: Connection) -> None:
        """How long each source has been read, and what it repeats."""
        p, e = t.paragraph.c, t.entry.c
        counts: defaultdict[str, dict[int, int]] = defaultdict(dict)
        rows = live.execute(
            select(p.source_id, p.hash, p.groups).where(p.groups >= self._limits.boilerplate_groups)
        )
        for row in rows:
            counts[row.source_id][row.hash] = row.groups
        for name, groups in counts.items():
            self._boilerplate[name] = repeated_paragraphs(groups, self._limits)
        rows_of_counts = [
            {"source_id": name, "hash": one, "groups": count, "seen_day": 0}
            for name, groups in counts.items()
            for one, count in groups.items()
        ]
        if rows_of_counts:
            self._connection.execute(t.paragraph.insert(), rows_of_counts)
        for name in live.scalars(select(t.source.c.id)).all():
            times = live.scalars(
                select(e.first_seen)
                .where(e.source_id == name)
                .order_by(e.first_seen)
                .limit(self._limits.young_source)
            ).all()
            if times:
                entries = [_entry(name, number, at) for number, at in enumerate(times)]
                self._connection.execute(t.entry.insert(), entries)

    def _read_overrides(self, live: Connection) -> None:
        """What an operator decided, and what pages state about themselves."""
        o, m = t.override.c, t.merge_log.c
        decided = live.execute(select(o.low_id, o.high_id, o.together, o.at)).all()
        self.split = frozenset((row.low_id, row.high_id) for row in decided if not row.together)
        if decided:
            self._connection.execute(t.override.insert(), [row._asdict() for row in decided])
        stated = live.execute(
            select(m.item_id, m.other_id).where(
                m.kind == DecisionKind.STATED, m.score >= self._limits.containment_stated
            )
        )
        pairs = [(row.low_id, row.high_id) for row in decided if row.together]
        pairs += [(row.item_id, row.other_id) for row in stated]
        for one, other in pairs:
            self._together[one].add(other)
            self._together[other].add(one)
        named = {number for pair in (*pairs, *self.split) for number in pair}
        self._read_aside(live, sorted(named))

    def _read_aside(self, live: Connection, numbers: Sequence[int]) -> None:
        """Of these items, those that are not placed anew: before the window, or without a text.

        They keep their groups and are never candidates, for they are not indexed.
        """
        i, text = t.item.c, t.item_text.c
        for begin in range(0, len(numbers), _AT_ONCE):
            some = numbers[begin : begin + _AT_ONCE]
            rows = live.execute(
                select(i.id, i.source_id, i.title, i.first_seen, i.group_id, text.item_id)
                .join(t.item_text, text.item_id == i.id, isouter=True)
                .where(i.id.in_(some), (i.id < self.start) | text.item_id.is_(None))
                .order_by(i.id)
            ).all()
            self.purged |= {row.id for row in rows if row.item_id is None}
            self._alone |= {row.group_id: row.id for row in rows}
            if not rows:
                continue
            self.live_groups |= {row.id: row.group_id for row in rows}
            self._connection.execute(
                t.item.insert(),
                [
                    _item(row.id, row.source_id, row.title, row.first_seen, group)
                    for row, group in zip(rows, self._before(rows), strict=True)
                ],
            )

    def advance(self, live: Connection) -> None:
        """Take the items that came since the last time."""
        while rows := rows_after(live, self.last):
            self.live_groups |= {row.id: row.group_id for row in rows}
            self.last = rows[-1].id
            before = [row for row in rows if row.id < self.first]
            self._keep(before)
            for batch in _as_committed(row for row in rows if row.id >= self.first):
                self._place(batch)
            self._progress(len(self.live_groups))

    def _keep(self, rows: Sequence[Any]) -> None:
        """Items whose groups stay: there to be found."""
        if not rows:
            return
        self._insert(rows, self._before(rows))
        for row in rows:
            self._alone.pop(row.group_id, None)
            prepared = prepare_text(row.text, self.boilerplate(row.source_id))
            index_text(self._connection, row.id, prepared, self._limits)

    def _before(self, rows: Sequence[Any]) -> list[int]:
        """The groups of items that keep theirs, each by the number of its first item here."""
        lowest: dict[int, int] = {}
        for number in sorted(self.live_groups):
            lowest.setdefault(self.live_groups[number], number)
        return [lowest[row.group_id] for row in rows]

    def _place(self, rows: Sequence[Any]) -> None:
        """The new items of one poll, as the transaction that stored them placed them."""
        self._insert(rows, [row.id for row in rows])
        name, now = rows[0].source_id, rows[0].first_seen
        boilerplate = self.boilerplate(name)
        new = [
            placing.NewText(
                row.id,
                row.text,
                prepare_text(row.text, boilerplate),
                row.title,
                now,
                "",
                changed=True,
            )
            for row in rows
        ]
        source = placing.Source(name, boilerplate)
        placing.place_items(self._connection, self._grouping, source, new, now)
        for row in rows:
            others = set(self._together[row.id])
            if row.group_id in self._alone:  # nothing is found out about that one
                others.add(self._alone.pop(row.group_id))
            for other in sorted(others):
                self._join(row.id, other)

    def _join(self, item: int, other: int) -> None:
        groups = self.groups((item, other))
        if len(groups) < 2 or groups[item] == groups[other]:
            return
        if not apart_groups(self._connection, groups.values()):
            join_groups(self._connection, [groups[item]], groups[other], other)

    def _insert(self, rows: Sequence[Any], groups: Sequence[int]) -> None:
        self._connection.execute(
            t.item.insert(),
            [
                _item(row.id, row.source_id, row.title, row.first_seen, group)
                for row, group in zip(rows, groups, strict=True)
            ],
        )
        self._connection.execute(
            t.item_text.insert(),
            [
                {"item_id": row.id, "html": "", "text": row.text, "sanitizer_version": 0}
                for row in rows
            ],
        )

    def boilerplate(self, source_id: str) -> frozenset[int]:
        """The paragraphs that a source is known to repeat."""
        return self._boilerplate.get(source_id, frozenset())

    def groups(self, numbers: Sequence[int] | None = None) -> dict[int, int]:
        """The groups that came out, by item; of all of them, or of these."""
        i = t.item.c
        query = select(i.id, i.group_id).where(i.id != _ANCHOR).order_by(i.id)
        if numbers is not None:
            query = query.where(i.id.in_(numbers))
        return {row.id: row.group_id for row in self._connection.execute(query)}

    def joined(self) -> list[Joined]:
        """The pairs by which items were placed, in order."""
        return [Joined(*pair) for pair in self._logged("copy")]

    def judge(self, item: int, other: int) -> CopyDecision:
        """What is thought of two items under these thresholds, with the rule for one source."""
        for one, two, decision in self._logged("apart", item):
            if {one, two} == {item, other}:
                return decision
        i, x = t.item.c, t.item_text.c
        rows = self._connection.execute(
            select(i.id, i.source_id, i.title, x.text)
            .join(t.item_text, x.item_id == i.id)
            .where(i.id.in_((item, other)))
            .order_by(i.id.desc())
        )
        sides = [
            TextOfItem(
                row.id, row.source_id, row.text, row.id, row.title,
                self.boilerplate(row.source_id), self._limits.young_source,
            )
            for row in rows
        ]  # fmt: skip
        if len(sides) < 2:
            return CopyDecision(False, 0.0, "decided by hand, or by what a page says of itself")
        return choose_group(sides[0], sides[1:], self._limits).compared[0].decision

    def _logged(
        self, kind: str, item: int | None = None
    ) -> Iterator[tuple[int, int, CopyDecision]]:
        m = t.merge_log.c
        query = select(m.item_id, m.other_id, m.score, m.reason, m.evidence)
        query = query.where(m.kind == kind).order_by(m.id)
        if item is not None:
            query = query.where(m.item_id == item)
        for row in self._connection.execute(query).all():
            found: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in row.evidence.items()
            }
            evidence = CopyEvidence(**found)
            decision = CopyDecision(kind == DecisionKind.COPY, row.score, row.reason, evidence)
            yield row.item_id, row.other_id, decision


def rows_after(live: Connection, number: int) -> Sequence[Any]:
    """The next items after a number, in order, with the texts by which they are compared."""
    i = t.item.c
    return live.execute(
        select(i.id, i.source_id, i.title, i.first_seen, i.group_id, own_text())
        .join(t.item_text, t.item_text.c.item_id == i.id)
        .join(t.article, t.article.c.item_id == i.id, isouter=True)
        .where(i.id > number)
        .order_by(i.id)
        .limit(_AT_ONCE)
    ).all()


def _as_committed(rows: Iterator[Any]) -> Iterator[list[Any]]:
    """Items of one source stored at one time came in one transaction."""
    for _, batch in groupby(rows, key=lambda row: (row.source_id, row.first_seen)):
        yield list(batch)


def _item(
    number: int, source_id: str, title: str | None, at: datetime, group: int
) -> dict[str, Any]:
    return {
        "id": number, "public_id": str(number), "source_id": source_id, "entry_key": str(number),
        "first_seen": at, "sort_at": at, "updated": at, "changed_at": at, "title": title,
        "source_ref": {},
        "content_hash": "", "group_id": group, "story_id": number,
    }  # fmt: skip


def _entry(source_id: str, number: int, at: datetime) -> dict[str, Any]:
    return {
        "source_id": source_id, "key": str(number), "item_id": _ANCHOR, "content_hash": "",
        "first_seen": at, "last_seen": at, "sort_at": at,
    }  # fmt: skip

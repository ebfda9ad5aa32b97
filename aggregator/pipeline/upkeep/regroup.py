"""Group the items of the last days anew, by other thresholds: only to see, or for good.

Both do the same: `store.decisions.scratch` replays the items in a database of its own. What differs
from the groups there are is told; to apply it, it is written in one transaction that first takes
what came in the meantime. What an operator decided stays, and so does what readers already got.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection

from aggregator.identity.texts.copies import prepare_text
from aggregator.model.copies import CopyDecision, CopyThresholds
from aggregator.model.errors import OperatorError
from aggregator.model.states import DecisionKind
from aggregator.store import changed
from aggregator.store.copies.fingerprints import index_text
from aggregator.store.copies.groups import log_row
from aggregator.store.copies.texts import StoredText, stored_texts
from aggregator.store.database import Database, serialise
from aggregator.store.decisions import regrouping
from aggregator.store.decisions.scratch import Progress, Scratch, rows_after, unheard

_TRIES = 3


class Busy(OperatorError):
    """Groups changed each time while they were worked out."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A pair of items that are one now and would not be, or the other way round."""

    kind: DecisionKind  # joined or parted
    a: StoredText
    b: StoredText
    decision: CopyDecision


@dataclass(frozen=True, slots=True)
class Regrouping:
    """What thresholds do to the items of the last days: how many there are, pairs that change."""

    items: int
    changed: tuple[Changed, ...]


def look(
    database: Database, limits: CopyThresholds, since: datetime, progress: Progress = unheard
) -> Regrouping:
    """What grouping the items first seen since a time anew would change; nothing is stored."""
    with database.read() as live, Scratch(live, limits, since, progress) as scratch:
        return _told(live, scratch)


def apply(
    database: Database,
    limits: CopyThresholds,
    since: datetime,
    now: datetime,
    progress: Progress = unheard,
) -> Regrouping:
    """Group the items first seen since a time anew, for good; says what changed.

    Raises:
        Busy: groups of these items were changed each time while it was worked out.
    """
    for _ in range(_TRIES):
        with database.read() as live:
            scratch = Scratch(live, limits, since, progress)
        with scratch:
            with database.write() as live:
                serialise(live)
                if not regrouping.is_current(live, scratch):
                    continue
                scratch.advance(live)
                told = _told(live, scratch)
                _write(live, scratch, told, now)
            _index(database, limits, scratch)
            return told
    raise Busy("items were grouped otherwise while this was worked out; try it again")


def _told(live: Connection, scratch: Scratch) -> Regrouping:
    # What is not kept any more is shown to nobody, and cannot be named.
    found = {n: group for n, group in scratch.groups().items() if n not in scratch.purged}
    old = {number: scratch.live_groups[number] for number in found}
    pairs = [*_joined(scratch, old, found), *_parted(scratch, old, found)]
    texts = stored_texts(live, sorted({number for _, a, b, _ in pairs for number in (a, b)}))
    changed = tuple(
        Changed(kind, texts[min(a, b)], texts[max(a, b)], decision)
        for kind, a, b, decision in pairs
        if a in texts and b in texts
    )
    return Regrouping(sum(1 for number in old if number >= scratch.first), changed)


_Pair = tuple[DecisionKind, int, int, CopyDecision]


def _joined(scratch: Scratch, old: Mapping[int, int], new: Mapping[int, int]) -> Iterator[_Pair]:
    """For each group that came out of several, pairs that connect these."""
    by_group: defaultdict[int, list[int]] = defaultdict(list)
    for number, group in new.items():
        by_group[group].append(number)
    placed = {(one.item, one.other): one.decision for one in scratch.joined()}
    edges: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for item, other in placed:
        edges[new[item]].append((item, other))
    for group, members in sorted(by_group.items()):
        parts = _Parts(old[number] for number in members)
        for item, other in edges[group]:
            if parts.join(old[item], old[other]):
                yield DecisionKind.JOINED, item, other, placed[item, other]
        for number in members[1:]:  # joined through a third, by a page's word or by hand
            if parts.join(old[number], old[members[0]]):
                yield DecisionKind.JOINED, number, members[0], scratch.judge(number, members[0])


def _parted(scratch: Scratch, old: Mapping[int, int], new: Mapping[int, int]) -> Iterator[_Pair]:
    """For each group that falls apart, its first member with the first of each further part."""
    by_group: defaultdict[int, list[int]] = defaultdict(list)
    for number, group in old.items():
        by_group[group].append(number)
    for members in by_group.values():
        seen = {new[members[0]]}
        for number in members[1:]:
            if new[number] not in seen:
                seen.add(new[number])
                yield DecisionKind.PARTED, number, members[0], scratch.judge(number, members[0])


class _Parts:
    """Which of some groups hang together."""

    def __init__(self, groups: Iterable[int]) -> None:
        self._root = {group: group for group in groups}

    def join(self, one: int, other: int) -> bool:
        """Whether this joins two that were apart."""
        a, b = self._find(one), self._find(other)
        self._root[a] = b
        return a != b

    def _find(self, group: int) -> int:
        while self._root[group] != group:
            group = self._root[group]
        return group


def _write(live: Connection, scratch: Scratch, told: Regrouping, now: datetime) -> None:
    old, new = scratch.live_groups, scratch.groups()
    touched = regrouping.put_groups(live, old, new, scratch.first)
    rows = [
        log_row(
            now, _kind(one), one.b.number, one.a.number, None, one.decision.score,
            one.decision.reason, asdict(one.decision.evidence),
        )
        for one in told.changed
    ]  # fmt: skip
    rows += [
        log_row(
            now, DecisionKind.REGROUPED, group, None, group, None, "grouped by other thresholds"
        )
        for group in touched
    ]
    regrouping.log(live, rows)
    grown = changed.Grown(groups=tuple(touched))
    changed.show_anew(live, now, grown=grown)


def _kind(changed: Changed) -> DecisionKind:
    if changed.kind == DecisionKind.PARTED:
        return DecisionKind.PARTED
    return DecisionKind.COPY if changed.decision.same else DecisionKind.JOINED


def _index(database: Database, limits: CopyThresholds, scratch: Scratch) -> None:
    """Make findable what other thresholds left out of the index as too short."""
    last = scratch.first - 1
    while last < scratch.last:
        with database.write() as live:
            for row in (rows := rows_after(live, last)):
                prepared = prepare_text(row.text, scratch.boilerplate(row.source_id))
                index_text(live, row.id, prepared, limits)
        if not rows:
            break  # purged in the meantime
        last = rows[-1].id

"""Which items have a fingerprint, or a term, packed so that an item costs few bytes.

A row of `posting_list`, as of `term_posting_list`, is the leaf of a B+ tree whose inner nodes are
the database's own index: it has all postings from its hash `low` up to the next row's, in order. A
posting is eight bytes, 32 bits of hash and 32 of item number; as a row of its own it would cost
about 60 in PostgreSQL.
Whoever writes runs serialised: of two that change one row at once, one change would be lost.
"""

from __future__ import annotations

import json
import sys
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterator

from sqlalchemy import Connection, Table, bindparam, delete, select, text

from aggregator.store import schema as t
from aggregator.store.database import serialise
from aggregator.store.rows import batches, upsert

MOST = 64  # postings of a leaf, unless one hash alone has more
_LOWEST, _HIGHEST = -(1 << 31), (1 << 31) - 1  # hashes are signed in the columns of both databases
_NUMBER = (1 << 32) - 1
_AT_ONCE = 500

# For each hash the leaf with the largest `low` not above it.
_FIND = {
    "sqlite": "SELECT leaf.low, leaf.postings FROM json_each(:wanted) AS wanted "
    "JOIN {index} AS leaf "
    "ON leaf.low = (SELECT max(low) FROM {index} WHERE low <= wanted.value)",
    "postgresql": "SELECT leaf.low, leaf.postings "
    "FROM json_array_elements_text(CAST(:wanted AS json)) AS wanted, LATERAL "
    "(SELECT low, postings FROM {index} WHERE low <= CAST(wanted.value AS integer) "
    "ORDER BY low DESC LIMIT 1) AS leaf",
}


class Postings:
    """The leaves that a batch reads, with what the batch adds to them."""

    def __init__(self, index: Table = t.posting_list) -> None:
        self._index = index
        # What is below the first leaf there is belongs to one at the lowest hash, made when needed.
        self._leaves: dict[int, array[int]] = {_LOWEST: array("q")}
        self._lows = [_LOWEST]
        self._changed: set[int] = set()

    @classmethod
    def of(
        cls, connection: Connection, hashes: Collection[int], index: Table = t.posting_list
    ) -> Postings:
        """The leaves of these hashes, which alone may then be asked for and added to."""
        found = cls(index)
        wanted = sorted(set(hashes))
        query = text(_FIND[connection.dialect.name].format(index=index.name))
        for some in batches(wanted):
            for low, packed in connection.execute(query, {"wanted": json.dumps(some)}):
                if not found._leaves.get(low):
                    found._leaves[low] = _unpack(packed)
        found._lows = sorted(found._leaves)
        return found

    def holders(self, value: int) -> list[int]:
        """The numbers of the items that have one of the hashes asked for, ascending."""
        leaf = self._leaves[self._low(value)]
        begin = bisect_left(leaf, value << 32)
        end = bisect_right(leaf, value << 32 | _NUMBER, begin)
        return [posting & _NUMBER for posting in leaf[begin:end]]

    def add(self, value: int, number: int) -> None:
        """Let an item have one of the hashes asked for."""
        low, posting = self._low(value), value << 32 | number
        leaf = self._leaves[low]
        place = bisect_left(leaf, posting)
        if place == len(leaf) or leaf[place] != posting:
            insort(leaf, posting)
            self._changed.add(low)

    def write(self, connection: Connection) -> None:
        """Store what was added; leaves that have grown too long are parted."""
        leaves: dict[int, array[int]] = {}
        for low in sorted(self._changed):
            leaves.update(_part(low, self._leaves[low]))
        _store(connection, self._index, leaves)
        self._changed.clear()

    def _low(self, value: int) -> int:
        return self._lows[bisect_right(self._lows, value) - 1]


def drop(
    connection: Connection,
    before: int | None,
    part: int,
    parts: int,
    index: Table = t.posting_list,
) -> None:
    """Drop one of `parts` slices of the index: what is of items before a number, or all of it."""
    serialise(connection)
    width = (1 << 32) // parts
    low = _LOWEST + part * width
    high = _HIGHEST if part == parts - 1 else low + width - 1
    if before is None:
        connection.execute(delete(index).where(index.c.low.between(low, high)))
    else:
        _keep(connection, index, low, high, lambda number: number >= before)


def remove(connection: Connection, numbers: Collection[int], index: Table = t.posting_list) -> None:
    """Drop every posting of these items; the whole index is read for it, so ask once for all."""
    gone = frozenset(numbers)
    if gone:
        serialise(connection)
        _keep(connection, index, _LOWEST, _HIGHEST, lambda number: number not in gone)


def all_postings(
    connection: Connection, index: Table = t.posting_list
) -> Iterator[tuple[int, int]]:
    """Every hash with the number of an item that has it, in order."""
    for _, leaf in _leaves(connection, index, _LOWEST, _HIGHEST):
        for posting in leaf:
            yield posting >> 32, posting & _NUMBER


def _keep(
    connection: Connection, index: Table, low: int, high: int, wanted: Callable[[int], bool]
) -> None:
    """Keep some postings; a leaf that has become small is joined to the one before."""
    changed: dict[int, array[int]] = {}
    gone: list[dict[str, int]] = []
    before: tuple[int, array[int]] | None = None
    for first, leaf in _leaves(connection, index, low, high):
        kept = array("q", [posting for posting in leaf if wanted(posting & _NUMBER)])
        if before is not None and len(before[1]) + len(kept) <= MOST // 2:
            before[1].extend(kept)
            changed[before[0]] = before[1]
            gone.append({"gone": first})
            continue
        before = first, kept
        if len(kept) < len(leaf):
            changed[first] = kept
    _store(connection, index, changed)
    if gone:
        matching = index.c.low == bindparam("gone")
        connection.execute(delete(index).where(matching), gone)


def _leaves(
    connection: Connection, index: Table, low: int, high: int
) -> Iterator[tuple[int, array[int]]]:
    p = index.c
    while True:
        rows = connection.execute(
            select(p.low, p.postings)
            .where(p.low.between(low, high))
            .order_by(p.low)
            .limit(10 * _AT_ONCE)
        ).all()
        for row in rows:
            yield row.low, _unpack(row.postings)
        if len(rows) < 10 * _AT_ONCE or rows[-1].low == high:
            return
        low = rows[-1].low + 1


def _part(low: int, leaf: array[int]) -> Iterator[tuple[int, array[int]]]:
    """Halve a leaf until each has at most `MOST` postings; those of a hash stay together."""
    if len(leaf) <= MOST:
        yield low, leaf
        return
    middle = leaf[len(leaf) // 2] >> 32
    cut = bisect_left(leaf, middle << 32) or bisect_right(leaf, middle << 32 | _NUMBER)
    if cut == len(leaf):
        yield low, leaf
        return
    yield from _part(low, leaf[:cut])
    yield from _part(leaf[cut] >> 32, leaf[cut:])


def _store(connection: Connection, index: Table, leaves: dict[int, array[int]]) -> None:
    rows = [{"low": low, "postings": _pack(leaf)} for low, leaf in leaves.items()]
    upsert(connection, index, rows, update=True)


def _pack(leaf: array[int]) -> bytes:
    """Eight bytes a posting, the lowest first on every machine."""
    if sys.byteorder == "big":
        leaf = leaf[:]
        leaf.byteswap()
    return leaf.tobytes()


def _unpack(packed: bytes) -> array[int]:
    leaf = array("q", packed)
    if sys.byteorder == "big":
        leaf.byteswap()
    return leaf

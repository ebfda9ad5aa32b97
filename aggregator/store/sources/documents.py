"""Documents of feeds as they came, within a budget of bytes, to be read again.

A poll adds its document in its own transaction. What is too much goes in transactions of its own,
in time: `Room` counts what this process added since it last saw how much there is.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, tuple_

from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert

_FULL = 0.98  # of the budget: trimmed before it is exceeded
_TRIMMED = 0.9  # of the budget: what trimming leaves, so that it is seldom done
_UNSEEN = 0.02  # of the budget: what this process adds before it looks again
_ROW = 200  # bytes of a row besides its body, about


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it came.

    Attributes:
        source_id: Whose it is.
        body_hash: Of its bytes (`planning.body_hash`).
        at: When it was read last.
        part: It was pushed or is a delta, and need not list all that the feed does.
        readable: It was read as a feed then.
        url: Where it came from; None: from the source's configured address.
        content_type: As its server named it.
        packed: Its bytes, compressed.
    """

    source_id: str
    body_hash: str
    at: datetime
    part: bool
    readable: bool
    url: str | None
    content_type: str | None
    packed: bytes

    @property
    def body(self) -> bytes:
        """Its bytes."""
        return zlib.decompress(self.packed)

    @property
    def size(self) -> int:
        """How much of the budget it takes."""
        return len(self.packed) + _ROW


def pack(body: bytes) -> bytes:
    """A body as it is kept. Takes milliseconds, and lets other threads go on."""
    return zlib.compress(body, 6)


@dataclass(slots=True)
class Room:
    """How much of the budget this process believes to be taken."""

    seen: int | None = None  # bytes, when it last looked
    added: int = 0  # bytes since then

    def add(self, size: int, budget: int) -> bool:
        """Count a document that was kept; whether it is time to `trim`."""
        self.added += size
        if self.seen is None or self.added > budget * _UNSEEN:
            return True
        return self.seen + self.added > budget * _FULL

    def look(self, taken: int) -> None:
        """Note how much is taken."""
        self.seen, self.added = taken, 0


def put(connection: Connection, document: Document) -> None:
    """Keep a document; of those of a source that were not readable only the last."""
    d = t.document.c
    if not document.readable:
        connection.execute(
            delete(t.document).where(
                d.source_id == document.source_id,
                d.readable.is_(False),
                d.body_hash != document.body_hash,
            )
        )
    row = {
        "source_id": document.source_id,
        "body_hash": document.body_hash,
        "at": document.at,
        "size": document.size,
        "part": document.part,
        "readable": document.readable,
        "url": document.url,
        "content_type": document.content_type,
        "body": document.packed,
    }
    upsert(connection, t.document, [row], update=True)


def trim(connection: Connection, budget: int) -> int:
    """Drop documents if all of them take nearly more than `budget` bytes; returns what is left.

    The last whole and readable one of each source stays before any other, the newer before the
    older.
    """
    taken = connection.scalar(select(func.coalesce(func.sum(t.document.c.size), 0))) or 0
    if taken <= budget * _FULL:
        return int(taken)
    d = t.document.c
    order = (d.readable.desc(), d.part, d.at.desc(), d.body_hash)
    place = func.row_number().over(partition_by=d.source_id, order_by=order)
    placed = select(d.source_id, d.body_hash, d.at, d.size, place.label("place")).subquery()
    p = placed.c
    upto = func.sum(p.size).over(
        order_by=((p.place > 1), p.at.desc(), p.source_id, p.body_hash), rows=(None, 0)
    )
    summed = select(p.source_id, p.body_hash, upto.label("upto")).subquery()
    most = int(budget * _TRIMMED)
    gone = select(summed.c.source_id, summed.c.body_hash).where(summed.c.upto > most)
    connection.execute(delete(t.document).where(tuple_(d.source_id, d.body_hash).in_(gone)))
    return int(connection.scalar(select(func.coalesce(func.sum(d.size), 0))) or 0)


def hashes(connection: Connection, source_id: str) -> list[str]:
    """What is kept of a source, by `body_hash`, newest first."""
    d = t.document.c
    query = select(d.body_hash).where(d.source_id == source_id).order_by(d.at.desc(), d.body_hash)
    return list(connection.scalars(query))


def document(connection: Connection, source_id: str, body_hash: str) -> Document | None:
    """One of them."""
    d = t.document.c
    query = select(t.document).where(d.source_id == source_id, d.body_hash == body_hash)
    row = connection.execute(query).one_or_none()
    return None if row is None else _document(row)


def _document(row: Row[Any]) -> Document:
    return Document(
        row.source_id, row.body_hash, row.at, row.part, row.readable, row.url, row.content_type,
        row.body,
    )  # fmt: skip


def drop(connection: Connection, before: datetime | None, limit: int) -> int:
    """Drop at most `limit` of what is older than `before`, or what removed sources left.

    `before` None: of everything. Returns how many went.
    """
    d = t.document.c
    removed = select(t.source.c.id).where(t.source.c.removed_at.is_not(None))
    gone = select(d.source_id, d.body_hash).limit(limit)
    if before is not None:
        gone = gone.where((d.at < before) | d.source_id.in_(removed))
    keys = [tuple(row) for row in connection.execute(gone)]
    if keys:
        connection.execute(delete(t.document).where(tuple_(d.source_id, d.body_hash).in_(keys)))
    return len(keys)


def drop_of_items(connection: Connection, numbers: Sequence[int]) -> None:
    """Drop every document of the sources that listed these items: they hold their texts."""
    for some in batches(numbers):
        sources = select(t.entry.c.source_id).where(t.entry.c.item_id.in_(some))
        connection.execute(delete(t.document).where(t.document.c.source_id.in_(sources)))

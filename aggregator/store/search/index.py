"""The index of words: an FTS5 table on SQLite, a tsvector with GIN on PostgreSQL.

Both get the tokens that `queries.document` makes, so both find the same. What is withdrawn, purged
or forgotten is taken out of it.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, text

from aggregator.queries.document import GAP, Document, Part
from aggregator.store import facts
from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert

FACT = "search indexed"  # version of the tokens, and the number below which nothing is marked yet
_WEIGHTS = {Part.TITLE: "A", Part.AUTHOR: "B", Part.TEXT: "C", Part.PAGE: "D"}
_FTS_INSERT = text(
    "INSERT INTO search_words (rowid, title, author, text, page) "
    "VALUES (:id, :title, :author, :text, :page)"
)
_FTS_DELETE = text(
    "INSERT INTO search_words (search_words, rowid, title, author, text, page) "
    "VALUES ('delete', :id, :title, :author, :text, :page)"
)


@dataclass(frozen=True, slots=True)
class Texts:
    """What is to be indexed of an item; None in all: it leaves the index."""

    item_id: int
    title: str | None = None
    author: str | None = None
    text: str | None = None
    page: str | None = None
    shown: bool = False


def pending(connection: Connection, most: int) -> dict[int, list[int]]:
    """Items to be indexed, the longest waiting first, each with the numbers of its marks."""
    p = t.search_pending.c
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row in connection.execute(select(p.id, p.item_id).order_by(p.id).limit(most)):
        found[row.item_id].append(row.id)
    return dict(found)


def texts_of(connection: Connection, numbers: Sequence[int]) -> list[Texts]:
    """What is to be indexed of these items, by what they are now."""
    i, x, a = t.item.c, t.item_text.c, t.article.c
    found: dict[int, Texts] = {}
    for some in batches(numbers):
        rows = connection.execute(
            select(i.id, i.title, i.author, x.text, x.from_page, a.text.label("page"))
            .join(t.item_text, x.item_id == i.id, isouter=True)
            .join(t.article, a.item_id == i.id, isouter=True)
            .where(i.id.in_(some), i.purged_at.is_(None), i.withdrawn_at.is_(None))
        )
        for row in rows:
            own, page = (None, row.text) if row.from_page else (row.text, row.page)
            found[row.id] = Texts(row.id, row.title, row.author, own, page, shown=True)
    return [found.get(number) or Texts(number) for number in numbers]


def put_documents(
    connection: Connection,
    documents: Mapping[int, Document | None],
    marks: Mapping[int, Sequence[int]],
) -> list[int]:
    """Index items anew, and take those without a document out; returns their numbers.

    Their marks go with it. Where another process took the newest mark of an item, it has indexed a
    state at least as new: that item is left alone.
    """
    p = t.search_pending.c
    gone: set[int] = set()
    for some in batches(mark for ids in marks.values() for mark in ids):
        gone.update(
            connection.scalars(delete(t.search_pending).where(p.id.in_(some)).returning(p.id))
        )
    mine = [number for number in documents if max(marks[number]) in gone]
    new = {number: documents[number] for number in mine}
    if connection.dialect.name == "postgresql":
        _put_postgresql(connection, new)
    else:
        _put_sqlite(connection, new)
    return mine


def mark_more(connection: Connection, version: int, most: int) -> bool:
    """Mark a further slice of what is stored since before there was this index, newest first.

    Returns whether there may be more. A new version of the tokens begins again.
    """
    i = t.item.c
    known = (facts.fact(connection, FACT) or "").split(":")
    if known[0] == str(version):
        below = int(known[1])
    else:
        below = (connection.scalar(select(func.max(i.id))) or 0) + 1
    if below == 0:
        return False
    numbers = list(
        connection.scalars(select(i.id).where(i.id < below).order_by(i.id.desc()).limit(most))
    )
    if numbers:
        rows = [{"item_id": number} for number in numbers]
        connection.execute(insert(t.search_pending), rows)
    facts.set_fact(connection, FACT, f"{version}:{numbers[-1] if numbers else 0}")
    return bool(numbers)


def is_complete(connection: Connection, version: int) -> bool:
    """Whether everything that was stored before there was this index is in it."""
    known = facts.fact(connection, FACT)
    return known == f"{version}:0" and not pending(connection, 1)


def _put_sqlite(connection: Connection, documents: Mapping[int, Document | None]) -> None:
    d = t.search_document.c
    for some in batches(documents):
        old = connection.execute(select(d.item_id, d.words).where(d.item_id.in_(some))).all()
        if old:
            connection.execute(_FTS_DELETE, [_unpacked(row.item_id, row.words) for row in old])
            connection.execute(delete(t.search_document).where(d.item_id.in_(some)))
        columns = {n: _columns(n, doc) for n in some if (doc := documents[n]) is not None}
        if columns:
            connection.execute(_FTS_INSERT, list(columns.values()))
            packed = [{"item_id": n, "words": _packed(row)} for n, row in columns.items()]
            connection.execute(insert(t.search_document), packed)


def _columns(number: int, document: Document) -> dict[str, int | str]:
    return {"id": number} | {part.value: " ".join(document.parts.get(part, ())) for part in Part}


def _packed(row: Mapping[str, int | str]) -> bytes:
    return zlib.compress("\n".join(str(row[part]) for part in Part).encode(), level=1)


def _unpacked(number: int, words: bytes) -> dict[str, int | str]:
    lines = zlib.decompress(words).decode().split("\n")
    return {"id": number} | {part.value: line for part, line in zip(Part, lines, strict=True)}


def _put_postgresql(connection: Connection, documents: Mapping[int, Document | None]) -> None:
    d = t.search_document.c
    out = [number for number, document in documents.items() if document is None]
    for some in batches(out):
        connection.execute(delete(t.search_document).where(d.item_id.in_(some)))
    rows = [
        {"item_id": number, "words": vector(document)}
        for number, document in sorted(documents.items())
        if document is not None
    ]
    upsert(connection, t.search_document, rows, update=True)


def vector(document: Document) -> str:
    """A document as the text of a tsvector: each token with its positions and its part's weight.

    Parts are one position apart, so that no phrase is found across them.
    """
    places: defaultdict[str, list[str]] = defaultdict(list)
    position = 0
    for part in Part:
        for token in document.parts.get(part, ()):
            position += 1
            if token != GAP:
                places[token].append(f"{position}{_WEIGHTS[part]}")
        position += 1
    return " ".join(f"'{token}':{','.join(where)}" for token, where in places.items())

"""Views as rows: their version, and the bytes rendered for it."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    func,
    literal,
    select,
    update,
)

from aggregator.store import changed
from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert

STRIPPED = 0  # the version of a stored document without bytes: no view ever has it


def drop_rendered(connection: Connection, numbers: Sequence[int], now: datetime) -> None:
    """Remove the rendered documents of every view that may show these items."""
    for some in batches(numbers):
        showing = (
            select(t.view_source.c.view_id)
            .join(t.entry, t.entry.c.source_id == t.view_source.c.source_id)
            .where(t.entry.c.item_id.in_(some))
        )
        connection.execute(delete(t.rendered).where(t.rendered.c.view_id.in_(showing)))
    changed.show_anew(connection, now, items=numbers)


@dataclass(frozen=True, slots=True)
class ViewState:
    """A view's row: its frozen feed id, and the version that its rendered pages must have."""

    id: str
    feed_id: str
    config_hash: str
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class RenderedRow:
    """A rendered page as stored."""

    version: int
    body: bytes
    gzip: bytes
    etag: str
    gzip_etag: str
    last_modified: datetime
    updated: datetime | None = None  # as the document states it


def view_states(connection: Connection) -> dict[str, ViewState]:
    """Every view ever configured."""
    return {row.id: _view(row) for row in connection.execute(_VIEWS)}


def any_view(connection: Connection) -> str | None:
    """The id of some view: a question that costs nothing, to see that the database answers."""
    return connection.scalar(select(t.view.c.id).limit(1))


def view_state(connection: Connection, view_id: str) -> ViewState | None:
    """One view's row."""
    row = connection.execute(_VIEW, {"view_id": view_id}).first()
    return None if row is None else _view(row)


def put_view(
    connection: Connection,
    view_id: str,
    *,
    feed_id: str,
    config_hash: str,
    sources: Sequence[str],
    now: datetime,
) -> None:
    """Insert or update a view; its version moves when its configuration or its sources changed."""
    state = view_state(connection, view_id)
    if state is None:
        connection.execute(
            t.view.insert().values(
                id=view_id, feed_id=feed_id, config_hash=config_hash, version=1, changed_at=now
            )
        )
    current = set(
        connection.scalars(
            select(t.view_source.c.source_id).where(t.view_source.c.view_id == view_id)
        )
    )
    wanted = set(sources)
    if current - wanted:
        connection.execute(
            t.view_source.delete().where(
                t.view_source.c.view_id == view_id,
                t.view_source.c.source_id.in_(sorted(current - wanted)),
            )
        )
    if wanted - current:
        rows = [{"view_id": view_id, "source_id": s} for s in sorted(wanted - current)]
        connection.execute(t.view_source.insert(), rows)
    if state is not None and state.config_hash != config_hash:
        connection.execute(
            update(t.view)
            .where(t.view.c.id == view_id)
            .values(config_hash=config_hash, version=t.view.c.version + literal(1), changed_at=now)
        )


def rendered(connection: Connection, view_id: str, fmt: str, page: str) -> RenderedRow | None:
    """A rendered page, whatever version it is of."""
    r = t.rendered.c
    row = connection.execute(
        select(r.version, r.body, r.gzip, r.etag, r.gzip_etag, r.last_modified, r.updated).where(
            r.view_id == view_id, r.format == fmt, r.page == page
        )
    ).first()
    if row is None:
        return None
    packed = bytes(row.gzip)
    body = bytes(row.body) or (gzip.decompress(packed) if packed else b"")
    return RenderedRow(row.version, body, packed, *row[3:])


def put_rendered(
    connection: Connection, view_id: str, fmt: str, page: str, row: RenderedRow, now: datetime
) -> None:
    """Keep a rendered page for every process and the next start; compressed, which holds it all."""
    upsert(
        connection,
        t.rendered,
        [
            {
                "view_id": view_id, "format": fmt, "page": page, "version": row.version,
                "body": b"", "gzip": row.gzip, "etag": row.etag, "gzip_etag": row.gzip_etag,
                "last_modified": row.last_modified, "updated": row.updated,
                "used_at": now,
            }
        ],
        update=True,
    )  # fmt: skip


def strip_rendered(connection: Connection, kept: int) -> int:
    """Remove the bytes of all stored documents but the `kept` that were rendered last.

    What their next rendering goes by stays: tag, date and `updated`, which never go back. Returns
    how many were stripped.
    """
    r = t.rendered.c
    newest = (
        select(r.view_id, r.format, r.page)
        .where(r.version != STRIPPED)
        .order_by(r.used_at.desc(), r.view_id, r.format, r.page)
        .offset(kept)
    )
    keys = [tuple(row) for row in connection.execute(newest)]
    for key in keys:
        same = and_(r.view_id == key[0], r.format == key[1], r.page == key[2])
        connection.execute(
            update(t.rendered).where(same).values(version=STRIPPED, body=b"", gzip=b"")
        )
    return len(keys)


_CHANGE = t.view_change.alias().c
_VIEWS = select(
    t.view,
    select(func.count()).where(_CHANGE.view_id == t.view.c.id).scalar_subquery().label("steps"),
    select(func.max(_CHANGE.at)).where(_CHANGE.view_id == t.view.c.id).scalar_subquery()
    .label("last_at"),
)  # fmt: skip
_VIEW = _VIEWS.where(t.view.c.id == bindparam("view_id"))


def _view(row: Row[Any]) -> ViewState:
    at = row.changed_at if row.last_at is None else max(row.changed_at, row.last_at)
    return ViewState(row.id, row.feed_id, row.config_hash, row.version + row.steps, at)

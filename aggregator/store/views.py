"""Views: which items they show, in which order, and the bytes rendered for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)

from aggregator.model.feed import Enclosure
from aggregator.model.item import ServedItem, SourceRef
from aggregator.store import links
from aggregator.store import schema as t
from aggregator.store.sources import upsert

_FEW_SOURCES = 40  # up to here one index range a source beats walking all items
_NO_TITLE = "(untitled)"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items a view shows: by source (None: all), and which private scopes it may show.

    Of the sources in `followed_only` it shows what was found by following and nothing else.
    """

    sources: tuple[str, ...] | None
    private_scopes: tuple[str, ...] = ()
    followed: bool = True  # items found through related links
    followed_max_age: int | None = None  # of these, in seconds when they were found
    followed_only: tuple[str, ...] = ()  # among `sources`


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of a view: the item there and everything after it is older."""

    sort_at: datetime
    number: int


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


def view_states(connection: Connection) -> dict[str, ViewState]:
    """Every view ever configured."""
    return {row.id: _view(row) for row in connection.execute(select(t.view))}


def view_state(connection: Connection, view_id: str) -> ViewState | None:
    """One view's row."""
    row = connection.execute(select(t.view).where(t.view.c.id == view_id)).first()
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


def newest(
    connection: Connection, selection: Selection, limit: int, since: datetime | None = None
) -> list[Place]:
    """The newest places of a selection: at least `limit` where there are, and all from `since` on.

    `since` only ever adds: at most 5,000 places are returned.
    """
    places = _places(connection, selection, limit, None)
    if since is not None and len(places) == limit and places[-1].sort_at >= since:
        places = _places(connection, selection, 5000, None)
        fresh = sum(1 for place in places if place.sort_at >= since)
        places = places[: max(limit, fresh)]
    return places


def before(connection: Connection, selection: Selection, place: Place, limit: int) -> list[Place]:
    """The places after (older than) a place, newest first. Keyset paging: cost does not grow."""
    return _places(connection, selection, limit, place)


def count(connection: Connection, selection: Selection) -> int:
    """How many items a selection holds."""
    i = t.item.c
    query = select(func.count(i.id)).where(in_scope(selection), i.purged_at.is_(None))
    if selection.sources is not None:
        query = query.where(has_source(selection.sources))
    return connection.scalar(query) or 0


def in_scope(selection: Selection) -> ColumnElement[bool]:
    """Whether the selection may show an item: public or of its private scopes, followed or not."""
    i = t.item.c
    scope = i.scope.in_(["", *selection.private_scopes]) if selection.private_scopes else None
    conditions = [i.scope == "" if scope is None else scope]
    if not selection.followed:
        conditions.append(i.depth == 0)
    elif selection.followed_max_age is not None:
        young = or_(i.found_age.is_(None), i.found_age <= selection.followed_max_age)
        conditions.append(or_(i.depth == 0, young))
    if selection.followed_only:
        plain = [one for one in selection.sources or () if one not in selection.followed_only]
        conditions.append(or_(i.depth > 0, has_source(plain)))
    return and_(*conditions)


def has_source(sources: Sequence[str]) -> ColumnElement[bool]:
    """Whether one of these sources has an entry for an item."""
    entry = t.entry.alias()  # the query around it may go over entries too
    return (
        select(entry.c.id)
        .where(entry.c.item_id == t.item.c.id, entry.c.source_id.in_(sources))
        .correlate(t.item)
        .exists()
    )


def _places(
    connection: Connection, selection: Selection, limit: int, start: Place | None
) -> list[Place]:
    """Places in order; an item stands where the first of the selected sources brought it.

    So no place moves when a further source lists an item, and an item that a source outside the
    selection had before comes on top, not below what readers got long ago.
    """
    i = t.item.c
    if selection.sources is None:
        every = select(i.sort_at, i.id).where(*_shown(selection))
        return _walk(connection, _range(every, i.sort_at, i.id, limit, start))
    if not selection.sources:
        return []
    if len(selection.sources) > _FEW_SOURCES:
        return _places_of_many(connection, selection, limit, start)
    ranges = []
    for source_id in selection.sources:
        e = t.entry.alias().c
        one = (
            select(e.sort_at.label("sort_at"), e.item_id.label("id"))
            .join(t.item, i.id == e.item_id)
            .where(e.source_id == source_id, *_shown(selection))
            .where(_brings(e, selection), _is_first(e, selection))
        )
        ranges.append(select(_range(one, e.sort_at, e.item_id, limit, start).subquery()))
    rows = connection.execute(union_all(*ranges))
    return _ordered([Place(row.sort_at, row.id) for row in rows])[:limit]


def _places_of_many(
    connection: Connection, selection: Selection, limit: int, start: Place | None
) -> list[Place]:
    """One walk over all items beats a range a source; the few that were joined are walked apart."""
    i, e, first = t.item.c, t.entry.alias().c, t.entry.alias().c
    own = (
        select(first.id)
        .where(first.item_id == i.id, _brings(first, selection), first.joined.is_(False))
        .correlate(t.item)
        .exists()
    )
    came = select(i.sort_at, i.id).where(own, *_shown(selection))
    # The item inside, not joined: SQLite's planner would begin with it and sort all of them.
    inside = select(i.id).where(
        i.id == e.item_id, *_shown(selection), _brings(e, selection), _is_first(e, selection)
    )
    joined = select(e.sort_at, e.item_id.label("id")).where(
        e.joined, inside.correlate(e.id.table).exists()
    )
    places = _walk(connection, _range(came, i.sort_at, i.id, limit, start))
    if len(places) == limit:
        joined = joined.where(e.sort_at >= places[-1].sort_at)
    places += _walk(connection, _range(joined, e.sort_at, e.item_id, limit, start))
    return _ordered(places)[:limit]


def _brings(e: Any, selection: Selection) -> ColumnElement[bool]:
    """Whether an entry brings its item into the selection."""
    sources = selection.sources or ()
    if not selection.followed_only:
        return and_(e.source_id.in_(sources))
    plain = [one for one in sources if one not in selection.followed_only]
    return or_(e.source_id.in_(plain), and_(e.source_id.in_(sources), t.item.c.depth > 0))


def _is_first(e: Any, selection: Selection) -> ColumnElement[bool]:
    """Whether no other entry of the selected sources brought the item before."""
    other = t.entry.alias()
    earlier = (
        select(other.c.id)
        .where(other.c.item_id == e.item_id, other.c.id < e.id, _brings(other.c, selection))
        .correlate(e.id.table, t.item)
    )
    return or_(e.joined.is_(False), ~earlier.exists())


def _shown(selection: Selection) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return in_scope(selection), t.item.c.purged_at.is_(None)


def _range(
    query: Select[Any], at: Any, number: Any, limit: int, start: Place | None
) -> Select[Any]:
    """The first places of a query, or the first after a place."""
    if start is not None:
        query = query.where(
            or_(at < start.sort_at, and_(at == start.sort_at, number < start.number))
        )
    return query.order_by(at.desc(), number.desc()).limit(limit)


def _walk(connection: Connection, query: Select[Any]) -> list[Place]:
    return [Place(row.sort_at, row.id) for row in connection.execute(query)]


def _ordered(places: Collection[Place]) -> list[Place]:
    return sorted(places, key=lambda place: (place.sort_at, place.number), reverse=True)


def served(
    connection: Connection, numbers: Sequence[int], *, page_text: bool = False
) -> dict[int, ServedItem]:
    """Items as they are served, by number, with their text and their related links.

    Text that was taken from pages, and not from a feed, is there only with `page_text`.
    """
    found: dict[int, ServedItem] = {}
    x, a = t.item_text.c, t.article.c
    for start in range(0, len(numbers), 500):
        rows = connection.execute(
            select(
                t.item, x.html, x.summary, x.text, x.from_page,
                a.html.label("page_html"), a.text.label("page_text"),
                a.paywalled,
            )
            .join(t.item_text, x.item_id == t.item.c.id, isouter=True)
            .join(t.article, a.item_id == t.item.c.id, isouter=True)
            .where(t.item.c.id.in_(numbers[start : start + 500]))
        )  # fmt: skip
        found |= {row.id: _served(row, page_text=page_text) for row in rows}
    related = links.served_links(connection, numbers)
    via = links.parents(connection, numbers)
    for number in {*related, *via} & found.keys():
        found[number] = replace(found[number], related=related.get(number, ()), via=via.get(number))
    return found


def _served(row: Row[Any], *, page_text: bool) -> ServedItem:
    ref: Mapping[str, Any] = row.source_ref
    html, summary, text = row.html, row.summary, row.text
    if page_text and row.page_html:
        html, text = row.page_html, row.page_text
        summary = None if row.from_page else summary or row.html
    elif row.from_page and not page_text:
        html = summary = text = None
    return ServedItem(
        number=row.id,
        public_id=row.public_id,
        title=row.title or _NO_TITLE,
        link=row.link,
        html=html,
        summary=summary,
        text=text,
        author=row.author,
        published=min(row.published, row.first_seen) if row.published else row.first_seen,
        updated=row.updated,
        first_seen=row.first_seen,
        sort_at=row.sort_at,
        source=SourceRef(
            id=row.source_id,
            title=ref.get("title") or row.source_id,
            link=ref.get("link"),
            feed_id=ref["feed_id"],
            feed_url=ref.get("feed_url"),
            updated=datetime.fromisoformat(ref["updated"]),
        ),
        language=row.language,
        categories=tuple(row.categories or ()),
        enclosures=tuple(Enclosure(**one) for one in row.enclosures or ()),
        comments=row.comments,
        external_url=row.external_url,
        image=row.image,
        withdrawn=row.withdrawn_at is not None,
        withdrawn_reason=row.withdrawn_reason,
        paywalled=bool(row.paywalled),
        revision=row.revision,
    )


def rendered(connection: Connection, view_id: str, fmt: str, page: str) -> RenderedRow | None:
    """A rendered page, whatever version it is of."""
    r = t.rendered.c
    row = connection.execute(
        select(r.version, r.body, r.gzip, r.etag, r.gzip_etag, r.last_modified).where(
            r.view_id == view_id, r.format == fmt, r.page == page
        )
    ).first()
    return None if row is None else RenderedRow(*row)


def put_rendered(
    connection: Connection, view_id: str, fmt: str, page: str, row: RenderedRow, now: datetime
) -> None:
    """Keep a rendered page for every process and the next start."""
    upsert(
        connection,
        t.rendered,
        [
            {
                "view_id": view_id, "format": fmt, "page": page, "version": row.version,
                "body": row.body, "gzip": row.gzip, "etag": row.etag, "gzip_etag": row.gzip_etag,
                "last_modified": row.last_modified, "used_at": now,
            }
        ],
        update=True,
    )  # fmt: skip


def _view(row: Row[Any]) -> ViewState:
    return ViewState(row.id, row.feed_id, row.config_hash, row.version, row.changed_at)

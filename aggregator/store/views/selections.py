"""Views: which items they show, in which order, and the bytes rendered for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    or_,
    select,
    union_all,
)

from aggregator.store import schema as t
from aggregator.store import tally
from aggregator.store.search.condition import Query, condition, weighed

_FEW_SOURCES = 40  # up to here one index range a source beats walking all items
_WALKED = 20  # items looked at for each place that is wanted, before sources are asked apart
_FIRST_SPAN = timedelta(days=1)
_WINDOW = 5000  # newest items of which a query that holds for many is asked first
_LARGER = 8  # the next window, where that one held too few
_GROWTH = 4  # of a span of time that held too few places


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
    query: Query | None = None  # which has to hold besides


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of a view: the item there and everything after it is older."""

    sort_at: datetime
    number: int


def newest(
    connection: Connection, selection: Selection, limit: int, since: datetime | None = None
) -> list[Place]:
    """The newest places of a selection: at least `limit` where there are, and all from `since` on.

    `since` only ever adds: at most 5,000 places are returned.
    """
    selection = _weighed(connection, selection)
    places = _places(connection, selection, limit, None)
    if since is not None and len(places) == limit and places[-1].sort_at >= since:
        places = _places(connection, selection, 5000, None)
        fresh = sum(1 for place in places if place.sort_at >= since)
        places = places[: max(limit, fresh)]
    return places


def before(connection: Connection, selection: Selection, place: Place, limit: int) -> list[Place]:
    """The places after (older than) a place, newest first. Keyset paging: cost does not grow."""
    return _places(connection, _weighed(connection, selection), limit, place)


def count(connection: Connection, selection: Selection) -> int:
    """How many items a selection holds."""
    i = t.item.c
    query = select(func.count(i.id)).where(in_scope(selection), i.purged_at.is_(None))
    if selection.sources is not None:
        query = query.where(has_source(selection.sources))
    return connection.scalar(query) or 0


def held(
    connection: Connection, selection: Selection, most: int | None
) -> Sequence[Row[int, int, int]]:
    """Number, group and story of items that a selection holds, an item once for each entry.

    All of them, or any `most`; None: all.
    """
    i, e = t.item.c, t.entry.alias().c
    query = select(i.id, i.group_id, i.story_id).where(*_shown(selection))
    if selection.sources is None:
        query = query.order_by(i.sort_at.desc(), i.id.desc())
    elif not selection.sources:
        return []
    else:
        query = query.join(e.id.table, e.item_id == i.id).where(_brings(e, selection))
    return connection.execute(query.limit(most)).all()


def of_source(connection: Connection, source_id: str) -> int:
    """How many entries a source has brought, counted no further than a request may count."""
    e = t.entry.c
    query = select(e.item_id).where(e.source_id == source_id)
    return tally.bounded(connection, query.order_by(e.sort_at.desc(), e.item_id.desc()))


def in_scope(selection: Selection) -> ColumnElement[bool]:
    """Whether the selection may show an item: by its scope, how it was found, and its query."""
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
    if selection.query is not None:
        conditions.append(condition(selection.query))
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


def _weighed(connection: Connection, selection: Selection) -> Selection:
    if selection.query is None:
        return selection
    return replace(selection, query=weighed(connection, selection.query))


def _near(
    connection: Connection, selection: Selection, query: Query, limit: int, start: Place | None
) -> list[Place]:
    """The places of a query that holds for many items, from a window of the newest ones.

    The index of words is asked of the numbers that lie in the window alone. A window that does not
    fill the page gives way to a larger one.
    """
    i = t.item.c
    walked = _WINDOW
    while True:
        newest = _range(select(i.sort_at, i.id), i.sort_at, i.id, walked, start).subquery().c
        counted = select(
            func.count(), func.min(newest.sort_at), func.min(newest.id), func.max(newest.id)
        )
        found, oldest, least, largest = connection.execute(counted).one()
        if found < walked:
            return _walk(connection, _every(selection, limit, start))
        inside = replace(selection, query=replace(query, numbers=(least, largest)))
        every = _every(inside, limit, start).where(i.sort_at > oldest)
        if len(places := _walk(connection, every)) >= limit:
            return places
        walked *= _LARGER


def _every(selection: Selection, limit: int, start: Place | None) -> Select[Any]:
    i = t.item.c
    query = select(i.sort_at, i.id).where(*_shown(selection))
    return _range(query, i.sort_at, i.id, limit, start)


def _places(
    connection: Connection, selection: Selection, limit: int, start: Place | None
) -> list[Place]:
    """Places in order; an item stands where the first of the selected sources brought it.

    So no place moves when a further source lists an item, and an item that a source outside the
    selection had before comes on top, not below what readers got long ago.
    """
    i = t.item.c
    if selection.sources is None:
        if selection.query is not None and selection.query.common:
            return _near(connection, selection, selection.query, limit, start)
        return _walk(connection, _every(selection, limit, start))
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
    """One walk over the newest items, where the selection holds most of them; else by time."""
    near = _walk_near(connection, selection, limit, start)
    return _by_time(connection, selection, limit, start) if near is None else near


def _walk_near(
    connection: Connection, selection: Selection, limit: int, start: Place | None
) -> list[Place] | None:
    """The places, found by walking over the items of all sources; None where they lie far apart.

    One walk beats a range a source. The few that were joined are walked apart.
    """
    i, e, first = t.item.c, t.entry.alias().c, t.entry.alias().c
    walked = max(_WALKED * limit, 1000)
    end = select(i.sort_at, i.id).where(*_shown(selection))
    last = _walk(connection, _range(end, i.sort_at, i.id, 1, start).offset(walked))
    own = (
        select(first.id)
        .where(first.item_id == i.id, _brings(first, selection), first.joined.is_(False))
        .correlate(t.item)
        .exists()
    )
    came = select(i.sort_at, i.id).where(own, *_shown(selection))
    if last:
        came = came.where(i.sort_at >= last[0].sort_at)
    # The item inside, not joined: SQLite's planner would begin with it and sort all of them.
    inside = select(i.id).where(
        i.id == e.item_id, *_shown(selection), _brings(e, selection), _is_first(e, selection)
    )
    joined = select(e.sort_at, e.item_id.label("id")).where(
        e.joined, inside.correlate(e.id.table).exists()
    )
    places = _walk(connection, _range(came, i.sort_at, i.id, limit, start))
    if last and len(places) < limit:
        return None
    if len(places) == limit:
        joined = joined.where(e.sort_at >= places[-1].sort_at)
    places += _walk(connection, _range(joined, e.sort_at, e.item_id, limit, start))
    return _ordered(places)[:limit]


def _by_time(
    connection: Connection, selection: Selection, limit: int, start: Place | None
) -> list[Place]:
    """The places in spans of time, each longer than the one above it, by the sources' entries.

    What it costs depends on how many sources there are, not on how many items others brought.
    """
    i, e = t.item.c, t.entry.alias().c
    query = (
        select(e.sort_at, e.item_id.label("id"))
        .join(t.item, i.id == e.item_id)
        .where(e.source_id.in_(selection.sources or ()), *_shown(selection))
        .where(_brings(e, selection), _is_first(e, selection))
    )
    ends = _ends(connection)
    if ends is None:
        return []
    oldest, newest = ends
    top = newest if start is None else min(newest, start.sort_at)
    found: list[Place] = []
    span = _FIRST_SPAN
    while top >= oldest and len(found) < limit:
        below = top - span
        part = query.where(e.sort_at <= top, e.sort_at > below)
        found += _walk(connection, _range(part, e.sort_at, e.item_id, limit - len(found), start))
        top, span = below, span * _GROWTH
    return found


def _ends(connection: Connection) -> tuple[datetime, datetime] | None:
    """The oldest and the newest place there is; None in an empty store."""
    at, joined = t.item.c.sort_at, t.entry.c.sort_at
    queries = (
        select(func.min(at)), select(func.max(at)),
        select(func.min(joined)).where(t.entry.c.joined),
        select(func.max(joined)).where(t.entry.c.joined),
    )  # fmt: skip
    found = [end for end in map(connection.scalar, queries) if end is not None]
    return (min(found), max(found)) if found else None


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

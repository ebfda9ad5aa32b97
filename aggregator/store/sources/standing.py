"""How sources are doing, for pages that list many: as many rows as a page takes, and counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    case,
    exists,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)

from aggregator.model.pages import URGENCY, SourceHealth, SourceOrder, SourceQuery
from aggregator.model.states import PollWord
from aggregator.store import schema as t

_NEVER = 2**62  # later than every planned poll


def states(connection: Connection, *, private: bool) -> dict[SourceHealth, int]:
    """How many configured sources are in each state; without `private` of public ones."""
    health = _health()
    rows = connection.execute(
        select(health.label("health"), func.count())
        .join(t.source, t.source.c.id == t.feed.c.source_id)
        .where(_listed(private=private))
        .group_by("health")
    )
    return {SourceHealth(row[0]): row[1] for row in rows}


def hidden(connection: Connection) -> int:
    """How many configured sources are private."""
    s = t.source.c
    query = select(func.count()).where(s.removed_at.is_(None), s.private)
    return connection.scalar(query) or 0


def overdue(connection: Connection, before: datetime, *, private: bool) -> int:
    """How many sources should have been polled before a time."""
    f = t.feed.c
    query = (
        select(func.count())
        .select_from(t.feed)
        .join(t.source, t.source.c.id == f.source_id)
        .where(_listed(private=private), f.active, f.next_poll_at < before)
    )
    return connection.scalar(query) or 0


def page(connection: Connection, query: SourceQuery, *, private: bool) -> list[str]:
    """The ids of sources as asked for, in that order."""
    keys = _order(connection, query.order)
    chosen = _sources(private=private)
    if query.states:
        chosen = chosen.where(_health().in_([one.value for one in query.states]))
    if query.tag is not None:
        chosen = chosen.where(_has_tag(connection, query.tag))
    if query.text:
        chosen = chosen.where(_says(connection, query.text))
    if query.after:
        place = connection.execute(
            select(*keys)
            .join_from(t.source, t.feed, t.feed.c.source_id == t.source.c.id)
            .where(t.source.c.id == query.after)
        ).first()
        if place is not None:
            chosen = chosen.where(tuple_(*keys) > tuple_(*(literal(value) for value in place)))
        elif query.order is SourceOrder.ID:
            chosen = chosen.where(t.source.c.id > query.after)
    return list(connection.scalars(chosen.order_by(*keys).limit(query.limit)))


def _order(connection: Connection, order: SourceOrder) -> list[ColumnElement[Any]]:
    """What the sources are sorted by; the last one is different for each of them."""
    s, f = t.source.c, t.feed.c
    title = _folded(connection, _title())
    if order is SourceOrder.TAG:
        first = s.tags[0].as_string()
        return [case((first.is_(None), 1), else_=0), func.coalesce(first, ""), title, s.id]
    if order is SourceOrder.URGENCY:
        rank = case({one.value: n for n, one in enumerate(URGENCY)}, value=_health())
        return [rank, title, s.id]
    if order is SourceOrder.NEXT:
        at = type_coerce(f.next_poll_at, BigInteger)
        return [func.coalesce(at, _NEVER), s.id]
    return [title, s.id] if order is SourceOrder.TITLE else [s.id]


def _title() -> ColumnElement[str]:
    """What a person calls a source."""
    return func.coalesce(t.source.c.title, t.feed.c.title, t.source.c.id)


def _folded(connection: Connection, text: ColumnElement[str]) -> ColumnElement[str]:
    """A text in small letters. SQLite's own function knows those of English alone."""
    fold = func.fold if connection.dialect.name == "sqlite" else func.lower
    return fold(text, type_=String)


def _has_tag(connection: Connection, tag: str) -> ColumnElement[bool]:
    each = (
        func.json_each(t.source.c.tags)
        if connection.dialect.name == "sqlite"
        else func.json_array_elements_text(t.source.c.tags)
    ).table_valued("value")
    return exists(select(literal(1)).select_from(each).where(each.c.value == tag))


def _says(connection: Connection, text: str) -> ColumnElement[bool]:
    s = t.source.c
    words = _title() + " " + s.id + " " + s.tags.cast(String)
    return _folded(connection, words).contains(text.lower(), autoescape=True)


def _sources(*, private: bool) -> Select[tuple[str]]:
    joined = select(t.source.c.id).join(t.feed, t.feed.c.source_id == t.source.c.id)
    return joined.where(_listed(private=private))


def _listed(*, private: bool) -> ColumnElement[bool]:
    s = t.source.c
    shown = s.removed_at.is_(None)
    return shown if private else and_(shown, s.private.is_(False))


def _health() -> ColumnElement[str]:
    """The state of a source, as `pipeline.showing.sources.health` has it for one."""
    f = t.feed.c
    return case(
        (f.active.is_(False), SourceHealth.DISABLED.value),
        (f.last_polled_at.is_(None), SourceHealth.WAITING.value),
        (f.extra["dead"].as_boolean().is_(True), SourceHealth.GONE.value),
        (f.outcome == PollWord.OUTAGE, SourceHealth.OFFLINE.value),
        (f.failures > 0, SourceHealth.FAILING.value),
        else_=SourceHealth.OK.value,
    )

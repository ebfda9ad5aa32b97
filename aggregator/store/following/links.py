"""Related links as edges between items, and what an item's own page said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from aggregator.model.article import RelatedLink
from aggregator.model.item import RelatedRef
from aggregator.model.states import EdgeState, Refused
from aggregator.store import schema as t
from aggregator.store import tally
from aggregator.store.changed import show_anew
from aggregator.store.items.items import titles
from aggregator.store.rows import batches, upsert

MOST_LINKS = 60  # kept of one article
_SERVED = 10  # of one item in a feed
_HIDDEN = (
    Refused.ADDRESS,
    Refused.QUERY,
    Refused.NOT_ARTICLE,
    Refused.NOFOLLOW,
)  # refusals that are nobody's news


@dataclass(frozen=True, slots=True)
class NewLink:
    """An edge as found; `key` is the hash of the target's URL key."""

    key: str
    url: str
    text: str | None
    heading: str | None
    rule: str
    position: int
    state: EdgeState
    reason: str | None = None
    detail: str | None = None
    target_id: int | None = None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """An edge as stored; `target_scope` is that of the item it leads to."""

    item_id: int
    url: str
    text: str | None
    heading: str | None
    rule: str
    position: int
    state: EdgeState
    reason: str | None
    detail: str | None
    target_id: int | None
    target_title: str | None
    target_public_id: str | None
    target_scope: str | None


def put_links(
    connection: Connection, item_id: int, links: Sequence[NewLink], now: datetime
) -> None:
    """Keep edges of an item; one that is there stays as it is. At most `MOST_LINKS` in all."""
    r = t.related_link.c
    have = connection.scalar(select(func.count()).where(r.item_id == item_id)) or 0
    rows = [
        {
            "item_id": item_id, "key": link.key, "url": link.url, "text": link.text,
            "heading": link.heading, "rule": link.rule, "position": link.position,
            "state": link.state, "reason": link.reason, "detail": link.detail,
            "target_id": link.target_id, "found_at": now,
        }
        for link in links[: max(0, MOST_LINKS - have)]
    ]  # fmt: skip
    upsert(connection, t.related_link, rows, update=False)


def keys_of(connection: Connection, item_id: int) -> set[str]:
    """The targets of an item's edges."""
    r = t.related_link.c
    return set(connection.scalars(select(r.key).where(r.item_id == item_id)))


def chosen_count(connection: Connection, item_id: int) -> int:
    """How many links of an item were queued to be read, whatever came of them."""
    r = t.related_link.c
    unread = (
        Refused.NOFOLLOW, Refused.DEPTH, Refused.ADDRESS, Refused.HOST, Refused.QUERY,
        Refused.LINKS, Refused.BUDGET,
    )  # fmt: skip
    query = select(func.count()).where(
        r.item_id == item_id,
        r.state != EdgeState.KNOWN,
        or_(r.reason.is_(None), r.reason.not_in(unread)),
    )
    return connection.scalar(query) or 0


def settle(
    connection: Connection,
    scope: str,
    key: str,
    now: datetime,
    *,
    state: str,
    reason: str | None = None,
    detail: str | None = None,
    target_id: int | None = None,
) -> None:
    """Say on every edge that waits for a page what became of it; the views showing it move."""
    r = t.related_link.c
    numbers = list(
        connection.scalars(
            select(r.item_id)
            .join(t.item, t.item.c.id == r.item_id)
            .where(r.key == key, r.state == EdgeState.QUEUED, t.item.c.scope == scope)
        )
    )
    for some in batches(numbers):
        connection.execute(
            update(t.related_link)
            .where(r.key == key, r.item_id.in_(some))
            .values(state=state, reason=reason, detail=detail, target_id=target_id)
        )
    show_anew(connection, now, items=numbers)


def take_too_deep(connection: Connection, item_id: int) -> list[RelatedLink]:
    """Take out the edges of an item that were refused for their depth."""
    r = t.related_link.c
    here = (r.item_id == item_id, r.reason == Refused.DEPTH)
    rows = connection.execute(select(t.related_link).where(*here).order_by(r.position)).all()
    connection.execute(delete(t.related_link).where(*here))
    return [
        RelatedLink(row.url, row.text or "", row.heading, row.rule, row.position) for row in rows
    ]


def deeper_targets(connection: Connection, item_id: int, depth: int, source_id: str) -> list[int]:
    """Items of a source that an item's links lead to and that stand farther from a feed."""
    r, i = t.related_link.c, t.item.c
    return list(
        connection.scalars(
            select(i.id)
            .join(t.related_link, r.target_id == i.id)
            .where(r.item_id == item_id, i.depth > depth, i.source_id == source_id)
        )
    )


def links_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[LinkRow]]:
    """The edges of items, in page order.

    A target in another private scope is not named: its source may have become private since.
    """
    own = t.item.alias()
    r, i = t.related_link.c, t.item.c
    found: dict[int, list[LinkRow]] = {}
    for some in batches(numbers):
        rows = connection.execute(
            select(
                r.item_id, r.url, r.text, r.heading, r.rule, r.position, r.state, r.reason,
                r.detail, i.id.label("target_id"), i.title.label("target_title"),
                i.public_id.label("target_public_id"), i.scope.label("target_scope"),
            )
            .select_from(t.related_link)
            .join(own, own.c.id == r.item_id)
            .join(
                t.item,
                and_(i.id == r.target_id, or_(i.scope == "", i.scope == own.c.scope)),
                isouter=True,
            )
            .where(r.item_id.in_(some))
            .order_by(r.item_id, r.found_at, r.position, r.key)
        )  # fmt: skip
        for row in rows:
            found.setdefault(row.item_id, []).append(
                LinkRow(**row._asdict() | {"state": EdgeState(row.state)})
            )
    return found


def served_links(
    connection: Connection, numbers: Sequence[int]
) -> dict[int, tuple[RelatedRef, ...]]:
    """The related links of items as feeds carry them: the first ten that are news.

    An item of a private source is named by items of that source alone.
    """
    found: dict[int, tuple[RelatedRef, ...]] = {}
    linked = links_of(connection, numbers)
    scopes = {number: scope for number, (_, scope) in titles(connection, list(linked)).items()}
    for number, rows in linked.items():
        shown = [row for row in rows if row.reason not in _HIDDEN][:_SERVED]
        open_to = (None, "", scopes[number])
        found[number] = tuple(
            RelatedRef(
                url=row.url,
                title=(row.target_title if row.target_scope in open_to else None)
                or row.text
                or None,
                heading=row.heading,
                state=row.state,
                item_id=row.target_public_id if row.target_scope in open_to else None,
            )
            for row in shown
        )
    return found


def parents(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Under whose related news items were found: the address of that page, if it may be told."""
    found: dict[int, str] = {}
    a, i, child = t.article.c, t.item.c, t.item.alias("child")
    for some in batches(numbers):
        rows = connection.execute(
            select(a.item_id, i.link)
            .join(t.item, i.id == a.parent_id)
            .join(child, child.c.id == a.item_id)
            .where(a.item_id.in_(some), i.link.is_not(None))
            .where(or_(i.scope == "", i.scope == child.c.scope))
        )
        found |= {row.item_id: row.link for row in rows}
    return found


def pointing_at(connection: Connection, item_id: int, limit: int) -> list[tuple[int, str, str]]:
    """`(item, title, scope)` of items whose related links lead to an item."""
    r, i = t.related_link.c, t.item.c
    rows = connection.execute(
        select(i.id, i.title, i.scope)
        .join(t.related_link, r.item_id == i.id)
        .where(r.target_id == item_id, i.purged_at.is_(None))
        .order_by(i.id.desc())
        .limit(limit)
    )
    return [(row.id, row.title or "", row.scope) for row in rows]


def edges_among(connection: Connection, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Edges between items of a set, as (from, to)."""
    r = t.related_link.c
    rows = connection.execute(
        select(r.item_id, r.target_id)
        .where(r.item_id.in_(numbers), r.target_id.in_(numbers))
        .order_by(r.item_id, r.position)
    )
    return [(row.item_id, row.target_id) for row in rows]


def counts(connection: Connection, source_id: str) -> dict[tuple[str, str | None], int]:
    """How many links the newest items of a source have, by state and reason."""
    r, e = t.related_link.c, t.entry.c
    newest = (
        select(e.item_id)
        .where(e.source_id == source_id)
        .order_by(e.sort_at.desc(), e.item_id.desc())
        .limit(tally.MOST)
    )
    rows = connection.execute(
        select(r.state, r.reason, func.count())
        .where(r.item_id.in_(newest))
        .group_by(r.state, r.reason)
    )
    return {(row[0], row[1]): row[2] for row in rows}

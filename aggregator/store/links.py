"""Related links as edges between items, and what an item's own page said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from aggregator.model.article import RelatedLink
from aggregator.model.item import RelatedRef
from aggregator.store import schema as t
from aggregator.store.known import batches
from aggregator.store.sources import upsert
from aggregator.store.writing import move_views

MOST_LINKS = 60  # kept of one article
_SERVED = 10  # of one item in a feed
_HIDDEN = ("address", "query", "not_article", "nofollow")  # refusals that are nobody's news


@dataclass(frozen=True, slots=True)
class NewLink:
    """An edge as found; `key` is the hash of the target's URL key."""

    key: str
    url: str
    text: str | None
    heading: str | None
    rule: str
    position: int
    state: str
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
    state: str
    reason: str | None
    detail: str | None
    target_id: int | None
    target_title: str | None
    target_public_id: str | None
    target_scope: str | None


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """What an item's own page said. `html` and `text` where the feed has a text of its own."""

    item_id: int
    parent_id: int | None
    heading: str | None
    caption: str | None
    credit: str | None
    editor: str | None
    publisher: str | None
    source_line: str | None
    place: str | None
    html: str | None
    text: str | None
    sanitizer_version: int
    stated_key: str | None
    paywalled: bool
    restricted: str | None
    read_at: datetime
    compared: bool = False


def held(connection: Connection, scopes: Sequence[str], keys: Iterable[str]) -> dict[str, int]:
    """Which items hold these URL keys, in the first of the scopes that has one."""
    found: dict[str, int] = {}
    k = t.url_key.c
    for some in batches(keys):
        rows = connection.execute(
            select(k.scope, k.key, k.item_id).where(k.scope.in_(scopes), k.key.in_(some))
        )
        for row in sorted(rows, key=lambda row: scopes.index(row.scope)):
            found.setdefault(row.key, row.item_id)
    return found


def holders(connection: Connection, keys: Iterable[str]) -> dict[str, list[int]]:
    """Which items hold these URL keys, in whatever scope."""
    found: dict[str, list[int]] = {}
    k = t.url_key.c
    for some in batches(keys):
        rows = connection.execute(
            select(k.key, k.item_id).where(k.key.in_(some)).order_by(k.item_id)
        )
        for row in rows:
            found.setdefault(row.key, []).append(row.item_id)
    return found


def stated_by_others(connection: Connection, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """`(item, other)`: the page of the other names an address of the item as its own."""
    found: list[tuple[int, int]] = []
    k, a = t.url_key.c, t.article.c
    for some in batches(map(str, numbers)):
        rows = connection.execute(
            select(k.item_id, a.item_id)
            .join(t.article, a.stated_key == k.key)
            .where(k.item_id.in_([int(n) for n in some]), a.item_id != k.item_id)
            .order_by(k.item_id, a.item_id)
        )
        found += [(row[0], row[1]) for row in rows]
    return found


def add_keys(connection: Connection, scope: str, item_id: int, keys: Iterable[str]) -> None:
    """Further URL keys of an item; a key that another item holds stays that one's."""
    rows = [{"scope": scope, "key": key, "item_id": item_id} for key in dict.fromkeys(keys)]
    upsert(connection, t.url_key, rows, update=False)


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
    unread = ("nofollow", "depth", "address", "host", "query", "links", "budget")
    query = select(func.count()).where(
        r.item_id == item_id,
        r.state != "known",
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
            .where(r.key == key, r.state == "queued", t.item.c.scope == scope)
        )
    )
    for some in batches(map(str, numbers)):
        connection.execute(
            update(t.related_link)
            .where(r.key == key, r.item_id.in_([int(n) for n in some]))
            .values(state=state, reason=reason, detail=detail, target_id=target_id)
        )
    move_views_of(connection, numbers, now)


def move_views_of(connection: Connection, numbers: Sequence[int], now: datetime) -> None:
    """Say that what the views of these items show has changed."""
    e = t.entry.c
    showing: set[str] = set()
    for some in batches(map(str, numbers)):
        ids = [int(number) for number in some]
        showing.update(connection.scalars(select(e.source_id).where(e.item_id.in_(ids)).distinct()))
    move_views(connection, sorted(showing), now)


def put_article(connection: Connection, row: ArticleRow) -> None:
    """Keep what a page said, in place of what it said before."""
    values = {name: getattr(row, name) for name in ArticleRow.__slots__}
    upsert(connection, t.article, [values], update=True)


def article(connection: Connection, item_id: int) -> ArticleRow | None:
    """What an item's own page said."""
    row = connection.execute(select(t.article).where(t.article.c.item_id == item_id)).first()
    return None if row is None else ArticleRow(**row._asdict())


def put_image(connection: Connection, item_id: int, url: str) -> bool:
    """Give an item the picture of its page, if its feed gave none; whether it took it."""
    i = t.item.c
    done = connection.execute(
        update(t.item).where(i.id == item_id, i.image.is_(None)).values(image=url)
    )
    return done.rowcount == 1


def mark_followed(
    connection: Connection, item_id: int, *, depth: int, age: int | None, tags: Sequence[str]
) -> None:
    """Make a new item one that was found by following; its text came from its page."""
    i = t.item.c
    connection.execute(
        update(t.item)
        .where(i.id == item_id)
        .values(depth=depth, found_age=age, categories=list(tags))
    )
    connection.execute(
        update(t.item_text).where(t.item_text.c.item_id == item_id).values(from_page=True)
    )
    # A feed that lists it later shall have an entry of its own, not take this one for a former id.
    connection.execute(update(t.entry).where(t.entry.c.item_id == item_id).values(url_key=None))


def followed_among(connection: Connection, numbers: Sequence[int]) -> list[int]:
    """Which of these items were found by following and are in no feed yet."""
    found: list[int] = []
    for some in batches(map(str, numbers)):
        ids = [int(number) for number in some]
        query = select(t.item.c.id).where(t.item.c.id.in_(ids), t.item.c.depth > 0)
        found += connection.scalars(query)
    return found


def adopt(connection: Connection, item_id: int, body: dict[str, Any]) -> None:
    """A feed lists an item that was found by following: its text is the feed's from now on.

    The page's text stays beside it, as for any item whose page was read.
    """
    x = t.item_text.c
    old = connection.execute(
        select(x.html, x.text, x.from_page).where(x.item_id == item_id)
    ).first()
    if old is not None and old.from_page:
        connection.execute(
            update(t.article)
            .where(t.article.c.item_id == item_id)
            .values(html=old.html, text=old.text)
        )
    upsert(connection, t.item_text, [{"item_id": item_id, "from_page": False, **body}], update=True)


def lower_depth(connection: Connection, item_id: int, depth: int) -> bool:
    """Put an item nearer to a feed; False when it was that near already."""
    i = t.item.c
    done = connection.execute(
        update(t.item).where(i.id == item_id, i.depth > depth).values(depth=depth)
    )
    return done.rowcount == 1


def take_too_deep(connection: Connection, item_id: int) -> list[RelatedLink]:
    """Take out the edges of an item that were refused for their depth."""
    r = t.related_link.c
    here = (r.item_id == item_id, r.reason == "depth")
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


def items_by_key(connection: Connection, source_id: str, keys: Iterable[str]) -> dict[str, int]:
    """The items of a source's entries, by entry key."""
    e = t.entry.c
    found: dict[str, int] = {}
    for some in batches(keys):
        rows = connection.execute(
            select(e.key, e.item_id).where(e.source_id == source_id, e.key.in_(some))
        )
        found |= {row.key: row.item_id for row in rows}
    return found


def links_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[LinkRow]]:
    """The edges of items, in page order.

    A target in another private scope is not named: its source may have become private since.
    """
    own = t.item.alias()
    r, i = t.related_link.c, t.item.c
    found: dict[int, list[LinkRow]] = {}
    for some in batches(map(str, numbers)):
        rows = connection.execute(
            select(
                r.item_id, r.url, r.text, r.heading, r.rule, r.position, r.state, r.reason,
                r.detail, i.id, i.title, i.public_id, i.scope,
            )
            .select_from(t.related_link)
            .join(own, own.c.id == r.item_id)
            .join(
                t.item,
                and_(i.id == r.target_id, or_(i.scope == "", i.scope == own.c.scope)),
                isouter=True,
            )
            .where(r.item_id.in_([int(n) for n in some]))
            .order_by(r.item_id, r.found_at, r.position, r.key)
        )  # fmt: skip
        for row in rows:
            found.setdefault(row.item_id, []).append(LinkRow(*tuple(row)))
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
    for some in batches(map(str, numbers)):
        rows = connection.execute(
            select(a.item_id, i.link)
            .join(t.item, i.id == a.parent_id)
            .join(child, child.c.id == a.item_id)
            .where(a.item_id.in_([int(n) for n in some]), i.link.is_not(None))
            .where(or_(i.scope == "", i.scope == child.c.scope))
        )
        found |= {row.item_id: row.link for row in rows}
    return found


def page_refusal(connection: Connection, item_id: int) -> tuple[str, str | None] | None:
    """Why an item's own page was not read, as (reason, detail)."""
    p = t.page.c
    row = connection.execute(
        select(p.reason, p.detail).where(p.item_id == item_id, p.state == "refused")
    ).first()
    return None if row is None else (row.reason or "failed", row.detail)


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


def words_of(connection: Connection, item_id: int) -> tuple[str | None, str]:
    """Title and text of an item."""
    row = connection.execute(
        select(t.item.c.title, t.item_text.c.text)
        .join(t.item_text, t.item_text.c.item_id == t.item.c.id, isouter=True)
        .where(t.item.c.id == item_id)
    ).first()
    return (None, "") if row is None else (row.title, row.text or "")


def texts_of(connection: Connection, item_id: int) -> list[str]:
    """The texts that are kept of an item: its feed's, its page's."""
    row = connection.execute(
        select(t.item_text.c.text, t.article.c.text)
        .select_from(t.item)
        .join(t.item_text, t.item_text.c.item_id == t.item.c.id, isouter=True)
        .join(t.article, t.article.c.item_id == t.item.c.id, isouter=True)
        .where(t.item.c.id == item_id)
    ).first()
    return [text for text in row or () if text]


def from_pages(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Which of these items are compared by the text of their page and not by a feed's."""
    x = t.item_text.c
    found: set[int] = set()
    for some in batches(map(str, numbers)):
        ids = [int(number) for number in some]
        found |= set(
            connection.scalars(
                select(x.item_id)
                .join(t.article, t.article.c.item_id == x.item_id, isouter=True)
                .where(x.item_id.in_(ids), or_(x.from_page, t.article.c.compared))
            )
        )
    return found


def is_archived(connection: Connection, item_id: int) -> bool:
    """Whether an item came with a back catalogue: it stands by its date, not by its arrival."""
    i = t.item.c
    row = connection.execute(select(i.sort_at, i.first_seen).where(i.id == item_id)).first()
    return row is not None and row.sort_at < row.first_seen


def source_ref(connection: Connection, item_id: int) -> dict[str, Any]:
    """The attribution pinned into an item, for those found under it.

    Raises:
        LookupError: there is no such item.
    """
    ref = connection.scalar(select(t.item.c.source_ref).where(t.item.c.id == item_id))
    if ref is None:
        raise LookupError(f"there is no item {item_id}")
    return dict(ref)


def titles(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, str]]:
    """`(title, scope)` of items by number."""
    i = t.item.c
    rows = connection.execute(select(i.id, i.title, i.scope).where(i.id.in_(numbers)))
    return {row.id: (row.title or "", row.scope) for row in rows}


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
    """How many links the items of a source have, by state and reason."""
    r, i = t.related_link.c, t.item.c
    rows = connection.execute(
        select(r.state, r.reason, func.count())
        .join(t.item, i.id == r.item_id)
        .where(i.source_id == source_id)
        .group_by(r.state, r.reason)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def stale_articles(
    connection: Connection, version: int, limit: int
) -> list[tuple[int, str, str | None, str | None]]:
    """`(item, html, None, link)` of page texts sanitised by an older sanitiser."""
    a = t.article.c
    rows = connection.execute(
        select(a.item_id, a.html, t.item.c.link)
        .join(t.item, t.item.c.id == a.item_id)
        .where(a.sanitizer_version < version, a.html.is_not(None))
        .limit(limit)
    )
    return [(row.item_id, row.html, None, row.link) for row in rows]


def put_article_html(connection: Connection, item_id: int, html: str, version: int) -> None:
    """Keep a page's HTML that was sanitised again."""
    connection.execute(
        update(t.article)
        .where(t.article.c.item_id == item_id)
        .values(html=html, sanitizer_version=version)
    )


def forget(connection: Connection, numbers: Sequence[int]) -> None:
    """Remove what pages said about items: their text, edges, and the pages themselves."""
    for some in batches(map(str, numbers)):
        ids = [int(number) for number in some]
        connection.execute(delete(t.article).where(t.article.c.item_id.in_(ids)))
        connection.execute(delete(t.related_link).where(t.related_link.c.item_id.in_(ids)))
        connection.execute(delete(t.page).where(t.page.c.item_id.in_(ids)))

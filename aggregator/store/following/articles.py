"""What an item's own page said, and what that makes of the item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update

from aggregator.model.states import PageState
from aggregator.store import schema as t
from aggregator.store.rows import batches, upsert


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
    for some in batches(numbers):
        query = select(t.item.c.id).where(t.item.c.id.in_(some), t.item.c.depth > 0)
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


def page_refusal(connection: Connection, item_id: int) -> tuple[str, str | None] | None:
    """Why an item's own page was not read, as (reason, detail)."""
    p = t.page.c
    row = connection.execute(
        select(p.reason, p.detail).where(p.item_id == item_id, p.state == PageState.REFUSED)
    ).first()
    return None if row is None else (row.reason or "failed", row.detail)


def stale_articles(
    connection: Connection, version: int, after: int, limit: int
) -> list[tuple[int, str, str | None, str | None]]:
    """`(item, html, None, link)` of page texts sanitised by an older sanitiser, by number.

    `after` is the number that the last ones ended with.
    """
    a = t.article.c
    rows = connection.execute(
        select(a.item_id, a.html, t.item.c.link)
        .join(t.item, t.item.c.id == a.item_id)
        .where(a.sanitizer_version < version, a.html.is_not(None), a.item_id > after)
        .order_by(a.item_id)
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
    for some in batches(numbers):
        connection.execute(delete(t.article).where(t.article.c.item_id.in_(some)))
        connection.execute(delete(t.related_link).where(t.related_link.c.item_id.in_(some)))
        connection.execute(delete(t.page).where(t.page.c.item_id.in_(some)))

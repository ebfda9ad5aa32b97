"""The words that are kept of items: title, text, HTML."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select, update

from aggregator.store import schema as t
from aggregator.store.rows import batches


def stale_html(
    connection: Connection, version: int, after: int, limit: int
) -> list[tuple[int, str, str | None, str | None]]:
    """`(item, html, summary, link)` of texts sanitised by an older sanitiser, by number.

    `after` is the number that the last ones ended with.
    """
    x = t.item_text.c
    rows = connection.execute(
        select(x.item_id, x.html, x.summary, t.item.c.link)
        .join(t.item, t.item.c.id == x.item_id)
        .where(x.sanitizer_version < version, x.item_id > after)
        .order_by(x.item_id)
        .limit(limit)
    )
    return [(row.item_id, row.html, row.summary, row.link) for row in rows]


def put_html(
    connection: Connection, item_id: int, html: str, summary: str | None, version: int
) -> None:
    """Keep HTML that was sanitised again."""
    connection.execute(
        update(t.item_text)
        .where(t.item_text.c.item_id == item_id)
        .values(html=html, summary=summary, sanitizer_version=version)
    )


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
    for some in batches(numbers):
        found |= set(
            connection.scalars(
                select(x.item_id)
                .join(t.article, t.article.c.item_id == x.item_id, isouter=True)
                .where(x.item_id.in_(some), or_(x.from_page, t.article.c.compared))
            )
        )
    return found

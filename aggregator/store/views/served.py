"""Items as they are served: with their text, their source and their related links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    select,
)

from aggregator.model.feed import Enclosure
from aggregator.model.item import ServedItem, SourceRef
from aggregator.store import schema as t
from aggregator.store.following import links
from aggregator.store.items.details import unpacked
from aggregator.store.rows import batches

_NO_TITLE = "(untitled)"


def served_items(
    connection: Connection, numbers: Sequence[int], *, page_text: bool = False
) -> dict[int, ServedItem]:
    """Items as they are served, by number, with their text and their related links.

    Text that was taken from pages, and not from a feed, is there only with `page_text`.
    """
    found: dict[int, ServedItem] = {}
    x, a = t.item_text.c, t.article.c
    for some in batches(numbers):
        rows = connection.execute(
            select(
                t.item, x.html, x.summary, x.text, x.from_page,
                a.html.label("page_html"), a.text.label("page_text"),
                a.paywalled,
            )
            .join(t.item_text, x.item_id == t.item.c.id, isouter=True)
            .join(t.article, a.item_id == t.item.c.id, isouter=True)
            .where(t.item.c.id.in_(some))
        )  # fmt: skip
        found |= {row.id: _served(row, page_text=page_text) for row in rows}
    related = links.served_links(connection, numbers)
    via = links.parents(connection, numbers)
    for number in {*related, *via} & found.keys():
        found[number] = replace(found[number], related=related.get(number, ()), via=via.get(number))
    return found


def _served(row: Row[Any], *, page_text: bool) -> ServedItem:
    ref: Mapping[str, Any] = row.source_ref
    more = unpacked(row.details)
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
        changed_at=row.changed_at,
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
        authors=more.authors,
        pictures=more.pictures,
        episode=more.episode,
        terms=more.terms,
    )

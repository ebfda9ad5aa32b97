"""Items as plain data for rules: the same fields that the index has, and the rest of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from aggregator.queries.document import Document, make_document
from aggregator.queries.matching import Circumstances, Record
from aggregator.queries.tree import Media, Node, Story, leaves
from aggregator.store import schema as t
from aggregator.store.rows import batches
from aggregator.store.search.condition import Query

_NOTHING = Document({})


def records(
    connection: Connection, numbers: Sequence[int], query: Query, *, words: bool = True
) -> dict[int, Record]:
    """Items by number, with the tags and sources that the query's asker may know of.

    Args:
        connection: Of any transaction.
        numbers: Of the items; those that are purged are left out.
        query: Whose names (tags, sources) count.
        words: Whether their documents are made, which costs most.
    """
    i, x, a, e = t.item.c, t.item_text.c, t.article.c, t.entry.c
    found: dict[int, Record] = {}
    for some in batches(numbers):
        lists: defaultdict[int, set[str]] = defaultdict(set)
        for row in connection.execute(select(e.item_id, e.source_id).where(e.item_id.in_(some))):
            lists[row.item_id].add(row.source_id)
        rows = connection.execute(
            select(
                i.id, i.title, i.author, i.link, i.categories, i.enclosures, i.image, i.language,
                i.published, i.first_seen, i.depth, i.story_id, x.text, x.from_page,
                a.text.label("page"),
            )
            .join(t.item_text, x.item_id == i.id, isouter=True)
            .join(t.article, a.item_id == i.id, isouter=True)
            .where(i.id.in_(some), i.purged_at.is_(None))
        ).all()  # fmt: skip
        found |= {row.id: _record(row, lists[row.id], query, words) for row in rows}
    return found


def circumstances(connection: Connection, query: Query) -> Circumstances:
    """What the query needs to know besides its items."""
    return Circumstances(query.counted_from, query.page_text, _stories(connection, query.node))


def _stories(connection: Connection, node: Node) -> Mapping[int, int]:
    named = [leaf.number for leaf in leaves(node) if isinstance(leaf, Story)]
    if not named:
        return {}
    i = t.item.c
    rows = connection.execute(
        select(i.id, i.story_id).where(i.id.in_(named), i.purged_at.is_(None))
    )
    return {row.id: row.story_id for row in rows}


def _record(row: Any, lists: Collection[str], query: Query, words: bool) -> Record:
    own, page = (None, row.text) if row.from_page else (row.text, row.page)
    document = make_document(row.title, row.author, own, page) if words else _NOTHING
    follow = query.follow_tags if row.depth > 0 else {}
    tags = {
        tag
        for named in (query.tags, follow)
        for tag, sources in named.items()
        if not set(sources).isdisjoint(lists)
    }
    return Record(
        document=document,
        at=min(row.published or row.first_seen, row.first_seen),
        title=row.title or "",
        author=row.author or "",
        text=own or (page if query.page_text else "") or "",
        link=row.link or "",
        categories=tuple(row.categories or ()),
        tags=frozenset(tags),
        sources=query.sources.intersection(lists),
        language=row.language,
        media=frozenset(_media(row)),
        followed=row.depth > 0,
        story=row.story_id,
    )


def _media(row: Any) -> set[Media]:
    kinds = {str(one.get("type") or "").lower().split("/")[0] for one in row.enclosures or ()}
    found = {media for media in Media if media in kinds}
    return found | {Media.IMAGE} if row.image is not None else found

"""A query as a condition on `item`, the same on both databases.

Words are asked of the index of words; of an item that is not in it yet nothing is known, so a query
with words never holds for it. Names (tags, sources) are looked up by whoever knows the settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Executable,
    Text,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    not_,
    or_,
    select,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import iterate

from aggregator.queries.document import Part, parts_of
from aggregator.queries.tree import (
    And,
    Followed,
    Has,
    Language,
    Media,
    Node,
    Not,
    Or,
    Since,
    Source,
    Story,
    Tag,
    Words,
    leaves,
)
from aggregator.queries.words import needs
from aggregator.store import schema as t

_MANY = 2000  # items: what fewer have is listed at once
_MATCHES = text("SELECT 1 FROM search_words WHERE search_words MATCH :asked")
_WEIGHTS = {Part.TITLE: "A", Part.AUTHOR: "B", Part.TEXT: "C", Part.PAGE: "D"}


@dataclass(frozen=True, slots=True)
class Query:
    """A query and what it needs to know besides.

    Args:
        node: A simplified tree (`queries.parse`).
        counted_from: What relative times count from.
        page_text: Whether words are looked for in texts that were taken from pages.
        tags: By tag, case-folded, the sources that have it.
        follow_tags: The same of the tags that sources give to what is found by following.
        sources: The ids that `source:` knows.
        scopes: Private scopes whose items it may find, besides public ones.
        rare: Lists of sources that brought few items: SQLite begins with these items.
        common: Whether the query holds for many items, as far as an index can tell.
        numbers: The least and the largest number of the items that it is asked of; None: of all.
            What the answer says of others is worth nothing.
    """

    node: Node
    counted_from: datetime
    page_text: bool = False
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    follow_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    scopes: tuple[str, ...] = ()
    rare: frozenset[tuple[str, ...]] = frozenset()
    common: bool = False
    numbers: tuple[int, int] | None = None


def condition(query: Query) -> ColumnElement[bool]:
    """Whether the query holds for a row of `item`."""
    made = _condition(query.node, query)
    if any(isinstance(leaf, Words) for leaf in leaves(query.node)):
        d = t.search_document.c
        known = select(d.item_id).where(d.item_id == t.item.c.id).correlate(t.item).exists()
        # Where a word must be there, being found says that the item is in the index.
        return made if _asks_for_words(query.node) else and_(made, known)
    return made


def weighed(connection: Connection, query: Query) -> Query:
    """The query with what tells SQLite where to begin; PostgreSQL keeps statistics of its own.

    Sources that brought few items are asked first. `common` is set where the query holds for many
    items as far as an index can tell: it is best asked of the newest items alone, by `numbers`.
    """
    if connection.dialect.name != "sqlite":
        return query
    e = t.entry.c
    rare = {
        sources for sources in _lists_of_sources(query)
        if _fewer(connection, select(e.id).where(e.source_id.in_(sources)))
    }  # fmt: skip
    needed = query.node.nodes if isinstance(query.node, And) else (query.node,)
    words = tuple(one for one in needed if _is_words(one))
    asked = [_fts(_one(words, And), query)] if words else questions(query)
    by_source = any(lists and lists <= rare for lists in (_sources_of(n, query) for n in needed))
    common = not by_source and any(
        not _fewer(connection, _MATCHES.bindparams(asked=fts)) for fts in asked
    )
    return replace(query, rare=frozenset(rare), common=common)


def _fewer(connection: Connection, asked: Executable) -> bool:
    """Whether fewer than some thousand rows answer it; no more than these are read."""
    rows = connection.execute(asked)
    found = len(rows.fetchmany(_MANY))
    rows.close()
    return found < _MANY


def _lists_of_sources(query: Query) -> set[tuple[str, ...]]:
    return {one for leaf in leaves(query.node) for one in _sources_of(leaf, query)}


def _sources_of(leaf: Node, query: Query) -> set[tuple[str, ...]]:
    """The lists of sources that a leaf asks for."""
    if isinstance(leaf, Tag):
        return {query.tags.get(leaf.name, ()), query.follow_tags.get(leaf.name, ())} - {()}
    if isinstance(leaf, Source) and leaf.id in query.sources:
        return {(leaf.id,)}
    return set()


def questions(query: Query) -> frozenset[str]:
    """What the query asks the index of words, in FTS5's language."""
    parts = iterate(condition(query))
    return frozenset(str(one.fts.value) for one in parts if isinstance(one, Found))


def _asks_for_words(node: Node) -> bool:
    if isinstance(node, And):
        return any(_asks_for_words(one) for one in node.nodes)
    if isinstance(node, Or):
        return all(_asks_for_words(one) for one in node.nodes)
    return isinstance(node, Words)


def _condition(node: Node, query: Query) -> ColumnElement[bool]:
    if _is_words(node):
        return _found(node, query)
    if isinstance(node, And):
        words = tuple(one for one in node.nodes if _is_words(one))
        others = [_condition(one, query) for one in node.nodes if not _is_words(one)]
        found = [_condition(_one(words, And), query)] if words else []
        return and_(*found, *others)
    if isinstance(node, Or):
        words = tuple(one for one in node.nodes if _is_words(one))
        others = [_condition(one, query) for one in node.nodes if not _is_words(one)]
        found = [_condition(_one(words, Or), query)] if words else []
        return or_(*found, *others)
    if isinstance(node, Not):
        return not_(_condition(node.node, query))
    return _plain(node, query)


def _found(node: Node, query: Query) -> Found:
    return Found(_fts(node, query), _tsquery(node, query), query.numbers)


def _one(nodes: tuple[Node, ...], kind: type[And] | type[Or]) -> Node:
    return nodes[0] if len(nodes) == 1 else kind(nodes)


def _is_words(node: Node) -> bool:
    """Whether one question to the index answers it: words that must be there, and nothing else."""
    if isinstance(node, And | Or):
        return all(_is_words(one) for one in node.nodes)
    return isinstance(node, Words)


def _plain(node: Node, query: Query) -> ColumnElement[bool]:
    i = t.item.c
    if isinstance(node, Tag):
        by_source = _lists(query.tags.get(node.name, ()), query)
        following = query.follow_tags.get(node.name, ())
        return (
            or_(by_source, and_(i.depth > 0, _lists(following, query))) if following else by_source
        )
    if isinstance(node, Source):
        return _lists((node.id,) if node.id in query.sources else (), query)
    if isinstance(node, Language):
        spoken = func.replace(func.lower(func.coalesce(i.language, "")), "_", "-")
        return or_(spoken == node.tag, spoken.like(f"{node.tag}-%"))
    if isinstance(node, Since):
        cut = node.cut(query.counted_from)
        shown = case((i.published < i.first_seen, i.published), else_=i.first_seen)
        return and_(i.first_seen >= cut, shown >= cut)
    if isinstance(node, Has):
        return _has(node.media)
    if isinstance(node, Followed):
        return i.depth > 0 if node.yes else i.depth == 0
    if isinstance(node, Story):
        named = t.item.alias()
        seen = named.c.scope.in_(["", *query.scopes])
        told = select(named.c.story_id).where(
            named.c.id == node.number, seen, named.c.purged_at.is_(None)
        )
        return i.story_id.in_(told)
    raise TypeError(f"no index answers {type(node).__name__}")


def _has(media: Media) -> ColumnElement[bool]:
    i = t.item.c
    of_type = func.lower(cast(i.enclosures, Text)).like(f'%"type": "{media}/%')
    return or_(i.image.is_not(None), of_type) if media is Media.IMAGE else of_type


def _lists(sources: tuple[str, ...], query: Query) -> ColumnElement[bool]:
    """Whether one of these sources has an entry for the item."""
    if not sources:
        return false()
    entry = t.entry.alias()
    if sources in query.rare:
        return t.item.c.id.in_(select(entry.c.item_id).where(entry.c.source_id.in_(sources)))
    return (
        select(entry.c.id)
        .where(entry.c.item_id == t.item.c.id, entry.c.source_id.in_(sources))
        .correlate(t.item)
        .exists()
    )


class Found(ColumnElement[bool]):
    """Whether the index of words has an item under a question, in the words of each database."""

    inherit_cache = False
    type = Boolean()

    def __init__(self, fts: str, tsquery: str, numbers: tuple[int, int] | None) -> None:
        self.fts: BindParameter[str] = bindparam(None, fts, Text)
        self.tsquery: BindParameter[str] = bindparam(None, tsquery, Text)
        self.numbers = numbers


@compiles(Found, "sqlite")
def _on_sqlite(element: Found, compiler: Any, **kw: Any) -> str:
    asked, number = compiler.process(element.fts, **kw), compiler.process(t.item.c.id, **kw)
    among = ""
    if element.numbers is not None:
        least, largest = element.numbers
        among = f" AND rowid BETWEEN {least:d} AND {largest:d}"
    return f"{number} IN (SELECT rowid FROM search_words WHERE search_words MATCH {asked}{among})"


@compiles(Found, "postgresql")
def _on_postgresql(element: Found, compiler: Any, **kw: Any) -> str:
    asked, number = compiler.process(element.tsquery, **kw), compiler.process(t.item.c.id, **kw)
    return (
        f"{number} IN (SELECT item_id FROM search_document WHERE words @@ CAST({asked} AS tsquery))"
    )


def _fts(node: Node, query: Query) -> str:
    """FTS5's language (https://www.sqlite.org/fts5.html#full_text_query_syntax)."""
    if isinstance(node, And | Or):
        return _join((_fts(one, query) for one in node.nodes), " AND ", " OR ", node)
    assert isinstance(node, Words)
    parts = " ".join(parts_of(node.field, page_text=query.page_text))
    phrases = ('"' + " ".join(need) + '"' for need in needs(node.words))
    return "(" + " AND ".join(f"{{{parts}}} : {phrase}" for phrase in phrases) + ")"


def _tsquery(node: Node, query: Query) -> str:
    """PostgreSQL's (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""
    if isinstance(node, And | Or):
        return _join((_tsquery(one, query) for one in node.nodes), " & ", " | ", node)
    assert isinstance(node, Words)
    weights = "".join(_WEIGHTS[p] for p in parts_of(node.field, page_text=query.page_text))
    phrases = (" <-> ".join(f"'{token}':{weights}" for token in need) for need in needs(node.words))
    return "(" + " & ".join(f"({phrase})" for phrase in phrases) + ")"


def _join(parts: Iterable[str], every: str, some: str, node: And | Or) -> str:
    return "(" + (every if isinstance(node, And) else some).join(parts) + ")"

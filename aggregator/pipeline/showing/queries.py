"""Queries with the names that the settings give them: who asks decides which of these there are."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from aggregator.model.settings import Settings, ViewSettings
from aggregator.pipeline.configure import rule_key
from aggregator.queries.parse import Use, parse
from aggregator.queries.rules import Rule
from aggregator.queries.tree import Node, Or, Source, Tag, leaves
from aggregator.store.search.condition import Query
from aggregator.store.search.verdicts import Rules

_NOTHING = Or(())


@lru_cache(maxsize=1024)
def read(text: str, use: Use = Use.SEARCH) -> Node:
    """The tree of a query, read once.

    Raises QueryError.
    """
    return parse(text, use)


def query(
    text: str,
    settings: Settings,
    counted_from: datetime,
    *,
    guarded: bool,
    page_text: bool,
    use: Use = Use.SEARCH,
) -> Query:
    """A query as the store is asked.

    Args:
        text: As written.
        settings: Whose sources and tags it may name.
        counted_from: What relative times count from.
        guarded: Whether whoever asks may know of private sources.
        page_text: Whether they may find what was taken from pages.
        use: What it is for.

    Raises QueryError.
    """
    names = _names(settings, counted_from, guarded=guarded, page_text=page_text)
    return replace(names, node=read(text, use))


def _names(settings: Settings, counted_from: datetime, *, guarded: bool, page_text: bool) -> Query:
    known = [one for one in settings.sources if guarded or not one.private]
    return Query(
        _NOTHING,
        counted_from,
        page_text,
        tags=_by_tag((one.id, one.tags) for one in known),
        follow_tags=_by_tag((one.id, one.follow.tags) for one in known),
        sources=frozenset(one.id for one in known),
        scopes=tuple(one.id for one in known if one.private),
    )


def rules(
    view: ViewSettings,
    settings: Settings,
    counted_from: datetime,
    since: Mapping[str, datetime],
    *,
    guarded: bool,
    page_text: bool,
) -> Rules | None:
    """The rules of a view as the store applies them; None where it has none.

    `since` has, by `configure.rule_key`, from when on each holds that sets something.
    """
    if not view.rules:
        return None
    made = tuple(
        Rule(
            one.action, read(one.condition, Use.RULE), one.tag, one.strip_prefix,
            None if one.past else since.get(rule_key(one)),
        )
        for one in view.rules
    )  # fmt: skip
    names = _names(settings, counted_from, guarded=guarded, page_text=page_text)
    return Rules(made, replace(names, node=Or(tuple(rule.node for rule in made))))


def notes(asked: Query) -> tuple[str, ...]:
    """What a person should know of the names in a query: those that nothing has."""
    told: list[str] = []
    for leaf in leaves(asked.node):
        if isinstance(leaf, Tag) and leaf.name not in {*asked.tags, *asked.follow_tags}:
            near = _near(leaf.name, {*asked.tags, *asked.follow_tags})
            told.append(f"No source has the tag {leaf.name}{near}")
        if isinstance(leaf, Source) and leaf.id not in asked.sources:
            told.append(f"There is no source {leaf.id}{_near(leaf.id, asked.sources)}")
    return tuple(dict.fromkeys(told))


def _by_tag(pairs: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source_id, tags in pairs:
        for tag in tags:
            found[tag.casefold()].append(source_id)
    return {tag: tuple(sources) for tag, sources in found.items()}


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else "."

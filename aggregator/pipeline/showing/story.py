"""A story as people read it: who told an event when, and where copies of one text differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from aggregator.identity.changes import changes
from aggregator.model.pages import Publication, StoryPage
from aggregator.model.settings import Settings
from aggregator.publish.values import excerpt, summary_text
from aggregator.rules.select import view_sources
from aggregator.store.copies.texts import StoredText, stored_texts
from aggregator.store.items import items, words
from aggregator.store.views import served, tellings
from aggregator.store.views.tellings import Telling

_MOST = 100  # items of one story
_COMPARED = 8  # copies that are compared with the first of their text
_CHARACTERS = 2000  # of each that are compared
_AROUND = 60  # characters of what both have that stay around a difference
_RUNS = 60  # of one comparison

_Runs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read of all items of a story at once."""

    texts: Mapping[int, StoredText]
    pages: set[int]


def story_page(connection: Connection, settings: Settings, number: int) -> StoryPage | None:
    """The story that an item is in; None where there is no such item."""
    scope = items.scope_of(connection, number)
    if scope is None:
        return None
    found = tellings.tellings(connection, number, (scope,) if scope else (), _MOST + 1)
    more = len(found) > _MOST
    groups: dict[int, list[Telling]] = {}
    for one in found[:_MOST]:
        groups.setdefault(one.group, []).append(one)
    if not groups:
        return None
    numbers = [one.number for one in found[:_MOST]]
    leads = [group[0].number for group in groups.values()]
    teasers = {
        n: summary_text(item) or excerpt(item)
        for n, item in served.served_items(connection, leads).items()
    }
    updates = tellings.change_times(connection, numbers)
    compared = [group for group in groups.values() if len(group) > 1]
    known = _Known(
        stored_texts(connection, [one.number for group in compared for one in group]),
        words.from_pages(connection, [one.number for group in compared for one in group]),
    )
    views = _views(settings, {one.source_id for one in found})
    left = _COMPARED
    texts: list[tuple[Publication, ...]] = []
    for group in groups.values():
        made = [_publication(one, views[one.source_id]) for one in group]
        for at, copy in enumerate(made[1:], 1):
            if left:
                made[at] = _compared(copy, made[0], known)
                left -= made[at].compared_to is not None
        texts.append(
            tuple(
                replace(one, teaser=teasers.get(one.number), updates=updates.get(one.number, ()))
                for one in made
            )
        )
    return StoryPage(number, tuple(texts), more)


def _views(settings: Settings, sources: set[str]) -> dict[str, tuple[str, ...]]:
    """By source, the views that show it."""
    shown = {
        view.id: sources.intersection(view_sources(view, settings.sources))
        for view in settings.views
    }
    return {
        source: tuple(view for view, inside in shown.items() if source in inside)
        for source in sources
    }


def _publication(one: Telling, views: tuple[str, ...]) -> Publication:
    return Publication(
        number=one.number,
        source_id=one.source_id,
        source_title=one.source_title,
        title=one.title or "",
        link=one.link,
        at=one.at,
        language=one.language,
        private=bool(one.scope),
        views=views,
    )


def _compared(one: Publication, first: Publication, known: _Known) -> Publication:
    ours, theirs = known.texts.get(first.number), known.texts.get(one.number)
    if ours is None or theirs is None:
        return one
    runs = changes(_words(ours), _words(theirs))
    same = all(kind == "=" for kind, _ in runs)
    return replace(
        one,
        compared_to=first.number,
        same=same,
        changes=() if same else shortened(runs),
        from_page=not known.pages.isdisjoint({one.number, first.number}),
    )


def _words(text: StoredText) -> str:
    return f"{text.title or ''}\n{text.text[:_CHARACTERS]}"


def shortened(runs: Sequence[tuple[str, str]]) -> _Runs:
    """The differences of two texts with a little around each of them, and no more than are read."""
    made: list[tuple[str, str]] = []
    for at, (kind, text) in enumerate(runs[:_RUNS]):
        if kind != "=":
            made.append((kind, text))
            continue
        before, after = at > 0, at + 1 < len(runs)
        kept = _AROUND * (before + after)
        if len(text) <= kept:
            made.append((kind, text))
        else:
            head = text[:_AROUND].rstrip() if before else ""
            tail = text[-_AROUND:].lstrip() if after else ""
            made.append((kind, f"{head} … {tail}"))
    return (*made, ("=", " …")) if len(runs) > _RUNS else tuple(made)

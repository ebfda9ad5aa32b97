"""Which sources a view selects."""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.model.settings import SourceSettings, ViewSettings


def followed_sources(view: ViewSettings, sources: Iterable[SourceSettings]) -> list[str]:
    """The ids of further sources of which a view selects only what was found by following.

    Their policy gives such items a tag that the view selects (`follow_related.tags`).
    """
    if not view.followed or not view.tags:
        return []
    every = list(sources)
    chosen = set(view_sources(view, every))
    excluded = set(view.exclude_sources)
    return [
        source.id
        for source in every
        if source.id not in chosen | excluded
        and not set(view.exclude_tags).intersection(source.tags + source.follow.tags)
        and set(source.follow.tags).intersection(view.tags)
    ]


def view_sources(view: ViewSettings, sources: Iterable[SourceSettings]) -> list[str]:
    """The ids of the sources a view selects, in configured order.

    With neither tags nor sources named, all; with both, the union; exclusions are taken off last.
    Disabled sources stay selected: what they brought is still shown.
    """
    everything = not view.tags and not view.sources
    chosen: list[str] = []
    for source in sources:
        tags = set(source.tags)
        wanted = everything or source.id in view.sources or bool(tags.intersection(view.tags))
        excluded = source.id in view.exclude_sources or tags.intersection(view.exclude_tags)
        if wanted and not excluded:
            chosen.append(source.id)
    return chosen

"""Which sources a view selects."""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.model.settings import SourceSettings, ViewSettings


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

"""Which sources a view selects."""

from __future__ import annotations

from collections.abc import Iterable

from aggregator.model.settings import Settings, SourceSettings, ViewSettings

_SOURCE, _TAG = "source/", "tag/"


def find_view(settings: Settings, name: str) -> ViewSettings | None:
    """A configured view by its id, or the one that every source and every tag is by itself.

    `source/ID` and `tag/NAME` need no configuration. A private source has one only where the whole
    service is guarded: else its name would be told.
    """
    for view in settings.views:
        if view.id == name:
            return view
    if name.startswith(_SOURCE):
        wanted = name.removeprefix(_SOURCE)
        source = next((one for one in settings.sources if one.id == wanted), None)
        if source is None or (source.private and settings.service.token is None):
            return None
        return ViewSettings(name, source.title or source.id, sources=(source.id,))
    if name.startswith(_TAG):
        tag = name.removeprefix(_TAG)
        open_sources = (
            one for one in settings.sources if not one.private or settings.service.token is not None
        )
        if any(tag in (*one.tags, *one.follow.tags) for one in open_sources):
            return ViewSettings(name, tag, tags=(tag,))
    return None


def is_implied(name: str) -> bool:
    """Whether a view is one that a source or a tag is by itself."""
    return name.startswith((_SOURCE, _TAG))


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

"""Sources with their state, one by one and as many as a page takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from aggregator.model.item import FeedState
from aggregator.model.pages import SourceHealth, SourceList, SourceOverview
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import PollWord
from aggregator.pipeline.showing import counting
from aggregator.store.items import items
from aggregator.store.sources import standing, states

_ON_START = 50  # sources on the start page
_PAGE = 100


def urgent(
    connection: Connection, settings: Settings, *, private: bool
) -> tuple[SourceOverview, ...]:
    """The sources that need a person first, as many as the start page takes."""
    ids = standing.most_urgent(connection, _ON_START, private=private)
    return _overviews(connection, settings, ids)


def listed(
    connection: Connection,
    settings: Settings,
    after: str,
    wanted: Collection[SourceHealth],
    *,
    private: bool,
) -> SourceList:
    """The sources after an id, of the states wanted or of all."""
    ids = standing.after(connection, after, _PAGE + 1, private=private, states=wanted)
    return SourceList(
        _overviews(connection, settings, ids[:_PAGE]),
        standing.states(connection, private=private),
        ids[_PAGE - 1] if len(ids) > _PAGE else None,
    )


def every(connection: Connection, settings: Settings) -> tuple[SourceOverview, ...]:
    """All sources with what they brought, counted exactly: for a command, not for a request."""
    known = {state.source_id: state for state in states.feed_states(connection)}
    counts = items.items_by_source(connection)
    return tuple(
        overview(one, known.get(one.id), counts.get(one.id, 0)) for one in settings.sources
    )


def _overviews(
    connection: Connection, settings: Settings, ids: Sequence[str]
) -> tuple[SourceOverview, ...]:
    wanted = set(ids)
    configured = {one.id: one for one in settings.sources if one.id in wanted}
    known = states.feed_states_of(connection, ids)
    return tuple(
        overview(configured[name], known.get(name), counting.of_source(connection, name))
        for name in ids
        if name in configured
    )


def overview(source: SourceSettings, state: FeedState | None, count: int) -> SourceOverview:
    """One source with its state, in words."""
    title = source.title or (state.title if state else None) or source.id
    base = SourceOverview(
        id=source.id,
        title=title,
        health=health(source, state),
        feed_url=source.shown_url,
        tags=source.tags,
        private=source.private,
        items=count,
    )
    if state is None:
        return base
    return SourceOverview(
        id=source.id,
        title=title,
        health=base.health,
        link=state.link,
        feed_url=source.shown_url,
        tags=source.tags,
        private=source.private,
        items=count,
        last_polled_at=state.last_polled_at,
        last_success_at=state.last_success_at,
        next_poll_at=state.next_poll_at if source.enabled else None,
        next_reason=state.next_reason,
        next_detail=state.next_detail,
        failures=state.failures,
        status=state.status,
        error=state.error,
    )


def health(source: SourceSettings, state: FeedState | None) -> SourceHealth:
    if not source.enabled:
        return SourceHealth.DISABLED
    if state is None or state.last_polled_at is None:
        return SourceHealth.WAITING
    if state.noticed.dead:
        return SourceHealth.GONE
    if state.outcome == PollWord.OUTAGE:
        return SourceHealth.OFFLINE
    return SourceHealth.FAILING if state.failures else SourceHealth.OK

"""Sources with their state, one by one and as many as a page takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from aggregator.model.item import FeedState
from aggregator.model.pages import (
    SourceHealth,
    SourceList,
    SourceOrder,
    SourceOverview,
    SourceQuery,
)
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import PollWord
from aggregator.pipeline.showing import counting
from aggregator.schedule.rate import slow_rate
from aggregator.schedule.state import PolicyState
from aggregator.store.items import items
from aggregator.store.sources import polls, standing, states

_ON_START = 50  # sources on the start page
_MARKS = 30  # polls of a source in a list
_EXPOSURE = 0.5  # days that a source was watched before its rhythm is told


def urgent(
    connection: Connection, settings: Settings, *, private: bool
) -> tuple[SourceOverview, ...]:
    """The sources that need a person first, as many as the start page takes."""
    query = SourceQuery(order=SourceOrder.URGENCY, limit=_ON_START)
    ids = standing.page(connection, query, private=private)
    return _overviews(connection, settings, ids)


def listed(
    connection: Connection, settings: Settings, query: SourceQuery, *, private: bool
) -> SourceList:
    """The sources asked for, with what came of their last polls."""
    more = replace(query, limit=query.limit + 1)
    ids = standing.page(connection, more, private=private)
    shown = ids[: query.limit]
    marks = polls.last_marks(connection, shown, _MARKS)
    return SourceList(
        tuple(
            replace(one, last_polls=marks[one.id])
            for one in _overviews(connection, settings, shown)
        ),
        standing.states(connection, private=private),
        shown[-1] if len(ids) > query.limit else None,
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
        outcome=state.outcome,
        error=state.error,
        rhythm=_rhythm(state.policy),
    )


def _rhythm(policy: str | None) -> float | None:
    """Items a day over the last weeks, once it was watched long enough to tell."""
    pace = PolicyState.from_json(policy).pace
    return slow_rate(pace) if pace.slow_w >= _EXPOSURE else None


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

"""How the service does, for people: what is wrong first, then what it did in the last two days."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.meanings import BECAME, meaning
from aggregator.model.pages import (
    HealthLine,
    HeldHost,
    OperatorPart,
    StatusPage,
    Undelivered,
)
from aggregator.model.poll import PlanReason
from aggregator.model.settings import Settings
from aggregator.model.states import HealthKind
from aggregator.pipeline.budgets import hour_cap, outage
from aggregator.pipeline.showing import counting
from aggregator.store import hours
from aggregator.store.database import Database
from aggregator.store.following import budgets
from aggregator.store.pushing import events, targets
from aggregator.store.pushing.events import HealthEvent
from aggregator.store.sources import hosts, standing, states

SPAN = timedelta(hours=47)  # before the present hour
_SIZES = timedelta(days=59)
_LATE = timedelta(minutes=1)
_EVENTS = 12  # shown
_LOOKED_AT = 100  # events among which our outages are looked for
_HOSTS = 10
_UNDELIVERED = 20
_GOOD = {
    HealthKind.RECOVERED,
    HealthKind.NETWORK_BACK,
    HealthKind.STORAGE_BACK,
    HealthKind.CLOCK_RIGHT,
    HealthKind.WEBHOOK_BACK,
}
_HOOKS = {HealthKind.WEBHOOK_PARKED, HealthKind.WEBHOOK_BACK}


def status_page(
    connection: Connection,
    database: Database,
    settings: Settings,
    now: datetime,
    *,
    private: bool,
    operator: bool,
) -> StatusPage:
    """The page without what only the running service knows; numbers of private sources as asked.

    `operator`: whoever asks runs the service, and is told of the machine and of webhooks.
    """
    since = now - SPAN
    hidden = () if private else [one.id for one in settings.sources if one.private]
    newest = events.newest(connection, _LOOKED_AT, hidden)
    told = [one for one in newest if operator or one.kind not in _HOOKS][:_EVENTS]
    down = outage.since(connection)
    return StatusPage(
        now=now,
        outage_since=down,
        states=standing.states(connection, private=private),
        overdue=standing.overdue(connection, now - _LATE, private=private),
        items=counting.of_all(connection, private=private),
        hours=hours.hours(connection, since, now, private=private),
        counted_at=hours.last_counted(connection),
        outages=tuple(_outages(newest, down, since)),
        events=_lines(connection, settings, told, operator=operator),
        operator=_operator_part(connection, database, settings, now, private=private)
        if operator
        else None,
    )


def undelivered(connection: Connection, settings: Settings) -> tuple[Undelivered, ...]:
    """Who did not take the last delivery, the parked ones first."""
    titles = {view.id: view.title for view in settings.views}
    titles[targets.HEALTH] = "the service's health"
    return tuple(
        Undelivered(
            kind=one.kind,
            view_id=one.view_id,
            view_title=titles.get(one.view_id, one.view_id),
            host=one.host,
            state=one.state,
            tries=one.tries,
            detail=one.detail,
            next_at=one.due_at,
            delivered_at=one.delivered_at,
        )
        for one in targets.troubled(connection, _UNDELIVERED)
    )


def _operator_part(
    connection: Connection, database: Database, settings: Settings, now: datetime, *, private: bool
) -> OperatorPart:
    # Names of hosts are those of private sources too.
    named = private or not any(source.private for source in settings.sources)
    held = hosts.overview(connection, now)[:_HOSTS] if named else []
    return OperatorPart(
        undelivered=undelivered(connection, settings),
        held=tuple(
            HeldHost(row.host, row.blocked_until, meaning(row.blocked_reason, PlanReason))
            for row in held
        ),
        per_hour=hour_cap.planned_per_hour(connection),
        cap=settings.polling.requests_per_hour,
        slowdown=hour_cap.slowdown(connection),
        in_flight=hosts.in_flight(connection, now),
        most_in_flight=settings.polling.concurrency,
        size=database.size(connection),
        free=database.free(),
        sizes=hours.sizes(connection, now - _SIZES),
        pages=tuple(budgets.most_read(connection, f"{now:%Y-%m-%d}", _HOSTS)) if named else (),
    )


def _outages(
    newest: Sequence[HealthEvent], down: datetime | None, since: datetime
) -> list[tuple[datetime, datetime | None]]:
    """When our own network was down, from a time on, the latest first."""
    ended = [
        (one.since, one.at)
        for one in newest
        if one.kind is HealthKind.NETWORK_BACK and one.since is not None and one.at >= since
    ]
    return [*([(down, None)] if down else []), *ended]


def _lines(
    connection: Connection,
    settings: Settings,
    shown: Collection[HealthEvent],
    *,
    operator: bool,
) -> tuple[HealthLine, ...]:
    """The events in words. What is said of our own trouble may name files: for the operator."""
    titles = {one.id: one.title for one in settings.sources}
    named = {one.source_id for one in shown if one.source_id}
    for name, state in states.feed_states_of(connection, named).items():
        titles[name] = titles.get(name) or state.title
    return tuple(
        HealthLine(
            at=one.at,
            said=BECAME[one.kind],
            good=one.kind in _GOOD,
            source_id=one.source_id,
            source_title=(titles.get(one.source_id) or one.source_id) if one.source_id else None,
            detail=one.detail if operator or one.source_id else "",
        )
        for one in shown
    )

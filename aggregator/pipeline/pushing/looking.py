"""See what views came to show, and keep it in order: each look is one row a piece of news.

A view is looked through when its version moved. New is what it did not show before and what was
first seen lately; what stands in the archive (first documents, older pages) is known without being
told. A material change moves an item's `updated` and is news too; a silent replacement moves
nothing and is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from aggregator.model.settings import Settings, ViewMode, ViewSettings
from aggregator.pipeline.configure import view_hash
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.views import showing_now
from aggregator.store import schema as t
from aggregator.store.pushing import news
from aggregator.store.pushing.news import UNSEEN, Looked, Sighting
from aggregator.store.rows import batches
from aggregator.store.views import leads, rendered

SLACK = timedelta(hours=1)  # a transaction may commit so long after the time that it writes
DEEP = timedelta(hours=48)  # what a deep look goes through, for changes of what is known
_RECENT = timedelta(minutes=1)  # first seen so long before a changed configuration: still news


@dataclass(frozen=True, slots=True)
class _Look:
    before: Looked
    version: int
    config_hash: str
    sightings: list[Sighting]
    fresh: list[int]


async def look(parts: Parts, *, deep: bool) -> int:
    """Look through every view of which somebody is told; returns how many pieces of news came.

    A `deep` look also finds changes of items that are no longer among the newest.
    """
    now, settings = parts.clock.now(), parts.settings
    found = 0
    known_views = {view.id: view for view in settings.views}
    for before in (await parts.database.run_read(news.views)).values():
        view = known_views.get(before.view_id)
        if view is None:
            continue
        seen = await parts.database.run_read(_look, view, settings, before, now, deep)
        if seen is not None and await parts.database.run_write(_keep, view, seen, now):
            found += sum(1 for one in seen.sightings if one.told)
    return found


def _look(
    connection: Connection,
    view: ViewSettings,
    settings: Settings,
    before: Looked,
    now: datetime,
    deep: bool,
) -> _Look | None:
    state = rendered.view_state(connection, view.id)
    shown = showing_now(connection, view, settings)
    if state is None or shown is None or state.config_hash != view_hash(view, settings):
        return None  # a changed configuration is about to be in force
    same = before.config_hash == state.config_hash
    if same and before.version == state.version and not deep:
        return None
    looked_at = min(before.looked_at, now)
    since = looked_at - (DEEP if deep or not same else SLACK)
    places = {p.number: p.sort_at for p in leads.newest(connection, shown, view.limit, since)}
    held = news.known(connection, view.id, places)
    sightings: list[Sighting] = []
    i = t.item.c
    for some in batches(places):
        rows = connection.execute(
            select(i.id, i.first_seen, i.updated, i.withdrawn_at).where(i.id.in_(some))
        )
        for row in rows:
            was, place = held.get(row.id), places[row.id]
            if was is not None and was >= row.updated:
                continue
            fresh = was is not None or (
                place >= row.first_seen and place >= looked_at - (DEEP if same else _RECENT)
            )
            told = before.version != UNSEEN and fresh and row.withdrawn_at is None
            sightings.append(Sighting(row.id, row.updated, told))
    if not sightings and same and before.version == state.version:
        return None
    sightings.sort(key=lambda one: (places[one.item], one.item))
    told_now = [one.item for one in sightings if one.told]
    alone = view.mode is ViewMode.ARTICLES
    fresh_leads = [] if alone else leads.unfrozen(connection, view.id, told_now)
    return _Look(before, state.version, state.config_hash, sightings, fresh_leads)


def _keep(connection: Connection, view: ViewSettings, seen: _Look, now: datetime) -> bool:
    """In one transaction: the news, how far was looked, and that readers got these leads."""
    done = news.looked(connection, seen.before, seen.version, seen.config_hash, seen.sightings, now)
    if done:
        leads.freeze(connection, view.id, seen.fresh)
    return done

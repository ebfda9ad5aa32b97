"""News of a view for open streams: what came after a cursor, and waiting for more.

However many streams there are, one look at the database a second and view serves them all, and
none where nothing was committed for a while.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.model.settings import Settings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.views import news_page
from aggregator.publish.jsonfeed import item_object
from aggregator.store.pushing import news

KEPT = timedelta(days=1)  # a view is looked through that long after its last stream began
BATCH = 100
_EVERY = 1.0  # seconds between two looks
_OTHERS = 5.0  # seconds in which a commit of another process may go unseen


@dataclass(frozen=True, slots=True)
class Event:
    """A piece of news as JSON on one line, with its cursor.

    Without data it only says where a stream stands; `lost` says that what came between the
    client's cursor and this one is not known any more.
    """

    cursor: int
    data: str | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    commits: int
    at: float
    latest: int


class Newsroom:
    """Gives open streams the news of views."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._seen: dict[str, _Seen] = {}

    async def events(self, view_id: str, cursor: int | None) -> AsyncGenerator[Event, None]:
        """News of a view after a cursor, else from now on, without end; first where it begins."""
        database, now = self._parts.database, self._parts.clock.now()
        if not await database.run_read(_is_wanted, view_id, now):
            await database.run_write(news.want, view_id, now, now + KEPT)
        while not await database.run_read(news.is_looked_through, view_id):  # noqa: ASYNC110
            await asyncio.sleep(_EVERY)
        begun = await database.run_read(_begin, view_id, cursor)
        yield begun
        at = begun.cursor
        while True:
            while await self._latest(view_id) <= at:  # noqa: ASYNC110 - other processes write too
                await asyncio.sleep(_EVERY)
            found = await database.run_read(_after, lambda: self._parts.settings, view_id, at)
            for event in found:
                yield event
                at = event.cursor

    async def _latest(self, view_id: str) -> int:
        seen, moment = self._seen.get(view_id), time.monotonic()
        commits = self._parts.database.commits
        if seen is not None:
            age = moment - seen.at
            if age < _EVERY or (seen.commits == commits and age < _OTHERS):
                return seen.latest
        latest = await self._parts.database.run_read(news.latest, view_id)
        self._seen[view_id] = _Seen(commits, moment, latest)
        return latest


def _is_wanted(connection: Connection, view_id: str, now: datetime) -> bool:
    looked = news.views(connection).get(view_id)
    return looked is not None and looked.wanted_until > now + KEPT / 2


def _begin(connection: Connection, view_id: str, cursor: int | None) -> Event:
    latest = news.latest(connection, view_id)
    if cursor is None:
        return Event(latest)
    if cursor == latest or news.is_held(connection, view_id, cursor):
        return Event(cursor)
    return Event(latest, lost=True)


def _after(
    connection: Connection, settings: Callable[[], Settings], view_id: str, cursor: int
) -> list[Event]:
    """The next news, an item once, in the state in which it is shown now.

    The last event may be without data: it takes the cursor past what is shown no more.
    """
    pieces = news.after(connection, view_id, cursor, None, BATCH)
    end = pieces[-1].number if len(pieces) == BATCH else news.latest(connection, view_id)
    in_force = settings()
    view = next((one for one in in_force.views if one.id == view_id), None)
    last = {piece.item: piece.number for piece in pieces}
    page = news_page(connection, in_force, view, list(last)) if view is not None else None
    if page is None:
        return [Event(end)]
    about = page.about_url or page.home_url
    events = [
        Event(
            last[item.number],
            json.dumps(item_object(item, about), ensure_ascii=True, separators=(",", ":")),
        )
        for item in page.items
    ]
    events.sort(key=lambda one: one.cursor)
    if not events or events[-1].cursor < end:
        events.append(Event(end))
    return events

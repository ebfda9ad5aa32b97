"""Feeds and pages made of a query when somebody asks for them.

Nothing is stored for them: whoever asks cannot fill the database. What is made is kept in memory
until anything in the store changes, a bounded number of documents and bytes. A search may take so
long and no longer, and only some are under way at once.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from aggregator.identity.hashing import digest
from aggregator.model.errors import SearchTooLong
from aggregator.model.item import FeedPage, ServedItem
from aggregator.model.pages import Asked, Rendered, SearchPage
from aggregator.model.settings import Settings, ViewSettings
from aggregator.pipeline.configure import EVERYTHING
from aggregator.pipeline.showing import queries
from aggregator.pipeline.showing.views import (
    parse_place,
    place_token,
    showing,
    shows_page_text,
)
from aggregator.publish.fit import fit
from aggregator.publish.formats import FORMATS
from aggregator.queries.document import VERSION
from aggregator.rules.select import find_view
from aggregator.store.database import Database
from aggregator.store.search import index
from aggregator.store.search.limit import at_most
from aggregator.store.views import leads, rendered, selections, served

_WINDOW = timedelta(hours=48)  # invariant 11 holds for these too, unless `limit` says otherwise
_PAGE = 100
_SHOWN = 50
_UNDER_WAY = 2  # searches at once: four threads read, and others need some of them
_WAITING = 8
_KEPT = 256
_KEPT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Kept:
    version: int
    made: Rendered


class Asker:
    """Answers queries; `limit` is how long a search may keep the database busy."""

    def __init__(
        self, database: Database, settings: Callable[[], Settings], limit: timedelta
    ) -> None:
        self._database = database
        self._settings = settings
        self._limit = limit
        self._turn = asyncio.Semaphore(_UNDER_WAY)
        self._waiting = 0
        self._kept: OrderedDict[tuple[Asked, str, str], _Kept] = OrderedDict()
        self._of: Settings | None = None  # whose views these are
        self._bytes = 0

    async def feed(self, asked: Asked, fmt: str, page: str | None) -> Rendered | None:
        """A feed as asked for, or an older page of it; None when there is no such thing.

        Raises SearchTooLong.
        """
        if page and parse_place(page) is None:
            return None
        key = (asked, fmt, page or "")
        settings = self._settings()
        if self._of is not settings:
            self._of, self._bytes = settings, 0
            self._kept.clear()
        state = await self._database.run_read(rendered.view_state, EVERYTHING.id)
        kept = self._kept.get(key)
        if kept is not None and state is not None and kept.version == state.version:
            self._kept.move_to_end(key)
            return kept.made
        async with self._one_of_few():
            loaded = await self._database.run_read(
                _feed_page, settings, asked, fmt, page, self._limit
            )
        if loaded is None:
            return None
        version, feed_page = loaded
        made = await asyncio.to_thread(_rendered, feed_page, fmt, settings.service.max_document)
        if self._of is settings:
            self._keep(key, _Kept(version, made))
        return made

    async def page(self, asked: Asked, before: str | None) -> SearchPage | None:
        """What is asked for, for a page; None when there is no such view or place.

        Raises SearchTooLong.
        """
        if before and parse_place(before) is None:
            return None
        async with self._one_of_few():
            return await self._database.run_read(
                search_page, self._settings(), asked, before, self._limit, _SHOWN
            )

    @asynccontextmanager
    async def _one_of_few(self) -> AsyncIterator[None]:
        if self._waiting >= _WAITING:
            raise SearchTooLong
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    def _keep(self, key: tuple[Asked, str, str], kept: _Kept) -> None:
        old = self._kept.pop(key, None)
        self._bytes += _size(kept) - (_size(old) if old else 0)
        self._kept[key] = kept
        while self._kept and (len(self._kept) > _KEPT or self._bytes > _KEPT_BYTES):
            self._bytes -= _size(self._kept.popitem(last=False)[1])


def search_page(
    connection: Connection,
    settings: Settings,
    asked: Asked,
    before: str | None,
    limit: timedelta,
    most: int,
    *,
    guarded: bool = False,
) -> SearchPage | None:
    """What a query finds, newest first, `most` items of it.

    With `guarded` private items are among them though no token guards the service: for whoever
    owns the database.
    """
    found = _view(settings, asked)
    state = rendered.view_state(connection, EVERYTHING.id)
    if found is None or state is None:
        return None
    view = _guarded(found, settings) if guarded else found
    shown = showing(view, settings, state.changed_at)
    start = parse_place(before) if before else None
    with at_most(connection, limit):
        places = (
            leads.newest(connection, shown, most + 1)
            if start is None
            else leads.before(connection, shown, start, most + 1)
        )
        items = _items(connection, settings, view, shown, places[:most])
        complete = index.is_complete(connection, VERSION)
    query = shown.selection.query
    return SearchPage(
        items=items,
        older=place_token(places[most - 1]) if len(places) > most else None,
        first=start is None,
        notes=queries.notes(query) if query is not None else (),
        complete=complete,
    )


def _guarded(view: ViewSettings, settings: Settings) -> ViewSettings:
    return replace(view, token=settings.storage.url)  # never compared: it only says "guarded"


def _view(settings: Settings, asked: Asked) -> ViewSettings | None:
    """What is asked for as a view; None where there is no such view, source or tag."""
    if asked.name == "search":
        title = f"Search: {asked.query}"
        return ViewSettings("search", title, mode=asked.mode, query=asked.query)
    found = find_view(settings, asked.name)
    if found is None:
        return None
    both = [one for one in (found.query, asked.query) if one]
    query = " ".join(f"({one})" for one in both) if len(both) > 1 else "".join(both)
    return replace(found, mode=asked.mode, query=query or None)


def _feed_page(
    connection: Connection,
    settings: Settings,
    asked: Asked,
    fmt: str,
    page: str | None,
    limit: timedelta,
) -> tuple[int, FeedPage] | None:
    """What the feed says, and the store's version that it is true of."""
    view = _view(settings, asked)
    state = rendered.view_state(connection, EVERYTHING.id)
    if view is None or state is None or fmt not in FORMATS:
        return None
    shown = showing(view, settings, state.changed_at)
    most = settings.service.max_entries
    start = parse_place(page) if page else None
    with at_most(connection, limit):
        if start is not None:
            places = leads.before(connection, shown, start, min(asked.limit or _PAGE, most))
        elif asked.limit is not None:
            places = leads.newest(connection, shown, min(asked.limit, most))
            places = places[: asked.limit]
        else:
            places = leads.newest(connection, shown, _PAGE, state.changed_at - _WINDOW)[:most]
        if page and not places:
            return None
        items = _items(connection, settings, view, shown, places)
        more = bool(places) and bool(leads.before(connection, shown, places[-1], 1))
    address = f"{settings.service.public_url}/feeds/{asked.name}"
    here = {"page": page} if page else {}
    older = {"page": place_token(places[-1])} if more else None
    return state.version, FeedPage(
        view_id=view.id,
        view_title=view.title,
        description=None,
        feed_id=f"{state.feed_id.removesuffix(EVERYTHING.id)}{asked.name}/{_named(asked)}",
        self_urls={f: _address(address, f, asked, here) for f in FORMATS},
        home_url=_home(settings, asked),
        about_url=f"{settings.service.public_url}/about",
        updated=max(
            (item.changed_at or item.updated for item in items),
            default=_minted(state.feed_id),
        ),
        items=items,
        older={f: _address(address, f, asked, older) for f in FORMATS} if older else {},
        newest={f: _address(address, f, asked, {}) for f in FORMATS},
        archive=bool(page),
        generator=settings.service.name,
    )


def _items(
    connection: Connection,
    settings: Settings,
    view: ViewSettings,
    shown: leads.Showing,
    places: list[selections.Place],
) -> tuple[ServedItem, ...]:
    numbers = [place.number for place in places]
    found = leads.with_company(
        connection,
        served.served_items(connection, numbers, page_text=shows_page_text(view, settings)),
        shown.selection.private_scopes,
        shown,
    )
    return tuple(found[number] for number in numbers)


def _address(base: str, fmt: str, asked: Asked, further: dict[str, str]) -> str:
    return f"{base}.{fmt}?{urlencode(asked.parameters | further)}"


def _home(settings: Settings, asked: Asked) -> str:
    base = settings.service.public_url
    if asked.name == "search":
        return f"{base}/search?{urlencode({'q': asked.query or ''})}"
    kind, _, name = asked.name.partition("/")
    if kind == "source":
        return f"{base}/sources/{name}"
    path = f"/tags/{quote(name)}" if kind == "tag" else f"/views/{asked.name}"
    further = urlencode(asked.parameters)
    return f"{base}{path}?{further}" if further else f"{base}{path}"


def _rendered(page: FeedPage, fmt: str, most: int) -> Rendered:
    body = fit(page, FORMATS[fmt].render, most).body
    packed = gzip.compress(body, compresslevel=6, mtime=0)
    return Rendered(
        body, packed, _etag(body), _etag(packed), page.updated, FORMATS[fmt].content_type
    )


def _etag(data: bytes) -> str:
    return f'"{blake2b(data, digest_size=16).hexdigest()}"'


def _named(asked: Asked) -> str:
    """The same for equal queries, for good."""
    return digest("asked", *(part for pair in sorted(asked.parameters.items()) for part in pair))


def _minted(tag: str) -> datetime:
    """The day from which an installation's tags are (RFC 4151): before anything in it changed."""
    date = tag.partition(",")[2].partition(":")[0]
    return datetime.fromisoformat(date).replace(tzinfo=UTC)


def _size(kept: _Kept) -> int:
    return len(kept.made.body) + len(kept.made.gzip)

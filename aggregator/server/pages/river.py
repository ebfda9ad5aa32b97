"""Items one below the other: the page of a view, a source, a tag and a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregator.model.errors import SearchTooLong
from aggregator.model.item import ServedItem
from aggregator.model.pages import Asked, SearchPage, ViewPage
from aggregator.model.settings import Settings, ViewSettings
from aggregator.queries.parse import QueryError
from aggregator.rules.select import find_view
from aggregator.server.access.auth import Access, access_of
from aggregator.server.backend import Backend
from aggregator.server.pages.asking import (
    OFF,
    Filters,
    feed_addresses,
    modes,
    page_address,
    read_asked,
)
from aggregator.server.pages.layout import page
from aggregator.server.pages.login import ask_for_token, unless_admitted, without_token
from aggregator.server.pages.pictures import Pictures

_LATER = {"Retry-After": "60"}
_SEARCH = ViewSettings("search", "Search")


@dataclass(frozen=True, slots=True)
class Beside:
    """The items before and after one in the list that it was opened from, and that list."""

    title: str
    href: str
    newer: ServedItem | None = None
    older: ServedItem | None = None
    came: str = ""  # the query string that leads on within it
    rest: str | None = None  # the address of the list's next page, after its last item


class River:
    """`/views/ID`, `/tags/NAME`, `/sources/ID/items` and `/search`, narrowed by `?q=`."""

    def __init__(
        self, backend: Backend, settings: Callable[[], Settings], pictures: Pictures
    ) -> None:
        self.backend = backend
        self._pictures = pictures
        self.settings = settings
        self._filters = Filters()

    def routes(self) -> list[Route]:
        """The routes, GET and HEAD each."""
        return [
            Route("/views/{view}", self.view, name="view"),
            Route("/tags/{tag}", self.tag, name="tag"),
            Route("/sources/{source}/items", self.source, name="items of a source"),
            Route("/search", self.search, name="search"),
        ]

    async def view(self, request: Request) -> Response:
        """The latest items of a view, or older ones by `?before=`."""
        return await self._named(request, request.path_params["view"], "view")

    async def tag(self, request: Request) -> Response:
        """The items of all sources with a tag."""
        return await self._named(request, f"tag/{request.path_params['tag']}", "tag")

    async def source(self, request: Request) -> Response:
        """All items of a source."""
        return await self._named(request, f"source/{request.path_params['source']}", "source")

    async def search(self, request: Request) -> Response:
        """A box for a query, and what it finds; mistakes are shown at their place."""
        settings = self.settings()
        access = access_of(request, settings)
        if instead := unless_admitted(request, access):
            return instead
        if not access.may_search:
            raise HTTPException(403, OFF)
        return await self._page(request, access, _SEARCH, "search")

    async def beside(self, request: Request, access: Access, number: int) -> Beside | None:
        """What is before and after an item in the list that `?in=` names, for who may read it."""
        name = request.query_params.get("in", "")
        view = _SEARCH if name == "search" else find_view(access.settings, name)
        if view is None or not access.may_read(view):
            return None
        before = request.query_params.get("before")
        try:
            asked = read_asked(request, view)
            if view is _SEARCH and asked.query is None:
                return None
            shown = await self._shown(access, asked, before)
        except (HTTPException, QueryError, SearchTooLong, ValueError):
            return None
        numbers = [item.number for item in shown.items] if shown else []
        if shown is None or number not in numbers:
            return None
        at = numbers.index(number)
        last = at + 1 == len(numbers)
        root = access.settings.service.root_path
        return Beside(
            title=asked.query or view.title if view is _SEARCH else view.title,
            href=page_address(root, asked, before),
            newer=shown.items[at - 1] if at else None,
            older=None if last else shown.items[at + 1],
            came=_came(asked, before),
            rest=page_address(root, asked, shown.older) if last and shown.older else None,
        )

    async def _named(self, request: Request, name: str, kind: str) -> Response:
        settings = self.settings()
        access = access_of(request, settings)
        view = find_view(settings, name)
        if not (access.may_read(view) if view else access.unlimited):
            return ask_for_token(request, settings)
        if tidy := without_token(request, access):
            return tidy
        if view is None:
            raise HTTPException(404, f"No {kind} has this address.")
        return await self._page(request, access, view, kind)

    async def _page(
        self, request: Request, access: Access, view: ViewSettings, kind: str
    ) -> Response:
        settings = access.settings
        before = request.query_params.get("before")
        shown, error = None, None
        asked = Asked(view.id, mode=view.mode, usual=view.mode)
        try:
            asked = read_asked(request, view)
            if asked.query or view is not _SEARCH:
                shown = await self._shown(access, asked, before)
                if shown is None:
                    raise HTTPException(404, "Nothing has this address.")
        except QueryError as mistake:
            error = mistake
        except SearchTooLong as late:
            raise HTTPException(503, str(late), _LATER) from late
        except ValueError as mistake:
            raise HTTPException(400, str(mistake)) from mistake
        root = settings.service.root_path
        items = shown.items if shown else ()
        searching = access.may_search
        return page(
            "river.html",
            settings,
            access,
            status=400 if error else 200,
            kind=kind,
            asked=asked,
            typed=request.query_params.get("q", "").strip(),
            error=error,
            shown=shown,
            heading=view.title,
            about=shown.view if isinstance(shown, ViewPage) else None,
            notes=shown.notes if isinstance(shown, SearchPage) else (),
            complete=not isinstance(shown, SearchPage) or shown.complete,
            guarded=view.token is not None,
            feeds=feed_addresses(settings.service.public_url, asked),
            filters=self._filters.of(root, asked, items, settings) if searching and shown else (),
            held=self._filters.held(root, asked) if searching else (),
            modes=modes(root, asked) if searching and shown else (),
            here=page_address(root, asked),
            plain=page_address(root, Asked(view.id, mode=view.mode, usual=view.mode)),
            older=page_address(root, asked, shown.older) if shown and shown.older else None,
            came=_came(asked, before),
            box=searching,
            pictured=self._pictures.in_list,
            source_id=view.id.partition("/")[2] if kind == "source" else None,
        )

    async def _shown(
        self, access: Access, asked: Asked, before: str | None
    ) -> SearchPage | ViewPage | None:
        """The stored order of a view, or a search where it is asked for otherwise."""
        if not asked.parameters:
            return await self.backend.view_page(asked.name, before)
        if not access.may_search:
            raise HTTPException(403, OFF)
        return await self.backend.search_page(asked, before)


def _came(asked: Asked, before: str | None) -> str:
    """The query string of an item's page that remembers the list."""
    further = {"before": before} if before else {}
    return "?" + urlencode({"in": asked.name} | asked.parameters | further)

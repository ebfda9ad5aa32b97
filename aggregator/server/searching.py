"""Feeds made of a query: `/feeds/search.atom?q=…`; any view by `?q=`, `?mode=`, `?limit=`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.errors import SearchTooLong
from aggregator.model.pages import Asked
from aggregator.model.settings import Settings, ViewMode
from aggregator.publish.formats import FORMATS
from aggregator.queries.canonical import text_of
from aggregator.queries.parse import QueryError, parse
from aggregator.rules.select import find_view
from aggregator.server.access.auth import access_of
from aggregator.server.backend import Backend
from aggregator.server.feeds import sent_by_tag, unauthorized
from aggregator.server.pages.asking import OFF, read_asked, read_mode

Handler = Callable[[Request], Awaitable[Response]]

_LATER = {"Retry-After": "60"}


class Searching:
    """What needs a query, a mode or a number of items from whoever asks.

    `feed` answers for the feeds of views, sources and tags that are asked for without any of these.
    """

    def __init__(
        self,
        backend: Backend,
        settings: Callable[[], Settings],
        feed: Handler,
        max_age: timedelta,
    ) -> None:
        self.backend = backend
        self.settings = settings
        self._feed = feed
        self._max_age = max_age

    def routes(self) -> list[Route]:
        """The routes, GET and HEAD each; before those of all feeds."""
        return [
            Route("/feeds/search.{fmt}", self.found, name="search feed"),
            Route("/feeds/{name}", self.otherwise, name="view asked for otherwise"),
            Route("/feeds/{kind:str}/{name}", self.otherwise, name="feed asked for otherwise"),
        ]

    async def found(self, request: Request) -> Response:
        """What a query finds, as a feed: 200, 304, 400, 401, 403, 404 or 503."""
        settings = self.settings()
        access = access_of(request, settings)
        if not access.admitted:
            return unauthorized()
        if not access.may_search:
            return _text(OFF, 403)
        try:
            query = text_of(parse(request.query_params.get("q", "")))
            mode, limit = read_mode(request, ViewMode.UNIQUE), _limit(request, settings)
        except (QueryError, ValueError) as mistake:
            return _text(f"{mistake}", 400)
        asked = Asked("search", query, mode, limit)
        return await self._answer(
            request, settings, asked, request.path_params["fmt"], guarded=False
        )

    async def otherwise(self, request: Request) -> Response:
        """The feed of a view, a source or a tag, narrowed or with another mode or number."""
        if not {"q", "mode", "limit"} & request.query_params.keys():
            return await self._feed(request)
        settings = self.settings()
        access = access_of(request, settings)
        name, _, fmt = request.path_params["name"].rpartition(".")
        kind = request.path_params.get("kind")
        view = find_view(settings, f"{kind}/{name}" if kind else name)
        if not (access.may_read(view) if view else access.unlimited):
            return unauthorized()
        if view is None:
            return await self._feed(request)
        try:
            asked = read_asked(request, view)
            limit = _limit(request, settings)
        except (QueryError, ValueError) as mistake:
            return _text(f"{mistake}", 400)
        if not asked.parameters and limit is None:
            return await self._feed(request)
        if not access.may_search:
            return _text(OFF, 403)
        return await self._answer(
            request, settings, replace(asked, limit=limit), fmt, guarded=view.token is not None
        )

    async def _answer(
        self, request: Request, settings: Settings, asked: Asked, fmt: str, *, guarded: bool
    ) -> Response:
        if fmt not in FORMATS:
            return _text(f"The formats are {', '.join(FORMATS)}.", 404)
        try:
            made = await self.backend.search_feed(asked, fmt, request.query_params.get("page"))
        except SearchTooLong as late:
            return _text(str(late), 503, _LATER)
        except QueryError as mistake:  # with what the view asks it is too long
            return _text(f"{mistake}", 400)
        if made is None:
            return _text("This feed has no such page. Start again without page=.", 404)
        return sent_by_tag(
            request, made, self._max_age, guarded=guarded or settings.service.token is not None
        )


def _limit(request: Request, settings: Settings) -> int | None:
    given = request.query_params.get("limit")
    if given is None:
        return None
    most = settings.service.max_entries
    if not (given.isascii() and given.isdigit() and len(given) < 6 and 0 < int(given) <= most):
        raise ValueError(f"limit is a number from 1 to {most}, not {given[:100]!r}")
    return int(given)


def _text(message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(
        message.rstrip() + "\n", status, headers={"Cache-Control": "no-store", **(headers or {})}
    )

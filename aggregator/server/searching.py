"""Feeds and a page made of a query: `/feeds/search.atom?q=…`, `?mode=` and `?limit=`, `/search`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.errors import SearchTooLong
from aggregator.model.pages import Asked, Rendered
from aggregator.model.settings import Settings, ViewMode
from aggregator.publish.formats import FORMATS
from aggregator.queries.canonical import text_of
from aggregator.queries.parse import QueryError, parse
from aggregator.rules.select import find_view
from aggregator.server.access.auth import Access, access_of
from aggregator.server.backend import Backend
from aggregator.server.feeds import unauthorized
from aggregator.server.pages.layout import page
from aggregator.server.pages.login import ask_for_token
from aggregator.server.pages.routes import without_token
from aggregator.server.wire.negotiate import accepts_gzip, not_modified

Handler = Callable[[Request], Awaitable[Response]]

OFF = (
    "Searching is off: it is on where service.token guards everything, or with "
    "service.search: everywhere."
)
_LATER = {"Retry-After": "60"}
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Searching:
    """What needs a query, a mode or a number of items from whoever asks.

    `feed` answers for the feeds of sources and tags that are asked for without any of these.
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
            Route("/search", self.page, name="search"),
            Route("/feeds/search.{fmt}", self.found, name="search feed"),
            Route("/feeds/{kind:str}/{name}", self.otherwise, name="feed asked for otherwise"),
        ]

    async def page(self, request: Request) -> Response:
        """A box for a query, and what it finds; mistakes are shown at their place."""
        settings = self.settings()
        access = access_of(request, settings)
        if not access.admitted:
            return ask_for_token(request, settings)
        if tidy := without_token(request, access):
            return tidy
        if not may_search(settings, access):
            raise HTTPException(403, OFF)
        asked = request.query_params.get("q", "").strip()
        shown, error, canonical, status = None, None, "", 200
        if asked:
            try:
                canonical = text_of(parse(asked))
                before = request.query_params.get("before")
                shown = await self.backend.search_page(canonical, before)
                if shown is None:
                    raise HTTPException(404, "There is no such place in what was found.")
            except QueryError as mistake:
                error, status = mistake, 400
            except SearchTooLong as late:
                raise HTTPException(503, str(late), _LATER) from late
        feeds = {
            fmt: f"{settings.service.public_url}/feeds/search.{fmt}?{urlencode({'q': canonical})}"
            for fmt in FORMATS
        }
        return page(
            "search.html", settings, access, status=status, asked=asked, canonical=canonical,
            shown=shown, error=error, feeds=feeds,
        )  # fmt: skip

    async def found(self, request: Request) -> Response:
        """What a query finds, as a feed: 200, 304, 400, 401, 403, 404 or 503."""
        settings = self.settings()
        access = access_of(request, settings)
        if not access.admitted:
            return unauthorized()
        if not may_search(settings, access):
            return _text(OFF, 403)
        try:
            query = text_of(parse(request.query_params.get("q", "")))
            mode, limit = _mode(request), _limit(request, settings)
        except (QueryError, ValueError) as mistake:
            return _text(f"{mistake}", 400)
        asked = Asked("search", query, mode, limit)
        return await self._answer(request, settings, asked, request.path_params["fmt"])

    async def otherwise(self, request: Request) -> Response:
        """The feed of a source or a tag with another mode or number of items."""
        if not {"mode", "limit"} & request.query_params.keys():
            return await self._feed(request)
        settings = self.settings()
        access = access_of(request, settings)
        name, _, fmt = request.path_params["name"].rpartition(".")
        view = find_view(settings, f"{request.path_params['kind']}/{name}")
        if not (access.may_read(view) if view else access.unlimited):
            return unauthorized()
        try:
            mode, limit = _mode(request), _limit(request, settings)
        except ValueError as mistake:
            return _text(f"{mistake}", 400)
        if view is None or (mode is ViewMode.UNIQUE and limit is None):
            return await self._feed(request)
        if not may_search(settings, access):
            return _text(OFF, 403)
        return await self._answer(request, settings, Asked(view.id, None, mode, limit), fmt)

    async def _answer(
        self, request: Request, settings: Settings, asked: Asked, fmt: str
    ) -> Response:
        if fmt not in FORMATS:
            return _text(f"The formats are {', '.join(FORMATS)}.", 404)
        try:
            made = await self.backend.search_feed(asked, fmt, request.query_params.get("page"))
        except SearchTooLong as late:
            return _text(str(late), 503, _LATER)
        if made is None:
            return _text("This feed has no such page. Start again without page=.", 404)
        return self._sent(request, settings, made)

    def _sent(self, request: Request, settings: Settings, made: Rendered) -> Response:
        """The document by its entity tag alone: nobody stored when it last changed."""
        gzip = accepts_gzip(request.headers.get("accept-encoding"))
        etag = made.gzip_etag if gzip else made.etag
        guarded = settings.service.token is not None
        headers = {
            "ETag": etag,
            "Cache-Control": f"{'private' if guarded else 'public'}, "
            f"max-age={int(self._max_age.total_seconds())}",
            "Vary": "Accept-Encoding",
        }
        if not_modified(etag, _LONG_AGO, request.headers.get("if-none-match"), None):
            return Response(status_code=304, headers=headers)
        headers["Content-Type"] = made.content_type
        if gzip:
            headers["Content-Encoding"] = "gzip"
        return Response(made.gzip if gzip else made.body, headers=headers)


def may_search(settings: Settings, access: Access) -> bool:
    """Whether this request may search: searches cost more than stored feeds."""
    service = settings.service
    guarded = service.token is not None and access.trusted
    return guarded or (service.search == "everywhere" and access.admitted)


def _mode(request: Request) -> ViewMode:
    given = request.query_params.get("mode", ViewMode.UNIQUE)
    if given not in list(ViewMode):
        raise ValueError(f"mode is one of {', '.join(ViewMode)}, not {given[:100]!r}")
    return ViewMode(given)


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

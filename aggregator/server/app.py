"""The ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from aggregator.model.errors import StorageTrouble
from aggregator.model.settings import Settings
from aggregator.server.access.auth import access_of
from aggregator.server.access.guesses import POLICY, Guesses, GuessPolicy, WrongTokens
from aggregator.server.api.operations import PREFIX
from aggregator.server.api.problems import problem
from aggregator.server.api.routes import Api
from aggregator.server.backend import Backend
from aggregator.server.events import Events, Newsroom
from aggregator.server.feeds import Feeds
from aggregator.server.front import Front
from aggregator.server.health import Health
from aggregator.server.health_feed import HealthBackend, HealthFeed
from aggregator.server.hub import Hub, HubBackend
from aggregator.server.pages.layout import page
from aggregator.server.pages.login import Login, local_path
from aggregator.server.pages.overrule import Overrule
from aggregator.server.pages.pictures import PictureBackend, Pictures
from aggregator.server.pages.river import River
from aggregator.server.pages.routes import PageRoutes
from aggregator.server.pages.sources import Sources
from aggregator.server.pages.status import Status
from aggregator.server.searching import Searching
from aggregator.server.websub import Callback, Subscriber
from aggregator.server.wire.cors import CrossOrigin
from aggregator.server.wire.headers import SecureHeaders, secure
from aggregator.server.wire.streams import Streams
from aggregator.server.wire.unread import UnreadBodies

_STATIC = Path(__file__).parent / "static"
_LATER = {"Retry-After": "30"}
# What people read above an error; programs get the phrase of RFC 9110.
_HEADINGS = {
    400: "This cannot be asked for",
    403: "This is not allowed",
    404: "There is nothing here",
    405: "This cannot be done here",
    429: "Too many requests just now",
    500: "Something failed",
    503: "Not just now",
}
_FOR_MACHINES = (
    "/feeds/",
    "/opml",
    "/pictures/",
    "/health/",
    "/metrics",
    "/robots.txt",
    "/static/",
    "/websub/",
    "/hub",
)


def create_app(
    backend: Backend,
    settings: Callable[[], Settings],
    *,
    feed_max_age: timedelta = timedelta(minutes=1),
    subscriber: Subscriber | None = None,
    hub: HubBackend | None = None,
    newsroom: Newsroom | None = None,
    streams: Streams | None = None,
    health: HealthBackend | None = None,
    pictures: PictureBackend | None = None,
    guess_policy: GuessPolicy,
) -> Front:
    """The application over a backend.

    Args:
        backend: what is shown.
        settings: gives the configuration in force; asked at every request, so that a changed
            token or view counts at once.
        feed_max_age: how long a reader or cache may reuse a feed without asking.
        hub: keeps the subscribers of our own hub; without it there is none.
        newsroom, streams: give open streams their news, and what such streams may cost; without
            them there are none.
        health: gives the feed of our health; without it there is none.
        pictures: fetches pictures in the place of readers; without it none come through us.
        guess_policy: what wrong tokens cost.
        subscriber: takes what WebSub hubs send; without it they find nothing here.
    """

    async def on_http_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):  # Starlette's signature is wider than its use
            raise error
        return _error(request, settings(), error)

    async def on_failure(request: Request, error: Exception) -> Response:  # noqa: ARG001
        # Answered outside every middleware; Starlette raises the error again for the log, and
        # uvicorn then closes the connection.
        response = _error(request, settings(), HTTPException(500))
        response.headers["Connection"] = "close"
        secure(MutableHeaders(raw=response.raw_headers))
        return response

    async def on_storage(request: Request, error: Exception) -> Response:  # noqa: ARG001
        # Said in the log by whoever polls; the text may name files, so it is not sent.
        told = HTTPException(503, "The storage cannot be used just now.", _LATER)
        return _error(request, settings(), told)

    async def on_leaving(request: Request, error: Exception) -> Response:  # noqa: ARG001
        # The client went away in the middle of its body, or was sent away: nobody reads this.
        return Response(status_code=400)

    async def favicon(request: Request) -> Response:  # noqa: ARG001
        return FileResponse(_STATIC / "favicon.svg", media_type="image/svg+xml")

    shown = Pictures(pictures, settings)
    river = River(backend, settings, shown)
    feeds = Feeds(backend, settings, feed_max_age)
    events: list[Route] = []
    if newsroom is not None and streams is not None:
        events = Events(newsroom, streams, settings).routes()
    app = Starlette(
        routes=[
            *events,
            *(HealthFeed(health, settings, feed_max_age).routes() if health else ()),
            *Searching(backend, settings, feeds.feed, feed_max_age).routes(),
            *feeds.routes(),
            *Health(backend, settings).routes(),
            *Api(backend, settings).routes(),
            *Login(settings).routes(),
            *river.routes(),
            *Sources(backend, settings).routes(),
            *Status(backend, settings).routes(),
            *PageRoutes(backend, settings, river, shown).routes(),
            *shown.routes(),
            *(Callback(subscriber).routes() if subscriber else ()),
            *(Hub(hub, settings).routes() if hub else ()),
            *Overrule(backend, settings).routes(),
            Route("/favicon.ico", favicon),
            Mount("/static", StaticFiles(directory=_STATIC), name="static"),
        ],
        middleware=[
            Middleware(UnreadBodies),
            Middleware(SecureHeaders, settings=settings),
            Middleware(CrossOrigin, settings=settings),
            Middleware(WrongTokens, settings=settings, guesses=Guesses(guess_policy)),
        ],
        exception_handlers={
            HTTPException: on_http_error,
            ClientDisconnect: on_leaving,
            StorageTrouble: on_storage,
            Exception: on_failure,
        },
    )
    app.router.redirect_slashes = False  # Starlette builds that address from the Host header
    return Front(app, backend, settings, int(feed_max_age.total_seconds()))


def create_health_app(backend: Backend, settings: Callable[[], Settings]) -> Starlette:
    """What a process that serves nobody tells of itself: health and metrics."""
    app = Starlette(
        routes=Health(backend, settings).routes(),
        middleware=[
            Middleware(UnreadBodies),
            Middleware(SecureHeaders, settings=settings),
            Middleware(WrongTokens, settings=settings, guesses=Guesses(POLICY)),
        ],
    )
    app.router.redirect_slashes = False
    return app


def _error(request: Request, settings: Settings, error: HTTPException) -> Response:
    """An error as text for machines, as a page for people."""
    status = error.status_code
    phrase = HTTPStatus(status).phrase
    detail = error.detail if error.detail and error.detail != phrase else ""
    path = local_path(request, "").removeprefix(settings.service.root_path)
    if path.startswith(PREFIX + "/"):
        return problem(status, detail, error.headers)
    if path.startswith(_FOR_MACHINES):
        message = f"{status} {phrase}. {detail}".strip()
        response: Response = PlainTextResponse(message + "\n", status, headers=error.headers)
    else:
        response = page(
            "error.html",
            settings,
            access_of(request, settings),
            status=status,
            headers=error.headers,
            code=status,
            heading=_HEADINGS.get(status, phrase),
            detail=detail,
        )
    response.headers["Cache-Control"] = "no-store"
    return response

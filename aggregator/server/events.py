"""New items of a view as Server-Sent Events (WHATWG HTML §9.2), at `/feeds/{view}/events`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.settings import Settings
from aggregator.server.access.auth import access_of
from aggregator.server.feeds import unauthorized
from aggregator.server.wire.streams import Streams

_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_RETRY = 5000  # milliseconds until a client that lost its stream comes again
_HEARTBEAT = b":\n\n"


class Event(Protocol):
    """A piece of news with its cursor; without data where the stream stands."""

    @property
    def cursor(self) -> int:
        """The number that a client sends back as `Last-Event-ID`."""
        ...

    @property
    def data(self) -> str | None:
        """JSON on one line."""
        ...

    @property
    def lost(self) -> bool:
        """Whether news before this cursor cannot be told any more."""
        ...


class Newsroom(Protocol):
    """Who knows what is new."""

    def events(self, view_id: str, cursor: int | None) -> AsyncGenerator[Event, None]:
        """News after a cursor, else from now on, without end."""
        ...


class Events:
    """The route; access is as for the view, looked at again before everything that is sent."""

    def __init__(
        self, newsroom: Newsroom, streams: Streams, settings: Callable[[], Settings]
    ) -> None:
        self.newsroom = newsroom
        self.streams = streams
        self.settings = settings

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/feeds/{name}/events", self.answer)]

    async def answer(self, request: Request) -> Response:
        """A stream, 401 or 404."""
        settings = self.settings()
        name = request.path_params["name"]
        view = next((view for view in settings.views if view.id == name), None)
        access = access_of(request, settings)
        if not (access.may_read(view) if view else access.unlimited):
            return unauthorized()
        if view is None:
            return PlainTextResponse("There is no such view.\n", 404)
        asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
        cursor = int(asked[:18]) if asked.isascii() and asked.isdecimal() else None
        chunks = self._chunks(request, name, cursor)
        return self.streams.answer(chunks, _HEADERS, heartbeat=_HEARTBEAT)

    async def _chunks(
        self, request: Request, name: str, cursor: int | None
    ) -> AsyncGenerator[bytes, None]:
        yield f"retry: {_RETRY}\n\n".encode()
        async for event in self.newsroom.events(name, cursor):
            settings = self.settings()
            view = next((view for view in settings.views if view.id == name), None)
            if view is None or not access_of(request, settings).may_read(view):
                return
            yield _written(event)


def _written(event: Event) -> bytes:
    """An event; one without data moves the client's cursor and is told to nobody (§9.2.6)."""
    lines = [f"id: {event.cursor}"]
    if event.lost:
        lines += ["event: lost", "data: {}"]
    elif event.data is not None:
        lines += ["event: item", f"data: {event.data}"]
    return ("\n".join(lines) + "\n\n").encode()

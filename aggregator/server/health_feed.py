"""What became of sources and of ourselves as a feed: `/feeds/_health.atom`, `.rss`, `.json`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.pages import Rendered
from aggregator.model.settings import Settings
from aggregator.publish.formats import FORMATS
from aggregator.server.access.auth import access_of
from aggregator.server.feeds import sent_by_tag, unauthorized


class HealthBackend(Protocol):
    """Who knows what became of whom."""

    async def document(self, fmt: str, *, private: bool) -> Rendered:
        """The newest events in a format; those of private sources only when asked for."""
        ...


class HealthFeed:
    """The feed, guarded as the start page is; private sources for a service-wide token."""

    def __init__(
        self, backend: HealthBackend, settings: Callable[[], Settings], max_age: timedelta
    ) -> None:
        self.backend = backend
        self.settings = settings
        self.max_age = max_age

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/feeds/_health.{fmt}", self.answer, name="health feed")]

    async def answer(self, request: Request) -> Response:
        """200, 304, 401 or 404."""
        settings = self.settings()
        access = access_of(request, settings)
        if not access.admitted:
            return unauthorized()
        fmt = request.path_params["fmt"]
        if fmt not in FORMATS:
            return PlainTextResponse("There is no such format.\n", 404)
        made = await self.backend.document(fmt, private=access.trusted)
        guarded = settings.service.token is not None or access.trusted
        return sent_by_tag(request, made, self.max_age, guarded=guarded)

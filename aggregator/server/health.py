"""Liveness, readiness, metrics and robots.txt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.pages import ReadyState
from aggregator.model.settings import Settings
from aggregator.server.access.auth import CHALLENGE, access_of
from aggregator.server.backend import Backend

_PATIENCE = 5  # seconds: whoever watches us wants an answer, not a wait
_FRESH = {"Cache-Control": "no-store"}


class Health:
    """What machines ask: health without any token, metrics with the service's."""

    def __init__(self, backend: Backend, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings

    def routes(self) -> list[Route]:
        """The routes, GET and HEAD each."""
        return [
            Route("/health/live", self.live),
            Route("/health/ready", self.ready),
            Route("/metrics", self.metrics),
            Route("/robots.txt", self.robots),
        ]

    async def live(self, request: Request) -> Response:  # noqa: ARG002
        """200 as long as the process answers at all."""
        return PlainTextResponse("ok\n", headers=_FRESH)

    async def ready(self, request: Request) -> Response:  # noqa: ARG002
        """200 when every check is fine, else 503; the checks as JSON."""
        try:
            async with asyncio.timeout(_PATIENCE):
                state = await self.backend.ready()
        except TimeoutError:
            said = f"no answer within {_PATIENCE} s"
            state = ReadyState(False, (("checks", False, said),))
        checks = [
            {"name": name, "ok": fine, "detail": detail} for name, fine, detail in state.checks
        ]
        return JSONResponse(
            {"ready": state.ready, "checks": checks},
            status_code=200 if state.ready else 503,
            headers=_FRESH,
        )

    async def metrics(self, request: Request) -> Response:
        """Metrics for Prometheus, guarded by the service's token when it has one."""
        if not access_of(request, self.settings()).admitted:
            return PlainTextResponse(
                "Metrics need the service's token as a Bearer token.\n",
                401,
                headers={**CHALLENGE, **_FRESH},
            )
        body, content_type = await self.backend.metrics()
        return Response(body, headers={"Content-Type": content_type, **_FRESH})

    async def robots(self, request: Request) -> Response:  # noqa: ARG002
        """Nothing of ours is for crawlers: it is other people's text."""
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

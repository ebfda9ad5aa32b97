"""The address of our WebSub hub: requests to subscribe and to unsubscribe (§5.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.settings import Settings
from aggregator.server.websub import Answer

_MOST = 16 * 1024  # bytes of a request
_FIELDS = 20
_USE = (
    "This is a WebSub hub. POST hub.mode, hub.topic and hub.callback here; "
    "the topics are the addresses that feeds name as rel=self.\n"
)


class HubBackend(Protocol):
    """Who keeps the subscribers."""

    async def ask(self, form: Mapping[str, str]) -> Answer:
        """Take a request; nothing is sent to anybody before it is answered."""
        ...


class Hub:
    """`/hub`; open to everybody: a topic's own token is what guards it."""

    def __init__(self, backend: HubBackend, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/hub", self.answer, methods=["GET", "POST"])]

    async def answer(self, request: Request) -> Response:
        """202 where the request is taken; what is wrong with it otherwise."""
        if not self.settings().service.hub:
            return PlainTextResponse("There is no hub here.\n", 404)
        if request.method != "POST":
            return PlainTextResponse(_USE)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST:
                return PlainTextResponse("too large\n", 413, headers={"Connection": "close"})
        try:
            form = dict(parse_qsl(body.decode("utf-8"), max_num_fields=_FIELDS))
        except ValueError:
            return PlainTextResponse("the body is no form\n", 400)
        answer = await self.backend.ask(form)
        headers = {"Retry-After": "3600"} if answer.status in (429, 503) else None
        return PlainTextResponse(f"{answer.text}\n" if answer.text else "", answer.status, headers)

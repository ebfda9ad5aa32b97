"""The callback that WebSub hubs talk to: verification by GET, deliveries by POST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_AT_ONCE = 8  # deliveries being read; a hub that is told to wait comes again


class Answer(Protocol):
    """What is answered to a hub."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def text(self) -> str:
        """The body, as text/plain."""
        ...


class Subscriber(Protocol):
    """Who knows our subscriptions."""

    @property
    def largest(self) -> int:
        """The most bytes of a delivery."""
        ...

    async def refuses(self, token: str) -> Answer | None:
        """Why no delivery is wanted here; None where one is."""
        ...

    async def verify(self, token: str, asked: Mapping[str, str]) -> Answer:
        """A hub asks whether we meant it, or denies."""
        ...

    async def deliver(
        self, token: str, signature: str | None, content_type: str | None, body: bytes
    ) -> Answer:
        """A hub brings a document; it is queued, nothing more."""
        ...


class Callback:
    """`/websub/{token}`; the token is the only key, so nothing else is asked for."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self._reading = 0

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/websub/{token}", self.answer, methods=["GET", "POST"])]

    async def answer(self, request: Request) -> Response:
        """Verification or delivery."""
        token = request.path_params["token"]
        if request.method != "POST":
            return _plain(await self.subscriber.verify(token, dict(request.query_params)))
        refused = await self.subscriber.refuses(token)
        if refused is not None:
            return _plain(refused)
        if self._reading >= _AT_ONCE:
            return PlainTextResponse("busy\n", 503, headers={"Retry-After": "60"})
        self._reading += 1
        try:
            body = await self._body(request)
        finally:
            self._reading -= 1
        if body is None:
            return PlainTextResponse("too large\n", 413, headers={"Connection": "close"})
        headers = request.headers
        return _plain(
            await self.subscriber.deliver(
                token, headers.get("x-hub-signature"), headers.get("content-type"), body
            )
        )

    async def _body(self, request: Request) -> bytes | None:
        """The delivery; None for one that is, or says that it will be, larger than allowed."""
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated[:20]) > self.subscriber.largest:
            return None
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self.subscriber.largest:
                return None
        return bytes(body)


def _plain(answer: Answer) -> Response:
    return PlainTextResponse(answer.text, answer.status)

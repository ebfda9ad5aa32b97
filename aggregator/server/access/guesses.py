"""Wrong tokens wait and are logged; a right one never waits.

A wait makes guessing dear in connections, not impossible: what protects a token is its length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.model.settings import Settings
from aggregator.server.access.auth import access_of, stale_cookie
from aggregator.telemetry import metrics

log = structlog.get_logger("aggregator.server")


@dataclass(frozen=True, slots=True)
class GuessPolicy:
    """What a wrong token costs.

    Args:
        wait: before it is answered.
        waiting: the most answers that wait; further wrong tokens are turned away at once.
        report: between two lines in the log.
    """

    wait: timedelta
    waiting: int
    report: timedelta


_FREE = ("/health/", "/static/", "/websub/", "/robots.txt", "/favicon.ico")
IN_PATH = "/feeds/by/"  # addresses that hold a token
_TOO_MANY = PlainTextResponse(
    "429 Too Many Requests. Too many wrong tokens are being tried.\n",
    429,
    headers={"Retry-After": "5", "Cache-Control": "no-store"},
)
POLICY = GuessPolicy(wait=timedelta(seconds=1), waiting=256, report=timedelta(seconds=10))


@dataclass(slots=True)
class Guesses:
    """The wrong tokens of a running server."""

    policy: GuessPolicy
    _waiting: int = 0
    _unsaid: int = 0
    _quiet: asyncio.TimerHandle | None = field(default=None, repr=False)

    async def wrong(self, client: str, path: str) -> bool:
        """A wrong token came from this client: count it, log it, wait.

        Returns False, at once, when too many wait already.
        """
        metrics.WRONG_TOKENS.inc()
        self._tell(client, path)
        if self._waiting >= self.policy.waiting:
            return False
        self._waiting += 1
        try:
            await asyncio.sleep(self.policy.wait.total_seconds())
        finally:
            self._waiting -= 1
        return True

    def _tell(self, client: str, path: str) -> None:
        """The first at once, what follows soon after it as a number in the next line."""
        if self._quiet is not None:
            self._unsaid += 1
            return
        log.warning("a wrong token was given", client=client, path=path, more_before=self._unsaid)
        self._unsaid = 0
        loop = asyncio.get_running_loop()
        self._quiet = loop.call_later(self.policy.report.total_seconds(), self._end_quiet)

    def _end_quiet(self) -> None:
        self._quiet = None
        if self._unsaid:
            log.warning("more wrong tokens were given", number=self._unsaid)
            self._unsaid = 0


class WrongTokens:
    """ASGI middleware: what shows a token that opens nothing, or is refused with it, waits.

    Health is answered in any case and asks for no token. A cookie that proves nothing any more is
    taken back, so that it costs a person one wait and not thirty days of them.
    """

    def __init__(self, app: ASGIApp, settings: Callable[[], Settings], guesses: Guesses) -> None:
        self.app = app
        self.settings = settings
        self.guesses = guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        settings = self.settings()
        path: str = scope.get("path", "").removeprefix(settings.service.root_path)
        if scope["type"] != "http" or path.startswith(_FREE):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        access = access_of(request, settings)
        shown = access.presents
        nothing_right = shown and not access.known_tokens()
        if nothing_right and not await self._wait(request, path):
            await _TOO_MANY(scope, receive, send)
            return
        form = path == "/login" and request.method == "POST"
        shown = shown or path.startswith(IN_PATH)

        async def send_late(message: Message) -> None:
            if message["type"] == "http.response.start":
                refused = message["status"] == 401 and (shown or form)
                if refused and not nothing_right:
                    await self._wait(request, path)
                if nothing_right and access.proofs:
                    headers = MutableHeaders(scope=message)
                    if "set-cookie" not in headers:
                        headers.append("set-cookie", stale_cookie(settings))
            await send(message)

        await self.app(scope, receive, send_late)

    async def _wait(self, request: Request, path: str) -> bool:
        if path.startswith(IN_PATH):
            path = f"{IN_PATH}…"  # what stands there may be a token but for a slip of the pen
        client = request.client.host if request.client else "unknown"
        return await self.guesses.wrong(client, path)

"""Pages of other sites that may read the feeds by script (CORS, Fetch §3.2): off unless configured.

Without credentials: a cookie never counts for another site. Whoever sends a token does so in a
header, which the browser asks for beforehand.
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.model.settings import Settings

ANY = "*"
_OPEN = ("/feeds/", "/opml")
_DAY = "86400"
_ASKED = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, If-Modified-Since, A-IM",
    "Access-Control-Max-Age": _DAY,
}
_SHOWN = "ETag, Last-Modified, IM"


class CrossOrigin:
    """ASGI middleware: the headers that let configured origins read feeds and OPML."""

    def __init__(self, app: ASGIApp, settings: Callable[[], Settings]) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what browsers ask beforehand, and add what they look for in the answer."""
        service = self.settings().service
        path: str = scope.get("path", "").removeprefix(service.root_path)
        if scope["type"] != "http" or not service.cors or not path.startswith(_OPEN):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        allowed = None
        if ANY in service.cors:
            allowed = ANY
        elif origin is not None and origin.lower() in service.cors:
            allowed = origin
        if (
            scope["method"] == "OPTIONS"
            and allowed is not None
            and "access-control-request-method" in headers
        ):
            beforehand = {**_ASKED, "Access-Control-Allow-Origin": allowed, "Vary": "Origin"}
            await Response(status_code=204, headers=beforehand)(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                made = MutableHeaders(scope=message)
                if allowed != ANY:  # a cache must not give one origin's answer to another
                    made.add_vary_header("Origin")
                if allowed is not None:
                    made["Access-Control-Allow-Origin"] = allowed
                    made["Access-Control-Expose-Headers"] = _SHOWN
            await send(message)

        await self.app(scope, receive, told)

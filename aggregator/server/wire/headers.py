"""Headers of every response, and the sub-path a reverse proxy serves us under."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aggregator.model.settings import PictureMode, Settings

# Pages run our own script alone, a file, and load nothing but that, our style sheet and the
# publishers' images and sounds.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' http: https:; media-src http: https:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# A document that is no page needs nothing at all, should a browser display it.
DOCUMENT_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


# Where pictures come through us, a page reaches no publisher for one.
PROXIED_POLICY = PAGE_POLICY.replace("img-src 'self' http: https:", "img-src 'self'")


def secure(headers: MutableHeaders, settings: Settings | None = None) -> None:
    """Add what every answer of ours says to browsers and crawlers."""
    page = headers.get("content-type", "").startswith("text/html")
    headers["X-Robots-Tag"] = "noindex"
    # Nothing leaves this site; within it browsers say where a form was sent from, which
    # `no-referrer` would make `Origin: null` (Fetch §3.1).
    headers["Referrer-Policy"] = "same-origin" if page else "no-referrer"
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    proxied = settings is not None and settings.service.pictures is PictureMode.PROXY
    policy = PROXIED_POLICY if proxied else PAGE_POLICY
    headers["Content-Security-Policy"] = policy if page else DOCUMENT_POLICY


class SecureHeaders:
    """ASGI middleware that adds them, and tells Starlette the configured sub-path.

    A proxy may strip the sub-path or pass it on; what it stripped is put back, since an ASGI
    `path` includes its `root_path`.
    """

    def __init__(self, app: ASGIApp, settings: Callable[[], Settings]) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        settings = self.settings()

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message), settings)
            await send(message)

        root = settings.service.root_path
        path = scope["path"]
        if path == root:
            scope["path"] = root + "/"
        elif root and not path.startswith(root + "/"):
            scope["path"] = root + path
        scope["root_path"] = root
        await self.app(scope, receive, send_secured)

"""The merged feeds, sent as they are stored, and the sources as OPML."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.pages import Rendered
from aggregator.model.settings import Settings, ViewSettings
from aggregator.publish.formats import FORMATS
from aggregator.rules.select import find_view
from aggregator.server.access.auth import access_of
from aggregator.server.backend import Backend
from aggregator.server.wire.negotiate import accepts_gzip, not_modified

# A feed reader sends a password only when it is asked for one in a scheme that it knows.
_CHALLENGE = 'Basic realm="aggregator", charset="UTF-8", Bearer realm="aggregator"'


OF_CONTENT = ("Content-Type", "Content-Encoding")


class Feeds:
    """`/feeds/{view}.{format}`, `/feeds/source/…`, `/feeds/tag/…` and `/opml`."""

    def __init__(
        self, backend: Backend, settings: Callable[[], Settings], max_age: timedelta
    ) -> None:
        self.backend = backend
        self.settings = settings
        self.max_age = max_age
        self._asked: dict[tuple[str, str, str | None], asyncio.Future[Rendered | None]] = {}

    def routes(self) -> list[Route]:
        """The routes, GET and HEAD each."""
        return [
            Route("/feeds/{name}", self.feed, name="feed"),
            Route("/feeds/{kind:str}/{name}", self.feed, name="implied feed"),
            Route("/opml", self.opml, name="opml"),
        ]

    async def feed(self, request: Request) -> Response:
        """A view in one format: 200, 304, 401 or 404."""
        settings = self.settings()
        access = access_of(request, settings)
        name, _, fmt = request.path_params["name"].rpartition(".")
        kind = request.path_params.get("kind")
        view = find_view(settings, f"{kind}/{name}" if kind else name)
        if not (access.may_read(view) if view else access.unlimited):
            return unauthorized()
        if view is None or fmt not in FORMATS:
            return _text(
                f"No feed has this address. The formats are {', '.join(FORMATS)}; "
                f"the views are listed at {settings.service.public_url}/\n",
                404,
            )
        rendered = await self._rendered(view.id, fmt, request.query_params.get("page"))
        if rendered is None:
            return _text("This view has no such page. Start again without ?page=.\n", 404)
        return self._answer(request, settings, view, rendered)

    async def _rendered(self, view_id: str, fmt: str, page: str | None) -> Rendered | None:
        """What the backend gives; who asks for the same while it is asked shares its answer.

        A thousand requests at once for one feed cost one look at the database, not a thousand
        that everybody else waits behind.
        """
        wanted = (view_id, fmt, page)
        asked = self._asked.get(wanted)
        if asked is None:
            asked = asyncio.ensure_future(self.backend.rendered(view_id, fmt, page))
            self._asked[wanted] = asked
            asked.add_done_callback(lambda _: self._asked.pop(wanted, None))
        return await asyncio.shield(asked)

    def _answer(
        self, request: Request, settings: Settings, view: ViewSettings, rendered: Rendered
    ) -> Response:
        gzip = accepts_gzip(request.headers.get("accept-encoding"))
        seconds = int(self.max_age.total_seconds())
        headers = feed_headers(view, settings, rendered, seconds, gzip=gzip)
        if not_modified(
            headers["ETag"],
            rendered.last_modified,
            request.headers.get("if-none-match"),
            request.headers.get("if-modified-since"),
        ):
            for name in OF_CONTENT:
                headers.pop(name, None)
            return Response(status_code=304, headers=headers)
        return Response(rendered.gzip if gzip else rendered.body, headers=headers)

    async def opml(self, request: Request) -> Response:
        """The sources as OPML; private ones only for a service-wide token."""
        access = access_of(request, self.settings())
        if not access.admitted:
            return unauthorized()
        return Response(
            await self.backend.opml(private=access.trusted),
            headers={
                "Content-Type": "text/x-opml; charset=utf-8",
                "Content-Disposition": 'attachment; filename="aggregator.opml"',
                "Cache-Control": "private, no-cache",
            },
        )


def feed_headers(
    view: ViewSettings, settings: Settings, document: Rendered, max_age: int, *, gzip: bool
) -> dict[str, str]:
    """The headers of a document; an answer 304 has them without those `OF_CONTENT`.

    `max_age` is how many seconds it may be reused without asking.
    """
    guarded = view.token is not None or settings.service.token is not None
    headers = {
        "ETag": document.gzip_etag if gzip else document.etag,
        "Last-Modified": format_datetime(document.last_modified, usegmt=True),
        "Cache-Control": f"{'private' if guarded else 'public'}, max-age={max_age}",
        "Vary": "Accept-Encoding",
        "Content-Type": document.content_type,
    }
    if gzip:
        headers["Content-Encoding"] = "gzip"
    return headers


def unauthorized() -> Response:
    """401 as feed readers understand it."""
    response = _text(
        "This feed needs its token: as the password of Basic authentication, as a Bearer token, "
        "or as ?token= in the address.\n",
        401,
    )
    response.headers["WWW-Authenticate"] = _CHALLENGE
    return response


def _text(message: str, status: int) -> Response:
    return PlainTextResponse(message, status, headers={"Cache-Control": "no-store"})

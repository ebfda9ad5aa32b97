"""The merged feeds, sent as they are stored, and the sources as OPML."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from gzip import compress
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.pages import Rendered
from aggregator.model.settings import Settings, ViewSettings
from aggregator.publish.formats import FORMATS
from aggregator.publish.opml import render_views
from aggregator.rules.select import find_view, is_implied
from aggregator.server.access.auth import access_of
from aggregator.server.backend import Backend
from aggregator.server.wire.negotiate import accepts_gzip, not_modified, tags_of, wants_delta

# A feed reader sends a password only when it is asked for one in a scheme that it knows.
_CHALLENGE = 'Basic realm="aggregator", charset="UTF-8", Bearer realm="aggregator"'


_OPML = {
    "Content-Type": "text/x-opml; charset=utf-8",
    "Content-Disposition": 'attachment; filename="aggregator.opml"',
    "Cache-Control": "private, no-cache",
}
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
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
            Route("/feeds/by/{token}/{name:path}", self.by_token, name="feed by its address"),
            Route("/feeds/{kind:str}/{name}", self.feed, name="implied feed"),
            Route("/opml", self.opml, name="opml"),
            Route("/opml/views", self.opml_of_views, name="opml of views"),
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
        if "page" not in request.query_params:
            delta = await self._delta(request, view, fmt)
            if delta is not None:
                return delta
        answer = self._answer(request, settings, view, rendered)
        if "page" not in request.query_params:
            add_topic(answer, view, settings, fmt)
        return answer

    async def by_token(self, request: Request) -> Response:
        """A view for whoever has an address that holds a token of it: 200, 304, 401 or 404."""
        settings = self.settings()
        name, _, fmt = request.path_params["name"].rpartition(".")
        opened = await self.backend.opened_by(request.path_params["token"])
        view = find_view(settings, name)
        if opened is None or view is None or view.id != opened or fmt not in FORMATS:
            return unauthorized()
        rendered = await self._rendered(view.id, fmt, None)
        if rendered is None:
            return unauthorized()
        answer = self._answer(request, settings, view, rendered)
        seconds = int(self.max_age.total_seconds())
        answer.headers["Cache-Control"] = f"private, max-age={seconds}"  # the address is a secret
        return answer

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

    async def _delta(self, request: Request, view: ViewSettings, fmt: str) -> Response | None:
        """What is new since the version that the reader has (RFC 3229): 226, or None for the whole.

        No cache may keep it: it is good for this reader alone.
        """
        asked = request.headers
        tags = tags_of(asked.get("if-none-match"))
        if not tags or not wants_delta(asked.get("a-im"), asked.get("accept")):
            return None
        delta = await self.backend.delta(view.id, fmt, tags)
        if delta is None or delta.etag in tags or delta.gzip_etag in tags:
            return None
        packed = accepts_gzip(request.headers.get("accept-encoding"))
        headers = {
            "ETag": delta.gzip_etag if packed else delta.etag,
            "Last-Modified": format_datetime(delta.last_modified, usegmt=True),
            "IM": "feed",
            "Cache-Control": "no-store",
            "Vary": "Accept, Accept-Encoding, A-IM, If-None-Match",
            "Content-Type": FORMATS[fmt].content_type,
        }
        if packed:
            headers["Content-Encoding"] = "gzip"
        body = compress(delta.body, mtime=0) if packed else delta.body
        return Response(body, 226, headers=headers)

    async def opml(self, request: Request) -> Response:
        """The sources as OPML; private ones only for a service-wide token."""
        access = access_of(request, self.settings())
        if not access.admitted:
            return unauthorized()
        return Response(
            await self.backend.opml(private=access.trusted),
            headers=_OPML,
        )

    async def opml_of_views(self, request: Request) -> Response:
        """The merged feeds as OPML: those that may be read; the addresses hold no token."""
        settings = self.settings()
        access = access_of(request, settings)
        views = [view for view in settings.views if access.may_read(view)]
        if not views and not access.admitted:
            return unauthorized()
        base = settings.service.public_url
        document = render_views(
            views, settings.service.name,
            lambda name: f"{base}/feeds/{quote(name, safe='/')}.atom",
            lambda name: f"{base}/views/{quote(name, safe='/')}",
        )  # fmt: skip
        return Response(document, headers=_OPML)


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


def sent_by_tag(request: Request, made: Rendered, max_age: timedelta, *, guarded: bool) -> Response:
    """A document by its entity tag alone: nobody stored when it last changed."""
    gzip = accepts_gzip(request.headers.get("accept-encoding"))
    etag = made.gzip_etag if gzip else made.etag
    headers = {
        "ETag": etag,
        "Cache-Control": f"{'private' if guarded else 'public'}, "
        f"max-age={int(max_age.total_seconds())}",
        "Vary": "Accept-Encoding",
    }
    if not_modified(etag, _LONG_AGO, request.headers.get("if-none-match"), None):
        return Response(status_code=304, headers=headers)
    headers["Content-Type"] = made.content_type
    if gzip:
        headers["Content-Encoding"] = "gzip"
    return Response(made.gzip if gzip else made.body, headers=headers)


def add_topic(answer: Response, view: ViewSettings, settings: Settings, fmt: str) -> None:
    """Name our hub and the topic in HTTP Link headers (WebSub §4), where the hub is on."""
    links = topic_links(view, settings, fmt)
    if links:
        answer.headers["Link"] = links


def topic_links(view: ViewSettings, settings: Settings, fmt: str) -> str | None:
    """The value of `Link` of a current document; None where there is no hub for it."""
    if not settings.service.hub or is_implied(view.id):
        return None
    base = settings.service.public_url
    topic = f"{base}/feeds/{quote(view.id, safe='/')}.{fmt}"
    return f'<{base}/hub>; rel="hub", <{topic}>; rel="self"'


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

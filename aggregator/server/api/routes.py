"""The handlers of `/api/v1`: what pages show, for programs; and what the admin token may change.

Reading follows the rules of the pages. Changing needs the admin token in `Authorization: Bearer`;
a cookie is not enough, so no other site can do it in a browser's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aggregator.model.errors import SearchTooLong
from aggregator.model.pages import Asked, ItemPage, SourceHealth, SourcePage, SourceQuery
from aggregator.model.settings import Settings, ViewSettings
from aggregator.queries.canonical import text_of
from aggregator.queries.parse import QueryError, parse
from aggregator.server.access.auth import CHALLENGE, Access, access_of
from aggregator.server.access.visible import visible_part
from aggregator.server.api import shapes
from aggregator.server.api.openapi import document
from aggregator.server.api.operations import LARGEST_NUMBER, OPERATIONS, PREFIX, Scope
from aggregator.server.api.problems import problem
from aggregator.server.backend import Backend
from aggregator.server.pages.asking import OFF

_LARGEST_BODY = 1024
_LONGEST_ID = 200
_NO_STORE = {"Cache-Control": "no-store"}


class Api:
    """All operations of the table in `operations`, each a method of its name."""

    def __init__(self, backend: Backend, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings

    def routes(self) -> list[Route]:
        """A route for each operation, and the document that describes them."""
        made = [
            Route(
                PREFIX + operation.path,
                self._admin(operation.name) if operation.scope is Scope.ADMIN
                else getattr(self, operation.name),
                methods=[operation.method],
                name=f"api {operation.name}",
            )
            for operation in OPERATIONS
        ]  # fmt: skip
        return [*made, Route(f"{PREFIX}/openapi.json", self.openapi, name="api document")]

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002
        """What this API can do; open to everybody, as it names nothing stored."""
        return JSONResponse(document(self.settings().service.public_url))

    async def views(self, request: Request) -> Response:
        """`GET /views`."""
        access = self._reader(request)
        overview = await self.backend.overview(private=False)
        readable = {view.id for view in access.settings.views if access.may_read(view)}
        shown = [self._view(one) for one in overview.views if one.id in readable]
        return _sent({"views": shown})

    async def view(self, request: Request) -> Response:
        """`GET /views/{view}`."""
        view = self._readable(request)
        found = await self.backend.view_page(view.id, None)
        return _sent(self._view(found.view)) if found else problem(404, "No view has this id.")

    async def view_items(self, request: Request) -> Response:
        """`GET /views/{view}/items`."""
        view = self._readable(request)
        found = await self.backend.view_page(view.id, request.query_params.get("before") or None)
        if found is None:
            return problem(404, "There is no such place in this view.")
        return self._items(f"/views/{view.id}/items", {}, found.items, found.older)

    async def sources(self, request: Request) -> Response:
        """`GET /sources`."""
        access = self._reader(request)
        wanted = request.query_params.get("state")
        if wanted is not None and wanted not in list(SourceHealth):
            return problem(400, f"state is one of {', '.join(SourceHealth)}.")
        states = (SourceHealth(wanted),) if wanted is not None else ()
        after = request.query_params.get("after", "")[:_LONGEST_ID]
        asked = SourceQuery(after, states)
        found = await self.backend.source_list(asked, private=access.trusted)
        query = {"after": found.after or "", **({"state": wanted} if wanted else {})}
        return _sent(
            {
                "sources": [shapes.source(one) for one in found.sources],
                "next": self._address("/sources", query) if found.after else None,
            }
        )

    async def source(self, request: Request) -> Response:
        """`GET /sources/{source}`."""
        return _sent(shapes.source_details(await self._source(request)))

    async def source_polls(self, request: Request) -> Response:
        """`GET /sources/{source}/polls`."""
        found = await self._source(request)
        return _sent({"polls": [shapes.poll(one) for one in found.polls]})

    async def source_items(self, request: Request) -> Response:
        """`GET /sources/{source}/items`."""
        found = await self._source(request)
        return self._items(f"/sources/{found.source.id}/items", {}, found.items, None)

    async def poll_source(self, request: Request) -> Response:
        """`POST /sources/{source}/poll`."""
        wish = await self.backend.poll_now(request.path_params["source"])
        if wish is None:
            return problem(404, "No enabled source has this id.")
        return _sent(shapes.wish(wish), 202)

    async def item(self, request: Request) -> Response:
        """`GET /items/{number}`."""
        return _sent(shapes.item_details(await self._item(request), self._root()))

    async def item_story(self, request: Request) -> Response:
        """`GET /items/{number}/story`."""
        return _sent(shapes.story(await self._item(request), self._root()))

    async def split_item(self, request: Request) -> Response:
        """`POST /items/{number}/split`."""
        number = _number(request.path_params["number"])
        return _done(await self.backend.split(number) if number else None)

    async def merge_items(self, request: Request) -> Response:
        """`POST /items/{number}/merge`."""
        body = await _json(request)
        other = body.get("with") if isinstance(body, dict) else None
        if type(other) is not int or not 0 < other <= LARGEST_NUMBER:
            return problem(400, 'The body is {"with": the number of another item}.')
        number = _number(request.path_params["number"])
        return _done(await self.backend.merge(number, other) if number else None)

    async def search(self, request: Request) -> Response:
        """`GET /search`."""
        access = self._reader(request)
        if not access.may_search:
            return problem(403, OFF)
        try:
            query = text_of(parse(request.query_params.get("q", "")))
            asked = Asked("search", query)
            found = await self.backend.search_page(asked, request.query_params.get("before"))
        except QueryError as mistake:
            return problem(400, str(mistake))
        except SearchTooLong as late:
            return problem(503, str(late), {"Retry-After": "60"})
        if found is None:
            return problem(404, "There is no such place in what was found.")
        return self._items("/search", {"q": query}, found.items, found.older)

    async def status(self, request: Request) -> Response:
        """`GET /status`."""
        self._reader(request)
        return _sent(shapes.ready(await self.backend.ready()))

    def _admin(self, name: str) -> Callable[[Request], Any]:
        handler = getattr(self, name)

        async def guarded(request: Request) -> Response:
            settings = self.settings()
            if not access_of(request, settings).bears(settings.service.admin_token):
                return problem(401, "This needs service.admin_token as a Bearer token.", CHALLENGE)
            answer: Response = await handler(request)
            return answer

        return guarded

    def _reader(self, request: Request) -> Access:
        """Whoever may read what no token of its own guards. Raises 401."""
        access = access_of(request, self.settings())
        if not access.admitted:
            raise _unknown()
        return access

    def _readable(self, request: Request) -> ViewSettings:
        """The view asked for. Raises 401, or 404 for whoever may know what there is."""
        settings = self.settings()
        access = access_of(request, settings)
        name = request.path_params["view"]
        view = next((one for one in settings.views if one.id == name), None)
        if not (access.may_read(view) if view else access.unlimited):
            raise _unknown()
        if view is None:
            raise HTTPException(404, "No view has this id.")
        return view

    async def _source(self, request: Request) -> SourcePage:
        access = access_of(request, self.settings())
        found = await self.backend.source_page(request.path_params["source"])
        if found is None:
            raise HTTPException(404, "No source has this id.") if access.unlimited else _unknown()
        if not access.may_see(private=found.source.private, views=found.views):
            raise _unknown()
        return found

    async def _item(self, request: Request) -> ItemPage:
        access = access_of(request, self.settings())
        number = _number(request.path_params["number"])
        found = await self.backend.item_page(number) if number else None
        if found is None:
            raise HTTPException(404, "No item has this number.") if access.unlimited else _unknown()
        if not access.may_see(private=found.private, views=found.views):
            raise _unknown()
        return visible_part(found, access)

    def _view(self, shown: Any) -> shapes.Json:
        return shapes.view(shown, self._root())

    def _items(self, path: str, query: dict[str, str], items: Any, older: str | None) -> Response:
        root = self._root()
        following = self._address(path, {**query, "before": older}) if older else None
        return _sent({"items": [shapes.item(one, root) for one in items], "next": following})

    def _address(self, path: str, query: dict[str, str]) -> str:
        return f"{self._root()}{PREFIX}{path}?{urlencode(query)}"

    def _root(self) -> str:
        return self.settings().service.public_url


def _unknown() -> HTTPException:
    return HTTPException(401, "This needs a token.", CHALLENGE)


def _number(text: str) -> int | None:
    """The number of an item; None for what can be none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    return int(text) if 0 < int(text) <= LARGEST_NUMBER else None


async def _json(request: Request) -> object:
    """A small body as JSON; None for a larger one or what is no JSON."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            return None
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed


def _done(said: str | None) -> Response:
    return _sent({"said": said}) if said is not None else problem(404, "No item has this number.")


def _sent(body: shapes.Json, status: int = 200) -> Response:
    return JSONResponse(body, status, headers=_NO_STORE)

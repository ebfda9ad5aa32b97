"""The two buttons of an item's page: split it off, merge it. For the admin token alone.

A form carries a proof that only a page we made for the holder of the admin token contains, so that
no other site can send it in their name; besides, our cookie is never sent along from elsewhere
(`SameSite=Strict`) and browsers say where a form was sent from. A program needs no proof when the
admin token itself stands in its `Authorization: Bearer`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aggregator.model.settings import Settings
from aggregator.server.access.auth import CHALLENGE, Access, access_of
from aggregator.server.access.same_site import refuse_other_sites
from aggregator.server.backend import Backend
from aggregator.server.pages.login import read_form

_PURPOSE = b"aggregator overrule form 1 "
_LARGEST_NUMBER = 2**62


def form_proof(access: Access, number: int) -> str | None:
    """What the forms of an item's page carry; None for whoever may change nothing."""
    secret = access.settings.service.admin_token
    if secret is None or not access.holds(secret):
        return None
    message = _PURPOSE + str(number).encode()
    return hmac.new(secret.reveal().encode(), message, hashlib.sha256).hexdigest()


class Overrule:
    """`/items/{number}/split` and `/items/{number}/merge`, by POST."""

    def __init__(self, backend: Backend, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings

    def routes(self) -> list[Route]:
        """The two routes."""
        return [
            Route("/items/{number:int}/split", self.split, methods=["POST"], name="split"),
            Route("/items/{number:int}/merge", self.merge, methods=["POST"], name="merge"),
        ]

    async def split(self, request: Request) -> Response:
        """Take the item out of its copy group."""
        number, _ = await self._allowed(request)
        return self._answer(number, await self.backend.split(number))

    async def merge(self, request: Request) -> Response:
        """Make it a copy of the item `with`."""
        number, fields = await self._allowed(request)
        other = fields.get("with", "")
        if not (other.isascii() and other.isdecimal()) or int(other) >= _LARGEST_NUMBER:
            raise HTTPException(400, "The field “with” is the number of an item.")
        return self._answer(number, await self.backend.merge(number, int(other)))

    async def _allowed(self, request: Request) -> tuple[int, dict[str, str]]:
        """The item and the form's fields.

        Raises 401 for anybody but the administrator, 403 for a form that is not ours.
        """
        settings = self.settings()
        access = access_of(request, settings)
        number: int = request.path_params["number"]
        expected = form_proof(access, number) if number < _LARGEST_NUMBER else None
        if expected is None:
            raise HTTPException(
                401, "This needs the admin token: sign in with it first.", headers=CHALLENGE
            )
        by_program = access.bears(settings.service.admin_token)
        if not by_program:
            refuse_other_sites(request, settings)
        fields = await read_form(request)
        given = fields.get("proof", "").encode()
        if not by_program and not hmac.compare_digest(given, expected.encode()):
            raise HTTPException(403, "The form is not one of ours: open the item's page again.")
        return number, fields

    def _answer(self, number: int, done: str | None) -> Response:
        if done is None:
            raise HTTPException(404, "No item has this number.")
        root = self.settings().service.root_path
        return RedirectResponse(
            f"{root}/items/{number}#why", 303, headers={"Cache-Control": "no-store"}
        )

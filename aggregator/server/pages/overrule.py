"""The buttons of pages: split an item off, merge it, poll a source now. For the admin token alone.

A form carries a proof that only a page we made for the holder of the admin token contains, so that
no other site can send it in their name; besides, our cookie is never sent along from elsewhere
(`SameSite=Strict`) and browsers say where a form was sent from. A program needs no proof when the
admin token itself stands in its `Authorization: Bearer`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import quote

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


def form_proof(access: Access, subject: int | str) -> str | None:
    """What the forms of a page carry; None for whoever may change nothing.

    `subject` is the number of an item or the id of a source.
    """
    secret = access.settings.service.admin_token
    if secret is None or not access.holds(secret):
        return None
    message = _PURPOSE + str(subject).encode()
    return hmac.new(secret.reveal().encode(), message, hashlib.sha256).hexdigest()


class Overrule:
    """`/items/{number}/split`, `/items/{number}/merge` and `/sources/{source}/poll`, by POST."""

    def __init__(self, backend: Backend, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings

    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/items/{number:int}/split", self.split, methods=["POST"], name="split"),
            Route("/items/{number:int}/merge", self.merge, methods=["POST"], name="merge"),
            Route("/sources/{source}/poll", self.poll, methods=["POST"], name="poll now"),
        ]

    async def split(self, request: Request) -> Response:
        """Take the item out of its copy group."""
        number: int = request.path_params["number"]
        await self._allowed(request, number)
        return self._answer(number, await self.backend.split(number))

    async def merge(self, request: Request) -> Response:
        """Make it a copy of the item `with`."""
        number: int = request.path_params["number"]
        fields = await self._allowed(request, number)
        other = fields.get("with", "")
        if not (other.isascii() and other.isdecimal()) or int(other) >= _LARGEST_NUMBER:
            raise HTTPException(400, "The field “with” is the number of an item.")
        return self._answer(number, await self.backend.merge(number, int(other)))

    async def poll(self, request: Request) -> Response:
        """Let the source be polled at once."""
        source: str = request.path_params["source"]
        await self._allowed(request, source)
        wish = await self.backend.poll_now(source)
        if wish is None:
            raise HTTPException(404, "No enabled source has this address.")
        root = self.settings().service.root_path
        return RedirectResponse(
            f"{root}/sources/{quote(source)}", 303, headers={"Cache-Control": "no-store"}
        )

    async def _allowed(self, request: Request, subject: int | str) -> dict[str, str]:
        """The form's fields.

        Raises 401 for anybody but the administrator, 403 for a form that is not ours.
        """
        settings = self.settings()
        access = access_of(request, settings)
        known = isinstance(subject, str) or subject < _LARGEST_NUMBER
        expected = form_proof(access, subject) if known else None
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
            raise HTTPException(403, "The form is not one of ours: open the page again.")
        return fields

    def _answer(self, number: int, done: str | None) -> Response:
        if done is None:
            raise HTTPException(404, "No item has this number.")
        root = self.settings().service.root_path
        return RedirectResponse(
            f"{root}/items/{number}#why", 303, headers={"Cache-Control": "no-store"}
        )

"""The form that turns a token into a cookie, for people with a browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aggregator.model.settings import Settings
from aggregator.server.access.auth import CHALLENGE, Access, access_of, forget, remember
from aggregator.server.access.same_site import refuse_other_sites
from aggregator.server.pages.layout import page

_MAX_FORM = 16 * 1024  # bytes


class Login:
    """`/login` and `/logout`."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self.settings = settings

    def routes(self) -> list[Route]:
        """The form by GET, the token and the way out by POST."""
        return [
            Route("/login", self.form, methods=["GET"], name="login"),
            Route("/login", self.submit, methods=["POST"]),
            Route("/logout", self.leave, methods=["POST"], name="logout"),
        ]

    async def form(self, request: Request) -> Response:
        """The empty form."""
        settings = self.settings()
        return _form(settings, access_of(request, settings), settings.service.root_path + "/")

    async def submit(self, request: Request) -> Response:
        """A token that opens something is remembered, beside those proved before."""
        settings = self.settings()
        refuse_other_sites(request, settings)
        fields = await read_form(request)
        following = _safe_path(fields.get("next", ""), settings)
        before = access_of(request, settings)
        access = Access(settings, (fields.get("token", ""),), before.proofs)
        if not Access(settings, access.tokens).known_tokens():
            return _form(settings, before, following, status=401, wrong=True)
        response = RedirectResponse(following, 303, headers={"Cache-Control": "no-store"})
        remember(response, access)
        return response

    async def leave(self, request: Request) -> Response:
        """Forget every token."""
        settings = self.settings()
        refuse_other_sites(request, settings)
        response = RedirectResponse(settings.service.root_path + "/", 303)
        forget(response, settings)
        return response


def ask_for_token(request: Request, settings: Settings) -> Response:
    """401 with the form, which leads back to what was asked for."""
    return _form(
        settings, access_of(request, settings), local_path(request, request.url.query), status=401
    )


def unless_admitted(request: Request, access: Access) -> Response | None:
    """What is answered instead of a page that is guarded as the start page is; None: the page."""
    if not access.admitted:
        return ask_for_token(request, access.settings)
    return without_token(request, access)


def without_token(request: Request, access: Access) -> Response | None:
    """A page opened with `?token=`: keep it in a cookie and out of the address bar."""
    if "token" not in request.query_params:
        return None
    query = urlencode([(k, v) for k, v in request.query_params.multi_items() if k != "token"])
    response = RedirectResponse(local_path(request, query), 303)
    remember(response, access)
    return response


def local_path(request: Request, query: str) -> str:
    """The address asked for, within this site."""
    root: str = request.scope.get("root_path", "")
    path: str = request.scope["path"]
    inner = path[len(root) :] if root and path.startswith(root) else path
    return root + quote(inner) + (f"?{query}" if query else "")


def _form(
    settings: Settings, access: Access, following: str, *, status: int = 200, wrong: bool = False
) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers |= CHALLENGE
    return page(
        "login.html",
        settings,
        access,
        status=status,
        headers=headers,
        following=following,
        wrong=wrong,
    )


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small urlencoded form; a larger one counts as empty."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:  # more fields than the form has
        return {}
    return {name: values[0] for name, values in fields.items()}


def _safe_path(following: str, settings: Settings) -> str:
    """A path on this site; anything else, as `//elsewhere`, becomes the start page."""
    local = following.startswith("/") and not following.startswith(("//", "/\\"))
    printable = following.isprintable() and "\\" not in following
    return following if local and printable else settings.service.root_path + "/"

"""Pictures on pages: none, the publishers' own, or through us by signed addresses.

An address is signed when a page names it, so that we fetch what is stored and nothing that
somebody made up: this is no open proxy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from html import escape, unescape
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aggregator.model.errors import PictureLater
from aggregator.model.pages import Picture
from aggregator.model.settings import PictureMode, Settings
from aggregator.publish.values import web_url
from aggregator.server.access.auth import CHALLENGE, access_of
from aggregator.server.pages.body import spoken

_KEEP = {"Cache-Control": "private, max-age=604800, immutable"}
_GONE = {"Cache-Control": "private, max-age=600"}
_LATER = {"Cache-Control": "no-store", "Retry-After": "10"}
# Sanitised HTML has its attributes in double quotes, and nothing else in a tag.
_TAG = re.compile(r'<(img|source|video)((?: [\w-]+="[^"]*")*)( /)?>')
_ATTRIBUTE = re.compile(r' ([\w-]+)="([^"]*)"')


class PictureBackend(Protocol):
    """Who fetches pictures."""

    @property
    def key(self) -> bytes:
        """What addresses are signed with."""
        ...

    async def picture(self, url: str) -> Picture | None:
        """The picture at an address; None where none can be shown. Raises PictureLater."""
        ...


class Pictures:
    """Where browsers get pictures from, and the route that gives them ours."""

    def __init__(self, backend: PictureBackend | None, settings: Callable[[], Settings]) -> None:
        self.backend = backend
        self.settings = settings

    def routes(self) -> list[Route]:
        """The one route, GET and HEAD."""
        return [Route("/pictures/{signature}/{address}", self.send, name="picture")]

    def in_list(self, url: str | None) -> str | None:
        """Where a browser gets the picture of an item in a list; None: nowhere."""
        mode = self.settings().service.pictures
        return None if mode is PictureMode.OFF else self.on_page(url)

    def on_page(self, url: str | None) -> str | None:
        """Where a browser gets the picture of an item that somebody opened."""
        found = web_url(url)
        if found is None or self.settings().service.pictures is not PictureMode.PROXY:
            return found
        return self._signed(found)

    def in_text(self, html: str | None) -> str | None:
        """A sanitised text as a page shows it: its pictures come from where they may."""
        if html is None:
            return None
        if self.settings().service.pictures is PictureMode.PROXY:
            html = _TAG.sub(self._rewritten, html)
        return spoken(html)

    def _rewritten(self, tag: re.Match[str]) -> str:
        """A tag without addresses of pictures that are not ours."""
        name, end = tag[1], tag[3] or ""
        kept = []
        for key, value in _ATTRIBUTE.findall(tag[2]):
            said = value
            if key == "srcset" or (name == "source" and key == "sizes"):
                continue
            if key == "poster" or (name == "img" and key == "src"):
                ours = self.on_page(unescape(value))
                if ours is None:
                    continue
                said = escape(ours)
            kept.append(f' {key}="{said}"')
        return f"<{name}{''.join(kept)}{end}>"

    def _signed(self, url: str) -> str | None:
        if self.backend is None:
            return None
        address = urlsafe_b64encode(url.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        root = self.settings().service.root_path
        return f"{root}/pictures/{_signature(self.backend.key, address)}/{address}"

    async def send(self, request: Request) -> Response:
        """The picture, for whoever may see something here; 404 for what nobody signed."""
        settings = self.settings()
        access = access_of(request, settings)
        if not (access.admitted or access.known_tokens()):
            return PlainTextResponse("Pictures need a token.\n", 401, headers=CHALLENGE)
        signature, address = request.path_params["signature"], request.path_params["address"]
        if self.backend is None or settings.service.pictures is not PictureMode.PROXY:
            return PlainTextResponse("Pictures are not sent from here.\n", 404)
        expected = _signature(self.backend.key, address)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            return PlainTextResponse("No page of ours names this picture.\n", 404)
        url = urlsafe_b64decode(address + "=" * (-len(address) % 4))
        try:
            found = await self.backend.picture(url.decode("utf-8", "surrogatepass"))
        except PictureLater:
            return PlainTextResponse("Its publisher is asked later.\n", 503, headers=_LATER)
        if found is None:
            return PlainTextResponse("There is no such picture.\n", 404, headers=_GONE)
        return Response(found.body, media_type=found.media_type, headers=_KEEP)


def _signature(key: bytes, address: str) -> str:
    made = hmac.new(key, address.encode("utf-8", "replace"), hashlib.sha256).digest()[:18]
    return urlsafe_b64encode(made).decode()

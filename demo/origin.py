"""The origin of the sample news: `python -m demo.origin [--host ADDRESS] [--port N] [--base URL]`.

It listens on loopback unless told otherwise, and behaves like a good publisher: strong validators,
304, dates that stay as they are while it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo import documents, media
from demo.stories import load

PORT = 8181
HTML = "text/html; charset=utf-8"


def create_app(
    base: str, start: datetime, clock: Callable[[], datetime], more: int = 0
) -> Starlette:
    """The origin as an ASGI app.

    Args:
        base: its address without a trailing slash, for the links in feeds and pages.
        start: the moment from which the stories are dated.
        clock: what time it is, aware; decides which stories are published, and what they say.
        more: how many made outlets there are beside those of `stories.yaml`.
    """
    everything = load(start, more)
    outlets = {outlet.id: outlet for outlet in everything.outlets}

    async def feed(request: Request) -> Response:
        outlet = outlets.get(request.path_params["outlet"])
        if outlet is None or request.url.path != outlet.feed_path:
            raise HTTPException(404)
        stories = everything.of(outlet.id, clock())
        return _answer(
            request,
            documents.feed(outlet, stories, base),
            documents.MEDIA_TYPES[outlet.format],
            modified=documents.latest(stories),
        )

    async def article(request: Request) -> Response:
        for story in everything.stories:
            if story.path == request.url.path and story.published <= clock():
                told = story.at(clock())
                body = documents.article(told, everything, base)
                return _answer(request, body, HTML, modified=told.updated or told.published)
        raise HTTPException(404)

    async def picture(request: Request) -> Response:
        for story in everything.stories:
            if story.picture is not None and story.picture_path == request.url.path:
                return _answer(request, media.picture(story.id), "image/png")
        raise HTTPException(404)

    async def sound(request: Request) -> Response:
        for story in everything.stories:
            if story.sound is not None and story.sound_path == request.url.path:
                return _answer(request, media.sound(story.id, story.sound), "audio/wav")
        raise HTTPException(404)

    async def home(request: Request) -> Response:
        outlet = outlets.get(request.path_params["outlet"])
        if outlet is None:
            raise HTTPException(404)
        stories = everything.of(outlet.id, clock())
        return _answer(request, documents.home(outlet, stories, base), HTML)

    async def index(request: Request) -> Response:
        return _answer(request, documents.index(everything, base), HTML)

    async def robots(request: Request) -> Response:
        return _answer(request, b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")

    return Starlette(
        routes=[
            Route("/", index),
            Route("/robots.txt", robots),
            Route("/{outlet}/", home),
            Route("/{outlet}/{name}.html", article),
            Route("/{outlet}/{name}.png", picture),
            Route("/{outlet}/{name}.wav", sound),
            Route("/{outlet}/{name}", feed),
        ]
    )


def _answer(
    request: Request, body: bytes, media_type: str, modified: datetime | None = None
) -> Response:
    """The body, or 304 where the client has it already (RFC 9110 §13.2.2)."""
    headers = {"ETag": f'"{sha256(body).hexdigest()[:24]}"'}
    if modified:
        headers["Last-Modified"] = format_datetime(modified, usegmt=True)
    known = request.headers.get("if-none-match")
    if known is not None:
        fresh = headers["ETag"] in [tag.strip().removeprefix("W/") for tag in known.split(",")]
    else:
        since = request.headers.get("if-modified-since")
        fresh = since is not None and since == headers.get("Last-Modified")
    if fresh:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def main() -> None:
    """Serve the sample news until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m demo.origin", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--base", help="address in links, without a trailing slash")
    parser.add_argument("--more", type=int, default=0, help="made outlets beside the others")
    options = parser.parse_args()
    base = options.base or f"http://{options.host}:{options.port}"
    app = create_app(base, datetime.now(UTC), lambda: datetime.now(UTC), options.more)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()

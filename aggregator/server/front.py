"""The documents that are asked for most, answered before the router.

A reader that comes again wants the current document of a view, or 304. Where that document is in
memory, known to be the present one, and the request shows that it may be read, the answer is a few
look-ups and bytes that were made before. Every other request goes on to the application, which
decides as if this were not here; what is sent here is made by the same functions.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope, Send

from aggregator.model.pages import Rendered
from aggregator.model.settings import Settings, ViewSettings
from aggregator.publish.formats import FORMATS
from aggregator.rules.select import find_view
from aggregator.server.access.auth import Access, authorized
from aggregator.server.backend import Backend
from aggregator.server.feeds import OF_CONTENT, feed_headers, topic_links
from aggregator.server.wire.counted import count, counting, kind_of
from aggregator.server.wire.headers import secure
from aggregator.server.wire.negotiate import accepts_gzip, not_modified

_FEEDS = "/feeds/"
_KEPT = 512  # addresses, and values of Accept-Encoding

RawHeaders = list[tuple[bytes, bytes]]
# With one of these a request has a meaning that the application alone knows.
_ASIDE = frozenset(
    (b"a-im", b"content-length", b"cookie", b"expect", b"origin", b"range", b"transfer-encoding",
     b"upgrade")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Coded:
    """One content coding of a document, ready to be sent."""

    etag: bytes
    found: RawHeaders
    unchanged: RawHeaders
    body: bytes


@dataclass(slots=True)
class _Address:
    """An address of a view in a format, with the document that was prepared for it last."""

    view: ViewSettings
    fmt: str
    document: Rendered | None = None
    plain: _Coded | None = None
    gzip: _Coded | None = None


class Front:
    """ASGI middleware, the outermost: current documents of views from memory."""

    def __init__(
        self, app: Starlette, backend: Backend, settings: Callable[[], Settings], max_age: int
    ) -> None:
        """`max_age` is how many seconds a reader or cache may reuse a feed without asking."""
        self.app = app
        self._backend = backend
        self._settings = settings
        self._max_age = max_age
        self._of: Settings | None = None  # whose addresses these are
        self._addresses: dict[str, _Address] = {}
        self._gzips: dict[bytes, bool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        answer = self._answer(scope)
        if answer is None:
            kind = kind_of(scope["path"], self._settings().service.root_path)
            await self.app(scope, receive, counting(send, kind, began))
            return
        status, headers, body = answer
        count("feeds", status, began)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Scope) -> tuple[int, RawHeaders, bytes] | None:
        if scope["query_string"] or scope["method"] not in ("GET", "HEAD"):
            return None
        settings = self._settings()
        if settings.service.cors:
            return None  # answers differ by origin
        address = self._address(scope["path"], settings)
        if address is None:
            return None
        document = self._backend.rendered_already(address.view.id, address.fmt)
        if document is None:
            return None
        sent: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in _ASIDE or (name in sent and name != b"accept"):
                return None
            sent[name] = value
        if not _may_read(address.view, sent.get(b"authorization"), settings):
            return None
        if address.document is not document:
            self._prepare(address, document, settings)
        coded = address.gzip if self._gzip(sent.get(b"accept-encoding")) else address.plain
        assert coded is not None
        if _is_known(coded, document, sent):
            return 304, coded.unchanged, b""
        return 200, coded.found, coded.body

    def _address(self, path: str, settings: Settings) -> _Address | None:
        if self._of is not settings:
            self._of = settings
            self._addresses = {}
        found = self._addresses.get(path)
        if found is not None:
            return found
        root = settings.service.root_path
        inner = path.removeprefix(root) if path.startswith(f"{root}/") else path
        if not inner.startswith(_FEEDS):
            return None
        name, _, fmt = inner.removeprefix(_FEEDS).rpartition(".")
        view = find_view(settings, name) if fmt in FORMATS else None
        if view is None:
            return None
        if len(self._addresses) >= _KEPT:
            self._addresses.clear()
        self._addresses[path] = _Address(view, fmt)
        return self._addresses[path]

    def _prepare(self, address: _Address, document: Rendered, settings: Settings) -> None:
        def coded(etag: str, body: bytes, *, gzip: bool) -> _Coded:
            headers = feed_headers(address.view, settings, document, self._max_age, gzip=gzip)
            links = topic_links(address.view, settings, address.fmt)
            if links:
                headers["Link"] = links
            unchanged = {k: v for k, v in headers.items() if k not in OF_CONTENT}
            found = headers | {"Content-Length": str(len(body))}
            return _Coded(etag.encode(), _raw(found), _raw(unchanged), body)

        address.plain = coded(document.etag, document.body, gzip=False)
        address.gzip = coded(document.gzip_etag, document.gzip, gzip=True)
        address.document = document

    def _gzip(self, accepted: bytes | None) -> bool:
        if accepted is None:
            return False
        known = self._gzips.get(accepted)
        if known is None:
            known = accepts_gzip(accepted.decode("latin-1"))
            if len(self._gzips) >= _KEPT:
                self._gzips.clear()
            self._gzips[accepted] = known
        return known


def _may_read(view: ViewSettings, authorization: bytes | None, settings: Settings) -> bool:
    """Whether the application would give the view at once, without a wait for a wrong token."""
    if authorization is None:
        return Access(settings).may_read(view)
    access = authorized(authorization.decode("latin-1"), settings)
    wrong = access.presents and not access.known_tokens()
    return not wrong and access.may_read(view)


def _is_known(coded: _Coded, document: Rendered, sent: dict[bytes, bytes]) -> bool:
    tags = sent.get(b"if-none-match")
    if tags is not None and tags == coded.etag:
        return True
    since = sent.get(b"if-modified-since")
    if tags is None and since is None:
        return False
    return not_modified(
        coded.etag.decode(),
        document.last_modified,
        tags.decode("latin-1") if tags is not None else None,
        since.decode("latin-1") if since is not None else None,
    )


def _raw(headers: dict[str, str]) -> RawHeaders:
    made = MutableHeaders(headers)
    secure(made)
    return made.raw

"""Pictures fetched in the place of readers, so that publishers do not see who reads.

As every other request of ours they pass the guard and keep to the budget of their host, behind its
feeds. What was fetched is kept in memory, so many bytes and no more.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.markup.raster import raster_type
from aggregator.model.errors import PictureLater
from aggregator.model.http import CONTENT, FetchError, FetchRequest, RequestKind
from aggregator.model.pages import Picture
from aggregator.pipeline.parts import Parts
from aggregator.store import facts

_FACT = "key of the addresses of pictures"
_KEPT_BYTES = 64 * 1024 * 1024
_FAILED = 1000  # addresses that are remembered to show nothing
_FORGIVEN = timedelta(minutes=10)  # until such an address is tried again
_UNDER_WAY = 16  # at once; each may wait for its host
_PATIENCE = timedelta(seconds=15)  # for the host's turn


async def signing_key(parts: Parts) -> bytes:
    """What the addresses of pictures are signed with, made once for an installation."""

    def keep(connection: Connection) -> str:
        return facts.set_fact_once(connection, _FACT, secrets.token_hex(32))

    return bytes.fromhex(await parts.database.run_write(keep))


class PictureProxy:
    """Fetches pictures, each once however many ask, and keeps the latest.

    `key` signs the addresses that pages name; the server fetches no others.
    """

    def __init__(self, parts: Parts, key: bytes) -> None:
        self.key = key
        self._parts = parts
        self._kept: OrderedDict[str, Picture] = OrderedDict()
        self._bytes = 0
        self._failed: OrderedDict[str, datetime] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Picture | None]] = {}

    async def picture(self, url: str) -> Picture | None:
        """The picture at an address; None where none can be shown.

        Raises PictureLater while its host, or this service, has no room for the request.
        """
        if url in self._kept:
            self._kept.move_to_end(url)
            return self._kept[url]
        failed = self._failed.get(url)
        if failed is not None and abs(self._parts.clock.now() - failed) < _FORGIVEN:
            return None
        task = self._loading.get(url)
        if task is None:
            if len(self._loading) >= _UNDER_WAY:
                raise PictureLater
            task = asyncio.create_task(self._load(url), name="picture")
            self._loading[url] = task
            task.add_done_callback(lambda _: self._loading.pop(url, None))
        return await asyncio.shield(task)  # whoever leaves ends it for nobody else

    async def _load(self, url: str) -> Picture | None:
        clock = self._parts.clock
        end = clock.now() + _PATIENCE
        request = FetchRequest(url, CONTENT, RequestKind.PICTURE)
        result = await self._parts.fetcher.fetch(request)
        while result.error is FetchError.HOST_BUSY and result.retry_at and result.retry_at < end:
            await asyncio.sleep(max(0.1, (result.retry_at - clock.now()).total_seconds()))
            result = await self._parts.fetcher.fetch(request)
        if result.error is FetchError.HOST_BUSY:
            raise PictureLater
        kind = raster_type(result.body) if result.body is not None else None
        if result.body is None or kind is None:
            self._failed[url] = clock.now()
            if len(self._failed) > _FAILED:
                self._failed.popitem(last=False)
            return None
        return self._keep(url, Picture(result.body, kind))

    def _keep(self, url: str, made: Picture) -> Picture:
        self._failed.pop(url, None)
        self._kept[url] = made
        self._bytes += len(made.body)
        while self._bytes > _KEPT_BYTES:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.body)
        return made

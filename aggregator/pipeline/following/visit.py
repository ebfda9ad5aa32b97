"""Read one page of the queue: robots.txt → fetch → read in a worker → store → decide its links.

Each visit sends one request for the page at most; a redirect is a visit of its own, so that
robots.txt, the address guard and the host's budget are asked for every hop. What came of a page
and the edges that led to it change in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.robots import RobotsCache, RobotsVerdict
from aggregator.fetch.target import parse_target
from aggregator.model.http import (
    CONTENT,
    FetchError,
    FetchRequest,
    FetchResult,
    RequestKind,
    RobotsOutcome,
    RobotsRecord,
)
from aggregator.model.poll import LONGEST_RETRY_AFTER
from aggregator.model.settings import Settings, SourceSettings
from aggregator.model.states import PageState, Refused
from aggregator.pipeline import policy
from aggregator.pipeline.following.links import page_key
from aggregator.pipeline.following.queue import reads_pages
from aggregator.pipeline.following.reading import PageBody, UnreadablePage, article_to_keep
from aggregator.pipeline.following.store import (
    Read,
    gone,
    keep_page,
    keep_unchanged,
    refuse,
    settle_known,
)
from aggregator.pipeline.parts import Parts, Workers
from aggregator.rules.follow import FRESH, header_robots, refuse_host
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.database import Database
from aggregator.store.following import pages, robots
from aggregator.store.following.pages import PageRow
from aggregator.store.items import keys
from aggregator.store.sources import hosts
from aggregator.telemetry import metrics
from aggregator.urls.origin import host_key
from aggregator.urls.redact import redact

T = TypeVar("T")

_ATTEMPTS = 6  # visits of one page that brought nothing, redirects counted
_RETRY = timedelta(hours=1)
_BUSY = timedelta(seconds=5)
_QUIET = timedelta(hours=1)  # after 429 or 503 without a Retry-After
_GONE = (404, 410)
_PAYWALL = frozenset({401, 402, 403, 407, 451})
_WORDS = {
    FetchError.BLOCKED: Refused.ADDRESS,
    FetchError.BAD_URL: Refused.ADDRESS,
    FetchError.NOT_HTML: Refused.NOT_HTML,
    FetchError.TOO_LARGE: Refused.UNREADABLE,
    FetchError.ENCODING: Refused.UNREADABLE,
    FetchError.BOT_CHALLENGE: Refused.PAYWALL,
    FetchError.DNS: Refused.FAILED,
}
_FINAL = frozenset(_WORDS) - {FetchError.DNS}

log = structlog.get_logger("aggregator.follow")


class StoredRobots:
    """robots.txt of every authority, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, authority: str) -> RobotsRecord | None:
        """The record of this authority."""
        return await self._database.run_read(robots.load_robots, authority)

    async def save(self, record: RobotsRecord) -> None:
        """Keep a record in place of the authority's former one."""
        await self._database.run_write(robots.save_robots, record)


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of a visit: a word for the log and the metrics."""

    page: PageRow
    word: str  # read | unchanged | known | gone | later | or why it was refused
    detail: str | None = None


class Follower:
    """Reads pages of the queue; keeps the robots.txt of the hosts it met last."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = StoredRobots(parts.database)
        self._token = parts.settings.product_token
        self._robots = RobotsCache(
            parts.fetcher, self._store, _OffLoop(parts.workers),
            token=self._token, clock=parts.clock,
        )  # fmt: skip

    async def visit(self, page: PageRow) -> Visit:
        """Read a page that was claimed; its claim ends with the visit.

        Never raises for what a server does.
        """
        done = await self._visit(page)
        metrics.PAGES.labels(outcome=done.word).inc()
        shown = redact(page.url) if not page.scope else page.source_id
        log.info("page", outcome=done.word, url=shown, detail=done.detail, depth=page.depth)
        return done

    async def _visit(self, page: PageRow) -> Visit:
        settings = self._parts.settings
        source = next((one for one in settings.sources if one.id == page.source_id), None)
        if source is None or not reads_pages(source, settings) or not source.enabled:
            return await self._refuse(
                page, Refused.OFF, "following was switched off", fetched=False
            )
        stale = not page.depth and not page.visits and self._now() - page.dated > FRESH
        if stale and page.reason != pages.REREAD:
            return await self._refuse(
                page, Refused.TOO_OLD, "not read while it was fresh", fetched=False
            )
        try:
            parse_target(page.url)
        except FetchFailed as failure:  # decided here: nothing below can do without a host
            return await self._refuse(page, Refused.ADDRESS, failure.detail, fetched=False)
        verdict = await self._robots.verdict(page.url)
        if verdict.pause_until is not None:
            await self._quiet(page, verdict.pause_until - self._parts.clock.now())
        if not verdict.allowed:
            return await self._forbidden(page, verdict)
        if verdict.crawl_delay is not None and (wait := await self._rest(page, verdict)):
            return await self._later(page, wait, "the Crawl-delay after robots.txt itself")
        request = FetchRequest(
            url=page.url,
            access=CONTENT,
            kind=RequestKind.ARTICLE,
            validators=page.validators,
            head=page.state is PageState.AGAIN and not page.validators,
            redirects=False,
            gap=verdict.crawl_delay,
        )
        result = await self._parts.fetcher.fetch(request)
        if result.not_modified or (request.head and result.body is not None):
            await self._parts.database.run_write(keep_unchanged, page, result, self._now())
            return Visit(page, "unchanged")
        if result.error is FetchError.REDIRECT and result.hops:
            return await self._redirected(settings, source, page, result.hops[-1].location)
        if result.body is None:
            return await self._failed(page, result)
        return await self._read(settings, source, page, result, result.body)

    async def _read(
        self,
        settings: Settings,
        source: SourceSettings,
        page: PageRow,
        result: FetchResult,
        body: bytes,
    ) -> Visit:
        given = PageBody(
            body,
            self._parts.clock.now(),
            result.final_url,
            result.content_type,
            page.title,
            source.related,
        )
        seconds = settings.fetching.parse_timeout.total_seconds()
        boilerplate = await self._parts.database.run_read(
            known_boilerplate, source.id, settings.dedup.copies
        )
        try:
            article, text = await article_to_keep(self._parts.workers, given, boilerplate, seconds)
        except UnreadablePage as error:
            return await self._refuse(page, Refused.UNREADABLE, str(error))
        header = header_robots(result.headers.get("x-robots-tag"), self._token)
        read = Read(article, text, header, result, boilerplate)
        word, detail = await self._parts.database.run_write(
            keep_page, self._parts, source, page, read
        )
        return Visit(page, word, detail)

    async def _redirected(
        self, settings: Settings, source: SourceSettings, page: PageRow, target: str
    ) -> Visit:
        """Ask where it leads in a visit of its own; not if that is an item we have, or elsewhere.

        An item's own link may lead anywhere: feeds are full of redirectors.
        """
        key = page_key(target, settings)
        if key is None or page.attempts + 1 >= _ATTEMPTS:
            return await self._refuse(page, Refused.FAILED, "redirected too often or nowhere")
        if page.depth:
            refusal = refuse_host(target, host_key(page.url), source.follow)
            if refusal is not None:
                return await self._refuse(page, refusal.reason, f"redirected: {refusal.detail}")
            scopes = [page.scope, ""] if page.scope else [""]
            held = await self._parts.database.run_read(keys.held, scopes, [key[1]])
            if key[1] in held:
                await self._parts.database.run_write(settle_known, page, held[key[1]], self._now())
                return Visit(page, "known", "a redirect led to an item we have")
        await self._parts.database.run_write(
            pages.move, page, target, host_key(target), self._now()
        )
        return Visit(page, "redirected", target)

    async def _forbidden(self, page: PageRow, verdict: RobotsVerdict) -> Visit:
        """robots.txt says no for good, or cannot be read now."""
        if verdict.pause_until is not None:
            return await self._later(page, verdict.pause_until - self._now(), verdict.reason)
        if verdict.busy:
            wait = max(verdict.expires_at - self._now(), timedelta(0))
            return await self._later(page, wait, verdict.reason)
        record = await self._store.load(_authority(page.url))
        if record is not None and record.outcome is RobotsOutcome.UNREACHABLE:
            return await self._try_again(page, Refused.ROBOTS, verdict.reason, _RETRY)
        return await self._refuse(page, Refused.ROBOTS, verdict.reason, fetched=False)

    async def _failed(self, page: PageRow, result: FetchResult) -> Visit:
        error, status = result.error, result.status
        detail = f"{error}: {result.detail}" if result.detail else str(error)
        if error is FetchError.HOST_BUSY:
            wait = result.retry_at - self._now() if result.retry_at else _BUSY
            return await self._later(page, wait, detail)
        if status in (429, 503):
            quiet = min(result.retry_after or _QUIET, LONGEST_RETRY_AFTER)
            await self._quiet(page, quiet)
            return await self._try_again(page, Refused.FAILED, detail, quiet)
        if error is FetchError.HTTP and status in _GONE:
            said = await self._parts.database.run_write(gone, page, status, self._now())
            if said is not None:
                return Visit(page, said, detail)
        if status in _PAYWALL and error is FetchError.HTTP:
            return await self._refuse(page, Refused.PAYWALL, f"HTTP status {status}")
        if error is FetchError.HTTP and status is not None and 400 <= status < 500:
            return await self._refuse(page, Refused.MISSING, f"HTTP status {status}")
        if error in _FINAL:
            return await self._refuse(page, _WORDS[error], detail)
        return await self._try_again(page, Refused.FAILED, detail, _RETRY)

    async def _try_again(
        self, page: PageRow, reason: Refused, detail: str, wait: timedelta
    ) -> Visit:
        if page.attempts + 1 >= _ATTEMPTS // 2:
            return await self._refuse(page, reason, detail)
        at = self._now() + wait * 2**page.attempts
        await self._parts.database.run_write(pages.put_back, page, at, detail, failed=True)
        return Visit(page, "later", detail)

    async def _later(self, page: PageRow, wait: timedelta, detail: str) -> Visit:
        at = self._now() + max(wait, timedelta(milliseconds=50))
        await self._parts.database.run_write(pages.put_back, page, at, detail)
        return Visit(page, "later", detail)

    async def _refuse(
        self, page: PageRow, reason: Refused, detail: str, *, fetched: bool = True
    ) -> Visit:
        await self._parts.database.run_write(
            refuse, page, reason, detail, self._now(), fetched=fetched
        )
        return Visit(page, reason, detail)

    async def _rest(self, page: PageRow, verdict: RobotsVerdict) -> timedelta | None:
        """What is left of the gap since robots.txt was asked for: only then it became known."""
        record = await self._store.load(_authority(page.url))
        if record is None or verdict.crawl_delay is None:
            return None
        wait = record.fetched_at + verdict.crawl_delay - self._now()
        return wait if wait > timedelta(0) else None

    async def _quiet(self, page: PageRow, wait: timedelta) -> None:
        """The host asked for quiet: nobody of ours contacts it, feeds included."""
        if wait > timedelta(0):
            until = self._now() + min(wait, LONGEST_RETRY_AFTER)
            await self._parts.database.run_write(
                hosts.block_host, page.host, until, "asked for quiet by an article page"
            )

    def _now(self) -> datetime:
        return self._parts.clock.now()


def _authority(url: str) -> str:
    """Under which name robots.txt of a URL is kept."""
    return parse_target(url).base.rstrip("/")


class _OffLoop:
    """robots.txt is parsed in a worker: a hostile one takes seconds."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        return await self._workers.run(function, *arguments, timeout=10.0, share="robots.txt")


async def drain(parts: Parts, follower: Follower, *, most: int = 10_000) -> list[Visit]:
    """Read whatever is due now, one host after the other; for commands and tests."""
    done: list[Visit] = []
    while len(done) < most:
        claimed = await parts.database.run_write(
            pages.claim, parts.clock.now(), 4, parts.owner, policy.lease(parts.settings)
        )
        if not claimed:
            break
        done += await asyncio.gather(*(follower.visit(page) for page in claimed))
    return done

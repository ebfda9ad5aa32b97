"""Whether a page may be fetched: robots.txt of its authority (RFC 9309), cached and kept.

Where the RFC leaves a choice the cautious one is taken: 401, 403 and 429 forbid everything, a
5xx or a dead network forbids everything for 30 days.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from protego import Protego

from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.robots_txt import LONGEST_GAP, SHORTEST_GAP, Robots, read_robots
from aggregator.fetch.target import parse_target
from aggregator.model.http import (
    CONTENT,
    FetchError,
    FetchRequest,
    FetchResult,
    RequestKind,
    RobotsOutcome,
    RobotsRecord,
    RobotsStore,
    Validators,
)
from aggregator.telemetry.clock import Clock

SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(hours=24)
RETRY = timedelta(hours=1)  # after a failure that names no time
FORGIVE = timedelta(days=30)  # RFC 9309 §2.3.1.4

_MAX_CACHED = 128  # authorities
_MAX_VERDICTS = 512  # URLs remembered for each
_REFUSING = frozenset({401, 403, 429})

T = TypeVar("T")


class Fetches(Protocol):
    """The part of `Fetcher` that is needed here."""

    async def fetch(self, request: FetchRequest) -> FetchResult:
        """See `Fetcher.fetch`."""
        ...


class OffLoop(Protocol):
    """Runs a picklable function elsewhere (a worker process) and gives back what it returned."""

    async def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        """`function(*arguments)`, off the event loop."""
        ...


@dataclass(frozen=True, slots=True)
class RobotsVerdict:
    """Whether one URL may be fetched, and why.

    `crawl_delay` is the gap to keep between requests to the host, within [2 s, 60 s]; None where
    none is asked for. `pause_until` is set when the host itself asked for quiet (429, 503): the
    caller blocks the host until then.
    """

    allowed: bool
    reason: str
    crawl_delay: timedelta | None
    expires_at: datetime
    pause_until: datetime | None = None
    busy: bool = False  # robots.txt could not be asked for now: our own budget for the host


@dataclass(slots=True)
class _Entry:
    record: RobotsRecord  # without its body: that may be half a megabyte
    robots: Robots | None
    matcher: Protego | None
    pause_until: datetime | None = None
    verdicts: dict[str, bool] = field(default_factory=dict)


class RobotsCache:
    """Verdicts for article pages. Feeds a person configured do not ask (rule R1 of
    `docs/design/behaviours.md`).

    Args:
        fetcher: fetches robots.txt, under our own name.
        store: keeps it across restarts.
        run: parses it off the event loop.
        token: our product token, as in the User-Agent before the slash.
        clock: the time.
    """

    def __init__(
        self, fetcher: Fetches, store: RobotsStore, run: OffLoop, *, token: str, clock: Clock
    ) -> None:
        self._fetcher = fetcher
        self._store = store
        self._run = run
        self._token = token
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def verdict(self, url: str) -> RobotsVerdict:
        """Whether `url` may be fetched now. One request at most for an authority at a time.

        Raises what `run` and `store` raise.
        """
        now = self._clock.now()
        try:
            target = parse_target(url)
        except FetchFailed as failure:
            return RobotsVerdict(False, failure.detail, None, now + LONGEST)
        authority = target.base.rstrip("/")
        lock = self._asking.setdefault(authority, asyncio.Lock())
        async with lock:
            found = await self._entry(authority, now)
        if isinstance(found, RobotsVerdict):
            return found
        return _judge(found, target.base.rstrip("/") + target.path.decode("ascii"))

    async def _entry(self, authority: str, now: datetime) -> _Entry | RobotsVerdict:
        entry = self._entries.get(authority)
        if entry is not None and entry.record.expires_at > now:
            self._entries.move_to_end(authority)
            return entry
        record = await self._store.load(authority)
        if record is not None and record.expires_at > now and _complete(record):
            return await self._remember(record, None)
        result = await self._fetcher.fetch(_request(authority, record))
        if result.error is FetchError.HOST_BUSY:
            later = result.retry_at or now + SHORTEST
            return RobotsVerdict(False, "robots.txt: the host is busy", None, later, busy=True)
        renewed = record_of(authority, result, record, now)
        keep = None if result.freshness.no_store else renewed.body
        await self._store.save(replace(renewed, body=keep))
        pause = None
        if result.status in (429, 503):
            pause = now + (result.retry_after or RETRY)
        return await self._remember(renewed, pause)

    async def _remember(self, record: RobotsRecord, pause: datetime | None) -> _Entry:
        robots = None
        matcher = None
        if record.outcome is RobotsOutcome.RULES and record.body is not None:
            robots = await self._run(read_robots, record.body, self._token)
            matcher = Protego.parse(robots.rules) if robots.rules is not None else None
        entry = _Entry(replace(record, body=None), robots, matcher, pause)
        self._entries[record.authority] = entry
        self._entries.move_to_end(record.authority)
        if len(self._entries) > _MAX_CACHED:
            self._entries.popitem(last=False)
        return entry


def record_of(
    authority: str, result: FetchResult, held: RobotsRecord | None, now: datetime
) -> RobotsRecord:
    """What an answer to robots.txt means and how long it stands (RFC 9309 §2.3.1)."""
    fresh = RobotsRecord(
        authority=authority,
        outcome=RobotsOutcome.RULES,
        fetched_at=now,
        expires_at=now + _lifetime(result),
        body=held.body if held else None,
        validators=held.validators if held else Validators(),
    )
    retry = now + min(max(result.retry_after or RETRY, SHORTEST), LONGEST)
    if result.not_modified:
        if result.status == 304:
            return replace(fresh, validators=result.validators)
        return replace(fresh, body=b"", validators=Validators())
    if result.body is not None:
        return replace(fresh, body=result.body, validators=result.validators)
    detail = f"robots.txt: {result.detail}"
    status = result.status or 0
    refused = status in _REFUSING or result.error in (FetchError.BLOCKED, FetchError.BAD_URL)
    if refused or result.error is FetchError.BOT_CHALLENGE:
        expires = retry if status == 429 else now + LONGEST
        outcome = RobotsOutcome.REFUSED
        return replace(fresh, outcome=outcome, expires_at=expires, detail=detail)
    missing = result.error is FetchError.HTTP and 400 <= status < 500
    if missing or (result.error is FetchError.REDIRECT and not _downgraded(result)):
        return replace(fresh, outcome=RobotsOutcome.UNAVAILABLE, body=None, validators=Validators())
    since = held.failing_since if held and held.failing_since else now
    if now - since < FORGIVE:
        outcome = RobotsOutcome.UNREACHABLE
    else:
        outcome = RobotsOutcome.RULES if fresh.body is not None else RobotsOutcome.UNAVAILABLE
    return replace(fresh, outcome=outcome, expires_at=retry, detail=detail, failing_since=since)


def _lifetime(result: FetchResult) -> timedelta:
    asked = result.freshness.max_age
    if result.freshness.no_cache:
        return SHORTEST
    return LONGEST if asked is None else min(max(asked, SHORTEST), LONGEST)


def _downgraded(result: FetchResult) -> bool:
    return any(
        hop.url.startswith("https:") and hop.location.startswith("http:") for hop in result.hops
    )


def _complete(record: RobotsRecord) -> bool:
    """Whether a kept record can be judged by: a body that was not to be stored is missing."""
    return record.outcome is not RobotsOutcome.RULES or record.body is not None


def _request(authority: str, held: RobotsRecord | None) -> FetchRequest:
    usable = held is not None and held.body is not None
    return FetchRequest(
        url=f"{authority}/robots.txt",
        access=CONTENT,
        kind=RequestKind.ROBOTS,
        validators=held.validators if held is not None and usable else Validators(),
    )


def _judge(entry: _Entry, url: str) -> RobotsVerdict:
    record = entry.record

    def verdict(allowed: bool, reason: str, delay: timedelta | None = None) -> RobotsVerdict:
        return RobotsVerdict(allowed, reason, delay, record.expires_at, entry.pause_until)

    if record.outcome is RobotsOutcome.UNAVAILABLE:
        return verdict(True, "no robots.txt")
    if record.outcome is not RobotsOutcome.RULES:
        return verdict(False, record.detail or "robots.txt cannot be read")
    if entry.robots is None or entry.matcher is None:
        return verdict(False, "robots.txt has too many rules")
    delay = entry.robots.crawl_delay
    if delay is not None and delay > LONGEST_GAP:
        return verdict(False, f"robots.txt asks for {delay.total_seconds():g} s between requests")
    gap = max(delay, SHORTEST_GAP) if delay is not None else None
    allowed = entry.verdicts.get(url)
    if allowed is None:
        if len(entry.verdicts) >= _MAX_VERDICTS:
            entry.verdicts.clear()
        allowed = entry.verdicts[url] = entry.matcher.can_fetch(url, "*")
    return verdict(allowed, "robots.txt allows" if allowed else "robots.txt disallows", gap)

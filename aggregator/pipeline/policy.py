"""Policies built from the settings, each in one place: no caller can forget a setting."""

from __future__ import annotations

from datetime import timedelta

from aggregator.feeds.limits import DEFAULT_LIMITS, ParseLimits
from aggregator.fetch.robots import LONGEST as LONGEST_ROBOTS
from aggregator.model.http import BodyLimits, FetchLimits
from aggregator.model.settings import FetchingSettings, Settings, SourceSettings
from aggregator.schedule.clock import Furthest

_PAGES = 2  # documents of one poll that may each take the longest allowed time
_WAITING = timedelta(seconds=30)  # for the host's turn, and for the database
PAGE_LEASE = timedelta(minutes=3)  # longer than any visit: fetch, worker queue, reading
SEARCH = timedelta(seconds=5)  # that a search may keep the database busy
_LONGEST_GAP = timedelta(days=1)  # a host's Crawl-delay
_LONGEST_PUSH = timedelta(days=90)  # the lease of a subscription
_MONTHS = timedelta(days=30)  # what settings bound, and a Retry-After
_YEARS = timedelta(days=9 * 366)  # 29 February, over the end of a century


def parse_limits(fetching: FetchingSettings) -> ParseLimits:
    """How much of a document is read."""
    return DEFAULT_LIMITS.of(document=fetching.max_body_bytes, entries=fetching.max_items)


def fetch_limits(settings: Settings) -> FetchLimits:
    """The limits of every request, with what the operator set."""
    fetching = settings.fetching
    feed = BodyLimits(fetching.max_wire_bytes, fetching.max_body_bytes, fetching.timeout)
    return FetchLimits(feed=feed, read=fetching.timeout, in_flight=settings.polling.concurrency)


def lease(settings: Settings) -> timedelta:
    """How long a claim holds: never shorter than the longest allowed poll."""
    longest = (settings.fetching.timeout + settings.fetching.parse_timeout) * _PAGES + _WAITING
    return max(settings.polling.lease, longest)


def furthest(settings: Settings) -> Furthest:
    """How far ahead a stored time can ever be: what is further was written by a wrong clock."""
    slow = {
        source.id
        for source in settings.sources
        if source.poll.cron is not None or (source.poll.interval or _MONTHS) > _MONTHS
    }
    polling = settings.polling
    return Furthest(
        lease=lease(settings),
        page_lease=PAGE_LEASE,
        gap=polling.host_gap,
        page_gap=max(polling.article_gap, _LONGEST_GAP),
        robots=LONGEST_ROBOTS,
        push=_LONGEST_PUSH,
        plan=2.5 * max(_MONTHS, polling.max_interval, polling.interval),  # doubled by doubt
        slow_plan=_YEARS,
        slow=frozenset(slow),
    )


def language(source: SourceSettings, declared: str | None) -> str | None:
    """The language of what names none itself: its document's, else the configured one."""
    return declared or source.language


def timezone(source: SourceSettings) -> str | None:
    """The IANA zone by which a source's dates without one are told."""
    return source.timezone.key if source.timezone else None

"""Policies built from the settings, each in one place: no caller can forget a setting."""

from __future__ import annotations

from datetime import timedelta

from aggregator.feeds.limits import DEFAULT_LIMITS, ParseLimits
from aggregator.model.http import BodyLimits, FetchLimits
from aggregator.model.settings import FetchingSettings, Settings, SourceSettings

_PAGES = 2  # documents of one poll that may each take the longest allowed time
_WAITING = timedelta(seconds=30)  # for the host's turn, and for the database


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


def language(source: SourceSettings, declared: str | None) -> str | None:
    """The language of what names none itself: its document's, else the configured one."""
    return declared or source.language


def timezone(source: SourceSettings) -> str | None:
    """The IANA zone by which a source's dates without one are told."""
    return source.timezone.key if source.timezone else None

"""What a response says about time: freshness, validators and Retry-After.

Pure functions over headers. RFC 9111 §4.2 and §5, RFC 9110 §8.8 and §10.2.3. Everything is
reduced to differences between the server's own times, so that neither clock needs to be right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aggregator.model.http import Freshness, Validators

_LONGEST = timedelta(days=3650)  # RFC 9111 §1.2.2: an overflow means "very long"
_HEURISTIC_SHARE = 0.1
# The one form that servers may send (RFC 9110 §5.6.7); a third of the cost of a general parser.
_FIXDATE = re.compile(
    r"[A-Z][a-z]{2}, (\d{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) "
    r"(\d{2}):(\d{2}):(\d{2}) GMT",
    re.ASCII,
)
_MONTHS = {name: number for number, name in enumerate(
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
)}  # fmt: skip
_DIRECTIVE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(\"[^\"]*\"|[^\s,\"]*))?")


def http_date(text: str | None) -> datetime | None:
    """An HTTP date in any of its three forms (RFC 9110 §5.6.7), or None where it is none."""
    if not text or len(text) > 64:
        return None
    usual = _FIXDATE.fullmatch(text)
    try:
        if usual is not None:
            day, month, year, hour, minute, second = usual.groups()
            return datetime(
                int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        parsed = parsedate_to_datetime(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def time_told(headers: Mapping[str, str]) -> datetime | None:
    """What time it is by a response's Date and Age (RFC 9110 §6.6.1); None where it says nothing.

    A cache that leaves Age out makes it too early, never too late.
    """
    sent = http_date(headers.get("date"))
    return None if sent is None else sent + (_seconds(headers.get("age")) or timedelta(0))


def freshness_of(headers: Mapping[str, str], received: datetime) -> Freshness:
    """Freshness from Cache-Control, Expires, Date, Age and Last-Modified.

    `headers` have lower-case names, lists joined by commas; `received` stands in for a missing
    Date. `max_age` is None where the response says nothing, zero where it calls itself stale.
    """
    directives = _directives(headers.get("cache-control", ""))
    # no-cache="field" speaks about that field alone (RFC 9111 §5.2.2.4).
    no_cache = "no-cache" in directives and not directives["no-cache"]
    if "cache-control" not in headers and headers.get("pragma", "").lower() == "no-cache":
        no_cache = True
    sent = http_date(headers.get("date")) or received
    age = _seconds(headers.get("age")) or timedelta(0)
    lifetime: timedelta | None = None
    if "max-age" in directives:
        lifetime = _seconds(directives["max-age"]) or timedelta(0)
    elif "expires" in headers:
        expires = http_date(headers["expires"])
        lifetime = expires - sent if expires is not None else timedelta(0)
    heuristic = None
    modified = http_date(headers.get("last-modified"))
    if lifetime is None and modified is not None and modified < sent:
        heuristic = (sent - modified) * _HEURISTIC_SHARE
    if no_cache:
        lifetime = None
    elif lifetime is not None:
        lifetime = min(max(lifetime - age, timedelta(0)), _LONGEST)
    return Freshness(
        max_age=lifetime,
        no_cache=no_cache,
        no_store="no-store" in directives,
        heuristic=heuristic,
    )


def retry_after_of(headers: Mapping[str, str], received: datetime) -> timedelta | None:
    """Retry-After in seconds or as a date, as a delay; None where absent or unreadable.

    A date is counted from the response's own Date, `received` where there is none.
    """
    value = headers.get("retry-after", "").strip()
    delay = _seconds(value)
    if delay is not None:
        return delay
    until = http_date(value)
    if until is None:
        return None
    sent = http_date(headers.get("date")) or received
    return min(max(until - sent, timedelta(0)), _LONGEST)


def validators_of(headers: Mapping[str, str], url: str) -> Validators:
    """The validators of a response, octet for octet; empty where it has none."""
    etag = headers.get("etag") or None
    modified = headers.get("last-modified") or None
    if etag is None and modified is None:
        return Validators()
    return Validators(etag=etag, last_modified=modified, url=url)


def renewed(sent: Validators, headers: Mapping[str, str], url: str) -> Validators:
    """The validators after a 304: its own where it names some, else those that were sent
    (RFC 9111 §4.3.4)."""
    new = validators_of(headers, url)
    return Validators(
        etag=new.etag or sent.etag,
        last_modified=new.last_modified or sent.last_modified,
        url=url,
    )


def _directives(value: str) -> dict[str, str]:
    """Cache-Control's directives; the first of repeated ones counts (RFC 9111 §4.2.1)."""
    found: dict[str, str] = {}
    for name, argument in _DIRECTIVE.findall(value):
        found.setdefault(name.lower(), argument.strip('"'))
    return found


def _seconds(value: str | None) -> timedelta | None:
    text = (value or "").strip()
    if not text.isascii() or not text.isdigit():
        return None
    return _LONGEST if len(text) > 9 else min(timedelta(seconds=int(text)), _LONGEST)

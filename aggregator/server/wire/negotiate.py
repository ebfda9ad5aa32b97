"""Content coding and conditional requests: pure functions over header values (RFC 9110)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_FEEDPARSER = "application/x-netcdf"
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip is to be sent: allowed, and not wanted less than the plain body (§12.5.3).

    Without the header the plain body is sent: whoever asks for no coding may not decode any.
    """
    if not accept_encoding:
        return False
    wanted = _qualities(accept_encoding)
    gzip = max(wanted.get("gzip", -1.0), wanted.get("x-gzip", -1.0))
    if gzip < 0:
        gzip = wanted.get("*", 0.0)
    return gzip > 0 and gzip >= wanted.get("identity", 0.0)


def wants_delta(a_im: str | None, accept: str | None) -> bool:
    """Whether a client takes what is new in a feed instead of the whole (RFC 3229 §10.5.3).

    feedparser asks for deltas in the name of every program that fetches with it, and many of these
    take a 226 for an error and show nothing any more. Its `Accept` tells it: no other client asks
    for netCDF, which it mistook for the type of a feed.
    """
    if not a_im or _FEEDPARSER in (accept or "").lower():
        return False
    return _qualities(a_im).get("feed", 0.0) > 0


def tags_of(if_none_match: str | None) -> list[str]:
    """The entity tags of a header, compared weakly: without `W/`."""
    return _ENTITY_TAG.findall(if_none_match or "")


def not_modified(
    etag: str,
    last_modified: datetime,
    if_none_match: str | None,
    if_modified_since: str | None,
) -> bool:
    """Whether a GET or HEAD is answered 304 (§13.2.2).

    Entity tags are compared weakly and, when sent, decide alone; the date counts to the second.
    """
    if if_none_match is not None:
        if if_none_match.strip() == "*":
            return True
        return etag.removeprefix("W/") in _ENTITY_TAG.findall(if_none_match)
    if if_modified_since is None:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except ValueError:
        return False  # an invalid date is ignored (§13.1.3)
    if since.tzinfo is None:  # "-0000" and dates without a zone
        since = since.replace(tzinfo=UTC)
    return last_modified.replace(microsecond=0) <= since


def _qualities(header: str) -> dict[str, float]:
    """Codings with their weights; what cannot be read weighs nothing."""
    wanted: dict[str, float] = {}
    for member in header.split(","):
        coding, *parameters = (part.strip().lower() for part in member.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = _weight(value.strip())
        if coding:
            wanted[coding] = weight
    return wanted


def _weight(value: str) -> float:
    return float(value) if re.fullmatch(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", value) else 0.0

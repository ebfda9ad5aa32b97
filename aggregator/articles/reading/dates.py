"""Dates as pages write them, to aware UTC.

ISO 8601 and RFC 9557 forms, RFC 5322, numeric and CJK dates, and month names of the languages in
`data/months.txt`. A time without a zone is taken as UTC: right to the day nearly always.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cache

from aggregator.articles.lists import data_lines

_ISO = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})(?:[T\s_]+(\d{1,2}):?(\d{2})(?::?(\d{2}))?(?:[.,]\d+)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{0,2})?)?"
)
_YMD = re.compile(
    r"(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[\sT,，]*(\d{1,2})\s*[:：时時]\s*(\d{1,2})(?:\s*[:：分]\s*(\d{1,2}))?)?"
)
_DMY = re.compile(
    r"(?<!\d)(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*((?:19|20)\d{2})"
    r"(?:[\sT,–|-]*(?:um|à|at|klo|kl\.?|ore|a las)?\s*(\d{1,2})\s*[:.hH]\s*(\d{2}))?"
)
_NAMED_DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º)?\s+(?:de\s+|of\s+)?([^\W\d_]{3,12})\.?,?\s+(?:de\s+|del\s+)?"
    r"((?:19|20)\d{2})(?:[\s,–|-]*(?:um|à|at|klo|kl\.?|ore|a las)?\s*(\d{1,2})\s*[:.hH]\s*(\d{2}))?"
)
_NAMED_MONTH_FIRST = re.compile(
    r"([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+((?:19|20)\d{2})"
    r"(?:[\s,–|-]*(?:at\s*)?(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap]\.?m\.?)?)?",
    re.I,
)


def parse_date(text: str) -> datetime | None:
    """The date a string says, aware UTC, or None. Years 1970 to 2099."""
    text = text.strip()[:120]
    if not text:
        return None
    if re.fullmatch(r"1\d{9}(?:\d{3})?", text):
        return _utc(datetime.fromtimestamp(int(text[:10]), UTC))
    match = _ISO.match(text)
    if match:
        return _made(match.group(1, 2, 3), match.group(4, 5, 6), match.group(7))
    if re.match(r"^\w{3},? \d{1,2} \w{3}", text):
        try:
            return _utc(parsedate_to_datetime(text))
        except (ValueError, TypeError, OverflowError):
            pass
    return find_date(text)


def find_date(text: str) -> datetime | None:
    """The first date written anywhere in a short text."""
    if match := _YMD.search(text):
        return _made(match.group(1, 2, 3), match.group(4, 5, 6), None)
    if match := _NAMED_MONTH_FIRST.search(text):
        month = _months().get(match[1].casefold())
        if month:
            hour = match[4]
            if hour and match[6]:
                hour = str(int(hour) % 12 + (12 if match[6].lower().startswith("p") else 0))
            return _made((match[3], month, match[2]), (hour, match[5], None), None)
    for match in _NAMED_DAY_FIRST.finditer(text):
        month = _months().get(match[2].casefold())
        if month:
            return _made((match[3], month, match[1]), (match[4], match[5], None), None)
    if match := _DMY.search(text):
        day, month = match[1], match[2]
        if int(month) > 12:
            day, month = month, day
        return _made((match[3], month, day), (match[4], match[5], None), None)
    return None


_IN_URL = re.compile(r"/((?:19|20)\d{2})[-/]?([01]\d)[-/]?([0-3]\d)(?=[/_.-]|\d*[./]|$)")


def date_in_url(url: str) -> datetime | None:
    """The day that a URL's path names (`/2017/06/30/`, `/2017-06/30/`, `/20170630/`)."""
    match = _IN_URL.search(url)
    return _made(match.group(1, 2, 3), (None, None, None), None) if match else None


@cache
def _months() -> dict[str, str]:
    """Month names and their first letters, from `data/months.txt`."""
    table: dict[str, str] = {}
    for line in data_lines("months"):
        for number, names in enumerate(line.split("|"), 1):
            for name in names.split():
                table.setdefault(name.casefold(), str(number))
    return table


def _made(
    day: tuple[str, str, str] | tuple[str | None, ...],
    time: tuple[str | None, ...],
    zone: str | None,
) -> datetime | None:
    try:
        year, month, date = (int(part or 0) for part in day)
        hour, minute, second = (int(part or 0) for part in time)
        made = datetime(year, month, date, hour % 24, minute, second, tzinfo=_zone(zone))
    except ValueError:
        return None
    return _utc(made)


def _zone(text: str | None) -> timezone:
    if not text or text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset >= timedelta(hours=24):
        return UTC
    return timezone(-offset if text[0] == "-" else offset)


def _utc(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return None
    return moment if 1970 <= moment.year < 2100 else None

"""Read the dates that publishers write.

Fast anchored patterns first (RFC 822 §5 with RFC 1123's years, ISO 8601 / RFC 3339; 97 % of what is
seen), then our own short list (AM/PM, month names, `yyyy/m/d`, `dd.mm.yyyy`, CJK, epoch), and
dateparser last: it costs 4 ms a string, so only short strings, few of them, and cached.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from aggregator.feeds.values.months import in_english, is_day, is_day_first, month_named

_MAX_LENGTH = 64
_FIRST_YEAR, _LAST_YEAR = 1990, 2200
_BUDDHIST = _FIRST_YEAR + 543
_MAX_OFFSET = 14 * 60  # minutes; no place on Earth is further off


class ReadDate(NamedTuple):
    """A date as read: aware UTC, and whether it names no time of day."""

    when: datetime
    date_only: bool


_TIME = (
    r"(?:(?P<half0>am|pm|오전|오후|上午|下午|午前|午後)\s*)?(?P<hour>\d{1,2})[:.h時时点시]\s*(?P<minute>\d{2}|\d(?=:\d))"
    r"[分분]?(?:[:.]?\s*(?P<second>\d{2}|(?<=:)\d)[秒초]?(?:[.,]\d+)?)?(?:\s*(?P<half>[ap]\.?m\.?)(?![a-z]))?"
)
_REGION = r"[a-z]{2,10}(?:/[a-z0-9_+\-]{2,20}){1,2}"
_OFF = r"[+-]\s*\d{1,2}:?\d{0,2}(?::\d{2})?"
# An offset, a name, or both; then in words or in brackets what was said already: Go, Ruby, Java and
# RFC 9557 (`+01:00[Europe/Paris]`). Without the former the region in brackets is the zone.
_ZONE = (
    rf"(?P<zone>(?:[a-z]{{1,5}}\s*)?{_OFF}|{_REGION}|[a-z]{{1,5}}\b(?:\s+(?:(?:standard|daylight|summer)\s+)?time)?"
    rf"|(?:[a-z]{{3,13}}\s+){{1,3}}time)?(?:\s*\[!?(?P<region>{_REGION})\])?"
    rf"(?:\s*(?:\([^()]*\)|\[[^\[\]]*\]|{_REGION}|m=[+-][\d.]+|[+-]\d{{4}}|[a-z]{{1,5}}\b))*"
)
# Letters, with the vowel signs and marks of abbreviation that belong to them in some scripts.
_LETTERS = r"[^\W\d_][^\s\d,;:/()+\-\[\]]"
_DAY_NAME = rf"(?:(?P<day_name>{_LETTERS}{{1,20}}(?:[\s-]{_LETTERS}{{1,20}})?)(?:\s*,\s*|\s+))?"
_WORD = rf"(?P<name>{_LETTERS}{{1,20}}?)\.?"
# Between date and time: a comma, `at`, `um`, `à`, `kl.` …
_THEN = r"(?:,?\s+(?:-\s+|[^\W\d_]{1,4}\.?\s+)??|,)"


def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(rf"\s*{source}\s*\Z", re.IGNORECASE)


_PATTERNS = (
    # Sat, 07 Sep 2002 00:00:01 GMT; 7-Sep-02; 7. September 2002, 10:11
    _pattern(
        rf"{_DAY_NAME}(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[\s-]*(?:de\s+|d['’]\s?)?{_WORD}[\s,-]*"
        rf"(?:de[l]?\s+)?(?P<year>\d{{4}}|\d{{2}})(?:\s?(?:г|р|m|y)\.?)?(?:{_THEN}{_TIME}(?:\s*(?:uhr|h)\b)?)?\s*{_ZONE}"
    ),
    # 2003-12-31T10:14:55.3+01:00, 20031231T101455Z, 2003-12, 2003/1/5 10:14, 2003.01.05
    _pattern(
        rf"(?P<year>\d{{4}})(?:(?P<sep>[-/.])\s?(?P<month>\d{{1,2}})(?:(?P=sep)\s?(?P<day>\d{{1,2}}))?\.?)?"
        rf"(?:[t\s,]+{_TIME}\s*{_ZONE}|z)?"
    ),
    _pattern(
        rf"(?P<year>\d{{4}})(?P<month>\d{{2}})(?P<day>\d{{2}})(?:[t\s]*(?P<hour>\d{{2}}):?(?P<minute>\d{{2}})"
        rf"(?::?(?P<second>\d{{2}})(?:[.,]\d+)?)?(?P<half>)(?P<half0>)\s*{_ZONE})?"
    ),
    # 2019-W04-1, 2019-335 (ISO 8601 §5.2.2, §5.2.3)
    _pattern(
        rf"(?P<year>\d{{4}})-?w(?P<week>\d{{2}})(?:-?(?P<weekday>[1-7]))?(?:t{_TIME})?\s*{_ZONE}"
    ),
    _pattern(rf"(?P<year>\d{{4}})-(?P<ordinal>\d{{3}})(?:t{_TIME}\s*{_ZONE})?"),
    # Jan 02 2006 15:04:05, Monday, January 2nd, 2006 3:04 PM
    _pattern(
        rf"{_DAY_NAME}{_WORD}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s*,?\s+(?P<year>\d{{4}})"
        rf"(?:{_THEN}{_TIME})?\s*{_ZONE}"
    ),
    # asctime, and Java and Ruby after it: Mon Jan 2 15:04:05 [GMT+01:00] 2006
    _pattern(
        rf"{_DAY_NAME}{_WORD}\s+(?P<day>\d{{1,2}})\s+{_TIME}\s+(?:(?P<zone>[a-z]{{1,5}}|(?:[a-z]{{1,5}})?{_OFF}|{_REGION})\s+)?"
        rf"(?P<year>\d{{4}})(?:\s*\([^()]*\))?"
    ),
    # 31.12.2003 10:14, 31.12.03
    _pattern(
        rf"{_DAY_NAME}(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?(?P<year>\d{{4}}|\d{{2}}(?!\d))(?:{_THEN}{_TIME}(?:\s+uhr)?)?\s*{_ZONE}"
    ),
    # 12/31/2003 10:14 PM: the order is decided by what cannot be a month
    _pattern(
        rf"{_DAY_NAME}(?P<first>\d{{1,2}})[/-](?P<other>\d{{1,2}})[/-](?P<year>\d{{4}})(?:{_THEN}{_TIME})?\s*{_ZONE}"
    ),
    # 2003年12月31日 10:14, 2003년 12월 31일
    _pattern(
        rf"(?P<year>\d{{4}})\s*[年년]\s*(?P<month>\d{{1,2}})\s*[月월]\s*(?P<day>\d{{1,2}})\s*[日일]?"
        rf"(?:\s*[(（].[)）])?(?:\s*(?:星期.|.曜日|.요일))?(?:\s*{_TIME})?\s*{_ZONE}"
    ),
    # 3 tháng 2, 2025
    _pattern(
        rf"{_DAY_NAME}(?P<day>\d{{1,2}})\s*(?:tháng|thg)\.?\s*(?P<month>\d{{1,2}})[\s,/]+(?P<year>\d{{4}})(?:{_THEN}{_TIME})?\s*{_ZONE}"
    ),
    # 2025. gada 3. februāris
    _pattern(
        rf"{_DAY_NAME}(?P<year>\d{{4}})\.?\s*(?:gada\s+)(?P<day>\d{{1,2}})\.?\s+{_WORD}(?:{_THEN}{_TIME})?\s*{_ZONE}"
    ),
    # 2025. február 3. 10:00, 2025 m. vasario 3 d., 2025-Feb-03: the year first
    _pattern(
        rf"{_DAY_NAME}(?P<year>\d{{4}})[.\s-]*(?:m\.\s*)?{_WORD}[\s-]+(?P<day>\d{{1,2}})(?:\.|\s*d\.)?(?:{_THEN}{_TIME})?\s*{_ZONE}"
    ),
)
_EPOCH = re.compile(r"\s*(\d{10})(?:\d{3})?(?:\.\d+)?\s*\Z")
_NET = re.compile(r"\\?/Date\((\d{10,13})(?:[+-]\d{4})?\)\\?/\Z")
_OFFSET = re.compile(r"([a-z]{0,5})\s*([+-])\s*(\d{1,2}):?(\d{2})?(?::\d{2})?\Z", re.IGNORECASE)
# What a program adds in parentheses, mostly a zone: `(Central European Standard Time)`
_COMMENT = re.compile(r"\([^()]*\)\Z")


class DateReader:
    """Reads the dates of one document.

    `zone` is the IANA name of the source's time zone: it settles ambiguous abbreviations such as
    CST and is assumed where a time names no zone at all (UTC without it). `guesses` bounds how
    many odd strings dateparser is asked about. `language` is the feed's own (BCP 47), in which its
    months may be named.
    """

    def __init__(
        self, zone: str | None = None, guesses: int = 40, language: str | None = None
    ) -> None:
        self._zone = zone
        self._guesses = guesses
        self.language = language

    def read(self, text: str | None) -> ReadDate | None:
        """The date that `text` means, or None where it means none that we believe."""
        if not text or len(text) > 4 * _MAX_LENGTH:
            return None
        found = _read_common(text)
        if found is not None:
            return found
        written, text = text, " ".join(text.split())
        if text != written:
            found = _read_common(text)
            if found is not None:
                return found
        if len(text) > _MAX_LENGTH:
            text = _COMMENT.sub("", text).rstrip()
        if not text or len(text) > _MAX_LENGTH:
            return None
        found, known_shape = read_by_pattern(text, self._zone, self.language)
        if found is None and not known_shape and self.language is not None:
            said = in_english(text, self.language)
            if said != text:
                found, known_shape = read_by_pattern(said, self._zone, self.language)
        if found is not None or known_shape or self._guesses <= 0:
            return found
        if not any(c.isdigit() for c in text):
            return None
        self._guesses -= 1
        return _guess(text, self._zone)


# The two shapes that nearly all dates have, with a numeric zone or UTC; 3 µs instead of 40.
_COMMON_RFC822 = re.compile(
    r"(?:[A-Z][a-z]{2},? )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:[0-5]\d)"
    r" (?:GMT|UTC|Z|([+-](?:0\d|1[0-3])[0-5]\d))\Z",
    re.ASCII,
)
_COMMON_ISO = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:0\d|1[0-3]):?[0-5]\d)\Z",
    re.ASCII,
)
_ENGLISH = {
    name: f"{number:02}"
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}


def _read_common(text: str) -> ReadDate | None:
    if text[4:5] == "-":
        if _COMMON_ISO.match(text) is None:
            return None
    else:
        match = _COMMON_RFC822.match(text)
        if match is None:
            return None
        day, month, year, time, zone = match.groups()
        text = f"{year}-{_ENGLISH.get(month)}-{day:0>2}T{time}{zone or 'Z'}"
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is not UTC:
            when = when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _checked(when.replace(microsecond=0) if when.microsecond else when, False)


@lru_cache(maxsize=4096)
def read_by_pattern(
    text: str, zone: str | None = None, language: str | None = None
) -> tuple[ReadDate | None, bool]:
    """The date by our own patterns, and whether the shape was one of ours (then do not guess)."""
    text = _LABEL.sub("", _LOST_PLUS.sub(r"\1+\2", text))
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_ASCII)
    for pattern in _PATTERNS:
        match = pattern.match(text)
        if match is not None:
            parts = {name: value for name, value in match.groupdict().items() if value}
            if "name" in parts:
                month = _month(parts, language)
                if month is None:
                    continue
                parts["month"] = str(month)
            if "zone" not in parts and "region" not in parts:
                comment = _COMMENTED_ZONE.search(text)
                if comment is not None and _is_zone(comment.group(1)):
                    parts["zone"] = comment.group(1)
            return _build(parts, zone, language), True
    match = _EPOCH.match(text) or _NET.match(text)
    if match is not None:
        return _checked(datetime.fromtimestamp(int(match.group(1)[:10]), UTC), False), True
    return None, False


# `+` is a blank to who decodes it as a part of an address.
_LOST_PLUS = re.compile(r"(t\d\d:\d\d:\d\d(?:\.\d{1,9})?) (\d\d:?\d\d)\Z", re.IGNORECASE)
# Words that say what the date is of, and a program's way to quote one: `{ts '2025-01-02 10:00:00'}`
_LABEL = re.compile(r"\A[^\W\d_]{3,12}(?: [^\W\d_]{2,3})?:\s+|\A\{ts '|'\}\Z", re.IGNORECASE)
_ASCII = {ord("\u2212"): "-", ord("\u2013"): "-", **dict.fromkeys(map(ord, "\u200e\u200f\u061c"))}


def _month(parts: dict[str, str], language: str | None) -> int | None:
    year, day = _year(parts["year"]), int(parts.get("day", "1"))

    def weekday_in(month: int) -> int | None:
        try:
            return date(year, month, day).weekday()
        except ValueError:
            return None

    return month_named(parts["name"], language, parts.get("day_name"), weekday_in)


def _year(digits: str) -> int:
    year = int(digits)
    if _BUDDHIST <= year <= _BUDDHIST + _LAST_YEAR - _FIRST_YEAR:  # Thailand's calendar
        return year - 543
    return year if len(digits) > 2 else year + (2000 if year < 70 else 1900)


def _build(parts: dict[str, str], zone: str | None, language: str | None) -> ReadDate | None:
    year = _year(parts["year"])
    if "first" in parts:
        month, day = _in_order(year, parts, language)
    else:
        month = int(parts.get("month", "1"))
        day = int(parts.get("day", "1"))
    date_only = "hour" not in parts
    hour, minute, second = (int(parts.get(k, "0")) for k in ("hour", "minute", "second"))
    half = (parts.get("half") or parts.get("half0") or "").lower().replace(".", "")
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half in ("pm", "오후", "下午", "午後") else 0)
    carry = timedelta(days=1) if hour == 24 and minute == second == 0 else timedelta(0)
    try:
        if "week" in parts:
            first_day = date.fromisocalendar(year, int(parts["week"]), int(parts.get("weekday", 1)))
            month, day = first_day.month, first_day.day
        elif "ordinal" in parts:
            carry += timedelta(days=int(parts["ordinal"]) - 1)
        local = datetime(  # noqa: DTZ001 - the zone comes next
            year, month, day, 0 if hour == 24 else hour, minute, min(second, 59)
        )
        place = _zone_of(parts.get("zone") or parts.get("region"), zone, local)
        if place is None:
            return None
        return _checked((local + carry).replace(tzinfo=place).astimezone(UTC), date_only)
    except (ValueError, OverflowError):  # the 31st of February, the year 0
        return None


def _in_order(year: int, parts: dict[str, str], language: str | None) -> tuple[int, int]:
    """Month and day of `12/31` or `31/12`.

    What cannot be a month decides, then the day of the week named beside them, then the order that
    the feed's language has (CLDR); without one the month comes first.
    """
    first, other = int(parts["first"]), int(parts["other"])
    if first > 12 or other > 12:
        return (other, first) if first > 12 else (first, other)
    orders = [(first, other), (other, first)]
    named = parts.get("day_name")
    if named:
        right = [
            (month, day)
            for month, day in orders
            if month and day and is_day(named, date(year, month, day).weekday(), language)
        ]
        if len(right) == 1:
            return right[0]
    return orders[1] if language and is_day_first(language) else orders[0]


def _is_zone(name: str) -> bool:
    return _OFFSET.match(name) is not None or name.upper() in _zones()


# A zone that stands nowhere but in parentheses: `(GMT+7)`, `(CET)`.
_COMMENTED_ZONE = re.compile(
    r"\(\s{0,3}([a-z]{0,5}\s{0,3}[+-]\s{0,3}\d{1,2}(?::?\d{2})?|[a-z]{1,5})\s{0,3}\)\Z", re.I
)


def _checked(when: datetime, date_only: bool) -> ReadDate | None:
    return ReadDate(when, date_only) if _FIRST_YEAR <= when.year <= _LAST_YEAR else None


def _zone_of(text: str | None, source_zone: str | None, local: datetime) -> tzinfo | None:
    """The zone that `text` names; None when no place on Earth has it."""
    if text is None:
        return _place(source_zone) or UTC
    text = text.strip()
    match = _OFFSET.match(text)
    if match is not None:
        minutes = int(match.group(3)) * 60 + int(match.group(4) or "0")
        if minutes > _MAX_OFFSET:
            return None
        return timezone(timedelta(minutes=minutes if match.group(2) == "+" else -minutes))
    if "/" in text:
        return _region(text)
    name = _abbreviated(text)
    readings = _zones().get(name)
    if readings is None:
        return UTC  # also RFC 822's military letters, whose sign was misprinted (RFC 2822 §4.3)
    if isinstance(readings, str):
        return _place(readings)
    if len(readings) > 1:
        place = _place(source_zone)
        offset = local.replace(tzinfo=place).utcoffset() if place else None
        for reading in readings:
            if offset == timedelta(minutes=reading):
                return timezone(timedelta(minutes=reading))
    return timezone(timedelta(minutes=readings[0]))


def _abbreviated(zone: str) -> str:
    """A zone's name by its initials where it is written out: `Eastern Standard Time`."""
    words = zone.upper().split()
    return "".join(word[0] for word in words) if words[-1:] == ["TIME"] else zone.upper()


@lru_cache(maxsize=64)
def _region(name: str) -> tzinfo | None:
    """The zone of a tz database name, in any case."""
    known = next((zone for zone in available_timezones() if zone.lower() == name.lower()), None)
    return _place(known)


@lru_cache(maxsize=64)
def _place(zone: str | None) -> tzinfo | None:
    if zone is None:
        return None
    try:
        return ZoneInfo(zone)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None


@lru_cache(maxsize=1024)
def _guess(text: str, zone: str | None) -> ReadDate | None:
    import dateparser  # 0.3 s to import, rarely needed

    settings = {
        "TIMEZONE": zone if _place(zone) else "UTC",
        "RETURN_AS_TIMEZONE_AWARE": True,
        "REQUIRE_PARTS": ["day", "month", "year"],
        "PARSERS": ["absolute-time"],
    }
    try:
        found = dateparser.parse(text, settings=settings)
    except (ValueError, OverflowError, TypeError, IndexError, re.error, RecursionError):
        return None
    if found is None:
        return None
    return _checked(found.astimezone(UTC), ":" not in text)


def _lines(name: str) -> list[list[str]]:
    text = files("aggregator.feeds").joinpath(f"data/{name}").read_text("utf-8")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


@lru_cache(maxsize=1)
def _zones() -> dict[str, tuple[int, ...] | str]:
    """Minutes east of UTC by abbreviation, or the region whose clock it names the year round."""
    return {
        words[0]: words[1] if "/" in words[1] else tuple(map(int, words[1:]))
        for words in _lines("zones.txt")
    }

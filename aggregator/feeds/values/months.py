"""Names of months and days in the languages of CLDR, as dateparser brings them along.

A word may name different months in different languages (`listopad` is November in Polish and
October in Croatian): the feed's own language decides, or the day of the week named beside it.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENGLISH = {
    name: number for number, full in enumerate(_MONTHS, 1) for name in (full, full[:3], full[:4])
}
# Codes that were withdrawn, and macrolanguages that CLDR has under their members.
_SAME = {"no": "nb", "iw": "he", "in": "id", "ji": "yi", "mo": "ro", "sh": "sr", "tl": "fil"}
_SHORTEST = 3  # letters of a month's name that are taken for it, where no other begins with them


class Calendar(NamedTuple):
    """Names in one language, normalised: numbers of months from 1, of days from 0 (Monday)."""

    months: dict[str, int]
    beginnings: dict[str, int]
    days: dict[str, int]


def month_named(
    word: str, language: str | None, day_name: str | None, weekday_in: Callable[[int], int | None]
) -> int | None:
    """The month that a word means, or None.

    Args:
        word: the name or its beginning, as written.
        language: the feed's language tag (BCP 47), which decides before all but English.
        day_name: the day of the week as written beside it.
        weekday_in: the day of the week (0 = Monday) that the date has if it is in a month; None
            where there is no such date.
    """
    name = normal(word)
    if name in _ENGLISH:
        return _ENGLISH[name]
    own = calendar_of(language) if language else None
    if own is not None:
        month = own.months.get(name) or own.beginnings.get(name) or _inflected(name, own)
        if month is not None:
            return month
    if not _looks_like_a_word(name):
        return None
    for found in (_everywhere()[0].get(name), _everywhere()[1].get(name)):
        if found:
            return _agreed(found, normal(day_name or ""), weekday_in)
    return None


def _inflected(name: str, own: Calendar) -> int | None:
    """The month whose whole name a longer word begins with: `otsailaren`, `veebruaril`."""
    for length in range(len(name) - 1, _SHORTEST, -1):
        month = own.months.get(name[:length])
        if month is not None:
            return month
    return None


def is_day(name: str, weekday: int, language: str | None) -> bool:
    """Whether a name is that of a day of the week (0 = Monday), in English or in `language`."""
    primary = re.split(r"[-_]", (language or "en").strip().lower())[0]
    return any(_has_day(one, normal(name), weekday) for one in ("en", _SAME.get(primary, primary)))


@lru_cache(maxsize=64)
def is_day_first(language: str) -> bool:
    """Whether a language, as written in its region, puts the day before the month (CLDR)."""
    primary, *rest = re.split(r"[-_]", language.strip().lower())
    primary = _SAME.get(primary, primary)
    if primary not in _languages():
        return False
    info = importlib.import_module(f"{_DATA}.{primary}").info
    order = info.get("date_order", "MDY")
    for name, own in info.get("locale_specific", {}).items():
        if rest and name.lower() == f"{primary}-{rest[-1]}":
            order = own.get("date_order", order)
    return bool(order.startswith("D"))


def in_english(text: str, language: str) -> str:
    """A date with the names of months as English ones and those of days left out."""
    names = _names_pattern(language)
    own = calendar_of(language)
    if names is None or own is None:
        return text

    def say(match: re.Match[str]) -> str:
        month = own.months.get(normal(match.group()))
        return f" {_MONTHS[month - 1]} " if month else " "

    return " ".join(names.sub(say, unicodedata.normalize("NFKC", text).casefold()).split()).strip(
        " ,"
    )


def normal(word: str) -> str:
    """A name without case, full stops and other marks of abbreviation."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", word).casefold()).strip()


_MARKS = re.compile(r"[.,'’`॰]+")


@lru_cache(maxsize=64)
def calendar_of(language: str) -> Calendar | None:
    """The names in a language, in all scripts that it is written in; None if it is unknown."""
    primary = re.split(r"[-_]", language.strip().lower())[0]
    return _calendar(_SAME.get(primary, primary))


@lru_cache(maxsize=256)
def _calendar(primary: str) -> Calendar | None:
    modules = [name for name in _languages() if name.split("-")[0] == primary]
    if not modules:
        return None
    months: dict[str, int] = {}
    days: dict[str, int] = {}
    for module in modules:
        info = importlib.import_module(f"{_DATA}.{module}").info
        for into, keys, first in ((months, _MONTHS, 1), (days, _DAYS, 0)):
            for number, key in enumerate(keys, first):
                for name in info.get(key, ()):
                    into.setdefault(normal(name), number)
    return Calendar(months, dict(_beginnings(months)), days)


_DATA = "dateparser.data.date_translation_data"


@lru_cache(maxsize=1)
def _languages() -> tuple[str, ...]:
    # 0.3 s to import, rarely needed
    order: list[str] = importlib.import_module("dateparser.data.languages_info").language_order
    return tuple(order)


def _beginnings(months: dict[str, int]) -> Iterator[tuple[str, int]]:
    meant: dict[str, set[int]] = {}
    for name, month in months.items():
        for length in range(_SHORTEST, len(name)):
            meant.setdefault(name[:length], set()).add(month)
    return ((start, next(iter(found))) for start, found in meant.items() if len(found) == 1)


_Meanings = dict[str, tuple[tuple[str, int], ...]]


@lru_cache(maxsize=1)
def _everywhere() -> tuple[_Meanings, _Meanings]:
    """What names and beginnings mean in which languages; some 0.5 s the first time."""
    exact: dict[str, list[tuple[str, int]]] = {}
    begun: dict[str, list[tuple[str, int]]] = {}
    for primary in dict.fromkeys(name.split("-")[0] for name in _languages()):
        calendar = _calendar(primary)
        if calendar is not None:
            for into, names in ((exact, calendar.months), (begun, calendar.beginnings)):
                for name, month in names.items():
                    into.setdefault(name, []).append((primary, month))
    return (
        {name: tuple(found) for name, found in exact.items()},
        {name: tuple(found) for name, found in begun.items()},
    )


def _looks_like_a_word(name: str) -> bool:
    return 2 <= len(name) <= 24 and not any(c.isdigit() for c in name)


def _agreed(
    found: tuple[tuple[str, int], ...], day: str, weekday_in: Callable[[int], int | None]
) -> int:
    """The month in those of these languages in which the day's name is right, or in the largest."""
    if day:
        right = {m for language, m in found if _has_day(language, day, weekday_in(m))}
        if len(right) == 1:
            return right.pop()
    return found[0][1]  # in the language that is written most, which comes first in the data


def _has_day(language: str, day: str, weekday: int | None) -> bool:
    calendar = _calendar(language)
    if calendar is None or weekday is None:
        return False
    exact = calendar.days.get(day)
    if exact is not None:
        return exact == weekday
    return any(name.startswith(day) and number == weekday for name, number in calendar.days.items())


@lru_cache(maxsize=64)
def _names_pattern(language: str) -> re.Pattern[str] | None:
    own = calendar_of(language)
    if own is None:
        return None
    names = sorted(filter(None, (*own.months, *own.days)), key=len, reverse=True)
    # Marks of abbreviation may stand after a name's letters and within (`ต.ค.`).
    spelt = ("".join(re.escape(c) + r"[.'’॰]?" for c in name) for name in names)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(spelt)})(?![^\W\d_])")

"""Times of a cron line, in a source's zone, as crontab(5) means them.

APScheduler computes what a line names on a calendar and a clock without a zone. Two of its habits
differ from crontab and are evened out here: it counts weekdays from Monday (crontab: 0 and 7 are
Sunday), and it joins day of month and weekday by "and" (crontab: by "or" when both are
restricted). Where the zone's clocks are changed, cron(8) holds:

- A line whose hours are fixed names a time once a date. A time that the clocks leave out comes
  at once after the gap, so that no date is lost; one that comes twice counts the first time.
- A line with a wildcard or a step in its hours goes on in elapsed time: it fires in both of two
  equal hours, and what the gap leaves out keeps its distance to the time before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)  # a year in which every date of a line exists
_NEAR = timedelta(hours=25)  # no change of the clocks moved them by more than a day
_TICK = timedelta(microseconds=1)


def check_cron(expression: str, zone: str = "UTC") -> None:
    """Raise ValueError with a reason for people if the line cannot be used."""
    if next_cron(expression, zone, _LEAP_YEAR) is None:
        raise ValueError(f"cron line {expression!r} never comes due")


def next_cron(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first time later than `after` (aware UTC) that the line names, in UTC.

    None when there is none. Raises ValueError for a line or a zone that cannot be read.
    """
    line, tz = _line(expression), _zone(zone)
    best: datetime | None = None
    for shown in _shown_from(line, _on_the_wall(after, tz) - _change_near(after, tz)):
        if best is not None and shown > _on_the_wall(best, tz) + _change_near(best, tz):
            break
        for time in _times(shown, tz, elapsed=line.elapsed):
            if time > after and (best is None or time < best):
                best = time
    return best


@dataclass(frozen=True, slots=True)
class _Line:
    triggers: tuple[CronTrigger, ...]  # over a calendar in which every time comes once
    elapsed: bool  # goes on in elapsed time where the clocks are changed


def _shown_from(line: _Line, start: datetime) -> Iterator[datetime]:
    """What the line names from a time on, in order, as a clock on the wall shows it (naive)."""
    at = start.replace(tzinfo=UTC)
    while True:
        found = [trigger.get_next_fire_time(None, at) for trigger in line.triggers]
        due = [time for time in found if time is not None]
        if not due:
            return
        first = min(due)
        yield first.replace(tzinfo=None)
        at = first + _TICK


def _times(shown: datetime, tz: ZoneInfo, *, elapsed: bool) -> list[datetime]:
    """When a clock in the zone shows this (naive), or when the line means it to be, in UTC.

    PEP 495: with `fold=0` a time that is left out is counted with the offset before the gap, which
    keeps its distance to what came before.
    """
    first = shown.replace(tzinfo=tz, fold=0).astimezone(UTC)
    second = shown.replace(tzinfo=tz, fold=1).astimezone(UTC)
    if second < first and not elapsed:
        return [_change_between(second, first, tz)]
    return [first, second] if elapsed and second > first else [first]


def _change_between(early: datetime, late: datetime, tz: ZoneInfo) -> datetime:
    """The first second with the offset that holds at `late`."""
    offset = late.astimezone(tz).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if middle.astimezone(tz).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late


def _on_the_wall(time: datetime, tz: ZoneInfo) -> datetime:
    return time.astimezone(tz).replace(tzinfo=None)


def _change_near(time: datetime, tz: ZoneInfo) -> timedelta:
    """By how much the zone's clocks are moved within about a day of a time."""
    around = (time - _NEAR, time, time + _NEAR)
    offsets = [one.astimezone(tz).utcoffset() or timedelta(0) for one in around]
    return max(offsets) - min(offsets)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


@lru_cache(maxsize=512)
def _line(expression: str) -> _Line:
    parts = expression.split()
    if len(parts) != 5:
        raise ValueError(f"a cron line has five fields, {expression!r} has {len(parts)}")
    minute, hour, day, month, weekday = parts
    weekdays = _weekdays(weekday)
    both = not day.startswith("*") and not weekday.startswith("*")
    choices = [(day, "*"), ("*", weekdays)] if both else [(day, weekdays)]
    triggers = tuple(
        CronTrigger(
            minute=minute, hour=hour, day=of_month, month=month, day_of_week=of_week, timezone=UTC
        )
        for of_month, of_week in choices
    )
    hours = _hours_of_a_day(minute, hour)
    return _Line(triggers, len(hours) > 1 and ("*" in hour or "/" in hour or len(hours) == 24))


def _hours_of_a_day(minute: str, hour: str) -> set[int]:
    trigger = CronTrigger(minute=minute, hour=hour, timezone=UTC)
    found: set[int] = set()
    for start in range(24):
        time = trigger.get_next_fire_time(None, _LEAP_YEAR + timedelta(hours=start))
        if time is not None:
            found.add(time.hour)
    return found


def _weekdays(field: str) -> str:
    """A weekday field as a list of names, which mean the same to everybody."""
    if field == "*":
        return field
    days: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = 0, 6
        else:
            low = _weekday(first, field)
            high = _weekday(last, field) if dash else (6 if step else low)
        if high < low:
            high += 7  # fri-mon, or 5-0
        if step and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"unreadable weekday step in cron field {field!r}")
        days.update(day % 7 for day in range(low, high + 1, int(step or 1)))
    return ",".join(_DAYS[day] for day in sorted(days))


def _weekday(text: str, field: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if text.isdigit() and int(text) <= 7:
        return int(text)
    raise ValueError(f"unreadable weekday {text!r} in cron field {field!r}")

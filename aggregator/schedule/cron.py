"""Times of a cron line, in a source's zone, as crontab(5) means them.

APScheduler computes the times. Two of its habits differ from crontab and are evened out here: it
counts weekdays from Monday (crontab: 0 and 7 are Sunday), and it joins day of month and weekday
by "and" (crontab: by "or" when both are restricted).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)  # a year in which every date of a line exists


def check_cron(expression: str, zone: str = "UTC") -> None:
    """Raise ValueError with a reason for people if the line cannot be used."""
    if next_cron(expression, zone, _LEAP_YEAR) is None:
        raise ValueError(f"cron line {expression!r} never comes due")


def next_cron(expression: str, zone: str, after: datetime) -> datetime | None:
    """The first time later than `after` (aware UTC) that the line names, in UTC.

    None when there is none. Raises ValueError for a line or a zone that cannot be read.
    """
    start = after + timedelta(microseconds=1)
    times = [t.get_next_fire_time(None, start) for t in _triggers(expression, zone)]
    due = [time for time in times if time is not None]
    return min(due).astimezone(UTC) if due else None


@lru_cache(maxsize=512)
def _triggers(expression: str, zone: str) -> tuple[CronTrigger, ...]:
    parts = expression.split()
    if len(parts) != 5:
        raise ValueError(f"a cron line has five fields, {expression!r} has {len(parts)}")
    try:
        tz = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"unknown time zone {zone!r}") from error
    minute, hour, day, month, weekday = parts
    weekdays = _weekdays(weekday)
    both = not day.startswith("*") and not weekday.startswith("*")
    choices = [(day, "*"), ("*", weekdays)] if both else [(day, weekdays)]
    return tuple(
        CronTrigger(
            minute=minute, hour=hour, day=of_month, month=month, day_of_week=of_week, timezone=tz
        )
        for of_month, of_week in choices
    )


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

"""Durations, sizes, and when a source is polled."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache, partial
from typing import Annotated, Any

from aggregator.config.values.kinds import (
    VARIABLE_PATTERN,
    Kind,
    as_text,
    or_variable,
    shown,
    wrong,
)
from aggregator.config.variables import Confidential
from aggregator.model.settings import PollWhen

_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 604800),
}
_PART = r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([a-z]+)"
_PARTS = re.compile(rf"(?:{_PART}\s*)+")
_ISO = re.compile(
    r"p(?:(?P<w>\d{1,6})w)?(?:(?P<d>\d{1,6})d)?"
    r"(?:t(?:(?P<h>\d{1,6})h)?(?:(?P<m>\d{1,6})m)?(?:(?P<s>\d{1,9}(?:\.\d{1,6})?)s)?)?"
)
_DURATION_EXPECTED = "a duration such as “30m”, “1h30m” or “2 days”"
_LONGEST = timedelta(days=36500)


def read_duration(
    value: Any,
    least: timedelta = timedelta(0),
    most: timedelta = _LONGEST,
    expected: str = _DURATION_EXPECTED,
) -> timedelta:
    """`30m`, `1h30m`, `2 d`, `PT1H` (ISO 8601 without months and years), or seconds."""
    text = as_text(value, expected).strip().casefold()
    seconds = _seconds(text)
    if seconds is None:
        raise wrong(f"expected {expected}, not {shown(value)}", _duration_hint(text, value))
    if seconds > _LONGEST.total_seconds():
        raise wrong(f"expected at most {spell(most)}, not {shown(value)}")
    duration = timedelta(seconds=seconds)
    if duration < least:
        raise wrong(f"expected at least {spell(least)}, not {shown(value)}")
    if duration > most:
        raise wrong(f"expected at most {spell(most)}, not {shown(value)}")
    return duration


def _seconds(text: str) -> float | None:
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text):
        return float(text)
    if _PARTS.fullmatch(text):
        parts = re.findall(_PART, text)
        if any(unit not in _UNITS for _, unit in parts):
            return None
        return sum(float(amount) * _UNITS[unit] for amount, unit in parts)
    match = _ISO.fullmatch(text)
    if match and any(match.groupdict().values()):
        return sum(float(n) * _UNITS[unit] for unit, n in match.groupdict().items() if n)
    return None


def _duration_hint(text: str, value: Any) -> str | None:
    if isinstance(value, Confidential):
        return None
    clock = re.fullmatch(r"(\d{1,3}):(\d{2})", text)
    if clock:
        return f"write “{int(clock[1])}h{int(clock[2])}m” or “{int(clock[1])}m{int(clock[2])}s”"
    if "month" in text or "year" in text:
        return "months and years differ in length: count days"
    return None


def spell(duration: timedelta) -> str:
    """A duration as it is written in a configuration: `1h30m`, `90d`, `0s`."""
    left = duration.total_seconds()
    written = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        amount, left = divmod(left, size)
        if amount:
            written += f"{int(amount)}{unit}"
    if left:
        written += f"{left:g}s"
    return written or "0s"


DURATION_PATTERN = (
    r"^\s*([Pp][0-9WwDdTtHhMmSs.]+|[0-9]+(\.[0-9]+)?"
    r"|([0-9]+(\.[0-9]+)?\s*[A-Za-z]+\s*)+)\s*$"
)
_DURATION_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": DURATION_PATTERN}]
}


def duration(least: timedelta = timedelta(0), most: timedelta = _LONGEST) -> Kind:
    """Durations from `least` to `most`."""
    return Kind(partial(read_duration, least=least, most=most), or_variable(_DURATION_SCHEMA))


_SIZES = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def read_size(value: Any, least: int = 1024, most: int = 64 * 1024**3) -> int:
    """A number of bytes: `5 MiB`, `512k`, `1048576`. K, M and G count by 1024."""
    expected = "a size such as “5 MiB”"
    text = as_text(value, expected).strip().casefold()
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)\s*([kmg]?)(?:i?b)?", text)
    if match is None:
        raise wrong(f"expected {expected}, not {shown(value)}")
    size = int(float(match[1]) * _SIZES[match[2]])
    if not least <= size <= most:
        raise wrong(f"expected a size from {least} bytes to {most} bytes, not {shown(value)}")
    return size


Size = Annotated[
    int,
    Kind(
        read_size,
        or_variable(
            {
                "anyOf": [
                    {"type": "integer", "minimum": 1024},
                    {
                        "type": "string",
                        "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[kKmMgG]?([iI]?[bB])?\s*$",
                    },
                ]
            }
        ),
    ),
]


def read_price(value: Any) -> str | timedelta:
    """How eager adaptive polling is: a word, or the interval at four items a day."""
    text = as_text(value, "“frugal”, “normal”, “fresh” or a duration")
    if text.strip().casefold() in ("frugal", "normal", "fresh"):
        return text.strip().casefold()
    return read_duration(
        value,
        least=timedelta(minutes=1),
        most=timedelta(days=1),
        expected="“frugal”, “normal”, “fresh” or a duration such as “30m”",
    )


Price = Annotated[
    str | timedelta,
    Kind(
        read_price,
        or_variable({"anyOf": [{"enum": ["frugal", "normal", "fresh"]}, _DURATION_SCHEMA]}),
    ),
]


def read_poll(value: Any) -> PollWhen:
    """`adaptive`, a duration, or `cron: …` (also as a mapping, which needs no quotes around it)."""
    expected = "“adaptive”, a duration such as “30m”, or “cron: …”"
    if isinstance(value, dict):
        if set(value) != {"cron"}:
            raise wrong(f"expected {expected}, not {shown(value)}")
        return PollWhen(cron=_cron(value["cron"]))
    text = as_text(value, expected).strip()
    if text.casefold() == "adaptive":
        return PollWhen()
    if text.casefold().startswith("cron"):
        line = text[4:].lstrip(" :")
        hidden = isinstance(value, Confidential)
        return PollWhen(cron=_cron(Confidential(line, value.values) if hidden else line))
    interval = read_duration(
        value, least=timedelta(seconds=1), most=timedelta(days=30), expected=expected
    )
    return PollWhen(interval=interval)


def _cron(value: Any) -> str:
    """A cron line that the schedule can read and that comes due some day."""
    fields = as_text(value, "a cron line").split()
    if len(fields) != 5:
        raise wrong(
            "a cron line has five fields (minute, hour, day, month, day of week), "
            f"not {len(fields)}"
        )
    line = " ".join(fields)
    problem = _cron_problem(line)
    if problem is not None:
        raise wrong("is no cron line" if isinstance(value, Confidential) else problem)
    return line


@lru_cache(maxsize=1024)
def _cron_problem(line: str) -> str | None:
    from aggregator.schedule.cron import check_cron  # APScheduler is slow to import

    try:
        check_cron(line)
    except ValueError as error:
        return f"is no cron line: {error}"
    return None


Poll = Annotated[
    PollWhen,
    Kind(
        read_poll,
        {
            "anyOf": [
                {"const": "adaptive"},
                *_DURATION_SCHEMA["anyOf"],
                {"type": "string", "pattern": r"^cron\b"},
                {
                    "type": "object",
                    "properties": {"cron": {"type": "string"}},
                    "required": ["cron"],
                    "additionalProperties": False,
                },
                {"type": "string", "pattern": VARIABLE_PATTERN},
            ]
        },
    ),
]

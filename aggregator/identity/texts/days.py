"""Days named in a text, however they are written: what a report is about."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from aggregator.identity.texts.tokens import words

_DOTTED_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(?:\d\d|\d{4})")
_SHORT = re.compile(r"\d{1,2}")


@cache
def _months() -> dict[str, int]:
    text = (files("aggregator.identity.texts") / "data" / "months.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: month for month, line in enumerate(lines, start=1) for name in words(line)}


def days_named(tokens: tuple[str, ...]) -> set[str]:
    """Days named in a text, as `MM-DD`: April 7, 7. April, 4月7日, 2024-04-07, 7.4.2024."""
    months = _months()
    found: set[str] = set()
    for place, token in enumerate(tokens):
        following = tokens[place + 1 : place + 4]
        if (month := months.get(token)) is not None:
            for neighbour in (*tokens[max(0, place - 1) : place], *following[:1]):
                _add(found, month, neighbour)
        elif not token[0].isdecimal():
            continue
        elif written := _DOTTED_DATE.fullmatch(token):
            _add(found, int(written[2]), written[1])
        elif len(token) == 4 and len(following) >= 2 and _SHORT.fullmatch(following[0]):
            _add(found, int(following[0]), following[1])
        elif (
            len(following) == 3
            and following[0] in ("月", "월")
            and following[2].startswith(("日", "일"))
            and _SHORT.fullmatch(token)
        ):
            _add(found, int(token), following[1])
    return found


def _add(found: set[str], month: int, day: str) -> None:
    if 1 <= month <= 12 and _SHORT.fullmatch(day) and 1 <= int(day) <= 31:
        found.add(f"{month:02d}-{int(day):02d}")

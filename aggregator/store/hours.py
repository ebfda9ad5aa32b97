"""What happened in each hour: counted by a job from what is stored, and kept as numbers.

An hour is counted again until it is over, so that what is kept does not depend on when the job
ran. Numbers of public sources and items are kept beside those of all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    case,
    delete,
    func,
    select,
    type_coerce,
)

from aggregator.model.pages import HourOfWork
from aggregator.model.states import PollWord
from aggregator.store import schema as t
from aggregator.store.rows import upsert
from aggregator.store.tally import Counted

HOUR = timedelta(hours=1)
PROMPT = HOUR  # from publication to first sight
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = 3_600_000_000  # of an hour
_UNASKED = (PollWord.OUTAGE, PollWord.PUSH, PollWord.SKIPPED, PollWord.SUPERSEDED)
_FIELDS = ("polls", "failed", "new_items", "prompt")


def count_since(connection: Connection, since: datetime) -> list[dict[str, Any]]:
    """Count the hours from that of `since` on: rows for `keep`, with the kind, name and number.

    It reads much, and belongs into no transaction that writes.
    """
    start = _start(since)
    found: defaultdict[tuple[str, int], dict[str, int]] = defaultdict(dict)
    p, i = t.poll_log.c, t.item.c
    for kind in (Counted.HOUR, Counted.PUBLIC_HOUR):
        hour = _hour(p.at)
        asked = select(
            hour.label("hour"), func.count(), func.sum(case((p.error.is_not(None), 1), else_=0))
        ).where(p.at >= start, p.outcome.not_in(_UNASKED))
        seen = select(
            _hour(i.first_seen).label("hour"), func.count(), func.sum(case((_prompt(), 1), else_=0))
        ).where(i.first_seen >= start, i.sort_at >= i.first_seen)  # no archives
        if kind is Counted.PUBLIC_HOUR:
            asked = asked.join(t.source, t.source.c.id == p.source_id).where(~t.source.c.private)
            seen = seen.where(i.scope == "")
        for number, polls, failed in connection.execute(asked.group_by("hour")):
            found[kind, number] |= {"polls": polls, "failed": failed}
        for number, items, prompt in connection.execute(seen.group_by("hour")):
            found[kind, number] |= {"new_items": items, "prompt": prompt}
    return [
        {"kind": kind, "name": _name(number, field), "number": int(value)}
        for (kind, number), values in found.items()
        for field, value in values.items()
    ]


def keep(connection: Connection, counted: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Keep the numbers of hours, in place of those that were kept of them."""
    upsert(connection, t.tally, [{**row, "at": now} for row in counted], update=True)


def last_counted(connection: Connection) -> datetime | None:
    """When hours were counted last; None where that was never."""
    c = t.tally.c
    at: datetime | None = connection.scalar(select(func.max(c.at)).where(c.kind == Counted.HOUR))
    return at


def hours(
    connection: Connection, since: datetime, now: datetime, *, private: bool
) -> tuple[HourOfWork, ...]:
    """Each hour from that of `since` to the present one, oldest first, empty ones too."""
    c = t.tally.c
    kind = Counted.HOUR if private else Counted.PUBLIC_HOUR
    first, last = _number(since), _number(now)
    rows = connection.execute(
        select(c.name, c.number).where(c.kind == kind, c.name >= _name(first, ""))
    )
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for name, value in rows:
        number, _, field = name.partition(" ")
        if field in _FIELDS:
            found[int(number)][field] = value
    return tuple(HourOfWork(_EPOCH + n * HOUR, **found.get(n, {})) for n in range(first, last + 1))


def forget(connection: Connection, before: datetime) -> None:
    """Forget the hours before a time."""
    c = t.tally.c
    connection.execute(
        delete(t.tally).where(
            c.kind.in_([Counted.HOUR, Counted.PUBLIC_HOUR]), c.name < _name(_number(before), "")
        )
    )


def keep_size(connection: Connection, kibibytes: int, now: datetime) -> None:
    """Keep how large the database is today (UTC), and forget what was more than a year ago."""
    row = {"kind": Counted.SIZE, "name": f"{now:%Y-%m-%d}", "number": kibibytes, "at": now}
    upsert(connection, t.tally, [row], update=True)
    oldest = f"{now - timedelta(days=366):%Y-%m-%d}"
    connection.execute(
        delete(t.tally).where(t.tally.c.kind == Counted.SIZE, t.tally.c.name < oldest)
    )


def sizes(connection: Connection, since: datetime) -> tuple[tuple[str, int], ...]:
    """`(day, bytes)` of the database for each day that was measured, oldest first."""
    c = t.tally.c
    rows = connection.execute(
        select(c.name, c.number)
        .where(c.kind == Counted.SIZE, c.name >= f"{since:%Y-%m-%d}")
        .order_by(c.name)
    )
    return tuple((row.name, row.number * 1024) for row in rows)


def _hour(column: Any) -> ColumnElement[int]:
    return type_coerce(column, BigInteger) // _MICROSECONDS


def _prompt() -> ColumnElement[bool]:
    i = t.item.c
    late = type_coerce(i.first_seen, BigInteger) - type_coerce(i.published, BigInteger)
    return i.published.is_not(None) & (late <= PROMPT // timedelta(microseconds=1))


def _number(moment: datetime) -> int:
    return (moment - _EPOCH) // HOUR


def _start(moment: datetime) -> datetime:
    return _EPOCH + _number(moment) * HOUR


def _name(number: int, field: str) -> str:
    """Sorts as the hours do."""
    return f"{number:07} {field}"

"""The program under clocks that a test moves: `python -m tests.e2e.moved_clock FILE run …`.

FILE holds two numbers of seconds: how much time has passed besides that of the test, and by how
much somebody set the wall clock, which no clock of elapsed time shows. It is read at every look, so
that both may change while the program runs.
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.date
import apscheduler.triggers.interval

from aggregator.cli import main
from aggregator.telemetry import clock

_FILE = Path(sys.argv[1])
_APSCHEDULER = (
    apscheduler.executors.base,
    apscheduler.schedulers.base,
    apscheduler.triggers.date,
    apscheduler.triggers.interval,
)


class _Moved:
    """What the file said when the wall clock was read last: both clocks are read one after the
    other, and show one state."""

    passed = 0.0
    set_by = 0.0

    @classmethod
    def read(cls) -> None:
        cls.passed, cls.set_by = map(float, _FILE.read_text().split())


class _Any(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, datetime)


class _Datetime(datetime, metaclass=_Any):
    """`datetime` that tells the moved time."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        _Moved.read()
        return datetime.now(tz) + timedelta(seconds=_Moved.passed + _Moved.set_by)


class _Time:
    """`time` whose clocks show what has passed."""

    CLOCK_MONOTONIC = time.CLOCK_MONOTONIC

    @staticmethod
    def clock_gettime(number: int) -> float:
        return time.clock_gettime(number) + _Moved.passed


if __name__ == "__main__":
    # The two places that read the machine's clock: ours, and the scheduler's.
    for module in (clock, *_APSCHEDULER):
        setattr(module, "datetime", _Datetime)  # noqa: B010
    setattr(clock, "time", _Time)  # noqa: B010
    _Moved.read()
    del sys.argv[1]
    main()

"""The clock: handed in wherever a time is needed, so that tests can hold it still."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

# Time that this machine sleeps has passed as well, where the system counts it.
_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Tells the time as an aware UTC datetime."""

    def now(self) -> datetime:
        """The current time, UTC."""
        ...

    def elapsed(self) -> float:
        """Seconds that have passed since some moment, whatever the clock is set to."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The current time, UTC."""
        return datetime.now(UTC)

    def elapsed(self) -> float:
        """Seconds that have passed since some moment, whatever the clock is set to."""
        return time.clock_gettime(_PASSING)

"""Where due work is carried out: in this process, or by workers over a queue.

The tick decides when to look, an engine looks for what is due and has it done. Both engines end in
the same calls: `polls.poll`, `PageReader.read_host`, `Pusher.serve`, `websub.keep_up` and
`read_pushes`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol


class Engine(Protocol):
    """Has due work done; each `begin` returns how many pieces it began."""

    async def leads(self) -> bool:
        """Whether this process is the one that looks after the store (of several, one does)."""
        ...

    async def begin_polls(self, now: datetime) -> int:
        """Begin to poll sources that are due, within the budgets; returns how many."""
        ...

    async def begin_pages(self) -> int:
        """Begin to read pages that are due; returns of how many hosts."""
        ...

    async def begin_pushes(self) -> int:
        """Begin to tell subscribers of news; returns how many."""
        ...

    async def begin_subscriptions(self) -> None:
        """Subscribe to hubs, renew, and read what they delivered."""
        ...

    async def idle(self) -> None:
        """Wait for the polls that are under way in this process."""
        ...

    async def restored(self) -> None:
        """Storage can be written (again): put right what could not be stored."""
        ...

    async def stop(self, grace: timedelta) -> None:
        """Begin nothing more; let what is under way end within `grace`, cut the rest off."""
        ...

"""The parts that the verbs work with, built once by the service or a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from aggregator.fetch.client import Fetcher
from aggregator.identity.naming import Mint
from aggregator.model.settings import Settings
from aggregator.store.copies.memory import Grouping
from aggregator.store.database import Database
from aggregator.store.sources.documents import Room
from aggregator.telemetry.clock import Clock

T = TypeVar("T")


class Workers(Protocol):
    """Runs a function in a worker process that can be killed."""

    async def run(self, fn: Callable[..., T], *args: Any, timeout: float = ..., share: str) -> T:
        """The function's result; raises `isolate.pool.WorkerError` when it was ended.

        `share` is on whose behalf: a source's id, a page's host.
        """
        ...


@dataclass(slots=True)
class Parts:
    """Everything a verb may need. `settings` is replaced whole when the configuration changes."""

    settings: Settings
    database: Database
    fetcher: Fetcher
    workers: Workers
    clock: Clock
    mint: Mint
    owner: str  # names this instance in leases
    grouping: Grouping = field(default_factory=Grouping)  # what the copy step remembers
    room: Room = field(default_factory=Room)  # what is left for documents as they came

    def __post_init__(self) -> None:
        if not self.owner:
            raise ValueError("leases need an owner")

"""The pool of killable worker processes."""

from __future__ import annotations

from aggregator.isolate.pool import (
    WorkerBusy,
    WorkerClosed,
    WorkerCrashed,
    WorkerError,
    WorkerMemory,
    WorkerPool,
    WorkerTimeout,
)

__all__ = [
    "WorkerBusy",
    "WorkerClosed",
    "WorkerCrashed",
    "WorkerError",
    "WorkerMemory",
    "WorkerPool",
    "WorkerTimeout",
]

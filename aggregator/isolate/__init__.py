"""The pool of killable worker processes."""

from __future__ import annotations

from aggregator.isolate.pool import (
    WorkerClosed,
    WorkerCrashed,
    WorkerError,
    WorkerMemory,
    WorkerPool,
    WorkerTimeout,
)

__all__ = [
    "WorkerClosed",
    "WorkerCrashed",
    "WorkerError",
    "WorkerMemory",
    "WorkerPool",
    "WorkerTimeout",
]

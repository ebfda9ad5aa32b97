"""Answers counted by what was asked for, and the time to their heads.

Until the head: how long a body takes is up to the client, and a stream never ends.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from starlette.types import Message, Send

from aggregator.telemetry import metrics

_KINDS = (
    ("/feeds/", "feeds"),
    ("/api/", "api"),
    ("/static/", "files"),
    ("/pictures/", "files"),
    ("/health/", "health"),
    ("/metrics", "health"),
    ("/websub/", "push"),
    ("/hub", "push"),
)


def kind_of(path: str, root_path: str) -> str:
    """What a path asks for: `feeds`, `api`, `files`, `health`, `push`, or else `pages`."""
    inner = path.removeprefix(root_path)
    return next((kind for start, kind in _KINDS if inner.startswith(start)), "pages")


def counting(send: Send, kind: str, began: float) -> Send:
    """A `send` that counts the answer as its head goes out; `began` is of `time.perf_counter`."""

    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            count(kind, message["status"], began)
        await send(message)

    return counted


def count(kind: str, status: int, began: float) -> None:
    """Count an answer whose head is about to be sent."""
    seconds, answers = _series(kind, status)
    seconds.observe(time.perf_counter() - began)
    answers.inc()


@lru_cache(maxsize=512)
def _series(kind: str, status: int) -> tuple[Any, Any]:
    """Looked up once: finding a series by its labels costs more than adding to it."""
    return (
        metrics.REQUEST_SECONDS.labels(kind=kind),
        metrics.ANSWERS.labels(kind=kind, status=str(status)),
    )

"""A bound on what one search may cost the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from aggregator.model.errors import SearchTooLong

_STEPS = 10_000  # SQLite's, between two looks at the time: about a millisecond


@contextmanager
def at_most(connection: Connection, limit: timedelta) -> Iterator[None]:
    """End what is asked of the database inside once it takes longer than a time.

    On SQLite the time of all statements counts, on PostgreSQL that of each.

    Raises:
        SearchTooLong: it took longer; the transaction can only be left.
    """
    if connection.dialect.name == "postgresql":
        with _told("QueryCanceled"):
            most = max(1, int(limit.total_seconds() * 1000))  # 0 is no limit
            connection.execute(text(f"SET LOCAL statement_timeout = {most}"))
            yield
            connection.execute(text("SET LOCAL statement_timeout = DEFAULT"))
        return
    raw = connection.connection.dbapi_connection
    assert raw is not None
    end = time.monotonic() + limit.total_seconds()
    raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        with _told("OperationalError: interrupted"):
            yield
    finally:
        raw.set_progress_handler(None, 0)


@contextmanager
def _told(told: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if f"{type(error.orig).__name__}: {error.orig}".startswith(told):
            raise SearchTooLong from error
        raise

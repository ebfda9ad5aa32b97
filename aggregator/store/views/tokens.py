"""Tokens in the path of a feed, for readers that can send none otherwise: one view each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from aggregator.store import schema as t


@dataclass(frozen=True, slots=True)
class FeedToken:
    """What is kept of a token; the token itself is not."""

    number: int
    view_id: str
    note: str
    made_at: datetime


def add(connection: Connection, view_id: str, digest: str, note: str, now: datetime) -> int:
    """Keep the digest of a new token for a view; returns its number."""
    made = connection.execute(
        t.feed_token.insert()
        .values(view_id=view_id, digest=digest, note=note, made_at=now)
        .returning(t.feed_token.c.id)
    )
    return int(made.scalar_one())


def view_of(connection: Connection, digest: str) -> str | None:
    """The view that a token with this digest opens."""
    c = t.feed_token.c
    return connection.scalar(select(c.view_id).where(c.digest == digest))


def every(connection: Connection) -> list[FeedToken]:
    """All tokens in force, by number."""
    c = t.feed_token.c
    rows = connection.execute(select(c.id, c.view_id, c.note, c.made_at).order_by(c.id))
    return [FeedToken(*row) for row in rows]


def revoke(connection: Connection, number: int) -> bool:
    """End a token; whether there was one of this number."""
    done = connection.execute(delete(t.feed_token).where(t.feed_token.c.id == number))
    return done.rowcount == 1

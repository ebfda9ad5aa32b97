"""The robots.txt of an authority, as it was last read."""

from __future__ import annotations

from sqlalchemy import Connection, select

from aggregator.model.http import RobotsOutcome, RobotsRecord, Validators
from aggregator.store import schema as t
from aggregator.store.rows import upsert


def load_robots(connection: Connection, authority: str) -> RobotsRecord | None:
    """The record of an authority's robots.txt."""
    row = connection.execute(select(t.robots).where(t.robots.c.authority == authority)).first()
    if row is None:
        return None
    return RobotsRecord(
        authority=row.authority,
        outcome=RobotsOutcome(row.outcome),
        fetched_at=row.fetched_at,
        expires_at=row.expires_at,
        detail=row.detail,
        body=row.body,
        validators=Validators(row.etag, row.last_modified, row.validators_url),
        failing_since=row.failing_since,
    )


def save_robots(connection: Connection, record: RobotsRecord) -> None:
    """Keep a record in place of the authority's former one."""
    held = record.validators
    upsert(
        connection,
        t.robots,
        [
            {
                "authority": record.authority, "outcome": str(record.outcome),
                "fetched_at": record.fetched_at, "expires_at": record.expires_at,
                "detail": record.detail, "body": record.body, "etag": held.etag,
                "last_modified": held.last_modified, "validators_url": held.url,
                "failing_since": record.failing_since,
            }
        ],
        update=True,
    )  # fmt: skip

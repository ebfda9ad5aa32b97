"""Numbers of each hour: counted from what is stored, again and again with the same result."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.model.settings import Settings, SourceSettings
from aggregator.pipeline.configure import apply_settings
from aggregator.store import hours
from aggregator.store import schema as t
from aggregator.store.database import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def poll(source: str, at: datetime, *, error: str | None = None, outcome: str = "new") -> Any:
    return {"source_id": source, "at": at, "error": error, "outcome": outcome}


def item(number: int, at: datetime, **changes: Any) -> Any:
    return {
        "id": number, "public_id": f"tag:{number}", "scope": "", "source_id": "open",
        "entry_key": str(number), "first_seen": at, "sort_at": at, "published": at - 5 * MINUTE,
        "updated": at, "source_ref": {}, "content_hash": "c",
    } | changes  # fmt: skip


def test_each_hour_has_its_polls_failures_and_new_items(database: Database) -> None:
    sources = (
        SourceSettings("open", "https://o.example/"),
        SourceSettings("closed", "https://c.example/", private=True),
    )
    with database.write() as connection:
        apply_settings(connection, Settings(sources=sources), NOON - 9 * HOUR)
        connection.execute(
            t.poll_log.insert(),
            [
                poll("open", NOON - 2 * HOUR),
                poll("open", NOON - 61 * MINUTE, error="no answer", outcome="timeout"),
                poll("closed", NOON - 61 * MINUTE),
                poll("open", NOON, outcome="push"),  # nobody was asked
                poll("open", NOON + MINUTE),
            ],
        )
        connection.execute(
            t.item.insert(),
            [
                item(1, NOON - HOUR),
                item(2, NOON - 30 * MINUTE, published=NOON - 3 * HOUR),
                item(3, NOON - 30 * MINUTE, published=None),
                item(4, NOON - 30 * MINUTE, scope="closed", source_id="closed"),
                item(5, NOON - 30 * MINUTE, sort_at=NOON - 99 * HOUR),  # an archive
            ],
        )
    now = NOON + 5 * MINUTE
    for _ in range(2):  # again: nothing is counted twice
        with database.write() as connection:
            hours.keep(connection, hours.count_since(connection, NOON - 2 * HOUR), now)
    with database.read() as connection:
        everything = hours.hours(connection, NOON - 3 * HOUR, now, private=True)
        public = hours.hours(connection, NOON - 3 * HOUR, now, private=False)
        assert hours.last_counted(connection) == now
    assert [hour.at for hour in everything] == [NOON - back * HOUR for back in (3, 2, 1, 0)]
    assert [(h.polls, h.failed, h.new_items, h.prompt) for h in everything] == [
        (0, 0, 0, 0), (3, 1, 0, 0), (0, 0, 4, 2), (1, 0, 0, 0),
    ]  # fmt: skip
    assert [(h.polls, h.failed, h.new_items, h.prompt) for h in public] == [
        (0, 0, 0, 0), (2, 1, 0, 0), (0, 0, 3, 1), (1, 0, 0, 0),
    ]  # fmt: skip


def test_old_hours_are_forgotten_and_a_day_has_one_size(database: Database) -> None:
    with database.write() as connection:
        connection.execute(t.poll_log.insert(), [poll("x", NOON - 50 * HOUR), poll("x", NOON)])
        hours.keep(connection, hours.count_since(connection, NOON - 60 * HOUR), NOON)
        hours.forget(connection, NOON - 48 * HOUR)
        counted = hours.hours(connection, NOON - 60 * HOUR, NOON, private=True)
        assert [(hour.at, hour.polls) for hour in counted if hour.polls] == [(NOON, 1)]
        for size, at in ((10, NOON - 24 * HOUR), (20, NOON), (30, NOON + HOUR)):
            hours.keep_size(connection, size, at)
        hours.keep_size(connection, 5, NOON - timedelta(days=400))
        assert hours.sizes(connection, NOON - timedelta(days=500))[-2:] == (
            ("2026-02-28", 10 * 1024), ("2026-03-01", 30 * 1024),
        )  # fmt: skip
    with database.read() as connection:
        assert database.size(connection) > 10_000

"""Lists of sources: every order goes on where its page ended, and filters know every script."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from aggregator.model.pages import SourceHealth, SourceOrder, SourceQuery
from aggregator.model.settings import Settings, SourceSettings
from aggregator.pipeline.configure import apply_settings
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.sources import polls, standing

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCES = (
    SourceSettings("beta", "https://b.example/", title="Übersee heute", tags=("world", "sea")),
    SourceSettings("alpha", "https://a.example/", title="über Land", tags=("local",)),
    SourceSettings("gamma", "https://g.example/", title="100 % Sport"),
    SourceSettings("delta", "https://d.example/", title="Anders", tags=("local", "world")),
    SourceSettings("secret", "https://s.example/", title="Letters", private=True),
)
ORDERED = {
    SourceOrder.ID: ["alpha", "beta", "delta", "gamma"],
    SourceOrder.TITLE: ["gamma", "delta", "alpha", "beta"],
    SourceOrder.TAG: ["delta", "alpha", "beta", "gamma"],  # what has no tag comes last
    SourceOrder.URGENCY: ["beta", "gamma", "delta", "alpha"],
    SourceOrder.NEXT: ["delta", "alpha", "gamma", "beta"],  # beta has no plan
}


@pytest.fixture
def filled(database: Database) -> Database:
    with database.write() as connection:
        apply_settings(connection, Settings(sources=SOURCES), NOON)
        for hours, name in enumerate(("delta", "alpha", "gamma")):
            connection.execute(
                update(t.feed)
                .where(t.feed.c.source_id == name)
                .values(next_poll_at=NOON + timedelta(hours=hours), last_polled_at=NOON)
            )
        failing = update(t.feed).where(t.feed.c.source_id == "beta")
        connection.execute(failing.values(failures=2, last_polled_at=NOON, next_poll_at=None))
        waiting = update(t.feed).where(t.feed.c.source_id == "gamma")
        connection.execute(waiting.values(last_polled_at=None))
    return database


@pytest.mark.parametrize("order", SourceOrder)
def test_every_order_goes_on_where_its_page_ended(filled: Database, order: SourceOrder) -> None:
    with filled.read() as connection:
        query = SourceQuery(order=order, limit=1)
        seen: list[str] = []
        while found := standing.page(connection, query, private=False):
            seen += found
            query = replace(query, after=found[-1])
    expected = ORDERED[order]
    # Both databases sort letters beyond English by their own rules.
    assert seen == expected or (order is SourceOrder.TITLE and sorted(seen) == sorted(expected))


def test_sources_are_found_by_tag_state_and_words_in_every_script(filled: Database) -> None:
    def ids(private: bool = False, **asked: object) -> list[str]:
        with filled.read() as connection:
            query = SourceQuery(**asked)  # type: ignore[arg-type]
            return standing.page(connection, query, private=private)

    assert ids(tag="world") == ["beta", "delta"]
    assert ids(tag="wor") == []
    assert ids(states=(SourceHealth.FAILING,)) == ["beta"]
    assert ids(text="ÜBER") == ["alpha", "beta"]
    assert ids(text="local") == ["alpha", "delta"]
    assert ids(text="100 %") == ["gamma"]
    assert ids(text="%") == ["gamma"]
    assert ids(text="letters") == []
    assert ids(text="letters", private=True) == ["secret"]


def test_the_last_polls_of_each_source_come_oldest_first(filled: Database) -> None:
    with filled.write() as connection:
        rows = [
            {
                "source_id": name, "at": NOON - timedelta(hours=back), "outcome": "new",
                "error": "no answer" if back == 3 else None, "new_items": back,
            }
            for name in ("alpha", "beta")
            for back in range(40)
        ]  # fmt: skip
        connection.execute(t.poll_log.insert(), rows)
    with filled.read() as connection:
        found = polls.last_marks(connection, ["alpha", "gamma"], 30)
    assert found["gamma"] == ()
    assert [mark.new_items for mark in found["alpha"]] == list(range(29, -1, -1))
    assert [mark.new_items for mark in found["alpha"] if mark.failed] == [3]

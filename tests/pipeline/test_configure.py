"""Applying a configuration: what starts, what stops, what is forgotten and what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.model.http import Validators
from aggregator.model.settings import (
    Secret,
    ServiceSettings,
    Settings,
    SourceSettings,
    ViewSettings,
)
from aggregator.pipeline.configure import Applied, apply_settings, installation
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from aggregator.store.sources import claims, states
from aggregator.store.views import rendered

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALPHA = SourceSettings("alpha", "https://alpha.example/feed", tags=("news",))
BETA = SourceSettings("beta", "https://beta.example/feed")
VIEW = ViewSettings("all", "Everything")


def apply(
    database: Database, *configured: SourceSettings, now: datetime = NOON, **more: object
) -> Applied:
    settings = Settings(sources=configured, views=(VIEW,), **more)  # type: ignore[arg-type]
    with database.write() as connection:
        return apply_settings(connection, settings, now)


def due(database: Database, now: datetime) -> list[str]:
    with database.write() as connection:
        lease = timedelta(seconds=1)
        return sorted(c.source_id for c in claims.claim_due(connection, now, 9, "t", lease))


def polled(database: Database, name: str) -> None:
    with database.write() as connection:
        state = states.feed_state(connection, name)
        claim = claims.claim_one(connection, name, NOON, "t", timedelta(seconds=1))
        assert state is not None
        assert claim is not None
        states.put_state(connection, replace(
            state, validators=Validators('"v1"', None, "https://x/"), body_hash="h", failures=3,
            next_poll_at=NOON + timedelta(hours=1), policy='{"learned": 1}', title="Kept",
        ), claim, "h")  # fmt: skip


def test_new_sources_are_due_at_once_and_the_same_configuration_changes_nothing(
    database: Database,
) -> None:
    assert apply(database, ALPHA, BETA).added == ("alpha", "beta")
    assert apply(database, ALPHA, BETA) == Applied()
    assert due(database, NOON) == ["alpha", "beta"]


def test_a_removed_source_stops_and_comes_back_with_its_history(database: Database) -> None:
    apply(database, ALPHA, BETA)
    polled(database, "alpha")
    assert apply(database, BETA).removed == ("alpha",)
    assert due(database, NOON + timedelta(days=1)) == ["beta"]
    assert apply(database, ALPHA, BETA).changed == ("alpha",)
    with database.read() as connection:
        state = states.feed_state(connection, "alpha")
    assert state is not None
    assert state.validators.etag == '"v1"'


def test_a_disabled_source_is_not_polled(database: Database) -> None:
    apply(database, replace(ALPHA, enabled=False))
    assert due(database, NOON) == []


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://alpha.example/new-feed"},
        {"headers": {"X-Key": Secret("k")}},
        {"auth": (Secret("u"), Secret("p"))},
    ],
)
def test_a_changed_address_or_access_clears_validators_and_keeps_the_rest(
    database: Database, change: dict[str, object]
) -> None:
    apply(database, ALPHA)
    polled(database, "alpha")
    apply(database, replace(ALPHA, **change), now=NOON + timedelta(minutes=1))  # type: ignore[arg-type]
    with database.read() as connection:
        state = states.feed_state(connection, "alpha")
    assert state is not None
    assert (state.validators, state.body_hash, state.failures) == (Validators(), None, 0)
    assert (state.policy, state.title) == ('{"learned": 1}', "Kept")
    assert state.next_poll_at == NOON + timedelta(minutes=1)


def test_a_changed_title_keeps_validators_and_the_next_poll(database: Database) -> None:
    apply(database, ALPHA)
    polled(database, "alpha")
    apply(database, replace(ALPHA, title="Another name"))
    with database.read() as connection:
        state = states.feed_state(connection, "alpha")
    assert state is not None
    assert state.validators.etag == '"v1"'
    assert state.next_poll_at == NOON + timedelta(hours=1)


def test_no_secret_is_written_to_the_database(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    migrate(database)
    secret = SourceSettings(
        "s", "https://s.example/feed?key=TOPSECRET1", url_is_secret=True, private=True,
        headers={"X-Key": Secret("TOPSECRET2")}, auth=(Secret("TOPSECRET3"), Secret("TOPSECRET4")),
    )  # fmt: skip
    apply(database, secret)
    database.close()
    from pathlib import Path

    files = Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("aggregator.db*")
    assert not any(b"TOPSECRET" in file.read_bytes() for file in files)


def test_a_view_moves_its_version_when_its_configuration_does_and_keeps_its_id(
    database: Database,
) -> None:
    apply(database, ALPHA)
    with database.read() as connection:
        first = rendered.view_state(connection, "all")
    apply(database, ALPHA)
    with database.read() as connection:
        same = rendered.view_state(connection, "all")
    apply(database, ALPHA, BETA)
    with database.read() as connection:
        moved = rendered.view_state(connection, "all")
    assert first is not None
    assert same == first
    assert moved is not None
    assert (moved.feed_id, moved.version) == (first.feed_id, first.version + 1)


def test_the_tag_authority_is_minted_once_and_never_derived_again(database: Database) -> None:
    first = Settings(service=ServiceSettings(base_url="https://news.example.org/feeds"))
    moved = Settings(service=ServiceSettings(base_url="https://elsewhere.example.net"))
    with database.write() as connection:
        mint = installation(connection, first, NOON)
        again = installation(connection, moved, NOON + timedelta(days=400))
    assert (mint.authority, mint.date) == ("news.example.org", "2026-03-01")
    assert again == mint

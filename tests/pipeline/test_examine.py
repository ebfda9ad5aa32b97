"""`aggregator doctor` finds what is wrong, and says what to do about it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from aggregator.model.settings import Secret, Settings, SourceSettings, StorageSettings
from aggregator.pipeline.upkeep.examine import Around, Finding, examine
from aggregator.store import schema as t
from aggregator.store import transfer
from aggregator.store.database import Database
from aggregator.store.sources import turns
from tests.origin import Origin
from tests.pipeline.conftest import NOON, House, rss

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def polled(house: House, origin: Origin) -> House:
    origin.answer("/alpha", body=rss(1, 2))
    origin.answer("/beta", body=rss(1, site="beta"))
    house.poll()
    file = Path(str(Database(house.settings.storage.url.reveal()).url.database))
    if file.exists():
        file.chmod(0o600)
    return house


def look(
    settings: Settings, now: datetime = LATER, *, serving: bool = True, online: bool = False
) -> list[Finding]:
    async def answers() -> bool:
        return serving

    return asyncio.run(examine(settings, Around(now, answers), online=online))


def wrong(found: list[Finding]) -> dict[str, Finding]:
    assert all(one.remedy for one in found if not one.fine)
    return {one.about: one for one in found if not one.fine}


def test_a_healthy_installation_has_nothing_wrong(polled: House) -> None:
    assert wrong(look(polled.settings)) == {}


Damage = Callable[[Database], None]


def _execute(*statements: object) -> Damage:
    def damage(database: Database) -> None:
        with database.write() as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[call-overload]

    return damage


def _retire(database: Database) -> None:
    with database.write() as connection:
        transfer.retire(connection, "postgresql://db/other")


@pytest.mark.parametrize(
    ("damage", "now", "about", "said"),
    [
        (None, datetime(2020, 1, 1, tzinfo=UTC), "clock", "before this version was made"),
        (None, NOON - timedelta(days=2), "clock", "before what is stored"),
        (None, NOON + timedelta(days=9), "queue", "alpha, beta should have been polled"),
        (
            _execute(update(t.feed).values(lease_until=NOON + timedelta(days=400))),
            LATER, "leases", "2 polls or pages are held",
        ),
        (
            _execute(text("UPDATE alembic_version SET version_num = '9999'")),
            LATER, "database", "newer version",
        ),
        (
            _execute(text("UPDATE alembic_version SET version_num = '0013'")),
            LATER, "database", "earlier version",
        ),
        (_retire, LATER, "database", "was moved to postgresql://db/other"),
    ],
)  # fmt: skip
def test_each_fault_of_a_store_is_found(
    polled: House, damage: Damage | None, now: datetime, about: str, said: str
) -> None:
    if damage is not None:
        database = Database(polled.settings.storage.url.reveal())
        damage(database)
        database.close()
    found = wrong(look(polled.settings, now))
    assert said in found[about].said


def test_a_database_that_cannot_be_used_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.write_bytes(b"no database" * 1000)
    file.chmod(0o644)
    found = look(_storage(f"sqlite:///{file}"))
    assert "read by everybody" in wrong(found)["permissions"].said
    assert any("damaged" in one.said for one in found if not one.fine)
    found = look(_storage("postgresql://nobody@127.0.0.1:1/x"))
    assert "127.0.0.1" in wrong(found)["database"].said


def test_of_several_processes_the_schedulers_are_looked_for_and_not_a_server_here(
    polled: House,
) -> None:
    database = Database(polled.settings.storage.url.reveal())
    with database.write() as connection:
        turns.put(connection, {"looked_at": NOON.isoformat()})
    database.close()
    assert wrong(look(polled.settings, NOON + timedelta(minutes=1), serving=False)) == {}
    found = wrong(look(polled.settings, NOON + timedelta(minutes=5), serving=False))
    assert list(found) == ["schedulers"]
    assert found["schedulers"].remedy == "start one: aggregator schedule"
    assert "schedulers" not in wrong(look(polled.settings, NOON + timedelta(minutes=5)))


def test_before_the_first_start_nothing_is_wrong_but_the_service(tmp_path: Path) -> None:
    found = wrong(look(_storage(f"sqlite:///{tmp_path / 'a.db'}"), serving=False))
    assert list(found) == ["service"]
    assert not (tmp_path / "a.db").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_a_password_in_a_file_that_others_may_read_is_found(tmp_path: Path) -> None:
    file = tmp_path / "aggregator.yaml"
    settings = replace(
        _storage(f"sqlite:///{tmp_path / 'a.db'}"),
        files=(str(file),),
        sources=(
            SourceSettings(
                "a", "https://a.example/feed", auth=(Secret("me"), Secret("open sesame"))
            ),
        ),
    )
    file.write_text("auth: [me, open sesame]")
    file.chmod(0o644)
    found = wrong(look(settings))["permissions"]
    assert str(file) in found.said
    assert "open sesame" not in found.said + found.remedy
    file.write_text("auth: [me, '${PASSWORD}']")  # from the environment: nothing to be read
    assert "permissions" not in wrong(look(settings))
    file.write_text("auth: [me, open sesame]")
    file.chmod(0o600)
    assert "permissions" not in wrong(look(settings))


def test_hosts_that_cannot_be_asked_are_found(tmp_path: Path) -> None:
    base = _storage(f"sqlite:///{tmp_path / 'a.db'}")
    inside = SourceSettings("inside", "http://localhost/feed")
    nowhere = SourceSettings("nowhere", "http://no-such-host.invalid/feed")
    found = wrong(look(replace(base, sources=(inside, nowhere)), online=True))
    assert "localhost is not asked" in found["guard"].said
    assert "allow_private" in found["guard"].remedy
    assert "no-such-host.invalid" in found["names"].said
    allowed = replace(inside, allow_private=True)
    found = wrong(look(replace(base, sources=(allowed,)), online=True))
    assert not {"guard", "names"} & set(found)


def _storage(url: str) -> Settings:
    return Settings(storage=StorageSettings(url=Secret(url)))

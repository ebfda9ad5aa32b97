"""What becomes of sources and of ourselves is told once, as a feed and to webhooks."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from aggregator.model.settings import Secret, WebhookSettings
from aggregator.model.states import HealthKind, PushKind, PushState
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.pushing.health import HealthDocuments, Trouble, Watch
from aggregator.schedule.state import Doubt, PolicyState
from aggregator.store import facts
from aggregator.store import schema as t
from aggregator.store.pushing import targets
from aggregator.work.push import Pusher
from tests.origin import Origin
from tests.pipeline.conftest import NOON, House, rss


def looked(house: House, *troubles: Trouble) -> list[str]:
    """Look once; what stands in the feed then, the latest last."""

    async def work(parts: Parts) -> list[str]:
        await Watch(parts).look(troubles)
        made = await HealthDocuments(parts).document("json", private=True)
        return [one["title"] for one in reversed(json.loads(made.body)["items"])]

    return house.run(work)


def document(house: House, fmt: str, *, private: bool) -> Any:
    async def work(parts: Parts) -> Any:
        return await HealthDocuments(parts).document(fmt, private=private)

    return house.run(work)


@pytest.fixture
def watched(house: House, origin: Origin) -> House:
    """A house that was looked at while all was well."""
    origin.answer("/alpha", body=rss(1))
    origin.answer("/beta", body=rss(1, site="beta"))
    house.poll()
    assert looked(house) == []
    return house


def test_a_source_breaks_with_its_third_failure_and_recovers_with_its_next_success(
    watched: House, origin: Origin
) -> None:
    origin.answer("/alpha", 404)
    for failures in range(1, 5):
        watched.clock.move(hours=7)
        watched.poll("alpha")
        broken = ["alpha: it cannot be read any more"] if failures >= 3 else []
        assert looked(watched) == broken
    origin.answer("/alpha", body=rss(1, 2))
    watched.clock.move(hours=7)
    watched.poll("alpha")
    assert looked(watched) == [*broken, "alpha: it is well again"]
    text = document(watched, "atom", private=True).body.decode()
    assert "there was trouble since 2026-03-02" in text
    assert "/sources/alpha" in text
    assert "404" in text


def test_a_source_that_was_broken_before_anybody_looked_is_not_told_at_the_first_look(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", 404)
    for _ in range(4):
        house.poll("alpha")
        house.clock.move(hours=7)
    assert looked(house) == []
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")
    assert looked(house) == ["alpha: it is well again"]


def test_a_source_goes_quiet_against_its_rhythm_and_a_failure_in_between_says_nothing(
    watched: House, origin: Origin
) -> None:
    since = NOON.timestamp()

    def rhythm(connection: Connection) -> None:
        usual = PolicyState(seen_at=since, doubt=Doubt(since=since, rate=10.0))
        values = {"policy": usual.to_json()}
        connection.execute(update(t.feed).where(t.feed.c.source_id == "alpha").values(**values))

    async def work(parts: Parts) -> None:
        await parts.database.run_write(rhythm)

    watched.run(work)
    watched.clock.move(days=2)
    watched.poll("alpha")
    quiet = "alpha: it has gone quiet against its usual rhythm"
    assert looked(watched) == [quiet]
    origin.answer("/alpha", 500)
    watched.poll("alpha")
    assert looked(watched) == [quiet]
    origin.answer("/alpha", body=rss(1, 2))
    watched.clock.move(hours=7)
    watched.poll("alpha")
    assert looked(watched) == [quiet, "alpha: it is well again"]


def test_our_own_network_and_database_are_told_and_sources_not_blamed(
    watched: House, origin: Origin
) -> None:
    down = NOON + timedelta(hours=1)

    def outage(connection: Connection, since: datetime | None) -> None:
        facts.set_fact(connection, "own outage since", since.isoformat() if since else "")

    async def fail(parts: Parts) -> None:
        await parts.database.run_write(outage, down)

    async def mend(parts: Parts) -> None:
        await parts.database.run_write(outage, None)

    watched.run(fail)
    network = "our own network seems to be down"
    assert looked(watched) == [network]
    watched.run(mend)
    told = [network, "our own network is there again"]
    assert looked(watched) == told
    full = Trouble(HealthKind.STORAGE_DOWN, down, "database or disk is full")
    told += ["our database could not be written", "our database can be written again"]
    assert looked(watched, full) == told


def test_private_sources_stand_in_the_feed_of_whoever_may_see_all_alone(
    watched: House, origin: Origin
) -> None:
    alpha, beta = watched.settings.sources
    watched.configure(sources=(replace(alpha, private=True), beta))
    for name in ("/alpha", "/beta"):
        origin.answer(name, 404)
    for _ in range(3):
        watched.clock.move(hours=7)
        watched.poll()
    assert len(looked(watched)) == 2
    for fmt in ("atom", "rss", "json"):
        assert b"alpha" in document(watched, fmt, private=True).body
        shown = document(watched, fmt, private=False)
        assert b"beta" in shown.body
        assert b"alpha" not in shown.body
    again = document(watched, "json", private=False)
    assert (again.etag, again.body) == (shown.etag, shown.body)


def test_a_webhook_is_told_what_comes_and_a_parked_one_is_told_of(
    watched: House, origin: Origin
) -> None:
    origin.answer("/hook", 204)
    hook = WebhookSettings(Secret(origin.url("/hook")), template='["{title}", "{text}"]')
    service = replace(watched.settings.service, health_webhooks=(hook,))
    watched.configure(service=service)

    async def push(parts: Parts) -> None:
        pusher = Pusher(parts)
        for _ in range(3):
            await pusher.tick()
            await asyncio.gather(*pusher._running.values())
        (one,) = await parts.database.run_read(targets.every, PushKind.WEBHOOK)
        parked = replace(one, state=PushState.PARKED, detail="status 500")
        await parts.database.run_write(targets.put, parked)

    watched.run(push)
    origin.answer("/alpha", 404)
    for _ in range(3):
        watched.clock.move(hours=7)
        watched.poll("alpha")
    assert looked(watched) == [
        "alpha: it cannot be read any more",
        "a webhook took nothing for long",
    ]
    watched.run(push)
    said = [json.loads(seen.body) for seen in origin.requests("/hook")]
    assert [title for title, _ in said] == looked(watched)[:2]
    assert "status 500" in said[1][1]
    assert origin.url("/hook") not in said[1][1]

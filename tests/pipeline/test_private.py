"""A source becomes private, or is configured anew, while everything goes on (invariant 12)."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model.item import PollRecord
from aggregator.model.settings import Secret, Settings, SourceSettings
from aggregator.pipeline.configure import apply_settings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.pipeline.upkeep.opening import open_items
from aggregator.store import schema as t
from aggregator.store.sources import states
from tests.origin import Origin, Wire, reply
from tests.pipeline.conftest import House, claimed, rss

TEXT = (
    "The harbour authority said on Monday that the northern quay will close for seven weeks while "
    "divers replace the sheet piling that was damaged when a coaster struck it in heavy fog last "
    "winter, and that ferries to the islands will leave from the southern basin in the meantime."
)


def hidden(house: House, name: str = "alpha") -> Settings:
    """The configuration with one source made private."""
    changed = tuple(
        replace(one, private=True) if one.id == name else one for one in house.settings.sources
    )
    return replace(house.settings, sources=changed)


def hide(house: House, name: str = "alpha") -> None:
    house.settings = hidden(house, name)


def show(house: House, name: str = "alpha") -> None:
    changed = tuple(
        replace(one, private=False) if one.id == name else one for one in house.settings.sources
    )
    house.configure(sources=changed)


@pytest.mark.parametrize("fmt", ["atom", "rss", "json"])
def test_what_a_source_brought_leaves_the_open_feeds_when_it_becomes_private(
    house: House, origin: Origin, fmt: str
) -> None:
    origin.answer("/alpha", body=rss(1, 2, 3))
    house.poll("alpha")
    assert b"Bridge 2 opens" in house.feed(fmt).body
    hide(house)
    assert b"Bridge" not in house.feed(fmt).body


def test_no_open_feed_names_a_copy_in_a_source_that_became_private(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1, site="alpha", text=TEXT))
    origin.answer("/beta", body=rss(1, site="beta", text=TEXT))
    only_beta = replace(house.settings.views[0], sources=("beta",))
    house.configure(views=(only_beta,))
    house.poll()
    assert b"alpha.example" in house.feed().body
    hide(house)
    assert b"beta.example" in house.feed().body
    assert b"alpha.example" not in house.feed().body


def test_a_source_may_become_private_public_and_private_again(house: House, origin: Origin) -> None:
    hide(house)
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")
    show(house)
    # The same address under another id, while it is public.
    origin.answer("/alpha", body=rss(1, 2).replace(b"?p=1", b"?p=111").replace(b"opens", b"shut"))
    house.poll("alpha")
    hide(house)
    origin.answer("/alpha", body=rss(1, 2, 3))
    house.poll("alpha")
    assert b"Bridge" not in house.feed().body


def test_keys_of_two_private_times_do_not_collide(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")

    async def work(parts: Parts) -> list[tuple[str, int]]:
        def hold(connection: Any) -> list[tuple[str, int]]:
            rows = connection.execute(t.url_key.select()).all()
            former = [{"scope": "alpha", "key": r.key, "item_id": r.item_id} for r in rows]
            connection.execute(t.url_key.insert(), former)
            states.make_private(connection, "alpha")
            return [(r.scope, r.item_id) for r in connection.execute(t.url_key.select())]

        return await parts.database.run_write(hold)

    held = house.run(work)
    assert held
    assert {scope for scope, _ in held} == {"alpha"}


def while_polling(house: House, origin: Origin, changed: Settings) -> PollRecord:
    """Apply a configuration while the origin has the request and has not answered."""
    asked, go_on = asyncio.Event(), threading.Event()  # the origin has a loop of its own

    async def work(parts: Parts) -> PollRecord:
        loop = asyncio.get_running_loop()

        async def answer(wire: Wire) -> None:
            loop.call_soon_threadsafe(asked.set)
            await asyncio.to_thread(go_on.wait, 30)
            await wire.send(reply(200, body=rss(1, 2, 3)))

        origin.route("/alpha", answer)
        source = house.settings.sources[0]
        claim = await claimed(parts, source)
        polling = asyncio.create_task(poll_source(parts, source, claim))
        await asked.wait()
        now = parts.clock.now()
        await parts.database.run_write(apply_settings, changed, now)
        go_on.set()
        return await polling

    return house.run(work)


def test_a_poll_under_way_stores_nothing_public_of_a_source_that_became_private(
    house: House, origin: Origin
) -> None:
    changed = hidden(house)
    while_polling(house, origin, changed)
    house.settings = changed
    assert house.titles() == []
    house.poll("alpha")

    async def scopes(parts: Parts) -> list[str]:
        def read(connection: Any) -> list[str]:
            return sorted(connection.scalars(t.item.select().with_only_columns(t.item.c.scope)))

        return await parts.database.run_read(read)

    assert house.run(scopes) == ["alpha"] * 3


def test_a_poll_of_a_former_address_changes_nothing_of_the_new_one(
    house: House, origin: Origin
) -> None:
    old = house.settings.sources[0]
    corrected = SourceSettings("alpha", origin.url("/corrected"))
    changed = replace(house.settings, sources=(corrected, *house.settings.sources[1:]))
    record = while_polling(house, origin, changed)
    house.settings = changed
    state = house.state("alpha")
    assert (state.validators.url, state.body_hash, state.last_polled_at) == (None, None, None)
    assert state.next_poll_at - house.clock.now() <= timedelta(minutes=1)
    assert record.new_items == 0
    assert old.url != corrected.url


def test_a_document_rendered_by_a_former_configuration_is_not_kept(
    house: House, origin: Origin
) -> None:
    """Between the transaction that applies a configuration and the moment it is in force."""
    open_view = house.settings.views[0]
    hide(house)
    house.configure(views=(replace(open_view, token=Secret("a-token")),))
    origin.answer("/alpha", body=rss(1, 2))
    house.poll("alpha")
    guarded = house.settings
    opened = replace(guarded, views=(open_view,))

    async def work(parts: Parts) -> list[bytes]:
        in_force = [guarded]
        publisher = Publisher(parts.database, parts.clock, lambda: in_force[0])
        await parts.database.run_write(apply_settings, opened, parts.clock.now())
        before = await publisher.rendered("all", "atom", None)
        in_force[0] = opened
        after = await publisher.rendered("all", "atom", None)
        assert before is not None
        assert after is not None
        return [before.body, after.body]

    before, after = house.run(work)
    assert b"Bridge" in before
    assert b"Bridge" not in after


def test_related_news_name_no_item_of_a_source_that_became_private(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(7, site="alpha").replace(b"Bridge", b"Alpha bridge"))
    origin.answer("/beta", body=rss(8, site="beta"))
    house.poll()

    async def relate(parts: Parts) -> None:
        def put(connection: Any) -> None:
            numbers = dict(
                connection.execute(
                    t.item.select().with_only_columns(t.item.c.source_id, t.item.c.id)
                ).all()
            )
            row = {
                "item_id": numbers["beta"], "key": "k", "url": "https://alpha.example/2026/bridge-7",
                "text": "Bridge works go on", "rule": "r", "position": 1, "state": "known",
                "target_id": numbers["alpha"], "found_at": parts.clock.now(),
            }  # fmt: skip
            connection.execute(t.related_link.insert(), row)
            article = {
                "item_id": numbers["beta"], "parent_id": numbers["alpha"], "sanitizer_version": 1,
                "read_at": parts.clock.now(),
            }  # fmt: skip
            connection.execute(t.article.insert(), article)

        await parts.database.run_write(put)

    house.run(relate)
    for fmt in ("atom", "rss", "json"):
        assert b"Alpha bridge" in house.feed(fmt).body
    hide(house)
    for fmt in ("atom", "rss", "json"):
        body = house.feed(fmt).body
        assert b"Bridge 8 opens" in body
        assert b"Alpha bridge" not in body
        assert b"alpha.example/?p=" not in body


def test_the_open_start_page_counts_no_items_of_private_sources(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1, 2, 3, site="alpha"))
    origin.answer("/beta", body=rss(1, 2, site="beta"))
    hide(house)
    house.poll()

    async def counted(parts: Parts) -> int:
        publisher = Publisher(parts.database, parts.clock, lambda: house.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: house.settings, Condition())
        return (await pages.overview(private=True)).items

    assert house.run(counted) == 2
    guarded = replace(house.settings.service, token=Secret("a-token"))
    house.configure(service=guarded)
    assert house.run(counted) == 5


def test_what_a_source_brought_in_private_stays_private_until_a_command_opens_it(
    house: House, origin: Origin
) -> None:
    hide(house)
    origin.answer("/alpha", body=rss(1, 2))
    house.poll("alpha")
    show(house)
    origin.answer("/alpha", body=rss(1, 2, 3))
    house.clock.move(hours=1)
    house.poll("alpha")
    assert b"Bridge 3 opens" in house.feed().body
    assert b"Bridge 1 opens" not in house.feed().body
    assert any("2 items of that time stay private" in note for note in notes(house))

    async def open_them(parts: Parts) -> int:
        return await open_items(parts, "alpha")

    assert house.run(open_them) == 2
    assert b"Bridge 1 opens" in house.feed().body
    assert not any("stay private" in note for note in notes(house))
    assert house.run(open_them) == 0


def notes(house: House) -> tuple[str, ...]:
    """What the page of the source says about it."""

    async def look(parts: Parts) -> tuple[str, ...]:
        publisher = Publisher(parts.database, parts.clock, lambda: parts.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: parts.settings, Condition())
        page = await pages.source_page("alpha")
        assert page is not None
        return page.notes

    return house.run(look)

"""Hosts: budgets by domain and address, blocks, breakers, the hourly cap, our own outages.

Rows 48-51, 100-105 and 126.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from aggregator.model.http import HostBusy, RequestKind
from aggregator.model.pages import SourceHealth
from aggregator.model.settings import PollWhen, SourceSettings
from aggregator.pipeline.budgets import hour_cap, outage
from aggregator.pipeline.budgets.slots import DatabaseSlots
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.store.sources import claims, hosts
from aggregator.work.tick import Ticker
from tests.origin import Origin
from tests.pipeline.conftest import House, rss

SECOND = timedelta(seconds=1)


def polite(house: House) -> House:
    """With the budgets on, as an operator has them."""
    house.configure(polling=replace(house.settings.polling, host_gap=SECOND))
    return house


def slots(parts: Parts, patience: timedelta = timedelta(0)) -> DatabaseSlots:
    return DatabaseSlots(
        parts.database, parts.clock, parts.owner, lambda: parts.settings.polling, patience=patience
    )


async def refused(slots: DatabaseSlots, *asked: Any, **more: Any) -> str | None:
    try:
        await slots.release(await slots.acquire(*asked, **more))
    except HostBusy as busy:
        return busy.why
    return None


def test_one_request_is_in_flight_for_a_host_and_the_next_starts_a_second_later(
    house: House,
) -> None:
    async def work(parts: Parts) -> None:
        budget = slots(parts)
        held = await budget.acquire("a.example", RequestKind.FEED)
        house.clock.move(seconds=2)
        assert await refused(budget, "a.example", RequestKind.FEED) == "busy"
        await budget.release(held)
        assert await refused(budget, "a.example", RequestKind.FEED) == "gap"
        house.clock.move(seconds=1)
        assert await refused(budget, "a.example", RequestKind.FEED) is None

    polite(house).run(work)


def test_articles_keep_two_seconds_and_a_crawl_delay_wins_but_never_holds_a_feed(
    house: House,
) -> None:
    async def work(parts: Parts) -> None:
        budget = slots(parts)
        await budget.release(await budget.acquire("a.example", RequestKind.ARTICLE))
        house.clock.move(seconds=1)
        assert await refused(budget, "a.example", RequestKind.ARTICLE) == "gap"
        assert await refused(budget, "a.example", RequestKind.FEED) is None
        house.clock.move(seconds=1)
        delay = timedelta(seconds=30)
        assert await refused(budget, "a.example", RequestKind.ARTICLE, gap=delay) is None
        house.clock.move(seconds=29)
        assert await refused(budget, "a.example", RequestKind.ARTICLE) == "gap"
        house.clock.move(seconds=1)
        assert await refused(budget, "a.example", RequestKind.ARTICLE) is None

    polite(house).run(work)


def test_a_page_lets_the_feeds_of_its_host_go_first(house: House, origin: Origin) -> None:
    async def work(parts: Parts) -> None:
        budget = slots(parts)
        assert await refused(budget, "127.0.0.1", RequestKind.ARTICLE) == "feeds first"
        house.clock.move(minutes=5)  # nobody polls here: pages need not wait for ever
        assert await refused(budget, "127.0.0.1", RequestKind.ARTICLE) is None

    polite(house).run(work)


def test_four_requests_are_in_flight_at_one_address_whatever_the_names(house: House) -> None:
    async def work(parts: Parts) -> None:
        budget = slots(parts)
        held = [
            await budget.acquire(f"s{n}.example", RequestKind.FEED, address="203.0.113.7")
            for n in range(4)
        ]
        more = ("s9.example", RequestKind.FEED)
        assert await refused(budget, *more, address="203.0.113.7") == "address"
        assert await refused(budget, *more, address="203.0.113.8") is None
        await budget.release(held[0])
        assert await refused(budget, "s8.example", more[1], address="203.0.113.7") is None

    polite(house).run(work)


def test_a_host_of_twenty_feeds_may_have_two_requests_in_flight(house: House) -> None:
    many = tuple(SourceSettings(f"s{n}", f"https://big.example/{n}") for n in range(20))
    few = tuple(SourceSettings(f"t{n}", f"https://small.example/{n}") for n in range(19))
    polite(house).configure(sources=many + few)

    async def work(parts: Parts) -> list[str | None]:
        found = []
        for host in ("big.example", "small.example"):
            budget = slots(parts)
            await budget.acquire(host, RequestKind.FEED)
            house.clock.move(seconds=2)
            found.append(await refused(budget, host, RequestKind.FEED))
        return found

    assert house.run(work) == [None, "busy"]


def test_slots_are_rows_that_another_process_sees_and_a_restart_gives_back(house: House) -> None:
    async def one(parts: Parts) -> None:
        await slots(parts).acquire("a.example", RequestKind.FEED)
        house.clock.move(seconds=2)
        other = DatabaseSlots(
            parts.database, parts.clock, "other", lambda: parts.settings.polling,
            patience=timedelta(0),
        )  # fmt: skip
        assert await refused(other, "a.example", RequestKind.FEED) == "busy"
        await parts.database.run_write(claims.release_owned, parts.owner)
        assert await refused(other, "a.example", RequestKind.FEED) is None

    polite(house).run(one)


def test_a_503_without_retry_after_slows_the_host_for_an_hour_and_more(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", 503)
    origin.answer("/beta", body=rss(1))
    house.poll("alpha")
    house.clock.move(minutes=59)
    assert house.poll("beta")[0].outcome == "host_busy"
    house.clock.move(hours=2)
    record = house.poll("beta")[0]
    assert record.new_items == 1
    assert record.next_at is not None
    assert record.next_at - house.clock.now() >= timedelta(hours=2)  # the throttle still holds


def test_three_good_polls_ease_a_throttle(house: House, origin: Origin) -> None:
    origin.answer("/alpha", 429)
    origin.answer("/beta", body=rss(1), headers={"ETag": '"1"'})
    house.poll("alpha")
    waits = []
    for _ in range(5):
        house.clock.move(hours=25)
        record = house.poll("beta")[0]
        waits.append(record.reason)
    assert waits[0] == "throttled"
    assert waits[-1] != "throttled"


def test_three_failing_sources_open_the_breaker_and_one_success_closes_it(
    house: House, origin: Origin
) -> None:
    names = ["a", "b", "c", "d"]
    house.configure(sources=tuple(SourceSettings(n, origin.url(f"/{n}")) for n in names))
    for name in names:
        origin.answer(f"/{name}", 500)
    house.poll("a", "b", "c")
    assert house.poll("d")[0].outcome == "host_busy"
    assert origin.requests("/d") == []
    house.clock.move(minutes=6)
    origin.answer("/d", body=rss(1))
    assert house.poll("d")[0].new_items == 1
    origin.answer("/a", body=rss(2))
    assert house.poll("a")[0].new_items == 1


def test_a_blocked_host_s_feeds_wait_out_of_the_way_of_every_claim(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", 429, headers={"Retry-After": "7200"})
    house.poll("alpha")
    until = house.clock.now() + timedelta(hours=2)
    assert house.state("beta").next_poll_at == until
    assert house.state("beta").next_reason == "host"


def test_a_backlog_of_one_host_starves_no_other(house: House) -> None:
    slow = tuple(SourceSettings(f"s{n:03}", f"https://slow.example/{n}") for n in range(300))
    late = tuple(SourceSettings(f"z{n}", f"https://z{n}.example/") for n in range(5))

    async def work(parts: Parts) -> list[str]:
        def claim(connection: Any) -> list[str]:
            found = claims.claim_due(
                connection, house.clock.now(), 10, "me", timedelta(seconds=120)
            )
            return [claim.source_id for claim in found]

        return await parts.database.run_write(claim)

    polite(house).configure(sources=slow)
    house.run(work)
    house.clock.move(minutes=10)
    house.configure(sources=slow + late)
    assert sorted(house.run(work))[1:] == [f"z{n}" for n in range(5)]


class Internet:
    """Six hosts with a source each, which can all vanish and come back."""

    def __init__(self) -> None:
        self.origins: list[Origin] = []
        self.stack = ExitStack()

    def up(self) -> None:
        ports = [one.port for one in self.origins] or [0] * 6
        names = [f"127.0.0.{n}" for n in range(11, 17)]
        self.origins = [
            self.stack.enter_context(Origin(name, port=port))
            for name, port in zip(names, ports, strict=True)
        ]
        for number, one in enumerate(self.origins):
            one.answer("/feed", body=rss(number), headers={"ETag": '"1"'})

    def down(self) -> None:
        self.stack.close()


@pytest.fixture
def internet(house: House) -> Iterator[Internet]:
    made = Internet()
    made.up()
    fetching = replace(
        house.settings.fetching,
        allow_networks=(ip_network("127.0.0.0/8"),),
        allow_ports=tuple(one.port for one in made.origins),
    )
    chosen = [SourceSettings(f"s{n}", one.url("/feed")) for n, one in enumerate(made.origins)]
    house.configure(fetching=fetching, sources=tuple(chosen))
    yield made
    made.down()


def test_the_network_gone_for_an_hour_counts_for_nobody_and_the_return_is_spread(
    house: House, internet: Internet
) -> None:
    house.poll()
    internet.down()
    house.clock.move(hours=2)
    assert {record.outcome for record in house.poll()} == {"connect", "outage"}
    for _ in range(3):
        house.clock.move(minutes=20)
        assert {record.outcome for record in house.poll()} == {"outage"}
    assert [house.state(f"s{n}").failures for n in range(6)] == [0] * 6
    internet.up()
    house.clock.move(minutes=10)
    assert house.poll("s0")[0].outcome == "unchanged"
    times = {house.state(f"s{n}").next_poll_at for n in range(1, 6)}
    assert len(times) == 5
    assert all(at >= house.clock.now() for at in times)


def test_with_two_sources_no_network_at_the_start_is_ours_and_tried_again_soon(
    house: House, internet: Internet
) -> None:
    house.configure(sources=house.settings.sources[:2])
    internet.down()
    assert [record.outcome for record in house.poll()] == ["connect", "outage"]
    for name in ("s0", "s1"):
        state = house.state(name)
        assert (state.failures, state.next_reason) == (0, "outage")
        assert state.next_poll_at - house.clock.now() < timedelta(minutes=1.2)

    async def told(parts: Parts) -> Any:
        settings = house.settings
        publisher = Publisher(parts.database, parts.clock, lambda: settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: settings, Condition())
        return await pages.overview(private=True), await pages.ready()

    overview, ready = house.run(told)
    assert overview.outage_since is not None
    assert {source.health for source in overview.sources} == {SourceHealth.OFFLINE}
    assert [fine for name, fine, _ in ready.checks if name == "network"] == [False]
    internet.up()
    house.clock.move(minutes=2)
    house.poll()
    overview, _ = house.run(told)
    assert overview.outage_since is None
    assert {source.health for source in overview.sources} == {SourceHealth.OK}


def test_one_source_whose_server_refuses_backs_off_as_ever(
    house: House, internet: Internet
) -> None:
    house.configure(sources=house.settings.sources[:1])
    internet.down()
    assert [record.outcome for record in house.poll()] == ["connect"]
    assert house.state("s0").failures == 1


def test_during_an_outage_two_probes_a_minute_go_out(house: House, internet: Internet) -> None:
    house.poll()
    internet.down()
    house.clock.move(hours=7)
    house.poll()
    house.clock.move(hours=1)

    async def work(parts: Parts) -> int:
        ticker = Ticker(parts, Condition())
        started = 0
        for _ in range(60):
            started += await ticker.tick()
            await ticker.engine.idle()
            house.clock.move(seconds=1)
        return started

    assert house.run(work) == 2


def test_one_unreachable_host_among_others_counts_as_ever(house: House, internet: Internet) -> None:
    broken = replace(house.settings.sources[0], url="http://127.0.0.11:9/feed")
    house.configure(
        sources=(broken, *house.settings.sources[1:]),
        fetching=replace(
            house.settings.fetching, allow_ports=(*house.settings.fetching.allow_ports, 9)
        ),
    )
    house.poll()
    assert house.state("s0").failures == 1


def test_the_hourly_cap_holds_and_slows_the_plans(house: House, origin: Origin) -> None:
    names = [f"s{n}" for n in range(8)]
    house.configure(
        sources=tuple(
            SourceSettings(n, origin.url(f"/{n}"), poll=PollWhen(interval=timedelta(minutes=15)))
            for n in names
        ),
        polling=replace(house.settings.polling, requests_per_hour=5),
    )
    for name in names:
        origin.answer(f"/{name}", body=rss(1, site=name), headers={"ETag": '"1"'})

    async def work(parts: Parts) -> tuple[int, float]:
        ticker = Ticker(parts, Condition())
        started = 0
        for _ in range(50):
            started += await ticker.tick()
            await ticker.engine.idle()
            house.clock.move(minutes=1)
        planned = await parts.database.run_read(hour_cap.planned_per_hour)
        polling = parts.settings.polling
        return started, await parts.database.run_write(hour_cap.settle, polling, planned)

    started, factor = house.run(work)
    assert started == 5
    assert factor > 1.0


def test_a_clock_set_back_keeps_the_distance_of_every_plan(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1), headers={"Cache-Control": "max-age=7200"})
    origin.answer("/beta", body=rss(1))
    house.poll()
    wait = house.state("alpha").next_poll_at - house.clock.now()

    async def work(parts: Parts) -> None:
        ticker = Ticker(parts, Condition())
        await ticker.tick()
        house.clock.set(days=-3)
        await ticker.tick()

    house.run(work)
    assert house.state("alpha").next_poll_at - house.clock.now() == wait


def test_after_a_pause_of_ours_the_overdue_are_spread_and_the_rest_keeps_its_time(
    house: House, origin: Origin
) -> None:
    names = [f"s{n}" for n in range(30)]
    house.configure(sources=tuple(SourceSettings(n, origin.url(f"/{n}")) for n in names))
    for name in names:
        origin.answer(f"/{name}", body=rss(1, site=name))
    house.poll()
    house.clock.move(days=2)

    async def work(parts: Parts) -> int:
        return await parts.database.run_write(
            claims.spread_overdue, parts.clock.now(), timedelta(minutes=1), outage.RETURN
        )

    assert house.run(work) == 30
    times = sorted(house.state(name).next_poll_at for name in names)
    assert times[-1] - times[0] >= timedelta(seconds=20)
    assert len(set(times)) > 20
    assert house.run(work) == 0


def test_blocks_are_listed(house: House, origin: Origin) -> None:
    origin.answer("/alpha", 429, headers={"Retry-After": "600"})
    house.poll("alpha")

    async def work(parts: Parts) -> Any:
        return await parts.database.run_read(hosts.overview, parts.clock.now())

    ((host, until, reason),) = house.run(work)
    assert (host, reason) == ("127.0.0.1", "retry-after")
    assert until == house.clock.now() + timedelta(minutes=10)

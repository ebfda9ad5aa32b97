"""A clock that is set, was ahead, or is behind: who is believed, and what waits."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func
from structlog.testing import capture_logs

from aggregator.model.settings import SourceSettings, StorageSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.schedule.clock import BUILT
from aggregator.store import schema as t
from aggregator.work.tick import Ticker
from tests.origin import Origin, Wire, reply
from tests.pipeline.conftest import House, rss
from tests.pipeline.test_over_time import rows

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def serve(house: House, origin: Origin, path: str, told: timedelta | None, *numbers: int) -> None:
    """A feed whose server's clock differs from ours at the start by `told`; None: it says none."""

    async def handler(wire: Wire) -> None:
        said = {}
        if told is not None:
            now = house.clock.at - house.clock.set_by + told
            said["Date"] = format_datetime(now, usegmt=True)
        await wire.send(reply(200, said, rss(*(numbers or (1, 2)))))

    origin.route(path, handler)


async def ticks(ticker: Ticker, number: int = 6) -> None:
    """Tick as a service does, and let what it began end each time.

    In one of them servers are asked for the time.
    """
    for _ in range(number):
        await ticker.tick()
        ticker._parts.clock.at += timedelta(seconds=1)  # type: ignore[attr-defined]
        await ticker.engine.idle()
        if ticker._clock._asking is not None:
            await ticker._clock._asking


def polls(house: House) -> int:
    return int(rows(house, func.count(t.poll_log.c.id))[0][0])


def run(house: House, work: Any) -> Condition:
    """`work(ticker)` with a ticker of its own, as after a start of the service."""
    condition = Condition()

    async def inside(parts: Parts) -> None:
        ticker = Ticker(parts, condition)
        done: Coroutine[Any, Any, None] = work(ticker)
        await done

    house.run(inside)
    return condition


# Where stored times are later than now: what servers say, what else is known, who is believed.
@pytest.mark.parametrize(
    ("servers", "log", "believed"),
    [
        pytest.param([0.0], "later", True, id="a server agrees with the clock"),
        pytest.param([-3.0], "later", True, id="a server is behind the clock"),
        pytest.param([3.0], "later", False, id="a server says the stored times are right"),
        pytest.param([3.0], "torn", False, id="a server goes before the log"),
        pytest.param([0.0, 3.0], "later", True, id="of two the lesser counts"),
        pytest.param([0.0, 3.0, 3.0], "later", False, id="of three the middle"),
        pytest.param([None], "later", False, id="nobody says"),
        pytest.param([None], "torn", True, id="nobody says but the log is torn"),
        pytest.param([None], "whole", False, id="nobody says and the log goes on"),
        pytest.param([None, 0.0], "later", True, id="one says"),
    ],
)  # fmt: skip
def test_of_the_clock_and_what_is_stored_one_is_believed(
    house: House, servers: list[float | None], log: str, believed: bool
) -> None:
    origins = [Origin(f"127.0.0.{51 + n}") for n in range(len(servers))]
    for origin, days in zip(origins, servers, strict=True):
        origin.__enter__()
        serve(house, origin, "/feed", None if days is None else timedelta(days=days))
    fetching = replace(
        house.settings.fetching,
        allow_networks=(*house.settings.fetching.allow_networks, *map(_network, origins)),
        allow_ports=tuple(origin.port for origin in origins),
    )
    house.configure(
        sources=tuple(SourceSettings(f"s{n}", o.url("/feed")) for n, o in enumerate(origins)),
        fetching=fetching,
    )
    try:
        now = house.clock.now()
        if log == "torn":
            house.poll()
        if log == "whole":
            for _ in range(9):
                house.poll()
                house.clock.move(hours=8)
        house.clock.set(days=3)
        house.poll()
        house.clock.at = now + MINUTE
        house.clock.set_by = timedelta(0)
        before = polls(house)
        condition = run(house, ticks)
    finally:
        for origin in origins:
            origin.__exit__(None, None, None)
    assert (condition.clock is None) is believed
    # In these ticks each is polled once, or nothing is.
    assert polls(house) - before == (len(servers) if believed else 0)
    late = [row for row in rows(house, t.item.c.first_seen) if row[0] > house.clock.now()]
    assert not (believed and late)


def _network(origin: Origin) -> Any:
    return ip_network(f"{origin.host}/32")


def test_a_clock_that_is_set_back_while_we_run_is_believed_where_no_server_says(
    house: House, origin: Origin
) -> None:
    house.configure(sources=house.settings.sources[:1])
    serve(house, origin, "/alpha", None)
    house.clock.set(days=3)

    async def work(ticker: Ticker) -> None:
        await ticks(ticker)
        house.clock.set(days=-3)
        await ticks(ticker, 2)
        house.clock.move(hours=4)
        await ticks(ticker, 1)

    condition = run(house, work)
    assert condition.clock is None
    assert polls(house) == 2
    now = house.clock.now()
    assert all(max(row) <= now for row in rows(house, t.item.c.first_seen, t.item.c.sort_at))


def test_servers_are_asked_ever_more_rarely_and_nothing_of_it_is_stored(
    house: House, origin: Origin
) -> None:
    house.configure(sources=house.settings.sources[:1])
    serve(house, origin, "/alpha", timedelta(0))
    house.poll()
    house.clock.set(days=-2)
    asked = []

    async def work(ticker: Ticker) -> None:
        for _ in range(24 * 60):
            house.clock.move(minutes=1)
            before = len(origin.requests("/alpha"))
            house.clock.at -= timedelta(seconds=2)
            await ticks(ticker, 2)
            if len(origin.requests("/alpha")) > before:
                asked.append(house.clock.elapsed() / 60)

    condition = run(house, work)
    assert condition.clock is not None
    assert "servers say that it is 2026-03-02 1" in condition.clock
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert gaps[:7] == [1, 1, 1, 2, 4, 8, 16]
    assert set(gaps[9:]) == {60}
    assert polls(house) == 1


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("case", ["before what is stored", "before this version"])
def test_an_early_clock_is_told_and_waited_for_unless_it_is_trusted(
    house: House, origin: Origin, case: str, trusted: bool
) -> None:
    polling = replace(house.settings.polling, trust_clock=trusted)
    house.configure(sources=house.settings.sources[:1], polling=polling)
    serve(house, origin, "/alpha", timedelta(0))
    if case == "before what is stored":
        house.poll()
        house.clock.set(days=-2)
    else:
        house.clock.set(days=(BUILT - house.clock.now()) / DAY - 1)
    condition = run(house, ticks)
    if trusted:
        assert condition.clock is None
        assert polls(house) == (2 if case == "before what is stored" else 1)
    else:
        assert condition.clock is not None
        assert ("stored" if "stored" in case else "version") in condition.clock
        assert polls(house) == (1 if case == "before what is stored" else 0)


def test_times_later_than_now_are_set_to_now_in_their_order_and_said_once(
    house: House, origin: Origin
) -> None:
    def undated(*numbers: int) -> bytes:
        items = "".join(f"<item><guid>{n}</guid><title>Report {n}</title></item>" for n in numbers)
        return f"<rss version='2.0'><channel><title>a</title>{items}</channel></rss>".encode()

    house.configure(sources=house.settings.sources[:1])
    start = house.clock.now()
    house.clock.set(days=3)
    for number in range(1, 5):
        house.clock.move(minutes=5)
        origin.answer("/alpha", body=undated(*range(number, 0, -1)))
        house.poll()
    shown = [item["title"] for item in house.articles()]
    etag = house.feed().etag
    house.clock.set(days=-3)
    origin.answer("/alpha", body=undated(4, 3, 2, 1), headers={
        "Date": format_datetime(house.clock.now(), usegmt=True)})  # fmt: skip

    async def work(ticker: Ticker) -> None:
        await ticks(ticker)
        house.clock.move(minutes=2)
        await ticks(ticker)

    with capture_logs() as said:
        run(house, work)
    after = house.articles()
    assert [item["title"] for item in after] == shown == [f"Report {n}" for n in (4, 3, 2, 1)]
    dates = [datetime.fromisoformat(item["date_published"]) for item in after]
    edits = [datetime.fromisoformat(item["date_modified"]) for item in after]
    assert all(start <= date <= house.clock.now() for date in dates + edits)
    assert house.feed().etag != etag
    told = [line["event"] for line in said if "were brought back" in line["event"]]
    assert len(told) == 1


@pytest.mark.parametrize("by", [3 * DAY, -3 * DAY])
def test_nothing_irrevocable_is_decided_within_an_hour_of_a_step(
    house: House, origin: Origin, by: timedelta
) -> None:
    """A purge, an adopted move, a source that counts as gone."""
    storage = StorageSettings(house.settings.storage.url, keep_text=timedelta(days=1))
    house.configure(storage=storage)
    serve(house, origin, "/alpha", timedelta(0))
    serve(house, origin, "/moved", timedelta(0), 2)  # what is not listed any more may be purged
    origin.answer("/beta", status=410)
    house.poll()
    house.clock.move(days=3)
    origin.answer("/alpha", status=301, headers={"Location": origin.url("/moved")})
    house.poll("alpha")
    house.clock.move(hours=1)
    house.poll("alpha")
    house.clock.move(minutes=5)

    async def settled(ticker: Ticker) -> None:
        """As the service would: jobs notice a step before they decide."""
        await ticker._guarded(ticker._maintain)()

    def decided() -> tuple[int, str | None, bool]:
        purged = rows(house, func.count(t.item.c.purged_at))[0][0]
        alpha, beta = house.state("alpha"), house.state("beta")
        return purged, alpha.effective_url, bool(beta.noticed.dead)

    async def work(ticker: Ticker) -> None:
        await ticker._clock.notice_step()
        house.clock.set(days=by / DAY)
        await settled(ticker)

    run(house, work)
    house.poll()
    assert decided() == (0, None, False)

    # An hour later the same is decided.
    house.clock.move(hours=1, minutes=5)
    if by < timedelta(0):
        house.clock.move(days=7)
    run(house, settled)
    house.poll()
    assert decided()[1:] == (origin.url("/moved"), True)
    assert rows(house, func.count(t.item.c.purged_at)) != [(0,)]


@pytest.mark.parametrize(("away", "late"), [(0, False), (60, True)])
def test_readiness_goes_by_the_time_that_passes(
    house: House, origin: Origin, away: int, late: bool
) -> None:
    serve(house, origin, "/alpha", timedelta(0))
    serve(house, origin, "/beta", timedelta(0))

    async def work(parts: Parts) -> dict[str, bool]:
        condition = Condition()
        await ticks(Ticker(parts, condition))
        house.clock.set(days=-3)
        house.clock.move(seconds=away)
        publisher = Publisher(parts.database, parts.clock, lambda: parts.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: parts.settings, condition)
        ready = await pages.ready()
        return {name: fine for name, fine, _ in ready.checks}

    assert house.run(work)["scheduler"] is not late


@pytest.mark.parametrize(("away", "kept"), [(timedelta(hours=1), False), (12 * DAY, True)])
def test_after_a_pause_of_ours_sources_are_asked_first_what_they_list(
    house: House, origin: Origin, away: timedelta, kept: bool
) -> None:
    """A machine that slept for longer than texts are kept."""
    house.configure(storage=StorageSettings(house.settings.storage.url, keep_text=10 * DAY))
    house.configure(sources=house.settings.sources[:1])
    serve(house, origin, "/alpha", timedelta(0))

    async def work(ticker: Ticker) -> None:
        await ticks(ticker)
        house.clock.at += 21 * DAY - away  # its list is too old to count
        ticker._looked_at = house.clock.elapsed()
        house.clock.at += away
        await ticker._maintain()

    run(house, work)
    assert rows(house, func.count(t.item.c.purged_at)) == [(0 if kept else 2,)]

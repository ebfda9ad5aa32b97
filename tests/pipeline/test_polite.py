"""A day and a half of polling under an injected clock, and what it did to its origins: the score.

Four hosts with feeds of every temper. Every line of the score must be zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from aggregator.model.settings import SourceSettings
from aggregator.opening import open_parts
from aggregator.pipeline.budgets import outage
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing.pages import Condition
from aggregator.store.sources import claims, states
from aggregator.work.tick import Ticker
from tests.origin import Origin, Wire, reply
from tests.pipeline import conftest
from tests.pipeline.conftest import HeldClock, House, rss

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LENGTH = timedelta(hours=36)
RESTARTS = (timedelta(hours=9), timedelta(hours=9, seconds=40), timedelta(hours=20))


@pytest.fixture
def database_url(sqlite_with_tables_url: str) -> str:
    """Time matters here, not the kind of database."""
    return sqlite_with_tables_url


@dataclass
class Visit:
    """One request as a feed saw it, with what it had promised before."""

    at: datetime
    host: str
    path: str
    headers: dict[str, str]
    target: str
    too_early: bool
    unasked: bool


@dataclass
class World:
    """The feeds and their memory of us."""

    clock: HeldClock
    visits: list[Visit] = field(default_factory=list)
    not_before: dict[str, datetime] = field(default_factory=dict)
    served: set[str] = field(default_factory=set)

    def feed(self, origin: Origin, path: str, temper: str) -> None:
        """Let a path answer as its temper says, and keep what it saw."""
        name = f"{origin.host}{path}"

        async def handler(wire: Wire) -> None:
            now, seen = self.clock.now(), wire.request
            sent = dict(seen.headers)
            conditional = "if-none-match" in sent or "if-modified-since" in sent
            self.visits.append(
                Visit(
                    now,
                    origin.host,
                    path,
                    sent,
                    seen.target,
                    too_early=now < max(self.not_before.get(k, now) for k in (name, origin.host)),
                    unasked=name in self.served and temper != "bare" and not conditional,
                )
            )
            await wire.send(self.answer(name, origin.host, temper, now, sent))

        origin.route(path, handler)

    def answer(
        self, name: str, host: str, temper: str, now: datetime, sent: dict[str, str]
    ) -> bytes:
        number = int(now.timestamp() // 3600) if temper in ("busy", "signed") else 1
        tag = f'"{number}"'
        said = {"ETag": tag, "Set-Cookie": "id=1; Path=/"}
        if temper == "dated":
            said = {"Last-Modified": "Sun, 01 Mar 2026 08:00:00 GMT"}
        elif temper == "bare":
            said = {}
        if temper == "fresh":
            said["Cache-Control"] = "max-age=10800"
            self.not_before[name] = now + 3 * HOUR
        if temper == "tired" and 6 <= now.hour < 8:
            self.not_before[host] = now + 2 * HOUR
            return reply(429, {"Retry-After": "7200"})
        if temper == "ill" and now.hour % 5 == 0:
            return reply(500)
        same = sent.get("if-none-match") == tag or (
            temper == "dated" and sent.get("if-modified-since") == said["Last-Modified"]
        )
        self.served.add(name)
        if temper == "signed":  # nothing but addresses changes, in every answer
            text = f"opened &lt;img src='https://cdn.example/a.jpg?sig={now.timestamp()}'&gt;"
            return reply(200, said, rss(*range(1, 9), site=temper, text=text))
        if temper == "odd":  # lines that are no field, which no honest server means
            whole = reply(304, {"ETag": tag}) if same else reply(200, said, rss(1, site=temper))
            return whole.replace(b"\r\n", b"\r\nno field\r\n: nothing\r\n", 1)
        if same:
            return reply(304, {"ETag": tag} if "ETag" in said else {})
        return reply(200, said, rss(*range(max(1, number - 20), number + 1), site=temper))


TEMPERS = ["calm", "busy", "dated", "bare", "fresh", "tired", "ill", "busy", "signed", "odd"]


@pytest.fixture
def world(house: House) -> Iterator[World]:
    """Four hosts with ten feeds each; the last of each goes by a name of its own."""
    made = World(house.clock)
    with ExitStack() as stack:
        chosen, ports = [], []
        for number in range(4):
            origin = stack.enter_context(Origin(f"127.0.0.{41 + number}"))
            ports.append(origin.port)
            for place, usual in enumerate(TEMPERS):
                # One host is enough that sends everybody away.
                temper = "calm" if usual == "tired" and number != 2 else usual
                path = f"/{place}"
                made.feed(origin, path, temper)
                url = origin.url(f"{path}?format=rss" if place == 1 else path)
                name = "Desk/1 (+https://example.org)" if temper == "odd" else None
                chosen.append(SourceSettings(f"h{number}-{place}-{temper}", url, user_agent=name))
        house.configure(
            sources=tuple(chosen),
            polling=replace(house.settings.polling, host_gap=SECOND),
            fetching=replace(
                house.settings.fetching,
                allow_networks=(ip_network("127.0.0.0/8"),),
                allow_ports=tuple(ports),
            ),
        )
        yield made


async def live(parts: Parts, clock: HeldClock, until: datetime) -> None:
    """Tick as the service does, with the clock jumping over the seconds in which nothing is due."""
    now = clock.now()
    await parts.database.run_write(claims.spread_overdue, now, timedelta(minutes=1), outage.RETURN)
    ticker = Ticker(parts, Condition())
    while clock.now() < until:
        await ticker.tick()
        await ticker.engine.idle()
        due = await parts.database.run_read(claims.next_due, 1)
        step = max(SECOND, due[0][1] - clock.now()) if due else HOUR
        clock.at = min(clock.now() + min(step, HOUR), until)


def test_the_politeness_score_is_zero_on_every_line(house: House, world: World) -> None:
    start = house.clock.now()
    planned: dict[str, datetime] = {}
    early = 0

    async def stretch(until: datetime) -> dict[str, Any]:
        opened = open_parts(
            house.settings, clock=house.clock, workers=house.workers, patience=timedelta(0)
        )
        async with opened as parts:
            await live(parts, house.clock, until)
            stored = await parts.database.run_read(states.feed_states)
            return {state.source_id: state.next_poll_at for state in stored}

    for stop in (*RESTARTS, LENGTH):
        before = len(world.visits)
        after = house.runner.run(stretch(start + stop))
        first: dict[str, datetime] = {}
        for visit in world.visits[before:]:
            first.setdefault(f"{visit.host}{visit.path}", visit.at)
        for source in house.settings.sources if planned else ():
            place = urlsplit(source.url)
            seen = first.get(f"{place.hostname}{place.path}")
            early += seen is not None and seen < planned[source.id]
        planned = after

    by_host = defaultdict(list)
    for visit in world.visits:
        by_host[visit.host].append(visit.at)
    noise = ("cookie", "referer", "cache-control", "pragma")
    score = {
        "unconditional requests after the first 200": sum(v.unasked for v in world.visits),
        "requests before max-age or Retry-After": sum(v.too_early for v in world.visits),
        "requests with cookie, referer or cache busting": sum(
            any(name in v.headers for name in noise) for v in world.visits
        ),
        "requests with another query than configured": sum(
            v.target not in (v.path, f"{v.path}?format=rss") for v in world.visits
        ),
        "requests within a second of another at the host": sum(
            later - earlier < SECOND
            for times in by_host.values()
            for earlier, later in pairwise(sorted(times))
        ),
        "polls before their plan after a restart": early,
    }
    hours = LENGTH / HOUR
    conftest.SCORE.update(score)
    conftest.SCORE[f"(requests in {hours:.0f} simulated hours, 40 feeds)"] = len(world.visits)
    assert len(world.visits) > 300
    assert not any(score.values()), score

"""How often addresses that pass move a view: signed enclosures, pictures with marks against caches.

    python -m bench.passing [--feeds 200] [--polls 50] [--entries 10] [--database URL]

All feeds answer every poll with the same entries under other signatures and marks. They are polled
over loopback once an hour, each at its own minute, under a clock that is held; the jobs of the
service run beside. Told is how often the view of all feeds moved after the first round, and how old
the addresses that readers were served were at most.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

from aggregator.model.settings import (
    FetchingSettings,
    PollingSettings,
    Secret,
    Settings,
    SourceSettings,
    StorageSettings,
    ViewMode,
    ViewSettings,
)
from aggregator.opening import open_parts
from aggregator.pipeline.polling.poll import poll_source
from aggregator.pipeline.showing.views import Publisher
from aggregator.pipeline.upkeep import maintain
from aggregator.store.sources import claims
from aggregator.store.views import rendered
from aggregator.telemetry.log import configure_logging

_BEGIN = datetime(2027, 3, 1, 12, tzinfo=UTC)
_HOUR, _JOBS = timedelta(hours=1), timedelta(minutes=20)
_MADE = re.compile(r"made=(\d+)")


@dataclass(slots=True)
class Held:
    """A clock that is moved by hand."""

    moment: datetime = _BEGIN

    def now(self) -> datetime:
        """Where it stands."""
        return self.moment

    def elapsed(self) -> float:
        """How far it was moved."""
        return (self.moment - _BEGIN).total_seconds()


@dataclass(slots=True)
class Origin:
    """Feeds whose addresses are made anew for every answer."""

    clock: Held
    entries: int
    answered: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests."""
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                writer.close()
                return
            body = self.document(head.split(b" ", 2)[1].decode().strip("/"))
            self.answered += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()

    def document(self, feed: str) -> bytes:
        """A feed as it is now: `made` in its addresses is the minute."""
        made = int((self.clock.moment - _BEGIN) / timedelta(minutes=1))
        items = "".join(
            f"<item><guid>{feed}-{n}</guid><title>{feed} reports number {n}</title>"
            f"<link>https://{feed}.example/{n}</link>"
            f"<enclosure url='https://cdn.example/{feed}/{n}.mp3?made={made}&amp;sig={made * 7919}'"
            " type='audio/mpeg' length='1000'/><description>&lt;p&gt;&lt;img src='https://cdn."
            f"example/{feed}/{n}.jpg?made={made}'&gt; Desk {feed} wrote text {n}.&lt;/p&gt;"
            "</description></item>"
            for n in range(self.entries)
        )
        return (
            f"<rss version='2.0'><channel><title>{feed}</title>{items}</channel></rss>"
        ).encode()


@dataclass(slots=True)
class Found:
    """What came of it."""

    moves: list[datetime] = field(default_factory=list)  # of the view, after the first round
    oldest: timedelta = timedelta(0)  # address that was served
    revisions: int = 0


async def run(settings: Settings, clock: Held, polls: int) -> Found:
    """Poll all, each at its minute of the hour."""
    found = Found()
    async with open_parts(settings, clock=clock) as parts:
        publisher = Publisher(parts.database, clock, lambda: parts.settings)
        last, jobs_at = None, clock.moment
        for number in range(polls):
            for place, source in enumerate(settings.sources):
                clock.moment = _BEGIN + number * _HOUR + _HOUR * place / len(settings.sources)
                if clock.moment >= jobs_at:
                    jobs_at = clock.moment + _JOBS
                    await maintain.show_waiting(parts)
                    await maintain.tidy_views(parts)
                lease = timedelta(minutes=5)
                claim = await parts.database.run_write(
                    claims.claim_one, source.id, clock.moment, parts.owner, lease
                )
                if claim is None:
                    raise RuntimeError(f"{source.id} is being polled")
                record = await poll_source(parts, source, claim)
                found.revisions += record.changed_items
                state = await parts.database.run_read(rendered.view_state, "all")
                if state is not None and state.version != last:
                    last = state.version
                    if number:
                        found.moves.append(clock.moment)
            if number:
                found.oldest = max(found.oldest, await _age(publisher, clock))
    return found


async def _age(publisher: Publisher, clock: Held) -> timedelta:
    view = await publisher.rendered("all", "json", None)
    if view is None:
        raise RuntimeError("the view is gone")
    made = [
        int(minute)
        for item in json.loads(view.body)["items"]
        for minute in _MADE.findall(json.dumps(item))
    ]
    return clock.moment - (_BEGIN + timedelta(minutes=min(made)))


async def measure(feeds: int, polls: int, entries: int, database: str) -> tuple[Found, int]:
    """Serve, poll, look; returns what was found and how many answers were sent."""
    clock = Held()
    origin = Origin(clock, entries)
    server = await asyncio.start_server(origin.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(
        storage=StorageSettings(url=Secret(database)),
        polling=PollingSettings(host_gap=timedelta(0), min_refresh=timedelta(0)),
        fetching=FetchingSettings(
            allow_networks=(ip_network("127.0.0.1/32"),), allow_ports=(port,), parse_workers=1
        ),
        sources=tuple(
            SourceSettings(f"f{n}", f"http://127.0.0.1:{port}/f{n}") for n in range(feeds)
        ),
        views=(ViewSettings("all", "Everything", mode=ViewMode.ARTICLES),),
    )
    settings = replace(settings, service=replace(settings.service, name="bench"))
    found = await run(settings, clock, polls)
    server.close()
    return found, origin.answered


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.passing")
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--polls", type=int, default=50)
    parser.add_argument("--entries", type=int, default=10)
    parser.add_argument("--database", help="an empty database; else SQLite in a temporary folder")
    options = parser.parse_args()
    configure_logging(json=False, level="error")
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        database = options.database or f"sqlite:///{Path(folder)}/aggregator.db"
        found, answered = asyncio.run(
            measure(options.feeds, options.polls, options.entries, database)
        )
    print(
        f"{options.feeds} feeds of {options.entries} entries, {options.polls} polls, an hour apart"
    )
    print(f"{answered} answers, {found.revisions} revisions")
    times = ", ".join(f"{at - _BEGIN}" for at in found.moves[:20])
    print(f"the view moved {len(found.moves)} times after the first round: {times or 'never'}")
    print(f"oldest address that was served: {found.oldest}")
    print(f"{time.process_time() - begun:.0f} CPU s of the main process")


if __name__ == "__main__":
    main()

"""What an installation of many processes stores while everything about it is killed and cut off.

    python -m bench.chaos [--minutes 10] [--feeds 2000] [--hosts 500] [--every 4] [--seed 1]

PostgreSQL, two schedulers, four workers and two servers work on an origin with changing content.
Every few seconds something befalls them: a process is killed (`kill -9`) and started again, a
worker is stopped and goes on after longer than its heartbeat allows, all connections to the
database are cut, PostgreSQL is paused, restarted or crashes. In the end the stored items are
compared with what was published, the requests with the budget of each host, and the documents that
readers got with each other. Prints one JSON object; the exit code is 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from tests import parts
from tests.e2e.changing_news import ChangingNews, differences
from tests.e2e.cluster import Cluster, Readers
from tests.e2e.program import Program, wait_until

GAP = 0.5  # seconds between two requests to a host
ROLES = {"schedule": 2, "worker": 4, "serve": 2}
OPTIONS = {"worker": ("--concurrency", "40")}
PAUSE = 40.0  # seconds: longer than a heartbeat allows
SETTLING = 600.0  # seconds that everything may take to be as published, once all is quiet


class Chaos:
    """An installation, and what befalls it."""

    def __init__(
        self, cluster: Cluster, postgres: parts.Postgres, news: ChangingNews, seed: int
    ) -> None:
        self.cluster = cluster
        self.postgres = postgres
        self.news = news
        self.random = random.Random(seed)
        self.befell: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()  # by themselves, by role
        self.starting = threading.Lock()
        self.over = threading.Event()
        self.stopped = threading.Event()
        self.readers = Readers()

    def start(self) -> None:
        """Every process of every role; returns when a feed was asked for."""
        threading.Thread(target=self.supervise).start()
        wait_until(lambda: len(self.news.visits) > 0, "polls begin")

    def kill(self, role: str) -> None:
        """`kill -9` to one of a role."""
        with self.starting:
            self.cluster.kill(self.random.choice(self.cluster.of(role)))

    def supervise(self) -> None:
        """Start another process for each that ended, as whoever runs containers does."""
        while not self.stopped.wait(1):
            with self.starting:
                for role, one in list(self.cluster.running):
                    if one.process is not None and one.process.poll() is not None:
                        self.ended[role] += 1
                        self.cluster.running.remove((role, one))
                for role, number in ROLES.items():
                    for _ in range(number - len(self.cluster.of(role))):
                        self.cluster.start(role, *OPTIONS.get(role, ()), ready=False)

    def pause_worker(self) -> None:
        """A worker that stands still until others take it for dead, and then goes on."""
        process = self.random.choice(self.cluster.of("worker")).process
        assert process is not None
        process.send_signal(signal.SIGSTOP)

        def go_on() -> None:
            self.over.wait(PAUSE)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)

        threading.Thread(target=go_on).start()

    def pause_postgres(self) -> None:
        """The database answers nobody for some seconds."""
        os.kill(self.postgres.pid, signal.SIGSTOP)
        time.sleep(self.random.uniform(1, 5))
        os.kill(self.postgres.pid, signal.SIGCONT)

    def befall(self) -> None:
        """One thing at random, the small ones more often."""
        what: dict[str, tuple[int, Callable[[], None]]] = {
            "worker killed": (8, lambda: self.kill("worker")),
            "scheduler killed": (4, lambda: self.kill("schedule")),
            "server killed": (4, lambda: self.kill("serve")),
            "worker paused": (2, self.pause_worker),
            "connections cut": (4, self.cluster.cut_connections),
            "database paused": (2, self.pause_postgres),
            "database restarted": (1, self.postgres.restart),
            "database crashed": (1, lambda: self.postgres.restart(crash=True)),
        }
        name = self.random.choices(list(what), [weight for weight, _ in what.values()])[0]
        self.befell[name] += 1
        print(f"{datetime.now(UTC):%H:%M:%S} {name}", file=sys.stderr)
        with suppress(psycopg.OperationalError):
            what[name][1]()

    def publish(self, feeds: int, most: int) -> None:
        """News and corrections all the time, `most` items a feed."""
        counts: Counter[int] = Counter()
        chosen = random.Random(self.random.random())
        while not self.over.wait(0.05):
            for feed in chosen.sample(range(feeds), max(1, feeds // 400)):
                if counts[feed] < most:
                    counts[feed] += 1
                    self.news.publish(feed)
                if chosen.random() < 0.2:
                    self.news.correct(feed)

    def read(self) -> None:
        """Documents of both servers all the time."""
        while not self.over.wait(0.2):
            for server in list(self.cluster.of("serve")):
                for kind in ("atom", "rss", "json"):
                    self.readers.read(server, f"/feeds/all.{kind}")

    def settled(self) -> float:
        """Seconds until every source was polled twice and no job is left, from now on."""
        start = time.monotonic()
        for _ in range(2):
            moment = datetime.now(UTC)
            while time.monotonic() - start < SETTLING and not self.cluster.polled_since(moment):
                time.sleep(1)
        return time.monotonic() - start


def main() -> int:
    """Run it, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--every", type=float, default=4, help="seconds between two blows")
    parser.add_argument("--poll", default="30s", help="interval of every source")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    server = parts.find("postgres")
    if server is None:
        parser.error("PostgreSQL is not installed")
    with redirect_stdout(sys.stderr), ExitStack() as stack:  # processes tell there what they did
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = parts.Postgres(server)
        stack.callback(postgres.stop)
        url = postgres.url(postgres.create())
        news = stack.enter_context(
            ChangingNews(asked.hosts, asked.feeds, seed=asked.seed, delay=(0.0, 0.2))
        )
        with psycopg.connect(url, autocommit=True) as connection:
            # A crash of the server must not take back what it said was done.
            connection.execute("ALTER ROLE aggregator SET synchronous_commit = on")
        for feed in range(asked.feeds):
            news.publish(feed)
        program = Program(folder, url)
        program.configure(
            news.sources(asked.poll),
            [news.port],
            service={"base_url": "https://news.example.org/"},
            polling={"requests_per_second": 200, "host_gap": f"{GAP}s"},
            fetching={"allow_networks": ["127.0.0.0/8"], "parse_workers": 1},
        )
        chaos = Chaos(Cluster(program, stack), postgres, news, asked.seed)
        stack.callback(chaos.stopped.set)
        chaos.start()
        threads = [
            threading.Thread(target=chaos.publish, args=(asked.feeds, 30)),
            threading.Thread(target=chaos.read),
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 60 * asked.minutes
        while time.monotonic() < end:
            time.sleep(chaos.random.uniform(0.5, 1.5) * asked.every)
            chaos.befall()
        chaos.over.set()
        for thread in threads:
            thread.join()
        settled = chaos.settled()
        Path(".bench").mkdir(exist_ok=True)
        Path(".bench/chaos.log").write_text(program.log())
        stored = chaos.cluster.stored()
        wrong, rude = differences(news.truth(), stored), news.rude(GAP)
        said = json.dumps({
            "minutes": asked.minutes, "feeds": asked.feeds, "befell": dict(chaos.befell),
            "items": sum(map(len, stored.values())), "requests": len(news.visits),
            "not_modified": sum(visit.status == 304 for visit in news.visits),
            "wrong": wrong[:20], "wrong_sources": len(wrong),
            "over_budget": len(rude),
            "rude": [(a.host, a.path, b.path, round(b.began - a.ended, 3)) for a, b in rude[:10]],
            "documents": chaos.readers.good, "broken": chaos.readers.broken[:20],
            "settled_seconds": round(settled, 1), "jobs_left": len(chaos.cluster.jobs()),
            "ended_by_themselves": dict(chaos.ended),
            "tracebacks": program.log().count("Traceback"),
        })  # fmt: skip
        chaos.stopped.set()
        with chaos.starting:
            codes = chaos.cluster.stop()
        fine = not (wrong or rude or chaos.readers.broken) and set(codes) == {0}
    print(said)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())

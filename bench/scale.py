"""What a poll costs in a cluster: polls a second and CPU a poll with 1, 2 and 4 workers.

    python -m bench.scale [--feeds 600] [--per-host 1] [--rounds 3] [--workers 0,1,2,4]

An origin on loopback, PostgreSQL, one scheduler and so many workers (0: `aggregator run` in one
process, without a queue). In each round every feed is due at once and has not changed, as most
polls find it. CPU seconds are those of the processes and their children: of the scheduler, of all
workers, of PostgreSQL. A line of JSON for each number of workers.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack, redirect_stdout, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests import parts
from tests.e2e.changing_news import ChangingNews
from tests.e2e.cluster import Cluster
from tests.e2e.program import Program, wait_until


def cpu(process: int) -> float:
    """CPU seconds of a process and of all that it started and that still runs."""
    total = 0.0
    root = psutil.Process(process)
    for one in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def measure(workers: int, feeds: int, per_host: int, rounds: int) -> dict[str, object]:
    """The figures with so many workers."""
    server = parts.find("postgres")
    assert server is not None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = parts.Postgres(server)
        stack.callback(postgres.stop)
        news = stack.enter_context(
            ChangingNews(max(1, feeds // per_host), feeds, seed=1, delay=(0.0, 0.0))
        )
        for feed in range(feeds):
            for _ in range(3):
                news.publish(feed)
        program = Program(folder, postgres.url(postgres.create()))
        program.configure(
            news.sources("1h"),
            [news.port],
            service={"base_url": "https://news.example.org/"},
            polling={
                "requests_per_second": 1000, "host_gap": "0.01s", "concurrency": 100,
            },
            fetching={"allow_networks": ["127.0.0.0/8"], "parse_workers": 1},
        )  # fmt: skip
        cluster = Cluster(program, stack)
        begun = datetime.now(UTC)
        first = cluster.start("schedule" if workers else "run")
        others = [cluster.start("worker", "--concurrency", "40") for _ in range(workers)]
        wait_until(lambda: cluster.polled_since(begun), "every feed is polled once")
        processes = {"postgres": [postgres.pid]}
        processes["scheduler" if workers else "run"] = [_pid(first)]
        if workers:
            processes["workers"] = [_pid(one) for one in others]

        def spent() -> dict[str, float]:
            return {name: sum(map(cpu, pids)) for name, pids in processes.items()}

        before, start, asked = spent(), time.monotonic(), len(news.visits)
        for _ in range(rounds):
            moment = datetime.now(UTC)
            cluster.make_due(moment)
            wait_until(lambda m=moment: cluster.polled_since(m), "every feed is polled")  # type: ignore[misc]
        took, after = time.monotonic() - start, spent()
        polls = len(news.visits) - asked
        each = {name: round(1000 * (after[name] - before[name]) / polls, 2) for name in before}
        cluster.stop()
        return {
            "workers": workers, "per_host": per_host, "polls": polls,
            "polls_a_second": round(polls / took, 1), "cpu_ms_a_poll": each,
            "cpu_ms_a_poll_in_all": round(sum(each.values()), 2),
        }  # fmt: skip


def _pid(one: Program) -> int:
    assert one.process is not None
    return one.process.pid


def main() -> None:
    """Measure each number of workers in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=600)
    parser.add_argument("--per-host", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", default="0,1,2,4")
    asked = parser.parse_args()
    for workers in map(int, asked.workers.split(",")):
        with redirect_stdout(sys.stderr):  # where processes tell what they did
            found = measure(workers, asked.feeds, asked.per_host, asked.rounds)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()

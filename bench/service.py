"""What the running service spends on a poll that finds nothing: CPU of its whole tree.

    python -m bench.service [--sources 200] [--settle 75] [--idle 20] [--rounds 2]

The service runs as a user runs it, with the shipped budgets of hosts: each source is at a loopback
address of its own. When each has been polled, what came is indexed and idle workers have ended, all
are made due, as if an hour had passed, and the origin counts until every one was answered, by 304.
What the service spends while it has nothing to do is measured before and taken off; it is printed
as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.origin import Origin, ask, origin
from bench.serve import running
from tests.parts import free_port


def configuration(folder: Path, at: Origin, port: int) -> Path:
    """A file with the feeds as sources of hosts of their own, and one view."""
    by_port = at.base.rpartition(":")[2]
    sources = "".join(
        f"  - {{id: f{n}, url: 'http://127.0.0.{n + 1}:{by_port}/feed/{n}.xml'}}\n"
        for n in range(at.feeds)
    )
    path = folder / "aggregator.yaml"
    path.write_text(
        f"storage: {{url: 'sqlite:///{folder}/aggregator.db'}}\n"
        f"service: {{base_url: 'http://127.0.0.1:{port}', listen: '127.0.0.1:{port}', "
        "log_level: warning}\n"
        f"fetching: {{allow_networks: [127.0.0.0/8]}}\nsources:\n{sources}"
        "views: [{id: everything, title: Everything}]\n"
    )
    return path


def tree_cpu(process: psutil.Process) -> float:
    """User and system seconds of a process, its children and those that ended."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            spent = one.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended just now: its parent counts it
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def memory(process: psutil.Process) -> list[int]:
    """Proportional set sizes, MiB, the main process first."""
    found = [one.memory_full_info().pss for one in [process, *process.children(recursive=True)]]
    return [round(size / 2**20) for size in found]


def answered(base: str) -> dict[str, int]:
    """How many answers of each kind the origin gave."""
    counts: dict[str, int] = json.loads(ask(base, "/counts"))
    return counts


def wait_for(base: str, wanted: int) -> None:
    """Until the origin has given so many answers, of whatever kind."""
    while sum(answered(base).values()) < wanted:
        time.sleep(0.5)
    time.sleep(2)  # what is still being stored


def make_due(folder: Path) -> None:
    """Let every source be due now."""
    with sqlite3.connect(folder / "aggregator.db", timeout=60) as connection:
        (soonest,) = connection.execute("SELECT min(last_polled_at) FROM feed").fetchone()
        connection.execute("UPDATE feed SET next_poll_at = ?", (soonest,))
        connection.execute("UPDATE host SET next_at = NULL")


def measure(process: psutil.Process, folder: Path, at: Origin, idle: float) -> tuple[float, float]:
    """Milliseconds a poll, and milliseconds a second of doing nothing."""
    before = tree_cpu(process)
    time.sleep(idle)
    rest = (tree_cpu(process) - before) / idle
    had = answered(at.base)
    before, began = tree_cpu(process), time.monotonic()
    make_due(folder)
    wait_for(at.base, sum(had.values()) + at.feeds)
    if answered(at.base).get("200", 0) > had.get("200", 0):
        print("a document was not read before, and came again", file=sys.stderr)
    spent = tree_cpu(process) - before - rest * (time.monotonic() - began)
    return spent / at.feeds * 1000, rest * 1000


def main() -> None:
    """Start, wait, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.service")
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--settle", type=float, default=75, help="seconds until it is at rest")
    parser.add_argument("--idle", type=float, default=20, help="seconds of doing nothing")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    port = free_port()
    with tempfile.TemporaryDirectory() as temporary, origin(options.sources) as at:
        folder = Path(temporary)
        config = configuration(folder, at, port)
        command = [sys.executable, "-m", "aggregator", "run", "--config", str(config)]
        with running(command, f"http://127.0.0.1:{port}/health/live") as service:
            wait_for(at.base, at.feeds)
            time.sleep(options.settle)
            found = [measure(service, folder, at, options.idle) for _ in range(options.rounds)]
            print(
                f"{statistics.median(poll for poll, _ in found):.2f} ms CPU a poll, "
                f"{statistics.median(rest for _, rest in found):.1f} ms a second at rest, "
                f"memory {memory(service)} MiB"
            )


if __name__ == "__main__":
    main()

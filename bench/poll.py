"""Polling many feeds once: our `poll --all` against the `reader` library and newsboat.

    python -m bench.poll [--feeds 200] [--items 30] [--rounds 3] [--print]

An origin on loopback (`bench.publisher`) offers the feeds. In each round every contender starts
with an empty database and polls as a process of its own, in turns with the others: cold; after
another poll, which is not measured, with nothing changed (all 304); after every tenth feed
published one item; and once with nothing to poll, which shows what starting the program costs.
After each run its rows are counted.

Measured are CPU seconds (user and system, with child processes) and the peak of the proportional
set size summed over the process tree, sampled 20 times a second. The table of medians replaces the
one in `bench/README.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

HERE = Path(__file__).parent
README = HERE / "README.md"
PHASES = {
    "cold": "all new",
    "same": "nothing changed (304)",
    "tenth": "every 10th feed has one new item",
    "start": "nothing to poll: the start alone",
}
EVERY = 10

# reader 3.26 imports `sgmllib`, which today's feedparser brings under another name.
READER = """
import sys
import feedparser_sgmllib
sys.modules.setdefault("sgmllib", feedparser_sgmllib)
from reader import make_reader
reader = make_reader(sys.argv[1])
if sys.argv[2] == "add":
    for url in open(sys.argv[3]).read().split():
        reader.add_feed(url)
elif sys.argv[2] == "poll":
    reader.update_feeds(scheduled=False, workers=8)
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """A program under measurement: how it is prepared, started and counted."""

    name: str
    prepare: Callable[[Path, list[str]], None]  # makes its files in a folder, for these URLs
    poll: Callable[[Path], list[str | Path]]
    start: Callable[[Path], list[str | Path]]
    rows: Callable[[Path], int]


@dataclass(slots=True)
class Cost:
    """What one run took."""

    cpu: float  # seconds
    memory: float  # MiB
    wall: float  # seconds


@dataclass(slots=True)
class Results:
    """All runs, by contender and phase, and what went wrong with rows or answers."""

    costs: dict[tuple[str, str], list[Cost]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def _count(database: Path, query: str) -> int:
    with sqlite3.connect(database) as connection:
        count: int = connection.execute(query).fetchone()[0]
        return count


def ours() -> Contender:
    """This project, by its command line, on SQLite."""

    def prepare(folder: Path, urls: list[str]) -> None:
        sources = "".join(f"  - {{id: feed-{n}, url: '{url}'}}\n" for n, url in enumerate(urls))
        (folder / "aggregator.yaml").write_text(
            f"storage: {{url: 'sqlite:///{folder}/aggregator.db'}}\n"
            "polling: {min_refresh: 0, host_gap: 0, concurrency: 8, requests_per_second: 1000}\n"
            f"fetching: {{allow_networks: [127.0.0.1/32]}}\nsources:\n{sources}"
        )

    def command(folder: Path, *words: str) -> list[str | Path]:
        config = folder / "aggregator.yaml"
        return [sys.executable, "-m", "aggregator", *words, "--json", "--config", config]

    return Contender(
        "aggregator",
        prepare,
        lambda folder: command(folder, "poll", "--all"),
        lambda folder: command(folder, "poll"),
        lambda folder: _count(folder / "aggregator.db", "SELECT count(*) FROM item"),
    )


def reader() -> Contender:
    """The `reader` library with 8 workers, its own storage and parser."""

    def command(folder: Path, *words: str | Path) -> list[str | Path]:
        return [sys.executable, "-c", READER, folder / "reader.db", *words]

    def prepare(folder: Path, urls: list[str]) -> None:
        (folder / "urls").write_text("\n".join(urls))
        subprocess.run(command(folder, "add", folder / "urls"), check=True)

    return Contender(
        "reader",
        prepare,
        lambda folder: command(folder, "poll"),
        lambda folder: command(folder, "open"),
        lambda folder: _count(folder / "reader.db", "SELECT count(*) FROM entries"),
    )


def newsboat(program: str) -> Contender:
    """newsboat with 8 threads, without its screen."""

    def prepare(folder: Path, urls: list[str]) -> None:
        (folder / "urls").write_text("\n".join(urls) + "\n")
        (folder / "config").write_text("reload-threads 8\nmax-items 0\n")

    def command(folder: Path, what: str) -> list[str | Path]:
        files: list[str | Path] = [
            "-u",
            folder / "urls",
            "-c",
            folder / "cache.db",
            "-C",
            folder / "config",
        ]
        return [program, "-q", *files, "-x", what]

    return Contender(
        "newsboat",
        prepare,
        lambda folder: command(folder, "reload"),
        lambda folder: command(folder, "print-unread"),
        lambda folder: _count(folder / "cache.db", "SELECT count(*) FROM rss_item"),
    )


def measure(command: list[str | Path], folder: Path) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; the message holds what it printed.
    """
    began = time.monotonic()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"HOME": str(folder), "PYTHONWARNINGS": "ignore"},
        )
        peak = [0]
        watching = threading.Thread(target=_watch, args=(process.pid, peak))
        watching.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    watching.join()
    if process.returncode != 0:
        said = (folder / "output").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{command[:4]} ended with {process.returncode}:\n{said}")
    return Cost(usage.ru_utime + usage.ru_stime, peak[0] / 2**20, wall)


def _watch(pid: int, peak: list[int]) -> None:
    """Keep the largest sum of the process tree's proportional set sizes in `peak[0]`."""
    try:
        root = psutil.Process(pid)
        while root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in (root, *root.children(recursive=True)):
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(0.05)
    except psutil.Error:
        return  # it has ended


def ask(base: str, target: str) -> bytes:
    """A control request to the origin."""
    with urllib.request.urlopen(base + target, timeout=10) as answer:
        body: bytes = answer.read()
        return body


@contextmanager
def origin(feeds: int, items: int) -> Iterator[str]:
    """The origin in its own process; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [str(number) for number in (port, feeds, items)]
    process = subprocess.Popen([sys.executable, "-m", "bench.publisher", *words])
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                ask(base, "/counts")
                break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait()


def run_round(contenders: list[Contender], feeds: int, items: int, results: Results) -> None:
    """Each contender through all phases, in turns, on an origin and databases of its own round."""
    with tempfile.TemporaryDirectory() as temporary, origin(feeds, items) as base:
        urls = [f"{base}/feed/{n}.xml" for n in range(feeds)]
        folders = {each.name: Path(temporary) / each.name for each in contenders}
        for each in contenders:
            folders[each.name].mkdir()
            each.prepare(folders[each.name], urls)
        changed = -(-feeds // EVERY)
        expected = {  # rows afterwards, answers 200, answers 304
            "cold": (feeds * items, feeds, 0),
            "same": (feeds * items, 0, feeds),
            "tenth": (feeds * items + changed, changed, feeds - changed),
            "start": (feeds * items + changed, 0, 0),
        }
        for phase, wanted in expected.items():
            if phase == "same":
                for each in contenders:  # newsboat keeps no validators of the first poll
                    measure(each.poll(folders[each.name]), folders[each.name])
            if phase == "tenth":
                ask(base, f"/change/{EVERY}")
            for each in contenders:
                folder = folders[each.name]
                before = json.loads(ask(base, "/counts"))
                command = each.start(folder) if phase == "start" else each.poll(folder)
                cost = measure(command, folder)
                after = json.loads(ask(base, "/counts"))
                results.costs.setdefault((each.name, phase), []).append(cost)
                answers = (after.get(code, 0) - before.get(code, 0) for code in ("200", "304"))
                got = (each.rows(folder), *answers)
                if got != wanted:
                    results.wrong.append(
                        f"{each.name}, {phase}: rows, 200s and 304s were {got}, not {wanted}"
                    )
                print(f"{phase:6} {each.name:11} {cost.cpu:6.2f} s CPU {cost.memory:6.0f} MiB "
                      f"{cost.wall:6.1f} s", file=sys.stderr)  # fmt: skip


def table(results: Results, names: list[str]) -> str:
    """Medians and ratios as Markdown."""

    def median(name: str, phase: str, what: str) -> float:
        value: float = statistics.median(getattr(cost, what) for cost in results.costs[name, phase])
        return value

    lines = [
        "| phase | program | CPU s | ours, of it | peak MiB | ours, of it | wall s |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for phase, title in PHASES.items():
        for name in names:
            cpu, memory, wall = (median(name, phase, what) for what in ("cpu", "memory", "wall"))
            ratios = ["", ""]
            if name != "aggregator":
                ratios = [
                    f"{median('aggregator', phase, what) / value:.2f}"
                    for what, value in (("cpu", cpu), ("memory", memory))
                ]
            lines.append(
                f"| {title} | {name} | {cpu:.2f} | {ratios[0]} | {memory:.0f} | {ratios[1]} "
                f"| {wall:.1f} |"
            )
    return "\n".join(lines)


def report(results: Results, names: list[str], options: argparse.Namespace) -> str:
    """The section of the README that this bench writes."""
    rows = (
        "Rows and answers were right in every run."
        if not results.wrong
        else "Not right:\n\n" + "\n".join(f"- {line}" for line in sorted(set(results.wrong)))
    )
    return (
        f"{options.feeds} feeds of {options.items} items, {options.rounds} rounds, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores"
        f" (load {os.getloadavg()[1]:.1f}). “Ours, of it” is our figure divided by theirs: below 1 "
        f"is better.\n\n{table(results, names)}\n\n{rows}\n"
    )


def write(section: str, readme: Path = README) -> None:
    """Replace what stands between the markers of this bench."""
    text = readme.read_text(encoding="utf-8")
    begin, end = "<!-- bench.poll -->\n", "<!-- /bench.poll -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    readme.write_text(pattern.sub(lambda _: begin + section + end, text), encoding="utf-8")


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.poll")
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--items", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="leave bench/README.md alone")
    options = parser.parse_args()
    contenders = [ours(), reader()]
    if program := shutil.which("newsboat"):
        contenders.append(newsboat(program))
    results = Results()
    for number in range(options.rounds):
        turned = contenders[number % len(contenders) :] + contenders[: number % len(contenders)]
        run_round(turned, options.feeds, options.items, results)
    section = report(results, [each.name for each in contenders], options)
    print(section)
    if not options.print:
        write(section)


if __name__ == "__main__":
    main()

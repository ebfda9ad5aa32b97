"""Polling many feeds once: our `poll --all` against other readers and the release before.

    python -m bench.poll [--feeds 218] [--documents FOLDER] [--rounds 3] [--before REVISION]

An origin on loopback (`bench.publisher`) offers the feeds: recorded ones where FOLDER has any, else
ones made as real ones are shaped. In each round every contender starts with an empty database and
polls as a process of its own, in turns with the others: all new; after another poll, which is not
measured, with nothing changed (304); after every tenth feed got one new and one changed item; and
with nothing to poll, which shows what starting the program costs. After each run its answers are
counted.

Measured are CPU seconds (user and system, of the whole process tree) and the peak of the
proportional set size summed over the tree, sampled 20 times a second. The table in
`bench/README.md` holds ratios only: our median divided by theirs.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.contenders import ROOT, Contender, environment, newsboat, ours, reader, sfeed
from bench.origin import ask, origin

README = Path(__file__).parent / "README.md"
PHASES = {
    "cold": "all new",
    "same": "nothing changed (304)",
    "tenth": "a tenth with one new and one changed item",
    "start": "nothing to poll: the start alone",
}
EVERY = 10
PEERS = {"reader": reader, "newsboat": newsboat, "sfeed": sfeed}


@dataclass(slots=True)
class Cost:
    """What one run took."""

    cpu: float  # seconds
    memory: float  # MiB
    wall: float  # seconds


@dataclass(slots=True)
class Results:
    """All runs, by contender and phase, and what went wrong with the answers."""

    costs: dict[tuple[str, str], list[Cost]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def measure(contender: Contender, command: list[str | Path], folder: Path) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; the message holds what it printed. One of ours may say that some
            sources failed.
    """
    began = time.monotonic()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.whole", *map(str, command)],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment(contender, folder),
            cwd=folder,
        )
        peak = [0]
        watching = threading.Thread(target=_watch, args=(process.pid, peak))
        watching.start()
        process.wait()
    wall = time.monotonic() - began
    watching.join()
    said = (folder / "output").read_text(errors="replace")
    told = json.loads(said.splitlines()[-1])
    if told["code"] not in (0, 1):
        raise RuntimeError(f"{command[:4]} ended with {told['code']}:\n{said[-2000:]}")
    return Cost(told["cpu"], peak[0] / 2**20, wall)


def _watch(pid: int, peak: list[int]) -> None:
    """Keep the largest sum of the process tree's proportional set sizes in `peak[0]`."""
    try:
        root = psutil.Process(pid)
        while root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in root.children(recursive=True):
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(0.05)
    except psutil.Error:
        return  # it has ended


def run_round(
    contenders: list[Contender], feeds: int, documents: Path | None, results: Results
) -> None:
    """Each contender through all phases, in turns, on an origin and databases of its own round."""
    with tempfile.TemporaryDirectory() as temporary, origin(feeds, documents) as at:
        folders = {each.name: Path(temporary) / each.name for each in contenders}
        for each in contenders:
            folders[each.name].mkdir()
            each.prepare(folders[each.name], at.urls)
        changed = -(-at.feeds // EVERY)
        expected = {  # answers 200, answers 304
            "cold": (at.feeds, 0),
            "same": (0, at.feeds),
            "tenth": (changed, at.feeds - changed),
            "start": (0, 0),
        }
        for phase, wanted in expected.items():
            if phase == "same":
                for each in contenders:  # newsboat keeps no validators of the first poll
                    measure(each, each.poll(folders[each.name]), folders[each.name])
            if phase == "tenth":
                ask(at.base, f"/change/{EVERY}")
            for each in contenders:
                folder = folders[each.name]
                before = json.loads(ask(at.base, "/counts"))
                cost = measure(
                    each, each.start(folder) if phase == "start" else each.poll(folder), folder
                )
                after = json.loads(ask(at.base, "/counts"))
                results.costs.setdefault((each.name, phase), []).append(cost)
                got = tuple(after.get(code, 0) - before.get(code, 0) for code in ("200", "304"))
                if got != wanted and (each.conditional or sum(got) != sum(wanted)):
                    results.wrong.append(
                        f"{each.name}, {phase}: the 200s and 304s were {got}, not {wanted}"
                    )
                results.rows[each.name] = each.rows(folder)
                print(
                    f"{phase:6} {each.name:11} {cost.cpu:6.2f} s CPU {cost.memory:6.0f} MiB "
                    f"{cost.wall:6.1f} s {results.rows[each.name]} rows",
                    file=sys.stderr,
                )


def median(results: Results, name: str, phase: str, what: str) -> float:
    """Of all rounds."""
    value: float = statistics.median(getattr(cost, what) for cost in results.costs[name, phase])
    return value


def table(results: Results, names: list[str]) -> str:
    """Our medians divided by those of the others, CPU and peak memory, as Markdown."""
    others = [name for name in names if name != "aggregator"]
    lines = [
        "| phase | " + " | ".join(f"CPU ÷ {name}" for name in others) + " | "
        + " | ".join(f"memory ÷ {name}" for name in others) + " |",
        "|---|" + "---:|" * (2 * len(others)),
    ]  # fmt: skip
    for phase, title in PHASES.items():
        ratios = [
            median(results, "aggregator", phase, what)
            / (median(results, name, phase, what) or 1e-9)
            for what in ("cpu", "memory")
            for name in others
        ]
        lines.append(f"| {title} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
    return "\n".join(lines)


def report(results: Results, names: list[str], what: str, rounds: int) -> str:
    """The section of the README that this bench writes."""
    missing = [name for name in PEERS if name not in names]
    told = [
        f"{what}; medians of {rounds} rounds, Python {platform.python_version()}, {os.cpu_count()} "
        f"cores (load {os.getloadavg()[1]:.1f}). Each figure is ours divided by theirs: below 1 is "
        "better for us.",
        table(results, names),
        "Answers were right in every run."
        if not results.wrong
        else "Not right:\n\n" + "\n".join(f"- {line}" for line in sorted(set(results.wrong))),
    ]
    if missing:
        told.append(f"Not installed here, so not measured: {', '.join(missing)}.")
    return "\n\n".join(told) + "\n"


def write(section: str, mark: str = "bench.poll", readme: Path = README) -> None:
    """Replace what stands between the markers of a bench."""
    text = readme.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    readme.write_text(pattern.sub(lambda _: begin + section + end, text), encoding="utf-8")


def release_before(revision: str, folder: Path) -> Contender | None:
    """This project as it was at a revision, put into a folder; None where git does not know it."""
    packed = subprocess.run(
        ["git", "archive", revision, "aggregator"], cwd=ROOT, capture_output=True, check=False
    )
    if packed.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return ours(folder, name=revision)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.poll")
    parser.add_argument("--feeds", type=int, default=0, help="0: all recorded ones, or 200 made")
    parser.add_argument("--documents", type=Path, help="a folder of recorded *.gz")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", metavar="REVISION", help="measure this release of ours too")
    parser.add_argument("--only", nargs="*", help="names of the peers to measure")
    parser.add_argument("--tree", type=Path, help="a checkout to measure in place of --before")
    parser.add_argument("--print", action="store_true", help="leave bench/README.md alone")
    options = parser.parse_args()
    documents = options.documents
    feeds = options.feeds or (0 if documents else 200)
    with tempfile.TemporaryDirectory() as temporary:
        contenders = [ours()]
        if options.before:
            before = release_before(options.before, Path(temporary))
            contenders += [before] if before else []
        if options.tree:
            contenders += [ours(options.tree, options.tree.name)]
        for name, peer in PEERS.items():
            found = peer() if options.only is None or name in options.only else None
            contenders += [found] if found else []
        results = Results()
        for number in range(options.rounds):
            at = number % len(contenders)
            run_round(contenders[at:] + contenders[:at], feeds, documents, results)
    what = "Recorded documents of real feeds" if documents else f"{feeds} feeds made by the bench"
    section = report(results, [each.name for each in contenders], what, options.rounds)
    print(section)
    if not options.print:
        write(section)


if __name__ == "__main__":
    main()

"""The programs that `bench.poll` measures: how each is prepared, run and counted."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

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
    conditional: bool = True  # asks with validators by itself
    tree: Path | None = None  # a checkout of ours


def environment(contender: Contender, folder: Path) -> dict[str, str]:
    """What a run sees: byte code is kept whatever the caller's environment says.

    Where it is not, every start of a Python program compiles hundreds of modules anew.
    """
    ours = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([*([str(contender.tree)] if contender.tree else []), str(ROOT)])
    return ours | {"HOME": str(folder), "PYTHONWARNINGS": "ignore", "PYTHONPATH": path}


def _count(database: Path, query: str) -> int:
    with sqlite3.connect(database) as connection:
        count: int = connection.execute(query).fetchone()[0]
        return count


def ours(tree: Path = ROOT, name: str = "aggregator") -> Contender:
    """This project of a checkout, by its command line, on SQLite."""

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
        name,
        prepare,
        lambda folder: command(folder, "poll", "--all"),
        lambda folder: command(folder, "poll"),
        lambda folder: _count(folder / "aggregator.db", "SELECT count(*) FROM item"),
        tree=tree,
    )


def reader() -> Contender | None:
    """The `reader` library with 8 workers, its own storage and parser."""
    if importlib.util.find_spec("reader") is None:
        return None

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


def newsboat() -> Contender | None:
    """newsboat with 8 threads, without its screen."""
    program = shutil.which("newsboat")
    if program is None:
        return None

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


def sfeed() -> Contender | None:
    """sfeed with 8 jobs; it keeps no validators, so every answer is whole."""
    program = shutil.which("sfeed_update")
    if program is None:
        return None

    def prepare(folder: Path, urls: list[str]) -> None:
        feeds = "".join(f"feed 'feed-{n}' '{url}'\n" for n, url in enumerate(urls))
        where = f"sfeedpath={folder}/feeds\nmaxjobs=8\n"
        (folder / "feeds").mkdir()
        (folder / "sfeedrc").write_text(f"{where}feeds() {{\n{feeds}}}\n")
        (folder / "none").write_text(f"{where}feeds() {{\n:\n}}\n")

    def rows(folder: Path) -> int:
        return sum(len(one.read_bytes().splitlines()) for one in (folder / "feeds").iterdir())

    return Contender(
        "sfeed",
        prepare,
        lambda folder: [program, folder / "sfeedrc"],
        lambda folder: [program, folder / "none"],
        rows,
        conditional=False,
    )

"""Pages per second of our article extraction, as a ratio to trafilatura alone on the same pages.

    python -m bench.articles [--pages FOLDER] [--rounds 3] [--print]

Without `--pages` the pages are made by the builders of the test suite: eight markups in three
languages, with much less boilerplate than a real site has. A folder of HTML files gives real ones.
Both read every page in turns, on one core, in one process; ours also finds title, byline, dates,
picture and related links, sanitises, and tells articles from other pages. The table of medians
replaces the one in `bench/README.md`.
"""

from __future__ import annotations

import argparse
import gzip
import platform
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import trafilatura

from aggregator.articles.related.found import related_links
from tests.articles.pages import (
    MARKUPS,
    RELATED,
    article_from,
    chinese_story,
    english_story,
    german_story,
)

README = Path(__file__).parent / "README.md"
URL = "https://news.example/2026/03/01/story.html"
MOST = 120  # pages of a folder


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who reads a page."""

    name: str
    read: Callable[[bytes], object]


def _trafilatura(page: bytes) -> object:
    return trafilatura.extract(page, url=URL, favor_precision=True, output_format="html")


CONTENDERS = (
    Contender("trafilatura alone (body)", _trafilatura),
    Contender("ours: the whole article", lambda page: article_from(page, URL)),
    Contender("ours: related links only", lambda page: related_links(page, URL)),
)


def made_pages() -> list[bytes]:
    """The stories of the test suite in every markup."""
    stories = [make(RELATED) for make in (english_story, german_story, chinese_story)]
    return [build(story).encode() for story in stories for build in MARKUPS.values()] * 3


def pages_of(folder: Path) -> list[bytes]:
    """HTML files of a folder, packed ones too, the first `MOST` by name."""
    found = sorted([*folder.rglob("*.html"), *folder.rglob("*.html.gz")])[:MOST]
    return [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in found
    ]


def measure(pages: Sequence[bytes], rounds: int) -> dict[str, float]:
    """CPU seconds for all pages, the median of the rounds, by contender; in turns."""
    spent: dict[str, list[float]] = {one.name: [] for one in CONTENDERS}
    for one in CONTENDERS:
        one.read(pages[0])  # imports and tables are not measured
    for _ in range(rounds):
        for one in CONTENDERS:
            began = time.process_time()
            for page in pages:
                one.read(page)
            spent[one.name].append(time.process_time() - began)
    return {name: statistics.median(times) for name, times in spent.items()}


def report(pages: Sequence[bytes], rounds: int, what: str) -> str:
    """The table, as Markdown."""
    spent = measure(pages, rounds)
    base = spent[CONTENDERS[0].name]
    size = statistics.mean(len(page) for page in pages) / 1024
    lines = [
        f"{len(pages)} pages {what} ({size:.0f} KiB on average), {rounds} rounds, Python "
        f"{platform.python_version()}, one core. The ratio is pages a CPU second to trafilatura's.",
        "",
        "| reader | pages a CPU second | ratio |",
        "|---|---:|---:|",
    ]
    for name, seconds in spent.items():
        lines.append(f"| {name} | {len(pages) / seconds:.1f} | {base / seconds:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write the table, or print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pages", type=Path, help="a folder of HTML files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="leave the README as it is")
    options = parser.parse_args()
    pages = pages_of(options.pages) if options.pages else made_pages()
    if not pages:
        parser.error(f"no HTML file is in {options.pages}")
    what = "of real sites" if options.pages else "made by the test suite"
    table = report(pages, options.rounds, what)
    print(table)
    if options.print:
        return
    text = README.read_text(encoding="utf-8")
    marked = re.compile(r"(<!-- bench\.articles -->\n).*(<!-- /bench\.articles -->)", re.DOTALL)
    README.write_text(marked.sub(lambda m: f"{m[1]}{table}\n{m[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    main()

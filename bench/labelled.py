"""Labelled data for measuring: where it is, its rows, its halves, and how answers are compared.

The data is public text and no part of the project. The environment variable AGGREGATOR_EVAL_DATA
names its folder; without it `../shared/data` beside the repository is looked at. A folder holds
`truth.jsonl`, whose rows name a page (`file`, relative to the folder, gzip) and what is right.

What is tuned on one half of a set is looked at on the other: pages of one site fall into one half.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_DEFAULT = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
HALVES = ("tuned", "cross")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One page and its labels."""

    row: Mapping[str, Any]
    folder: Path

    @property
    def name(self) -> str:
        """The page's name."""
        return str(self.row["page_id"])

    @property
    def set(self) -> str:
        """The set that the page belongs to."""
        return str(self.row["set"])

    @property
    def url(self) -> str:
        """Where the page was."""
        return str(self.row["url"])

    @property
    def half(self) -> str:
        """`tuned` or `cross`, by the host."""
        return half_of(self.url)

    def page(self) -> bytes:
        """The HTML as received."""
        data = (self.folder / self.row["file"]).read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def half_of(url: str) -> str:
    """Which half of the data a page is in: a hash of its host, so that a site is not parted."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    return HALVES[hashlib.sha256(host.encode()).digest()[0] % 2]


def options_of(doc: str | None, arguments: Sequence[str] | None) -> argparse.Namespace:
    """`[DIR] [--quiet] [--worst N]`, as the programs that read these folders take them."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "dir", nargs="?", default=os.environ.get("AGGREGATOR_EVAL_DATA") or _DEFAULT, type=Path
    )
    parser.add_argument("--quiet", action="store_true", help="figures only, no list of errors")
    parser.add_argument("--worst", type=int, default=15, help="how many pages a list holds")
    return parser.parse_args(arguments)


def labelled_pages(folder: Path) -> Iterator[Labelled]:
    """The pages that `truth.jsonl` of a folder names; none where the folder is not there."""
    truth = folder / "truth.jsonl"
    if not truth.is_file():
        print(f"no labelled pages: {truth} does not exist (give DIR or set AGGREGATOR_EVAL_DATA)")
        return
    for line in truth.read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield Labelled(json.loads(line), folder)


def folded(text: str | None) -> str:
    """Letters and digits alone, compatibility forms and case folded."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text or "")).casefold()


def sides(label: str, halves: Sequence[str]) -> str:
    """One line of a report: the whole set, then its halves side by side."""
    return f"  {label:28}" + "".join(f"{text:>26}" for text in halves)

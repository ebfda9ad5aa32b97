"""The text of articles against labelled pages, ours beside trafilatura's modes.

    python -m bench.eval_bodies [DIR] [--quiet] [--worst N]

DIR holds `bodies/truth.jsonl` (see `bench.labelled`) with rows `{"page_id", "set", "file", "url",
"text"}`. Printed per set, for all pages and for the half tuned on and the half looked at:

word F1    multiset of words (letters and digits, NFKC, casefolded; CJK and Thai letter by letter),
           mean over pages
4-gram F1  multiset of runs of four words, F1 of the mean precision and the mean recall
below .5   pages with a word F1 below a half, and below half of trafilatura's best mode there

and the pages that are furthest below trafilatura's best mode, and the worst.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import trafilatura

from aggregator.articles.extract import extract_article
from bench.labelled import HALVES, Labelled, labelled_pages, options_of, sides

_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+"
)
OURS = "ours"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Score:
    """How near an answer is to a page's text. Pairs are precision and recall."""

    words: tuple[float, float]
    grams: tuple[float, float]

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall of the words."""
        return f1(*self.words)


def f1(precision: float, recall: float) -> float:
    """Harmonic mean."""
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def score(got: str, want: str) -> Score:
    """Compare an answer with the text it should be."""
    mine, theirs = words_of(got), words_of(want)
    return Score(_overlap(Counter(mine), Counter(theirs)), _overlap(_grams(mine), _grams(theirs)))


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return _WORD.findall(unicodedata.normalize("NFKC", text or "").casefold())


def _grams(words: list[str]) -> Counter[tuple[str, ...]]:
    if not words:
        return Counter()
    return Counter(tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3)))


def _overlap(got: Counter[_T], want: Counter[_T]) -> tuple[float, float]:
    common = (got & want).total()
    return (
        common / got.total() if got else 0.0,
        common / want.total() if want else 0.0,
    )


def _mode(
    *, favor_precision: bool = False, favor_recall: bool = False, fast: bool = False
) -> Callable[[bytes, str], str]:
    def read(page: bytes, url: str) -> str:
        text = trafilatura.extract(
            page, url=url, include_comments=False,
            favor_precision=favor_precision, favor_recall=favor_recall, fast=fast,
        )  # fmt: skip
        return text or ""

    return read


READERS: Mapping[str, Callable[[bytes, str], str]] = {
    OURS: lambda page, url: extract_article(page, url, now=datetime.now(UTC)).text,
    "trafilatura precision": _mode(favor_precision=True),
    "trafilatura default": _mode(),
    "trafilatura recall": _mode(favor_recall=True),
    "trafilatura fast": _mode(fast=True),
}


def _line(scores: Sequence[Score]) -> str:
    if not scores:
        return "-"
    n = len(scores)
    precision, recall = (sum(s.grams[i] for s in scores) / n for i in (0, 1))
    return (
        f"{sum(s.f1 for s in scores) / n:.4f} {f1(precision, recall):.4f} "
        f"{sum(s.f1 < 0.5 for s in scores):>3}"
    )


def report(name: str, pages: Sequence[Labelled], scores: Mapping[str, list[Score]]) -> None:
    """Print one set: a line for each reader, the whole set and its halves side by side."""
    counts = [sum(p.half == h for p in pages) for h in HALVES]
    print(f"{name}: {len(pages)} pages ({counts[0]} tuned, {counts[1]} cross)")
    print(sides("", [f"{h}: word 4-gram <.5" for h in ("all", *HALVES)]))
    for reader, values in scores.items():
        halves = [[v for p, v in zip(pages, values, strict=True) if p.half == h] for h in HALVES]
        print(sides(reader, [_line(values), *(_line(h) for h in halves)]))
    low = sum(mine.f1 * 2 < best for mine, best in _beside(scores))
    print(f"  pages below half of trafilatura's best mode there: {low}")


def _beside(scores: Mapping[str, list[Score]]) -> list[tuple[Score, float]]:
    others = [values for name, values in scores.items() if name != OURS]
    best = [max(s.f1 for s in page) for page in zip(*others, strict=True)]
    return list(zip(scores[OURS], best, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures and the worst pages; 0 also when there is no data."""
    options = options_of(__doc__, arguments)
    folder = options.dir / "bodies" if (options.dir / "bodies").is_dir() else options.dir
    sets: dict[str, list[Labelled]] = defaultdict(list)
    for labelled in labelled_pages(folder):
        if labelled.row.get("text"):
            sets[labelled.set].append(labelled)
    lines = []
    for name, pages in sorted(sets.items()):
        scores: dict[str, list[Score]] = {reader: [] for reader in READERS}
        for labelled in pages:
            page = labelled.page()
            for reader, read in READERS.items():
                scores[reader].append(score(read(page, labelled.url), labelled.row["text"]))
        report(name, pages, scores)
        lines += [
            (best - mine.f1, mine, labelled)
            for labelled, (mine, best) in zip(pages, _beside(scores), strict=True)
        ]
    if lines and not options.quiet:
        for title, order in (
            ("furthest below trafilatura's best mode", lambda line: -line[0]),
            ("worst", lambda line: line[1].f1),
        ):
            print(f"{title} (word F1, precision, recall, difference)")
            for less, mine, labelled in sorted(lines, key=order)[: options.worst]:
                print(
                    f"  {mine.f1:.3f} {mine.words[0]:.2f} {mine.words[1]:.2f} {-less:+.3f} "
                    f"{labelled.half} {labelled.name} {labelled.url[:90]}"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Related links against pages labelled by reading.

    python -m bench.eval_related [DIR] [--quiet]

DIR holds `related/labels.jsonl` and `related/pages/*.html.gz`; without it the environment variable
AGGREGATOR_EVAL_DATA is asked, then `../shared/data` beside the repository. The data is public
text for measuring and is not part of the project; without it the program says so and ends.

Rows of `labels.jsonl`: `{"page_id", "file", "url", "kind", "related": [URL…], "optional": [URL…]}`,
kind one of `positive`, `negative`, `optional_only`. Optional links count neither as hits nor as
misses. Printed are micro and macro figures, the share of pages with none on which something was
found, pages per second as a ratio of trafilatura's, and every page with an error.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import trafilatura

from aggregator.articles.related.found import related_links
from aggregator.model.article import RelatedLink

_DEFAULT = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_TRACKING = re.compile(
    r"^(?:utm_|itm_|itid$|mc_|fbclid|gclid|dclid|igshid|cmp$|cmpid|ref$|refsrc|rss$|source$|src$|"
    r"from$|ns_|at_|int_|intcmp|icid|ito$|wt_|wtmc|dicbo|lid$|ncid|sref|spm$|smid|partner$|maca$|"
    r"link_?source|_ga|xtor|traffic|r$|obOrigUrl|outputType|reco)",
    re.I,
)


@dataclass
class Score:
    """Counts over pages; figures are derived."""

    hits: int = 0
    wrong: int = 0
    missed: int = 0
    page_f1: list[float] = field(default_factory=list)
    none: dict[str, list[bool]] = field(
        default_factory=lambda: {"negative": [], "optional_only": []}
    )

    @property
    def precision(self) -> float:
        """Share of found links that are labelled."""
        return self.hits / (self.hits + self.wrong) if self.hits + self.wrong else 0.0

    @property
    def recall(self) -> float:
        """Share of labelled links that are found."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall over all links."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def compared(url: str) -> str:
    """What makes two URLs the same to the labels: host, path, query without tracking."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    host = re.sub(r"^www\d?\.", "", (parts.hostname or "").lower())
    if port and port not in (80, 443):
        host += f":{port}"
    path = unquote(re.sub(r"/{2,}", "/", parts.path)).rstrip("/") or "/"
    path = re.sub(r"/(?:index|default)\.(?:html?|php|shtml)$", "/", path).rstrip("/") or "/"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted((k, v) for k, v in pairs if not _TRACKING.match(k)))
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def judge(
    row: Mapping[str, Any], found: Sequence[RelatedLink], score: Score
) -> tuple[list[RelatedLink], list[str]]:
    """Count one page; the links that are wrong, and the URLs that are missing."""
    related = {compared(u) for u in row["related"]}
    ignored = ({compared(u) for u in row.get("optional", [])} - related) | {compared(row["url"])}
    said = {compared(link.url): link for link in found if compared(link.url) not in ignored}
    hits = len(said.keys() & related)
    wrong = [link for key, link in said.items() if key not in related]
    missed = sorted(related - said.keys())
    score.hits += hits
    score.wrong += len(wrong)
    score.missed += len(missed)
    if related:
        score.page_f1.append(2 * hits / (2 * hits + len(wrong) + len(missed)))
    else:
        score.none[row["kind"]].append(bool(said))
    return wrong, missed


def _share(values: Iterable[bool | float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures and the errors; 0 also when there is no data."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "dir", nargs="?", default=os.environ.get("AGGREGATOR_EVAL_DATA") or _DEFAULT
    )
    parser.add_argument("--quiet", action="store_true", help="figures only, no list of errors")
    options = parser.parse_args(arguments)
    folder = Path(options.dir)
    folder = folder / "related" if (folder / "related").is_dir() else folder
    labels = folder / "labels.jsonl"
    if not labels.is_file():
        print(f"no labelled pages: {labels} does not exist (give DIR or set AGGREGATOR_EVAL_DATA)")
        return 0
    score = Score()
    ours = theirs = 0.0
    rows = [json.loads(line) for line in labels.read_text(encoding="utf-8").splitlines() if line]
    for number, row in enumerate(rows):
        page = gzip.decompress((folder / row["file"]).read_bytes())
        started = time.process_time()
        found = related_links(page, row["url"])
        ours += time.process_time() - started
        if number % 5 == 0:  # every fifth page is enough to compare
            started = time.process_time()
            trafilatura.extract(page, favor_precision=True)
            theirs += 5 * (time.process_time() - started)
        wrong, missed = judge(row, found, score)
        if (wrong or missed) and not options.quiet:
            print(f"{row['page_id']} ({row['kind']})")
            for link in wrong:
                print(
                    f"  wrong   {link.rule:9} [{link.heading or '-'}] {link.text[:60]} {link.url}"
                )
            for url in missed:
                print(f"  missed  {url}")
    print(f"pages {len(rows)}, hits {score.hits}, wrong {score.wrong}, missed {score.missed}")
    print(f"micro precision {score.precision:.3f}  recall {score.recall:.3f}  F1 {score.f1:.3f}")
    print(f"macro F1 of pages with related links {_share(score.page_f1):.3f}")
    print(f"pages with none on which something was found {_share(score.none['negative']):.3f}")
    print(f"the same where only recommendations are {_share(score.none['optional_only']):.3f}")
    print(
        f"pages per CPU second {len(rows) / ours:.0f}, trafilatura alone {len(rows) / theirs:.0f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

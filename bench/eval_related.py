"""Related links against pages labelled by reading, several sets side by side.

    python -m bench.eval_related [DIR] [--errors COLUMN]...

DIR holds folders `related*`, each with `labels.jsonl` and `pages/*.html.gz`; without it the
environment variable AGGREGATOR_EVAL_DATA is asked, then `../shared/data` beside the repository. The
data is public text for measuring and is not part of the project; without it the program says so
and ends.

Every folder is a column, and so are the two halves of every later set: a publisher belongs to half
a or b by a hash of its domain. Who changes a rule while reading the errors of one half looks at
the figures of the other before believing them; `--errors related-2/a` prints the errors of that
column only.

Rows of `labels.jsonl`: `{"page_id", "file", "url", "kind", "related": [URL…], "optional": [URL…]}`,
kind one of `positive`, `negative`, `optional_only`. Optional links count neither as hits nor as
misses. Printed are micro and macro figures, the share of pages with none on which something was
found, the errors counted by kind, and pages per second beside trafilatura's.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import trafilatura

from aggregator.articles.guard import prepared
from aggregator.articles.page import read_page
from aggregator.articles.related.found import related_links
from aggregator.articles.related.survey import Survey, survey_of
from aggregator.model.article import RelatedLink
from aggregator.urls.origin import registrable_domain

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


@dataclass(frozen=True, slots=True)
class Judged:
    """One page with its errors."""

    row: Mapping[str, Any]
    wrong: list[RelatedLink]
    missed: dict[str, str]  # URL → why


def columns_of(name: str, rows: Sequence[Mapping[str, Any]], first: bool) -> dict[str, list[int]]:
    """The columns of a set: all of it and, except for the first set, its halves by publisher."""
    columns = {name: list(range(len(rows)))}
    if first:
        return columns
    for half in "ab":
        columns[f"{name}/{half}"] = [i for i, row in enumerate(rows) if half_of(row["url"]) == half]
    return columns


def half_of(url: str) -> str:
    """`a` or `b`: pages of one publisher are always in the same half."""
    domain = registrable_domain(urlsplit(url).hostname or "")
    return "ab"[sha256(domain.encode()).digest()[0] & 1]


def why_missed(html: bytes, url: str, missed: Sequence[str]) -> dict[str, str]:
    """What kept each labelled link from being found, as far as one link can tell."""
    survey = survey_of(read_page(prepared(html), url))
    reasons = {}
    for target in missed:
        anchors = [a for a in survey.page.anchors if compared(a.url) == target]
        if not anchors:
            reasons[target] = "no such link on the page"
        elif not any(survey.leads(a) for a in anchors):
            reasons[target] = "address refused"
        elif not any(survey.counts(a) for a in anchors):
            reasons[target] = "text refused, or in prose"
        elif all(survey.is_apart(a.node) or _apart(survey, a.node) for a in anchors):
            reasons[target] = "in a block apart"
        else:
            reasons[target] = "no rule reached it"
    return reasons


def _apart(survey: Survey, node: int) -> bool:
    return any(survey.stands_apart(up) for up in survey.page.ancestors(node))


def _kinds(judged: Sequence[Judged]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for one in judged:
        where = {"negative": " (page with none)", "optional_only": " (page with optional ones)"}
        kinds.update(f"wrong: {w.rule}{where.get(one.row['kind'], '')}" for w in one.wrong)
        kinds.update(f"missed: {reason}" for reason in one.missed.values())
    return kinds


def _print_errors(judged: Sequence[Judged]) -> None:
    for one in judged:
        if one.wrong or one.missed:
            print(f"{one.row['page_id']} ({one.row['kind']}) {one.row['url']}")
        for w in one.wrong:
            print(f"  wrong   {w.rule:9} [{w.heading or '-'}] {w.text[:60]} {w.url}")
        for url, reason in one.missed.items():
            print(f"  missed  {url}  ({reason})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures, and the errors of the columns asked for; 0 also when there is no data."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "dir", nargs="?", default=os.environ.get("AGGREGATOR_EVAL_DATA") or _DEFAULT
    )
    parser.add_argument("--errors", action="append", default=[], help="list errors of this column")
    options = parser.parse_args(arguments)
    folders = sorted(f.parent for f in Path(options.dir).glob("related*/labels.jsonl"))
    if not folders:
        print(f"no labelled pages in {options.dir} (give DIR or set AGGREGATOR_EVAL_DATA)")
        return 0
    scores: dict[str, Score] = {}
    kinds: dict[str, Counter[str]] = {}
    ours = theirs = 0.0
    pages = 0
    for folder in folders:
        labels = (folder / "labels.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in labels.splitlines() if line]
        found = []
        htmls = [gzip.decompress((folder / row["file"]).read_bytes()) for row in rows]
        for number, (row, html) in enumerate(zip(rows, htmls, strict=True)):
            started = time.process_time()
            found.append(related_links(html, row["url"]))
            ours += time.process_time() - started
            if number % 5 == 0:  # every fifth page is enough to compare
                started = time.process_time()
                trafilatura.extract(html, favor_precision=True)
                theirs += 5 * (time.process_time() - started)
        pages += len(rows)
        for column, places in columns_of(folder.name, rows, folder == folders[0]).items():
            score, judged = Score(), []
            for i in places:
                wrong, missed = judge(rows[i], found[i], score)
                why = why_missed(htmls[i], rows[i]["url"], missed) if missed else {}
                judged.append(Judged(rows[i], wrong, why))
            scores[column], kinds[column] = score, _kinds(judged)
            if column in options.errors:
                _print_errors(judged)
    for line in table(scores, kinds):
        print(line)
    print(f"\npages per CPU second {pages / ours:.0f}, trafilatura alone {pages / theirs:.0f}")
    return 0


def table(scores: Mapping[str, Score], kinds: Mapping[str, Counter[str]]) -> list[str]:
    """The figures and the kinds of error as a table, a column for each set."""
    wide = max(12, *(len(name) + 2 for name in scores))

    def line(name: str, cells: Iterable[str]) -> str:
        return f"{name:48}" + "".join(f"{cell:>{wide}}" for cell in cells)

    lines = [line("", scores)]
    cells: tuple[tuple[str, Callable[[Score], str]], ...] = (
        ("pages with related links", lambda s: f"{len(s.page_f1)}"),
        ("hits", lambda s: f"{s.hits}"),
        ("wrong", lambda s: f"{s.wrong}"),
        ("missed", lambda s: f"{s.missed}"),
        ("micro precision", lambda s: f"{s.precision:.3f}"),
        ("micro recall", lambda s: f"{s.recall:.3f}"),
        ("micro F1", lambda s: f"{s.f1:.3f}"),
        ("macro F1 of pages with related links", lambda s: f"{_share(s.page_f1):.3f}"),
        ("something found on pages with none", lambda s: _part(s.none["negative"])),
        ("the same where only recommendations are", lambda s: _part(s.none["optional_only"])),
    )
    for name, cell in cells:
        lines.append(line(name, (cell(score) for score in scores.values())))
    lines.append("")
    for kind in sorted({kind for counted in kinds.values() for kind in counted}):
        lines.append(line(kind, (str(counted[kind] or "") for counted in kinds.values())))
    return lines


def _part(said: Sequence[bool]) -> str:
    return f"{sum(said)}/{len(said)} {_share(said):.2f}"


if __name__ == "__main__":
    sys.exit(main())

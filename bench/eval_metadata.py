"""Headline, authors and date of articles against labelled pages, ours beside trafilatura's.

    python -m bench.eval_metadata [DIR] [--quiet] [--worst N]

DIR holds `metadata/truth.jsonl` and `bodies/truth.jsonl` (see `bench.labelled`) with rows
`{"page_id", "set", "file", "url", "title", "h1", "authors" or "author", "date"}`; a field that is
null is not counted. Printed per set, for all pages, the half tuned on and the half looked at:

headline  the labelled one or one that the page prints in an h1, letters and digits compared
authors   the exact set, letters and digits compared, without a leading "by"
ghosts    pages that name nobody and on which somebody was found (of all such pages)
day       the labelled day, also after the answer was brought to the label's zone
instant   within a minute, where the label has a time and a zone

and every answer that is wrong.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import trafilatura

from aggregator.articles.extract import extract_article
from bench.labelled import HALVES, Labelled, folded, labelled_pages, options_of, sides

OURS = "ours"
FIELDS = ("headline", "authors", "ghosts", "day", "instant")
_JOINTS = re.compile(r"\s*(?:,|;|&|\||\band\b)\s*")
_BY = re.compile(r"^\s*(?:by|von|par|por)\s+", re.I)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader says about a page."""

    title: str = ""
    authors: tuple[str, ...] = ()
    published: str = ""


@dataclass(slots=True)
class Marks:
    """What is right of an answer, by field; fields that are not labelled are missing."""

    right: dict[str, bool] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


def _ours(page: bytes, url: str) -> Answer:
    article = extract_article(page, url, now=datetime.now(UTC))
    published = article.published.isoformat() if article.published else ""
    return Answer(article.title or "", article.authors, published)


def _theirs(*, fast: bool) -> Callable[[bytes, str], Answer]:
    def read(page: bytes, url: str) -> Answer:
        found = trafilatura.bare_extraction(page, url=url, fast=fast, with_metadata=True)
        if found is None or isinstance(found, dict):
            return Answer()
        authors = tuple((found.author or "").split("; "))
        return Answer(found.title or "", authors, found.date or "")

    return read


READERS: Mapping[str, Callable[[bytes, str], Answer]] = {
    OURS: _ours,
    "trafilatura": _theirs(fast=False),
    "trafilatura fast": _theirs(fast=True),
}


def marks(row: Mapping[str, object], answer: Answer) -> Marks:
    """Judge an answer field by field."""
    made = Marks()

    def note(name: str, right: bool, got: object, want: object) -> None:
        made.right[name] = right
        if right is (name == "ghosts"):
            made.wrong[name] = f"{str(got)[:110]} | {str(want)[:110]}"

    title, printed = row.get("title"), row.get("h1") or ()
    if isinstance(title, str) and isinstance(printed, Iterable):
        offers = {folded(title), *(folded(str(h)) for h in printed)}
        note("headline", folded(answer.title) in offers, answer.title, title)
    want = row.get("authors", row.get("author"))
    if want:
        note("authors", _people(answer.authors) == _people(want), answer.authors, want)
    elif want is not None:
        note("ghosts", bool(_people(answer.authors)), answer.authors, want)
    date = row.get("date")
    if isinstance(date, str) and (stated := _moment(date)) is not None:
        day, instant = _when(_moment(answer.published), stated, timed=len(date) > 10)
        note("day", day, answer.published, date)
        if instant is not None:
            note("instant", instant, answer.published, date)
    return made


def _people(value: object) -> set[str]:
    names = _JOINTS.split(value) if isinstance(value, str) else value
    if not isinstance(names, Iterable):
        return set()
    return {folded(_BY.sub("", str(name))) for name in names} - {""}


def _moment(text: str) -> datetime | None:
    for form in (text, text[:19], text[:10]):
        try:
            return datetime.fromisoformat(form.strip())
        except ValueError:
            continue
    return None


def _when(got: datetime | None, want: datetime, *, timed: bool) -> tuple[bool, bool | None]:
    """Whether the day is right, and the instant where the label has one."""
    exact = want.tzinfo is not None and timed
    if got is None:
        return False, False if exact else None
    same = got.date() == want.date()
    if want.tzinfo is None:
        return same, None
    there = (got if got.tzinfo else got.replace(tzinfo=UTC)).astimezone(want.tzinfo)
    near = abs((there - want).total_seconds()) < 60
    return same or there.date() == want.date(), near if exact else None


def _share(marked: Sequence[Marks], name: str) -> str:
    seen = [m.right[name] for m in marked if name in m.right]
    return f"{sum(seen)}/{len(seen)} {sum(seen) / len(seen):.3f}" if seen else "-"


def report(name: str, pages: Sequence[Labelled], marked: Mapping[str, list[Marks]]) -> None:
    """Print one set: for each field a line of each reader, the halves side by side."""
    print(f"{name}: {len(pages)} pages")
    print(sides("", ["all", *HALVES]))
    for one in FIELDS:
        for reader, values in marked.items():
            halves = [
                [v for p, v in zip(pages, values, strict=True) if p.half == h] for h in HALVES
            ]
            columns = [_share(some, one) for some in (values, *halves)]
            if columns[0] != "-":
                print(sides(f"{one:9} {reader}", columns))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures and the errors; 0 also when there is no data."""
    options = options_of(__doc__, arguments)
    sets: dict[str, list[Labelled]] = defaultdict(list)
    for name in ("metadata", "bodies"):
        for labelled in labelled_pages(options.dir / name):
            if any(labelled.row.get(f) is not None for f in ("title", "author", "authors", "date")):
                sets[labelled.set].append(labelled)
    wrong: dict[str, list[str]] = defaultdict(list)
    for name, pages in sorted(sets.items()):
        marked: dict[str, list[Marks]] = {reader: [] for reader in READERS}
        for labelled in pages:
            page = labelled.page()
            for reader, read in READERS.items():
                marked[reader].append(marks(labelled.row, read(page, labelled.url)))
            for one, said in marked[OURS][-1].wrong.items():
                doubt = labelled.row.get("authors_doubt") if one == "authors" else None
                wrong[one].append(
                    f"  {labelled.half} {labelled.name}: {said}"
                    + (f"   (doubtful label: {doubt})" if doubt else "")
                )
        report(name, pages, marked)
    if not options.quiet:
        for one, lines in wrong.items():
            print(f"wrong {one} ({len(lines)}): given | expected")
            print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())

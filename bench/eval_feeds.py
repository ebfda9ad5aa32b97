"""Compare our feed reader with feedparser on real documents: what each reads, and how fast.

    python -m bench.eval_feeds [DIR] [--slow]

DIR holds `manifest.jsonl` (one JSON object a line with `file`, `fmt`) and the documents, gzipped.
Default: `feeds` in $AGGREGATOR_EVAL_DATA, else `../shared/data/feeds` beside the repository.

Entries are paired by position and agree when id, link, title and date are the same: titles as
collapsed plain text, dates as the instant of publication or else of the last change. Every
disagreement is printed with a verdict; `UNEXPLAINED` is the one to look at.
"""

from __future__ import annotations

import gzip
import html
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import feedparser

from aggregator.feeds.parse import parse_document
from aggregator.feeds.values.fields import once_encoded
from aggregator.model.feed import ParsedEntry, ParsedFeed

URL = "https://feeds.example.org/feed"
ROOT = Path(__file__).parent.parent


@dataclass
class Tally:
    """What was counted."""

    documents: int = 0
    entries: int = 0
    well_formed: int = 0  # entries of documents that the strict tier reads
    agreeing: int = 0  # of those
    at_fault: int = 0  # of those, where only feedparser is wrong by a listed rule
    counts_equal: int = 0
    compared: int = 0  # documents that feedparser reads at all
    ours: float = 0.0
    theirs: float = 0.0
    ratios: list[float] = field(default_factory=list)
    slowest: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)


def documents(folder: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The documents of a manifest, decompressed."""
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        yield entry, gzip.decompress((folder / entry["file"]).read_bytes())


def plain(title: str | None) -> str:
    """A title for comparing: no tags, no references, white space collapsed."""
    text = title or ""
    for _ in range(3):
        text = html.unescape(re.sub(r"</?[a-zA-Z][^<>]*>", "", text))
    return " ".join(text.split())


def relative(theirs: str, ours: str) -> str:
    """feedparser's id without the base it put before an id that is no address."""
    return ours if ours and theirs == urljoin(URL, ours) else theirs


def instant(theirs: Any) -> datetime | None:
    """feedparser's date of an entry."""
    parsed = theirs.get("published_parsed") or theirs.get("updated_parsed")
    if not parsed:
        return None
    try:
        year, month, day, hour, minute, second = parsed[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


def verdict(name: str, ours: Any, theirs: Any, entry: ParsedEntry, raw: Any) -> str:
    """Who is right where the two differ, by rule."""
    if name == "link":
        return _link_verdict(ours, theirs, entry)
    if name == "date":
        return _date_verdict(ours, theirs, raw)
    if name == "title":
        if ours.replace(" ", "") == theirs.replace(" ", ""):
            return "either: blanks where tags were"
        if theirs.startswith(ours) and len(ours.encode()) > 2_000:
            return "ours: cut at the cap of a title"
        if once_encoded(theirs) == ours:
            return "ours: text that was encoded to UTF-8 twice"
        if _is_mojibake(theirs, ours):
            return "ours: feedparser takes a UTF-8 document with a bad byte for another encoding"
        if not ours or not theirs:
            return f"UNEXPLAINED: {name}"
    if name == "id" and ours and theirs:
        if theirs.replace(";", "") == ours.replace(";", "") or html.unescape(theirs) == ours:
            return "ours: feedparser breaks a bare & in an id"
        if theirs.startswith(URL.rpartition("/")[0]) and theirs.rpartition("/")[2] in ours:
            return "ours: feedparser takes an id for a relative address"
    return f"UNEXPLAINED: {name}"


def _is_mojibake(broken: str, whole: str) -> bool:
    """Whether `broken` is `whole` whose UTF-8 was read byte by byte (its start, at least)."""
    for encoding in ("cp1252", "latin-1", "iso8859-2"):
        if whole.encode()[:12].decode(encoding, "ignore")[:6] == broken[:6] and broken != whole:
            return True
    return sum(map(str.isascii, broken)) < len(broken) and len(broken) > len(whole)


def _link_verdict(ours: str | None, theirs: str | None, entry: ParsedEntry) -> str:
    if theirs is not None and urlsplit(theirs).scheme not in ("http", "https"):
        return "ours: feedparser's is no web address"
    if ours is not None and not theirs and entry.id == ours:
        return "ours: the id is the address"
    if ours and theirs and ours == entry.id:
        return "ours: an empty address is none"
    if ours and theirs and "".join(theirs.split()) == "".join(unquote(ours).split()):
        return "ours: blanks inside an address are percent-encoded"
    return "UNEXPLAINED: link"


def _date_verdict(ours: datetime | None, theirs: datetime | None, raw: Any) -> str:
    text = raw.get("published") or raw.get("updated") or ""
    if theirs is None:
        return "ours: feedparser cannot read the date"
    if re.search(
        r"\b(?:JST|KST|CEST|CET|BST|IST|EEST|EET|MSK|AEST|AEDT|HKT|SGT|PHT|WIB|BRT)\b", text
    ):
        return "ours: feedparser takes the zone for UTC"
    if re.search(r"\d{4}/\d", text):
        return "ours: feedparser takes today's month for yyyy/m/d"
    if ours is not None and abs((ours - theirs).total_seconds()) < 1:
        return "either: fractions of a second"
    if theirs.year < 1990:
        return "ours: a year before 1990 is refused"
    return "UNEXPLAINED: date"


def compare(feed: ParsedFeed, parsed: Any, name: str, tally: Tally) -> None:
    """Pair the entries of one document and print where they differ."""
    strict = feed.reader in ("strict", "json")
    if len(feed.entries) != len(parsed.entries):
        why = _count_verdict(feed, parsed)
        tally.verdicts[why] += 1
        print(f"{name}: {len(feed.entries)} entries, feedparser {len(parsed.entries)}: {why}")
        return
    tally.counts_equal += 1
    for index, (entry, raw) in enumerate(zip(feed.entries, parsed.entries, strict=True)):
        date = None if entry.date_inferred else entry.published or entry.updated
        if date is not None:
            date = date.replace(microsecond=0)
        rows: tuple[tuple[str, Any, Any], ...] = (
            ("id", entry.id or "", relative(raw.get("id") or "", entry.id or "")),
            ("link", entry.link, raw.get("link") or None),
            ("title", plain(entry.title), plain(raw.get("title"))),
            ("date", date, instant(raw)),
        )
        differing = [row for row in rows if row[1] != row[2]]
        tally.well_formed += strict
        tally.agreeing += strict and not differing
        reasons = [verdict(*row, entry, raw) for row in differing]
        tally.at_fault += bool(
            strict and reasons and all(why.startswith("ours:") for why in reasons)
        )
        for (what, ours, theirs), why in zip(differing, reasons, strict=True):
            tally.verdicts[why] += 1
            if tally.verdicts[why] <= 3 or why.startswith("UNEXPLAINED"):
                print(f"{name}[{index}].{what}: {ours!s:.90} | feedparser {theirs!s:.90}: {why}")


def _count_verdict(feed: ParsedFeed, parsed: Any) -> str:
    if feed.format == "json":
        return "ours: feedparser reads no JSON Feed"
    blank = sum(
        1 for e in parsed.entries if not any(e.get(k) for k in ("id", "link", "title", "summary"))
    )
    if len(feed.entries) + blank == len(parsed.entries):
        return "either: entries that say nothing are left out"
    return "UNEXPLAINED: count"


def main() -> int:
    """Run the comparison; 1 when something is unexplained, 2 without data."""
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    data = Path(os.environ.get("AGGREGATOR_EVAL_DATA", ROOT.parent / "shared" / "data"))
    folder = Path(arguments[0]) if arguments else data / "feeds"
    if not (folder / "manifest.jsonl").exists():
        print(f"no manifest.jsonl in {folder}", file=sys.stderr)
        return 2
    tally = Tally()
    readers: Counter[str | None] = Counter()
    for entry, body in documents(folder):
        start = time.process_time()
        feed = parse_document(body, url=URL)
        middle = time.process_time()
        parsed = feedparser.parse(body, response_headers={"content-location": URL})
        end = time.process_time()
        readers[feed.reader] += 1
        tally.documents += 1
        tally.entries += len(feed.entries)
        if feed.format != "json":
            tally.compared += 1
            tally.ours += middle - start
            tally.theirs += end - middle
            tally.ratios.append((end - middle) / max(middle - start, 1e-9))
        tally.slowest = max(tally.slowest, middle - start)
        compare(feed, parsed, Path(entry["file"]).stem, tally)
    report(tally, readers)
    return int(any(why.startswith("UNEXPLAINED") for why in tally.verdicts))


def report(tally: Tally, readers: Counter[str | None]) -> None:
    """Print the figures."""
    share = 100 * tally.agreeing / max(1, tally.well_formed)
    median = sorted(tally.ratios)[len(tally.ratios) // 2] if tally.ratios else 0.0
    print(f"\n{tally.documents} documents, {tally.entries} entries, read by {dict(readers)}")
    print(f"equal entry counts: {tally.counts_equal} of {tally.compared} feedparser reads")
    print(f"well-formed entries agreeing on id, link, title and date: "
          f"{tally.agreeing} of {tally.well_formed} = {share:.2f} %")  # fmt: skip
    known = 100 * (tally.agreeing + tally.at_fault) / max(1, tally.well_formed)
    print(f"  with the {tally.at_fault} where feedparser alone is wrong by a rule below: "
          f"{known:.2f} %")  # fmt: skip
    for why, count in tally.verdicts.most_common():
        print(f"  {count:5} {why}")
    print(f"CPU seconds: ours {tally.ours:.2f}, feedparser {tally.theirs:.2f}: "
          f"{tally.theirs / max(tally.ours, 1e-9):.1f} times faster (median per document "
          f"{median:.1f}); our slowest document {tally.slowest:.2f} s")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

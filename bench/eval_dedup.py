"""URL keys, copies and stories against labelled pairs.

    python -m bench.eval_dedup [DIR]

DIR holds `dedup/urls.jsonl` and `dedup/pairs.jsonl.gz`, and where they are there `urls-2.jsonl`,
`pairs-2.jsonl` and `stories-2.jsonl`, which were seen later; without it the environment variable
AGGREGATOR_EVAL_DATA is asked, then `../shared/data` beside the repository. The data is public
text for measuring and is not part of the project; without it the program says so and ends.

Rows of `urls.jsonl`: `{"a", "b", "same", "kind"}`. Rows of `pairs.jsonl.gz`:
`{"kind", "same", "a": {"title", "text"}, "b": {"title", "text"}}`. Rows of `stories-2.jsonl`:
`{"event", "hours", "source", "title", "text"}`.

The first table has every set and its two halves, by a hash, side by side: what is tuned on one is
looked at on another.
"""

from __future__ import annotations

import calendar
import gzip
import json
import os
import random
import re
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

from aggregator.identity.corrections import headline, judge_correction
from aggregator.identity.texts.copies import ComparableText, comparable, compare
from aggregator.identity.texts.groups import choose_group
from aggregator.identity.texts.stories import is_template, story_item
from aggregator.model.copies import CopyThresholds, StoryThresholds, TextOfItem
from aggregator.urls.key import url_key
from tests.identity.shelf import Shelf

# Pairs whose sameness no rule over the two strings can know: opaque ids, other publishers.
OPAQUE = {"declared_syndication", "feed_origlink", "guid_permalink_vs_link", "page_data_only"}
_SHIPPED = CopyThresholds()
_STORIES = StoryThresholds()
_NONE: frozenset[int] = frozenset()  # the sources are unknown: no boilerplate of theirs is known

_DATELINE = re.compile(
    r"\b(Jan|Feb|March|April|May|June|July|Aug|Sept|Oct|Nov|Dec)[a-z.]* (\d{1,2})\b", re.I
)
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr)}


@dataclass
class Tally:
    """Right and wrong answers, in all and by kind."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0
    kinds: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(self, kind: str, same: bool, said: bool) -> None:
        self.kinds[kind][0] += said == same
        self.kinds[kind][1] += 1
        if same:
            self.true_positive += said
            self.false_negative += not said
        else:
            self.false_positive += said
            self.true_negative += not said

    def line(self) -> str:
        said = self.true_positive + self.false_positive
        same = self.true_positive + self.false_negative
        precision = self.true_positive / said if said else 1.0
        recall = self.true_positive / same if same else 0.0
        negatives = self.false_positive + self.true_negative
        return (
            f"P {precision:.4f}  R {recall:.4f}  false merges {self.false_positive} of {negatives}"
        )

    def cells(self) -> str:
        """Precision, recall and false merges as cells of a table."""
        said = self.true_positive + self.false_positive
        same = self.true_positive + self.false_negative
        return (
            f"{self.true_positive / max(1, said):.4f} | {self.true_positive / max(1, same):.4f} | "
            f"{self.false_positive} of {self.false_positive + self.true_negative}"
        )

    def table(self) -> Iterator[str]:
        for kind, (right, total) in sorted(self.kinds.items()):
            yield f"  {kind:34s} {right:5d} / {total}"


def data_directory(argument: str | None) -> Path:
    """Where the labelled pairs are looked for."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(argument or os.environ.get("AGGREGATOR_EVAL_DATA") or beside)


def halves(row: Mapping[str, Any]) -> str:
    """The half of a set that a row belongs to, by a hash of it: rules are tuned on A alone."""
    written = json.dumps(row, sort_keys=True, ensure_ascii=False).encode()
    return "AB"[sha256(written).digest()[0] & 1]


def judged_urls(path: Path) -> tuple[dict[str, Tally], float]:
    """URL pairs judged: all, those a string rule can solve, and those by halves; seconds a URL."""
    tallies = {name: Tally() for name in ("all", "solvable", "A", "B")}
    spent = []
    with path.open(encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            begin = time.perf_counter()
            a, b = url_key(row["a"]), url_key(row["b"])
            spent.append((time.perf_counter() - begin) / 2)
            said = a is not None and b is not None and a.key == b.key
            solvable = row["kind"] not in OPAQUE
            for name in ("all", *(("solvable", halves(row)) if solvable else ())):
                tallies[name].add(row["kind"], row["same"], said)
    return tallies, statistics.median(spent)


def evaluate_urls(path: Path) -> None:
    """Print the table of URL pairs."""
    tallies, spent = judged_urls(path)
    print(f"URL keys: {tallies['all'].line()}")
    print(f"  of the kinds a string rule can solve: {tallies['solvable'].line()}")
    print(*tallies["all"].table(), sep="\n")
    print(f"  {spent * 1e6:.0f} µs a URL (median)\n")


def same_texts(row: Mapping[str, Any]) -> bool:
    """Whether the program takes the two texts of a pair for one."""
    a, b = (comparable(row[side]["text"], _NONE) for side in "ab")
    return compare(a, b, _SHIPPED, titles=titles_of(row)).same


def titles_of(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The headlines of a pair's texts."""
    return row["a"].get("title"), row["b"].get("title")


def evaluate_copies(rows: list[Mapping[str, Any]]) -> None:
    """Print the table of text pairs, the reach of the index and the cost."""
    tally = Tally()
    spent: list[float] = []
    sizes: list[int] = []
    words: list[int] = []
    found = indexed = 0
    for row in rows:
        begin = time.perf_counter()
        a, b = comparable(row["a"]["text"], _NONE), comparable(row["b"]["text"], _NONE)
        prints = [set(a.fingerprints), set(b.fingerprints)]
        spent.append((time.perf_counter() - begin) / 2)
        words += [len(a.words), len(b.words)]
        sizes += map(len, prints)
        said = compare(a, b, _SHIPPED, titles=titles_of(row)).same
        tally.add(row["kind"], row["same"], said)
        if said and row["same"]:
            found += 1
            indexed += bool(prints[0] & prints[1])
    print(f"Copies (sources unknown, no boilerplate known): {tally.line()}")
    print(*tally.table(), sep="\n")
    print(f"  copies that share a fingerprint: {indexed} of {found}")
    print(
        f"  {statistics.median(spent) * 1e6:.0f} µs a text (median), "
        f"{statistics.mean(sizes):.1f} fingerprints for {statistics.mean(words):.0f} words\n"
    )


def evaluate_corrections(rows: list[Mapping[str, Any]]) -> None:
    """What of the pairs under one headline would be an update, had one source sent both."""
    pairs = [row for row in rows if headline(row["a"]["title"]) == headline(row["b"]["title"])]
    texts = [[comparable(row[side]["text"], _NONE) for side in "ab"] for row in pairs]
    for title, apart in (("an hour", timedelta(hours=1)), ("two days", timedelta(days=2))):
        tally = Tally()
        for row, (a, b) in zip(pairs, texts, strict=True):
            found = judge_correction(b, a, apart=apart, taken_out=True, thresholds=_SHIPPED)
            tally.add(row["kind"], row["same"], found.same)
        print(f"Updates under another id, {title} apart, one headline: {tally.line()}")
        print(*tally.table(), sep="\n")


def evaluate_stream(rows: list[Mapping[str, Any]]) -> None:
    """Group all texts as they would arrive, in two orders, through the index of fingerprints.

    The sources are unknown, and so is their boilerplate; groups are joined as the store joins them.
    """
    texts = list(dict.fromkeys(side["text"] for row in rows for side in (row["a"], row["b"])))
    prepared = {number: comparable(text, _NONE) for number, text in enumerate(texts)}
    number_of = {text: number for number, text in enumerate(texts)}
    orders = []
    for seed in (1, 2):
        order = random.Random(seed).sample(range(len(texts)), len(texts))
        orders.append(group_in_order(order, texts, prepared))
    tally = Tally()
    for row in rows:
        a, b = number_of[row["a"]["text"]], number_of[row["b"]["text"]]
        if a != b:
            tally.add(row["kind"], row["same"], orders[0][a] == orders[0][b])
    first, second = (grouped_pairs(groups) for groups in orders)
    agree = len(first & second) / max(len(first | second), 1)
    print(f"Stream of {len(texts)} texts in random order: {tally.line()}")
    print(*tally.table(), sep="\n")
    print(f"  grouped pairs {len(first)}; two orders agree on {agree:.2%} of them")
    for pair in sorted(map(sorted, first ^ second)):
        print("  differ:", *(" ".join(texts[number].split())[:80] for number in pair), sep="\n    ")
    print()


def group_in_order(
    order: list[int], texts: list[str], prepared: Mapping[int, ComparableText]
) -> dict[int, int]:
    """Place texts one by one. Returns item -> group."""
    limits = CopyThresholds()
    postings: defaultdict[int, list[int]] = defaultdict(list)
    group_of: dict[int, int] = {}
    members: defaultdict[int, list[int]] = defaultdict(list)
    for number in order:
        prints = prepared[number].fingerprints
        shared: Counter[int] = Counter()
        for value in prints:
            if len(postings[value]) <= limits.max_postings:
                shared.update(postings[value])
            postings[value].append(number)
        candidates = [
            TextOfItem(n, "", texts[n], group_of[n], source_items=50, shared_fingerprints=count)
            for n, count in shared.most_common(limits.max_candidates)
        ]
        new = TextOfItem(number, "", texts[number], source_items=50)
        found = choose_group(new, candidates, limits, prepared=prepared)
        group = number if found.group is None else found.group
        members[group].append(number)
        for other in found.also:
            members[group] += members.pop(other)
        for member in members[group]:
            group_of[member] = group
    return group_of


def grouped_pairs(group_of: Mapping[int, int]) -> set[tuple[int, int]]:
    """Every pair of items that are in one group."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for number in sorted(group_of):
        members[group_of[number]].append(number)
    return {pair for group in members.values() for pair in combinations(group, 2)}


def dateline(text: str) -> datetime | None:
    """The day a wire text says it was sent; the year does not matter here."""
    found = _DATELINE.search(text[:120])
    if found is None:
        return None
    try:
        return datetime(1987, _MONTHS[found[1][:3].lower()], int(found[2]), 12, tzinfo=UTC)
    except ValueError:
        return None


def evaluate_stories(rows: list[Mapping[str, Any]]) -> None:
    """Replay all dated texts in order and print which labelled pairs end in one story.

    A pair counts when both texts have a dateline, within the window, and are not identical.
    Copies are not told to the story step: it has to find them by their terms.
    """
    limits = StoryThresholds()
    numbers: dict[tuple[str, str], int] = {}
    dates: dict[int, datetime] = {}
    for row in rows:
        for side in (row["a"], row["b"]):
            at = dateline(side["text"])
            if at is not None and (side["title"], side["text"]) not in numbers:
                numbers[side["title"], side["text"]] = len(numbers) + 1
                dates[len(numbers)] = at
    story_of, spent = replay(numbers, dates, limits)
    kinds: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        a, b = (numbers.get((side["title"], side["text"])) for side in (row["a"], row["b"]))
        if a is None or b is None or a == b or abs(dates[a] - dates[b]) > limits.window:
            continue
        kinds[row["kind"]][0] += a in story_of and story_of[a] == story_of.get(b)
        kinds[row["kind"]][1] += 1
    largest = [size for _, size in Counter(story_of.values()).most_common(5)]
    print(f"Stories: {len(numbers)} dated texts, pairs of each kind that ended in one story")
    for kind, (together, total) in sorted(kinds.items()):
        print(f"  {kind:34s} {together:5d} / {total}")
    print(f"  largest stories: {largest}; {spent * 1e6:.0f} µs to place an item\n")


def replay(
    numbers: Mapping[tuple[str, str], int], dates: Mapping[int, datetime], limits: StoryThresholds
) -> tuple[dict[int, int], float]:
    """Place every text in order of its date. Returns item -> story and the mean seconds of one."""
    shelf = Shelf(limits)
    texts = {number: comparable(text, _NONE) for (_, text), number in numbers.items()}
    items = sorted(
        (
            story_item(number, dates[number], title, texts[number], limits, source=str(number))
            for (title, _), number in numbers.items()
        ),
        key=lambda item: (item.at, item.item_id),
    )
    story_of: dict[int, int] = {}
    spent = 0.0
    for item in items:
        shelf.expire(item.at - limits.window)
        begin = time.perf_counter()
        shelf.put(item, texts[item.item_id])
        spent += time.perf_counter() - begin
        story_of.update(shelf.story)
    return story_of, spent / max(len(items), 1)


def stream_pairs(rows: Sequence[Mapping[str, Any]], order: Sequence[int]) -> set[tuple[int, int]]:
    """The pairs of a dated stream that end in one story, placed in this order."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    shelf = Shelf(_STORIES)
    for number in order:
        row = rows[number]
        at = start + timedelta(hours=row["hours"])
        text = comparable(row["text"], _NONE)
        shelf.put(
            story_item(number, at, row["title"], text, _STORIES, source=str(row["source"])), text
        )
    return grouped_pairs(shelf.story)


def pair_f1(found: set[tuple[int, int]], wanted: set[tuple[int, int]]) -> float:
    """The harmonic mean of precision and recall over pairs."""
    return 2 * len(found & wanted) / max(1, len(found) + len(wanted))


def spread(
    rows: Sequence[Mapping[str, Any]],
    orders: Sequence[Sequence[int]],
    wanted: set[tuple[int, int]],
) -> str:
    """The least and the greatest pair F1 of a stream in these orders, over the items they have."""
    scores = [
        pair_f1(stream_pairs(rows, order), {pair for pair in wanted if {*pair} <= {*order}})
        for order in orders
    ]
    return f"{min(scores):.3f} to {max(scores):.3f}"


def evaluate_story_stream(path: Path) -> None:
    """Print pairs of one event within three days that end in one story.

    Also in other orders of arrival, and where a fifth of the items never came.
    """
    with path.open(encoding="utf-8") as lines:
        rows = sorted(map(json.loads, lines), key=lambda row: row["hours"])
    wanted = {
        (a, b)
        for a, b in combinations(range(len(rows)), 2)
        if rows[a]["event"] is not None
        and rows[a]["event"] == rows[b]["event"]
        and abs(rows[a]["hours"] - rows[b]["hours"]) <= 72
    }
    order = list(range(len(rows)))
    orders = [random.Random(seed).sample(order, len(rows)) for seed in range(20)]
    cuts = [[number for number in order if number % 5 != cut] for cut in range(5)]
    found = stream_pairs(rows, order)
    right = len(found & wanted)
    print(
        f"Stories of {len(rows)} items: P {right / max(1, len(found)):.4f}  "
        f"R {right / max(1, len(wanted)):.4f}  pair F1 {pair_f1(found, wanted):.3f}, in 20 other "
        f"orders {spread(rows, orders, wanted)}, without each fifth {spread(rows, cuts, wanted)}"
    )
    for a, b in sorted(found ^ wanted):
        kind = "wrongly together" if (a, b) in found else "wrongly apart"
        print(f"  {kind}: {rows[a]['title']} | {rows[b]['title']}")


def evaluate_forms(rows: Sequence[Mapping[str, Any]]) -> None:
    """How many pairs of forms, which are no copies, would share a story on their own."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    kinds: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        if row["same"]:
            continue
        shelf = Shelf(_STORIES)
        one, other = (comparable(row[side]["text"], _NONE) for side in "ab")
        for number, text in enumerate((one, other)):
            title = row["ab"[number]]["title"]
            shelf.put(story_item(number, start, title, text, _STORIES, source=str(number)), text)
        kinds[row["kind"]][0] += shelf.story[0] == shelf.story[1]
        kinds[row["kind"]][1] += is_template(one, other, shelf.limits)
        kinds[row["kind"]][2] += 1
    together, total = (sum(one[place] for one in kinds.values()) for place in (0, 2))
    print(f"Forms and other pairs that are no copies, in one story: {together} of {total}")
    for kind, (shared, templates, count) in sorted(kinds.items()):
        print(f"  {kind:34s} {shared:5d} / {count}, taken for one template {templates}")


def side_by_side(directory: Path) -> None:
    """Print what holds on the set that rules were made with beside what was seen later."""
    print("| what | set | half | P | R | false merges |")
    print("|---|---|---|---|---|---|")
    for name in ("urls", "urls-2"):
        path = directory / f"{name}.jsonl"
        if path.is_file():
            tallies, _ = judged_urls(path)
            for half in ("solvable", "A", "B"):
                print(f"| URL keys | {name} | {half} | {tallies[half].cells()} |")
    for name in ("pairs", "pairs-2"):
        rows = text_pairs(directory, name)
        copies = {half: Tally() for half in ("all", "A", "B")}
        for row in rows:
            said = same_texts(row)
            for half in ("all", halves(row)):
                copies[half].add(row["kind"], row["same"], said)
        for half, tally in copies.items():
            if rows:
                print(f"| one text | {name} | {half} | {tally.cells()} |")
    print()


def text_pairs(directory: Path, name: str) -> list[Mapping[str, Any]]:
    """The rows of a file of text pairs, packed or not; none where it is not there."""
    for path in (directory / f"{name}.jsonl", directory / f"{name}.jsonl.gz"):
        if path.is_file():
            opener = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rt", encoding="utf-8") as lines:
                return [json.loads(line) for line in lines]
    return []


def main() -> int:
    """Print every table whose data is there; 2 when none is."""
    directory = data_directory(sys.argv[1] if len(sys.argv) > 1 else None) / "dedup"
    urls, pairs = directory / "urls.jsonl", text_pairs(directory, "pairs")
    if not urls.is_file() and not pairs:
        print(f"No labelled pairs in {directory}: give a directory or set AGGREGATOR_EVAL_DATA.")
        return 2
    side_by_side(directory)
    for path in (urls, directory / "urls-2.jsonl"):
        if path.is_file():
            evaluate_urls(path)
    if pairs:
        evaluate_copies(pairs)
        evaluate_corrections(pairs)
        evaluate_stream(pairs)
        evaluate_stories(pairs)
    if later := text_pairs(directory, "pairs-2"):
        evaluate_copies(later)
        evaluate_forms(later)
    if (stream := directory / "stories-2.jsonl").is_file():
        evaluate_story_stream(stream)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What copies cost at 10 k, 100 k and 1 M stored items, on SQLite and PostgreSQL.

    python -m bench.dedup [--sizes 10000,100000] [--postgres URL] [--words 177]

Texts are made up from a seed, with the length given; one in five is a trimmed copy of an earlier.
The index is filled without the program to each size, then 400 items in batches of ten are placed
by the program, half of them measured: milliseconds an item in the write transaction, and bytes of
index an item. PostgreSQL is measured when the URL of an empty database is given.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from aggregator.identity.copies import prepare_text
from aggregator.model.copies import PreparedText
from aggregator.model.settings import DedupSettings
from aggregator.store import copies
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.grouping import Grouping
from aggregator.store.migrate import migrate

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_BATCH = 10
_PLACED = 400
_FILL = 5000


def texts(words: int, seed: int) -> Iterator[str]:
    """Texts of about so many words over a vocabulary of 50,000; every fifth a trimmed copy."""
    order = random.Random(seed)
    vocabulary = ["".join(order.choices("bcdfglmnrstaeiou", k=7)) for _ in range(50_000)]
    earlier: list[str] = []
    while True:
        if earlier and order.random() < 0.2:
            yield order.choice(earlier).rsplit("\n", 1)[0]
            continue
        size = max(20, int(order.gauss(words, words / 3)))
        chosen = order.choices(vocabulary, k=size)
        made = "\n".join(
            " ".join(chosen[start : start + 40]) for start in range(0, len(chosen), 40)
        )
        earlier = [*earlier[-200:], made]
        yield made


def fill(database: Database, start: int, stop: int, source: Iterator[str]) -> None:
    """Items with fingerprints alone, as fast as the database takes them."""
    limits = DedupSettings().copies
    for begin in range(start, stop, _FILL):
        numbers = range(begin + 1, min(begin + _FILL, stop) + 1)
        written = [next(source) for _ in range(_FILL // 10)]  # each text stands for ten items
        prepared = [prepare_text(one) for one in written]
        prints: list[dict[str, int]] = []
        for place, number in enumerate(numbers):
            shift = place // len(prepared)  # the same number of other hashes
            prints += [
                {"hash": (value * (2 * shift + 1) + number * 2654435761) % 2**32 - 2**31,
                 "item_id": number}
                for value in copies.indexed(prepared[place % len(prepared)], limits)
            ]  # fmt: skip
        with database.write() as connection:
            connection.execute(t.item.insert(), [_item(number) for number in numbers])
            connection.execute(
                t.item_text.insert(),
                [
                    {"item_id": number, "html": "", "text": written[place % len(written)],
                     "sanitizer_version": 1}
                    for place, number in enumerate(numbers)
                ],
            )  # fmt: skip
            connection.execute(t.fingerprint.insert(), prints)


def _item(number: int) -> dict[str, Any]:
    return {
        "id": number, "public_id": f"tag:{number}", "source_id": f"s{number % 500}",
        "entry_key": str(number), "first_seen": _NOW, "sort_at": _NOW, "updated": _NOW,
        "title": "t", "source_ref": {}, "content_hash": str(number), "group_id": number,
        "story_id": number,
    }  # fmt: skip


def place(database: Database, first: int, source: Iterator[str]) -> tuple[list[float], int]:
    """Store and place items in batches; milliseconds an item, and how many found a copy."""
    settings = DedupSettings()
    # Stories are measured by `bench.eval_dedup`; here none is near enough in time.
    settings = replace(settings, stories=replace(settings.stories, window=timedelta(0)))
    grouping = Grouping(settings)
    spent: list[float] = []
    joined = 0
    for begin in range(0, _PLACED, _BATCH):
        numbers = range(first + begin + 1, first + begin + _BATCH + 1)
        prepared = [prepare_text(next(source)) for _ in numbers]
        started = time.perf_counter()
        with database.write() as connection:
            _store(connection, numbers, prepared)
            new = [
                copies.NewText(number, ready, "t", _NOW - timedelta(days=1), str(number))
                for number, ready in zip(numbers, prepared, strict=True)
            ]
            where = copies.Source(f"s{begin}", frozenset())
            joined += len(copies.place_items(connection, grouping, where, new, _NOW).groups)
        spent.append((time.perf_counter() - started) / _BATCH * 1e3)
    return spent[len(spent) // 2 :], joined


def _store(connection: Any, numbers: Sequence[int], prepared: Sequence[PreparedText]) -> None:
    connection.execute(t.item.insert(), [_item(number) for number in numbers])
    rows = [
        {"item_id": number, "html": "", "text": " ".join(ready.words), "sanitizer_version": 1}
        for number, ready in zip(numbers, prepared, strict=True)
    ]
    connection.execute(t.item_text.insert(), rows)


def index_bytes(database: Database) -> tuple[int, int]:
    """Bytes and rows of the fingerprint table with its index."""
    with database.read() as connection:
        rows = connection.scalar(select(func.count(t.fingerprint.c.hash))) or 0
        if database.is_sqlite:
            query = "SELECT sum(pgsize) FROM dbstat WHERE name = 'fingerprint'"
        else:
            query = "SELECT pg_total_relation_size('fingerprint')"
        return int(connection.scalar(text(query)) or 0), rows


def measure(url: str, sizes: Sequence[int], words: int) -> None:
    """One row for each size, in one database that grows."""
    database = Database(url)
    migrate(database)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    source, stored = texts(words, 7), 0
    for size in sizes:
        fill(database, stored, size, source)
        spent, joined = place(database, size, source)
        stored = size + _PLACED
        total, rows = index_bytes(database)
        print(
            f"| {kind} | {size:,} | {statistics.median(spent):.2f} | {max(spent):.2f} | "
            f"{rows / stored:.1f} | {total / stored:.0f} | {total / max(rows, 1):.1f} | {joined} |",
            flush=True,
        )
    database.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--words", type=int, default=177)
    parser.add_argument("--postgres")
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    print("| database | stored items | ms an item | slowest | fingerprints an item | "
          "index bytes an item | a fingerprint | groups found |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        measure(f"sqlite:///{folder}/bench.db", sizes, chosen.words)
    if chosen.postgres:
        measure(chosen.postgres, sizes, chosen.words)
    return 0


if __name__ == "__main__":
    sys.exit(main())

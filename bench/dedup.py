"""What identity and copies cost at 10 k, 100 k and 1 M stored items, on SQLite and PostgreSQL.

    python -m bench.dedup [--sizes 10000,100000,1000000] [--postgres URL] [--words 177]
    python -m bench.dedup --vocabulary 6000

Texts are made up from a seed, with the length given; one in five is a trimmed copy of an earlier.
The database is filled to each size in batches of at most one in 500 items: items, texts, entries,
URL keys, the index of fingerprints, and the terms by which stories are found.
Then 400 items in documents of ten come from as many
sources and are stored as a poll stores them, half of them measured: what is known of the entries
is read, they are identified, and one write transaction re-checks the keys and the addresses and
finds the copies. Told are milliseconds an item, of the clock and of this process's processor, and
bytes of the index of fingerprints an item. PostgreSQL is measured in the empty database that is
given, or in one of a server of its own where PostgreSQL is installed. The last line of each
database is the cost at its largest size over that at its smallest.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from aggregator.feeds.version import READER
from aggregator.identity.agreement import texts_agree
from aggregator.identity.entries import Known, Reading, identify
from aggregator.identity.hashing import digest
from aggregator.identity.keys import key_entries
from aggregator.identity.texts.copies import prepare_text, restore
from aggregator.identity.texts.terms import Terms, terms
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import EntryIntent, PreparedBody
from aggregator.model.settings import DedupSettings
from aggregator.model.states import EntryKind
from aggregator.store import schema as t
from aggregator.store.copies.fingerprints import indexed
from aggregator.store.copies.index import Postings
from aggregator.store.copies.memory import Grouping
from aggregator.store.database import Database
from aggregator.store.items import entries as stored_entries
from aggregator.store.items import writing
from aggregator.store.items.ingest import Ingest
from aggregator.store.migrate import migrate
from aggregator.store.rows import upsert
from tests import parts

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_BATCH = 10
_SOURCES = 500
_PLACED = 400
_TEXTS = 50  # made for a filled batch; of more items each text stands for several
_SHARE = 500  # a filled batch is at most one in so many of the items there, as polls are


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
    """Items with fingerprints alone, in batches that grow with the index.

    A batch that rewrites most of the index at once would leave more dead rows behind in PostgreSQL
    than the small ones of a service ever do.
    """
    limits = DedupSettings().copies
    begin = start
    while begin < stop:
        numbers = range(begin + 1, min(begin + max(_BATCH, begin // _SHARE), stop) + 1)
        begin = numbers[-1]
        written = [next(source) for _ in range(min(_TEXTS, len(numbers)))]
        prepared = [prepare_text(one, frozenset()) for one in written]
        told = [terms("t", one.words, one.names, 120) for one in map(restore, prepared)]
        prints: list[tuple[int, int]] = []
        for place, number in enumerate(numbers):
            shift = place // len(prepared)  # the same number of other hashes
            prints += [
                ((value * (2 * shift + 1) + number * 2654435761) % 2**32 - 2**31, number)
                for value in indexed(prepared[place % len(prepared)], limits)
            ]
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
            connection.execute(t.entry.insert(), [_entry(number) for number in numbers])
            connection.execute(t.url_key.insert(), [_address(number) for number in numbers])
            postings = Postings.of(connection, {value for value, _ in prints})
            for value, number in prints:
                postings.add(value, number)
            postings.write(connection)
            fill_terms(connection, numbers, told)
    counted = Counter(term for one in told for term in one.counts())
    with database.write() as connection:
        rows = [
            {"term": term, "documents": stop * times / len(told), "at": _NOW}
            for term, times in counted.items()
        ]
        upsert(connection, t.term_count, rows, update=True)
        everything = {"term": 0, "documents": float(stop), "at": _NOW}
        upsert(connection, t.term_count, [everything], update=True)


def fill_terms(connection: Connection, numbers: range, told: Sequence[Terms]) -> None:
    """The terms of filled items, and an index of as many of them as a term takes items."""
    packed = [one.pack() for one in told]
    connection.execute(
        t.item_terms.insert(),
        [
            {"item_id": number, "at": _NOW, "terms": packed[place % len(packed)]}
            for place, number in enumerate(numbers)
        ],
    )
    rare = [sorted(one.counts())[:24] for one in told]
    index = Postings.of(connection, {term for some in rare for term in some}, t.term_posting_list)
    for place, number in enumerate(numbers):
        for term in rare[place % len(rare)]:
            if len(index.holders(term)) < 64:
                index.add(term, number)
    index.write(connection)


def vocabularies(items: int) -> None:
    """What an item costs whose words many share, beside one of natural words, stories included.

    Documents of thirty items come from sources of their own; the texts of the one kind are made of
    180 words, those of the other of 50,000 that are met as often as their rank says (Zipf).
    """
    print("| vocabulary | items | ms of the processor an item | the last tenth |")
    print("|---|---|---|---|")
    for name, size, natural in (("180 words", 180, False), ("natural", 50_000, True)):
        order = random.Random(11)
        words = ["".join(order.choices("bcdfglmnrstaeiou", k=7)) for _ in range(size)]
        shares = [1 / (place + 1) for place in range(size)] if natural else None
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/words.db")
            migrate(database)
            spent = []
            for begin in range(0, items, 30):
                made = [
                    " ".join(
                        word.title() if order.random() < 0.12 else word
                        for word in order.choices(words, shares, k=60)
                    )
                    for _ in range(30)
                ]
                spent.append(place_document(database, f"s{begin}", begin, made))
            database.close()
        last = spent[-max(1, len(spent) // 10) :]
        print(
            f"| {name} | {items:,} | {statistics.mean(spent):.2f} | {statistics.mean(last):.2f} |",
            flush=True,
        )


def place_document(database: Database, name: str, first: int, made: Sequence[str]) -> float:
    """Store a document of new entries; milliseconds of the processor an item."""
    entries = [_parsed(first + place, one) for place, one in enumerate(made)]
    busy = time.process_time()
    intents = [
        EntryIntent(
            EntryKind.NEW, one.id or "", one, digest("content", one.summary or ""),
            body=PreparedBody("", one.summary or "", sanitizer_version=1),
            prepared=prepare_text(one.summary or "", frozenset()),
        )
        for one in entries
    ]  # fmt: skip
    ingest = Ingest(
        name, "", _NOW, {"title": name}, lambda intent: (f"tag:{intent.key}",) * 2,
        texts_agree, grouping=Grouping(DedupSettings()),
    )  # fmt: skip
    with database.write() as connection:
        writing.write_entries(connection, ingest, intents)
    return (time.process_time() - busy) / len(made) * 1e3


def _item(number: int) -> dict[str, Any]:
    return {
        "id": number, "public_id": f"tag:{number}", "source_id": f"s{number % _SOURCES}",
        "entry_key": str(number), "first_seen": _NOW, "sort_at": _NOW, "updated": _NOW,
        "title": "t", "source_ref": {}, "content_hash": str(number), "group_id": number,
        "story_id": number,
    }  # fmt: skip


def _entry(number: int) -> dict[str, Any]:
    key = digest("bench", str(number))
    return {
        "source_id": f"s{number % _SOURCES}", "key": key, "item_id": number, "guid": str(number),
        "alias": digest("alias", str(number)), "url_key": digest("url", str(number)), "title": "t",
        "published": _NOW, "content_hash": key, "first_seen": _NOW, "last_seen": _NOW,
        "sort_at": _NOW,
    }  # fmt: skip


def _address(number: int) -> dict[str, Any]:
    return {"scope": "", "key": digest("url", str(number)), "item_id": number}


def place(database: Database, first: int, source: Iterator[str]) -> tuple[list[float], float, int]:
    """Store documents of ten new entries as polls do.

    Returns milliseconds an item for each document measured, those of the processor in the mean, and
    how many found a copy.
    """
    grouping = Grouping(DedupSettings())
    spent: list[float] = []
    joined, worked = 0, 0.0
    for begin in range(0, _PLACED, _BATCH):
        name = f"s{begin // _BATCH}"
        entries = [_parsed(first + begin + place, next(source)) for place in range(_BATCH)]
        bodies = [
            (entry.summary or "", prepare_text(entry.summary or "", frozenset()))
            for entry in entries
        ]
        started, busy = time.perf_counter(), time.process_time()
        keyed = key_entries(entries, "guid")
        with database.read() as connection:
            newest, _ = stored_entries.newest_published(connection, name)
            identified = identify(
                keyed,
                Known(
                    stored_entries.entries_by_key(connection, name, [one.key for one in keyed]),
                    stored_entries.entries_by_alias(
                        connection, name, [one.alias or "" for one in keyed]
                    ),
                    stored_entries.entries_by_url_key(
                        connection, name, [o.url_key or "" for o in keyed]
                    ),
                    newest,
                    empty=False,
                ),
                Reading(datetime.now(UTC), READER),
            )
        ready = dict(zip((entry.id for entry in entries), bodies, strict=True))
        intents = [
            replace(
                intent,
                body=PreparedBody("", ready[intent.guid][0], sanitizer_version=1),
                prepared=ready[intent.guid][1],
            )
            for intent in identified.intents
        ]
        ingest = Ingest(
            name, "", _NOW, {"title": name}, lambda intent: (f"tag:{intent.key}",) * 2,
            texts_agree, grouping=grouping,
        )  # fmt: skip
        with database.write() as connection:
            written = writing.write_entries(connection, ingest, intents)
        spent.append((time.perf_counter() - started) / _BATCH * 1e3)
        assert len(written.new_items) == _BATCH
        joined += len(written.grown.groups)
        if begin >= _PLACED // 2:
            worked += time.process_time() - busy
    return spent[len(spent) // 2 :], worked / (_PLACED // 2) * 1e3, joined


def _parsed(number: int, text: str) -> ParsedEntry:
    url = f"https://news.example/2026/03/01/report-of-the-day-{number}-{len(text)}"
    return ParsedEntry(f"new:{number}", url, f"Report {number}", published=_NOW, summary=text)


def index_bytes(database: Database) -> tuple[int, int]:
    """Bytes of the table of postings with its index, and how many postings it has."""
    size = func.sum(func.length(t.posting_list.c.postings))
    with database.read() as connection:
        packed = connection.scalar(select(size)) or 0
        if database.is_sqlite:
            query = "SELECT sum(pgsize) FROM dbstat WHERE name = 'posting_list'"
        else:
            query = "SELECT pg_total_relation_size('posting_list')"
        return int(connection.scalar(text(query)) or 0), int(packed) // 8


def measure(url: str, sizes: Sequence[int], words: int) -> None:
    """One row for each size, in one database that grows."""
    database = Database(url)
    migrate(database)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    source, stored = texts(words, 7), 0
    medians: list[tuple[float, float]] = []
    for size in sizes:
        fill(database, stored, size, source)
        if not database.is_sqlite:  # it counts only the numbers it gave itself
            with database.write() as connection:
                sequence = "SELECT setval(pg_get_serial_sequence('item', 'id'), :last)"
                connection.execute(text(sequence), {"last": size})
        spent, worked, joined = place(database, size, source)
        stored = size + _PLACED
        total, rows = index_bytes(database)
        medians.append((statistics.median(spent), worked))
        print(
            f"| {kind} | {size:,} | {medians[-1][0]:.2f} | {max(spent):.2f} | {worked:.2f} | "
            f"{rows / stored:.1f} | {total / stored:.0f} | {total / max(rows, 1):.1f} | {joined} |",
            flush=True,
        )
    ratios = [last / first for first, last in zip(medians[0], medians[-1], strict=True)]
    print(f"| {kind} | growth | {ratios[0]:.2f} | | {ratios[1]:.2f} | | | | |", flush=True)
    database.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--words", type=int, default=177)
    parser.add_argument("--postgres", metavar="URL")
    parser.add_argument(
        "--vocabulary", type=int, metavar="ITEMS", help="only compare few words with many"
    )
    chosen = parser.parse_args()
    if chosen.vocabulary:
        vocabularies(chosen.vocabulary)
        return 0
    sizes = [int(size) for size in chosen.sizes.split(",")]
    print("| database | stored items | ms an item | slowest | of the processor | "
          "fingerprints an item | index bytes an item | a fingerprint | groups |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        measure(f"sqlite:///{folder}/bench.db", sizes, chosen.words)
    if chosen.postgres:
        measure(chosen.postgres, sizes, chosen.words)
        return 0
    program = parts.find("postgres")
    if program is None:
        print("PostgreSQL is not installed: it was not measured.", file=sys.stderr)
        return 1
    server = parts.Postgres(program)
    try:
        measure(server.url(server.create()), sizes, chosen.words)
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What searching costs in a large store, beside a view of the same store that asks for no words.

    python -m bench.search [--items 1000000] [--sources 1000] [--url POSTGRESQL] [--keep FOLDER]

The store is made by bulk inserts (`bench.large_store`) in a folder of its own, or with `--url` in
an empty PostgreSQL database; `--keep` leaves it there for a further run. Every text has the common
words and each title a number of its own, so a query is found in all items, in some, or in one.
Printed are seconds of this process to make the index, its size, and for each query the median of
five answers in wall milliseconds, with its ratio to the newest page of all items.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text

from aggregator.config.load import load_settings
from aggregator.model.errors import SearchTooLong
from aggregator.model.pages import Asked
from aggregator.model.settings import Settings
from aggregator.pipeline.showing.asked import Asker, search_page
from aggregator.queries.canonical import text_of
from aggregator.queries.document import VERSION, make_document
from aggregator.queries.parse import parse
from aggregator.store.database import Database
from aggregator.store.search import index
from bench import large_store

_LIMIT = timedelta(seconds=60)
_RUNS = 5
_AT_ONCE = 2000
QUERIES = {
    "one item": "{one}",
    "one item of a tag": "{one} tag:t3",
    "a tenth of all": "title:storm",
    "all items": "council",
    "a phrase": '"river harbour"',
    "all but a tenth": "-title:storm",
    "a tenth, one source": "title:storm source:s00012",
    "a tenth, last day": "title:storm since:1d",
    "all, in either": "title:storm or tag:t3",
    "nothing": "nowhere",
    "common, never together": '"council council market"',
}


def index_all(database: Database) -> float:
    """Index everything; the seconds of this process for it."""
    began = time.process_time()
    while True:
        with database.write() as connection:
            marks = index.pending(connection, 2 * _AT_ONCE)
            if not marks:
                if not index.mark_more(connection, VERSION, _AT_ONCE):
                    break
                continue
            texts = index.texts_of(connection, list(marks))
            documents = {
                one.item_id: make_document(one.title, one.author, one.text, one.page)
                for one in texts
                if one.shown
            }
            index.put_documents(connection, documents, marks)
    return time.process_time() - began


def size(database: Database) -> tuple[int, int]:
    """Bytes of the index of words, and of the whole store."""
    with database.read() as connection:
        if database.is_sqlite:
            asked = (
                "SELECT sum(CASE WHEN name LIKE 'search%' THEN pgsize ELSE 0 END), sum(pgsize) "
                "FROM dbstat"
            )
        else:
            asked = (
                "SELECT pg_total_relation_size('search_document'), "
                "pg_database_size(current_database())"
            )
        row = connection.execute(text(asked)).one()
        return int(row[0] or 0), int(row[1])


def milliseconds(verb: Callable[[], object]) -> float:
    """The median of some runs, after one that fills the caches."""
    verb()
    taken = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        verb()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def answer(database: Database, settings: Settings, query: str | None) -> str:
    """Search once; how many of the first page were found."""
    with database.read() as connection:
        asked = Asked("search", None if query is None else text_of(parse(query)))
        try:
            found = search_page(connection, settings, asked, None, _LIMIT, 50)
        except SearchTooLong:
            return "too long"
        return str(len(found.items)) if found else "-"


def feeds(database: Database, settings: Settings, query: str) -> tuple[float, float]:
    """Milliseconds of an ad-hoc feed, made and out of memory."""
    asked = Asked("search", text_of(parse(query)))

    async def both() -> tuple[float, float]:
        made = []
        for _ in range(_RUNS):
            asker = Asker(database, lambda: settings, _LIMIT)
            times = []
            for _ in range(2):
                began = time.perf_counter()
                await asker.feed(asked, "atom", None)
                times.append((time.perf_counter() - began) * 1000)
            made.append(times)
        return statistics.median(m[0] for m in made), statistics.median(m[1] for m in made)

    return asyncio.run(both())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--url")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="search-") as made:
        folder = given.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        url = given.url or f"sqlite:///{folder / 'store.db'}"
        path = folder / "config.yaml"
        if not path.exists():
            large_store.make(large_store.configuration(folder, url, given.sources), given.items)
        settings = load_settings(path)
        database = Database(settings.storage.url.reveal())
        taken = index_all(database)
        own, whole = size(database)
        print(f"{given.items} items: index made in {taken:.0f} s of this process,", end=" ")
        print(f"{own / 1e6:.0f} MB of {whole / 1e6:.0f} MB", flush=True)
        base = milliseconds(lambda: answer(database, settings, None))
        print(f"{base:8.1f} ms  {1.0:6.1f}  newest page of all items")
        for name, query in QUERIES.items():
            asked = query.format(one=given.items * 2 // 3)
            found = answer(database, settings, asked)
            spent = milliseconds(partial(answer, database, settings, asked))
            print(f"{spent:8.1f} ms  {spent / base:6.1f}  {name}: {asked} ({found})", flush=True)
        first, again = feeds(database, settings, "title:storm")
        print(f"{first:8.1f} ms  {first / base:6.1f}  an ad-hoc feed of a tenth of all")
        print(f"{again:8.1f} ms  {again / base:6.1f}  the same again, out of memory")
        database.close()


if __name__ == "__main__":
    main()

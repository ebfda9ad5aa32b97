"""Real feeds replayed in order of their dates: every merge listed, to be checked by reading.

    python -m bench.replay_feeds [DIR] [--stories]

DIR holds `documents/*.gz`, feed documents; without it the environment variable
AGGREGATOR_EVAL_DATA is asked for a folder with `feeds` in it, then `../shared/data` beside the
repository. Each document is a source. Its entries are keyed as a poll keys them and stored one
after the other, oldest first, at the time they were published, undated ones at the end. What a
service drops every day from its indexes is dropped on every day that has an entry.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.feeds.version import READER
from aggregator.identity.agreement import texts_agree
from aggregator.identity.entries import Known, Reading, identify
from aggregator.identity.naming import Mint
from aggregator.identity.texts.copies import prepare_text
from aggregator.model.item import EntryIntent
from aggregator.model.settings import DedupSettings
from aggregator.pipeline.polling.reading import Unread, prepare_bodies, read_document
from aggregator.store import schema as t
from aggregator.store.copies import index, stories
from aggregator.store.copies.boilerplate import drop_old_counts, known_boilerplate
from aggregator.store.copies.index import all_postings
from aggregator.store.copies.memory import Grouping
from aggregator.store.copies.texts import first_item_since
from aggregator.store.database import Database
from aggregator.store.items import writing
from aggregator.store.items.ingest import Ingest
from aggregator.store.migrate import migrate
from bench.eval_dedup import data_directory

_LATEST = datetime(2030, 1, 1, tzinfo=UTC)  # beyond every real date
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_NOTHING = Known({}, {}, {}, None, empty=True)
_MINT = Mint("bench.invalid", "2026-01-01")


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of one source, ready to be stored at its time."""

    at: datetime
    source: str
    intent: EntryIntent


def entries(folder: Path) -> list[Told]:
    """All entries of all documents, oldest first."""
    found: list[Told] = []
    for path in sorted(folder.glob("documents/*.gz")):
        name = path.name.removesuffix(".gz")[:12]
        body = gzip.decompress(path.read_bytes())
        read = read_document(
            body, None, f"https://{name}.example/feed", None, (), None, DEFAULT_LIMITS
        )
        for intent in identify(read.keyed, _NOTHING, Reading(datetime.now(UTC), READER)).intents:
            at = intent.entry.published or intent.entry.updated or _LATEST
            found.append(Told(min(max(at, _EARLIEST), _LATEST), name, intent))
    return sorted(found, key=lambda one: (one.at, one.source, one.intent.key))


def replay(database: Database, told: list[Told]) -> float:
    """Store them one by one; returns the seconds that storing took."""
    grouping = Grouping()
    spent = 0.0
    day = None
    for one in told:
        if one.at.date() != day:
            day = one.at.date()
            tidy(database, one.at, grouping.settings)
        (prepared,) = prepare_bodies([one.intent.entry], frozenset())
        assert not isinstance(prepared, Unread)
        with database.read() as connection:
            boilerplate = known_boilerplate(connection, one.source, grouping.settings.copies)
        text = prepare_text(prepared[0].text, boilerplate)
        intent = replace(one.intent, body=prepared[0], prepared=text, archived=False)
        ingest = Ingest(
            one.source, "", one.at,
            {"title": one.source, "feed_id": f"tag:{one.source}", "updated": one.at.isoformat()},
            lambda i, source=one.source: (_MINT.item(source, i.key),) * 2,  # type: ignore[misc]
            texts_agree, grouping=grouping, boilerplate=boilerplate,
        )  # fmt: skip
        begin = time.perf_counter()
        with database.write() as connection:
            writing.write_entries(connection, ingest, [intent])
        spent += time.perf_counter() - begin
    return spent


def tidy(database: Database, now: datetime, settings: DedupSettings) -> None:
    """Drop what is older than the windows, as the daily upkeep of a service does."""
    window = settings.stories.window
    with database.write() as connection:
        for since, table in (
            (settings.copies.window, t.posting_list),
            (window, t.term_posting_list),
        ):
            index.drop(connection, first_item_since(connection, now - since), 0, 1, table)
        stories.drop_terms(connection, now, window)
        drop_old_counts(connection, now, settings.copies.boilerplate_groups)


def groups(database: Database, column: str) -> list[list[str]]:
    """Every group of more than one item, each item as a line."""
    i = t.item.c
    members: defaultdict[int, list[str]] = defaultdict(list)
    with database.read() as connection:
        rows = connection.execute(
            select(i[column], i.id, i.source_id, i.first_seen, i.title, i.link, t.item_text.c.text)
            .join(t.item_text, t.item_text.c.item_id == i.id)
            .order_by(i.id)
        )
        for row in rows:
            text = " ".join(row.text.split())[:160]
            members[row[0]].append(
                f"{row.id} {row.source_id} {row.first_seen:%Y-%m-%d} {row.title or ''} <{row.link}>"
                f"\n      {text}"
            )
    return [lines for lines in members.values() if len(lines) > 1]


def met(database: Database) -> list[list[str]]:
    """Entries that turned out to be an item by its address, each with the item's own."""
    e, own = t.entry.c, t.entry.alias("own")
    with database.read() as connection:
        rows = connection.execute(
            select(
                e.source_id, e.title, e.link, own.c.source_id.label("whose"),
                own.c.title.label("own_title"), own.c.link.label("own_link"),
            )
            .join(own, own.c.item_id == e.item_id)
            .where(e.joined, own.c.joined.is_(False))
            .order_by(e.id)
        )  # fmt: skip
        return [
            [f"{r.source_id} {r.title} <{r.link}>", f"{r.whose} {r.own_title} <{r.own_link}>"]
            for r in rows
        ]


def main(arguments: list[str]) -> int:
    named = [a for a in arguments if not a.startswith("--")]
    folder = Path(named[0]) if named else data_directory(None) / "feeds"
    if not folder.is_dir():
        print(f"no data: {folder} is not there; name its folder or set AGGREGATOR_EVAL_DATA")
        return 1
    told = entries(folder)
    with tempfile.TemporaryDirectory() as scratch:
        database = Database(f"sqlite:///{scratch}/replay.db")
        migrate(database)
        spent = replay(database, told)
        found = groups(database, "group_id")
        with database.read() as connection:
            prints = [number for _, number in all_postings(connection)]
            stored = len(connection.scalars(select(t.item.c.id)).all())
            known = len(connection.scalars(select(t.entry.c.id)).all())
        for lines in found:
            print("copies:", *lines, sep="\n  ")
        for lines in met(database):
            print("one address:", *lines, sep="\n  ")
        if "--stories" in arguments:
            for lines in groups(database, "story_id"):
                print("story:", *lines, sep="\n  ")
        database.close()
    print(f"{len(told)} entries of {len({o.source for o in told})} sources: {stored} items, "
          f"{known - stored} met by address, {len(found)} groups of copies with "
          f"{sum(map(len, found))} items")  # fmt: skip
    print(f"{len(prints) / max(stored, 1):.1f} fingerprints an item; "
          f"{spent / max(len(told), 1) * 1e3:.2f} ms to store one")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What polling stores and serves, as text, so that two versions of the program can be compared.

    python -m bench.unmoved OUT [--documents FOLDER] [--feeds N] [--database URL] [--at-once 1]
                            [--port N]

Polls the documents from loopback under a clock that is held, then a tenth of them changed, then
again with nothing changed, and writes to OUT every item, entry, group, decision and served byte.
Run by the version before a change and by the one after it, the two files are the same where the
origin has the same port: entries without an id are keyed by addresses that hold it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import select

from aggregator.config.load import load_settings
from aggregator.opening import open_parts
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.refresh import refresh
from aggregator.pipeline.showing.views import Publisher
from aggregator.store import facts
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from aggregator.telemetry.log import configure_logging
from bench.origin import ask, origin

_BEGIN = datetime(2027, 3, 1, 12, tzinfo=UTC)
_TABLES = (
    t.item, t.item_text, t.entry, t.entry_alias, t.url_key, t.revision, t.merge_log, t.paragraph,
    t.posting_list, t.term_posting_list, t.term_count, t.item_terms, t.poll_log, t.feed, t.page,
)  # fmt: skip
_ELEMENT, _ENDS = re.compile(r"<|&lt;|\\u003c"), re.compile(r"/?(>|&gt;|\\u003e)")
# How long something took, and where in a file it stands, are no part of what is kept.
_PASSING = {"dns_ms", "connect_ms", "first_byte_ms", "total_ms", "lease_owner", "lease_until"}


@dataclass(slots=True)
class Held:
    """A clock that is moved by hand."""

    moment: datetime = _BEGIN

    def now(self) -> datetime:
        """Where it stands."""
        return self.moment

    def elapsed(self) -> float:
        """How far it was moved."""
        return (self.moment - _BEGIN).total_seconds()


def configuration(folder: Path, base: str, feeds: int, database: str, at_once: int) -> Path:
    """A file with all feeds as sources and one view over all of them."""
    sources = "".join(f"  - {{id: f{n}, url: '{base}/feed/{n}.xml'}}\n" for n in range(feeds))
    path = folder / "aggregator.yaml"
    path.write_text(
        f"storage: {{url: '{database}'}}\n"
        f"polling: {{min_refresh: 0, host_gap: 0, concurrency: {at_once}, "
        "requests_per_second: 1000}\n"
        "service: {base_url: 'http://news.example:8080'}\n"
        f"fetching: {{allow_networks: [127.0.0.1/32], parse_timeout: 10m}}\nsources:\n{sources}"
        "views: [{id: everything, title: Everything}]\n"
    )
    return path


async def poll(config: Path, base: str, out: TextIO) -> None:
    """All polls, and what came of each written to `out`."""
    clock = Held()
    settings = load_settings(config)
    database = Database(settings.storage.url.reveal())
    migrate(database)
    with database.write() as connection:
        facts.set_fact(connection, "tag authority", "bench.invalid")
        facts.set_fact(connection, "tag date", "2027-01-01")
    database.close()
    async with open_parts(settings, clock=clock) as parts:
        for change in (None, "/change/10", None):
            if change:
                ask(base, change)
            records = await refresh(parts, settings.sources)
            for record in records:
                counts = f"{record.entries} {record.new_items} {record.changed_items}"
                out.write(f"{record.source_id} {record.outcome} {counts} {record.error}\n")
            await serve(parts, clock, base, out)
            clock.moment += timedelta(hours=7)
        for line in stored(parts, base):
            out.write(line)


async def serve(parts: Parts, clock: Held, base: str, out: TextIO) -> None:
    """The hash of every format of the view."""
    publisher = Publisher(parts.database, clock, lambda: parts.settings)
    for form in ("atom", "rss", "json"):
        rendered = await publisher.rendered("everything", form, None)
        body = rendered.body.decode().replace(base, "http://origin") if rendered else ""
        digest = hashlib.sha256(_in_order(body).encode()).hexdigest()
        out.write(f"{form} {len(body)} {digest}\n")


def stored(parts: Parts, base: str) -> Iterator[str]:
    """Every row of what polls write, in order of the keys; the origin's port told by its name."""
    with parts.database.read() as connection:
        for table in _TABLES:
            columns = [c for c in table.c if c.name not in _PASSING]
            yield f"== {table.name}\n"
            for row in connection.execute(select(*columns).order_by(*table.primary_key.columns)):
                line = json.dumps(dict(row._mapping), default=_plain, sort_keys=True)
                yield _in_order(line.replace(base, "http://origin")) + "\n"


def _in_order(text: str) -> str:
    """The attributes of each element in one order: the sanitiser has another in each process."""
    chunks = _ELEMENT.split(text)
    return "<".join(" ".join(sorted(_ENDS.sub(" ", chunk).split())) for chunk in chunks)


def _plain(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def main() -> None:
    """Poll and write."""
    parser = argparse.ArgumentParser(prog="python -m bench.unmoved")
    parser.add_argument("out", type=Path)
    parser.add_argument("--documents", type=Path, help="a folder of *.gz; else they are made")
    parser.add_argument("--feeds", type=int, default=0)
    parser.add_argument("--database", help="an empty database; else SQLite in a temporary folder")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--port", type=int, default=18931, help="the origin's, on loopback")
    options = parser.parse_args()
    configure_logging(json=False, level="error")
    feeds = options.feeds or (0 if options.documents else 40)
    with (
        tempfile.TemporaryDirectory() as temporary,
        origin(feeds, options.documents, options.port) as at,
    ):
        folder = Path(temporary)
        database = options.database or f"sqlite:///{folder}/aggregator.db"
        config = configuration(folder, at.base, at.feeds, database, options.at_once)
        with options.out.open("w", encoding="utf-8") as out:
            asyncio.run(poll(config, at.base, out))


if __name__ == "__main__":
    main()

"""What a tick costs: claim what is due and reschedule it, among 1,000 to 100,000 sources.

    python -m bench.tick [--sizes 1000,10000,100000] [--due 60] [--rounds 10] [--url DATABASE_URL]

Each round moves the clock on until `--due` sources are due, claims them as the service does and
writes each one's next poll. The time is given for one due source. A second pass gives a tenth of
the sources to one slow host with all of them overdue: the others must not pay for its backlog.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, update

from aggregator.store import schema
from aggregator.store.database import Database
from aggregator.store.migrate import migrate
from aggregator.store.sources import claims, hosts

START = datetime(2026, 3, 1, tzinfo=UTC)
LEASE = timedelta(seconds=120)


def fill(database: Database, size: int, due: int, backlog: int) -> None:
    """`size` sources on half as many hosts, `due` of them in each second; `backlog` overdue ones
    of one host besides."""
    feeds, rows, names = [], [], set()
    for number in range(size + backlog):
        slow = number >= size
        host = "slow.example" if slow else f"h{number // 2}.example"
        names.add(host)
        at = START - timedelta(days=1) if slow else START + timedelta(seconds=number / due)
        name = f"s{number:06}"
        rows.append(
            {
                "id": name, "url": f"https://{host}/{number}", "url_hash": "u",
                "config_hash": "c", "tags": [], "private": False, "added_at": START,
            }
        )  # fmt: skip
        feeds.append({"source_id": name, "active": True, "host": host, "next_poll_at": at})
    with database.write() as connection:
        for start in range(0, len(rows), 5000):
            connection.execute(schema.source.insert(), rows[start : start + 5000])
            connection.execute(schema.feed.insert(), feeds[start : start + 5000])
        connection.execute(schema.host.insert(), [{"host": name} for name in names])


def measure(database: Database, due: int, rounds: int, *, blocked: bool) -> tuple[float, int]:
    """Milliseconds for one due source (median of the rounds) and how many were polled."""
    costs, polled = [], 0
    now = START
    if blocked:
        with database.write() as connection:
            hosts.take_slot(connection, "slow.example", "elsewhere", now, timedelta(days=1))
    for _ in range(rounds):
        now += timedelta(seconds=1)
        started = time.perf_counter()
        with database.write() as connection:
            leased = claims.claim_due(connection, now, due, "bench", LEASE)
        for claim in leased:
            with database.write() as connection:
                reschedule(connection, claim.source_id, now + timedelta(hours=2))
        costs.append((time.perf_counter() - started) * 1000 / max(1, len(leased)))
        polled += len(leased)
    return statistics.median(costs), polled


def reschedule(connection: Connection, source_id: str, at: datetime) -> None:
    """What a poll writes of its plan."""
    connection.execute(
        update(schema.feed)
        .where(schema.feed.c.source_id == source_id)
        .values(next_poll_at=at, next_reason="rate", lease_owner=None, lease_until=None)
    )


def main() -> None:
    """Run for every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--due", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--url", help="an empty database; else a new SQLite file for each size")
    asked = parser.parse_args()
    print("| sources | backlog of one host | ms for a due source | polled |")
    print("| --- | --- | --- | --- |")
    for size in map(int, asked.sizes.split(",")):
        for backlog in (0, size // 10):
            with tempfile.TemporaryDirectory() as folder:
                database = Database(asked.url or f"sqlite:///{Path(folder) / 'bench.db'}")
                migrate(database)
                if asked.url:
                    with database.write() as connection:
                        for table in (schema.feed, schema.source, schema.host, schema.host_slot):
                            connection.execute(table.delete())
                fill(database, size, asked.due, backlog)
                cost, polled = measure(database, asked.due, asked.rounds, blocked=backlog > 0)
                database.close()
                print(f"| {size:,} | {backlog:,} | {cost:.2f} | {polled} |", flush=True)


if __name__ == "__main__":
    main()

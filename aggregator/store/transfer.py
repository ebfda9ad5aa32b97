"""One store made equal to another, whichever databases they are.

Tables are gone through by their primary keys; rows that are equal on both sides are left alone. So
the same call fills an empty store, goes on after a cut, and catches up with what changed since: it
is safe to repeat. Numbers, public ids, times and renderings are copied as they are: readers notice
nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, delete, func, insert, select, text, tuple_

from aggregator.store import facts
from aggregator.store import schema as t
from aggregator.store.database import Database, DatabaseUnusable
from aggregator.store.search import index

BATCH = 1000  # rows read, compared and written at once

RETIRED = "moved to"  # a fact of a store that another one has replaced
UNFINISHED = "being filled from"  # a fact of a store that is not whole yet
_OWN = (RETIRED, UNFINISHED, "storage was written at", index.FACT, facts.APPLIED)

Progress = Callable[[str, int], None]
Write = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds: the number of its rows, and a checksum that knows no order."""

    rows: int
    checksum: str


def tables() -> tuple[Table, ...]:
    """Every table, those that others refer to first; each store indexes its words itself."""
    derived = (t.search_document, t.search_pending)
    return tuple(table for table in t.metadata.sorted_tables if table not in derived)


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """A transaction that sees the store as it is now, whatever is written meanwhile."""
    with database.engine.connect() as plain:
        if not database.is_sqlite:
            plain.execution_options(isolation_level="REPEATABLE READ")
        with plain.begin():
            plain.execute(text("SELECT 1 FROM instance LIMIT 1"))  # SQLite begins at its first read
            yield plain


def check_usable(connection: Connection) -> None:
    """Refuse a store that another has replaced, or that is not whole yet.

    Raises `DatabaseUnusable`.
    """
    if moved := facts.fact(connection, RETIRED):
        raise DatabaseUnusable(
            f"this store was moved to {moved}: set storage.url to that. To use this one again in "
            "spite of what was stored there since, run “aggregator migrate-store --reopen”"
        )
    if filling := facts.fact(connection, UNFINISHED):
        raise DatabaseUnusable(
            f"this store is not whole: it is being filled from {filling}. "
            "Run that command again; it goes on where it was cut off"
        )


async def probe(database: Database, now: str) -> None:
    """Write something small, and see that this is the store to be used; `now` is what is written.

    Raises `DatabaseUnusable`.
    """
    await database.run_probe(now)
    await database.run_read(check_usable)


def equalise(
    source: Connection, write: Write, table: Table, progress: Progress, *, fresh: bool
) -> int:
    """Make a table of the target equal to that of the source, but for rows too many there.

    Args:
        source: a transaction that reads one snapshot.
        write: opens a write transaction on the target; one is used for each batch.
        table: which.
        progress: told the table's name and how many rows were gone through, batch by batch.
        fresh: the target's table is empty, so nothing need be compared.

    Returns:
        How many rows were written.
    """
    written = 0
    for rows in _pages(source, select(table), table):
        with write() as target:
            known = {} if fresh else _by_key(target, table, rows)
            wrong = [row for row in rows if known.get(_key(table, row)) != tuple(row)]
            replaced = [_key(table, row) for row in wrong if _key(table, row) in known]
            _update(target, table, [row for row in wrong if _key(table, row) in known])
            added = [row for row in wrong if _key(table, row) not in known]
            if added:
                target.execute(insert(table), [dict(row._mapping) for row in added])
            written += len(added) + len(replaced)
        progress(table.name, len(rows))
    return written


def remove_extra(source: Connection, write: Write, target: Connection, table: Table) -> int:
    """Take out of the target's table what the source's does not hold; returns how many rows."""
    keys = list(table.primary_key.columns)
    removed = 0
    for rows in _pages(target, select(*keys), table):
        wanted = [tuple(row) for row in rows]
        held = {tuple(row) for row in source.execute(select(*keys).where(_among(table, wanted)))}
        extra = [key for key in wanted if key not in held]
        if extra:
            with write() as connection:
                connection.execute(delete(table).where(_among(table, extra)))
            removed += len(extra)
    return removed


def contents(connection: Connection, table: Table) -> Contents:
    """What a table holds, alike on every database."""
    count = 0
    total = 0
    for rows in _pages(connection, select(table), table):
        for row in rows:
            if table is t.instance and row.name in _OWN:
                continue
            count += 1
            made = hashlib.sha256(repr(_plain(row)).encode("utf-8", "surrogatepass")).digest()
            total = (total + int.from_bytes(made[:16])) % 2**128
    return Contents(count, f"{total:032x}")


def count(connection: Connection, table: Table) -> int:
    """How many rows a table holds."""
    return connection.scalar(select(func.count()).select_from(table)) or 0


def set_sequences(connection: Connection) -> None:
    """Let the next number of each table follow its largest (SQLite does so by itself)."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables():
        column = table.autoincrement_column
        if column is None:
            continue
        connection.execute(
            text(
                "SELECT setval(pg_get_serial_sequence(:table, :column), "
                f'COALESCE((SELECT max("{column.name}") FROM "{table.name}"), 0) + 1, false)'
            ),
            {"table": f'"{table.name}"', "column": column.name},
        )


def lock(connection: Connection) -> None:
    """Let nobody else write until this transaction ends; readers go on.

    SQLite's write transactions are that already (`BEGIN IMMEDIATE`, write-ahead log).
    """
    if connection.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in tables())
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def retire(connection: Connection, successor: str) -> None:
    """Mark a store as replaced: nothing in it is due any more, and no lease on it holds.

    `successor` is shown to whoever opens it; without a password.
    """
    facts.set_fact(connection, RETIRED, successor)
    connection.execute(t.feed.update().values(active=False, lease_owner=None, lease_until=None))
    connection.execute(t.page.update().values(lease_owner=None, lease_until=None))
    connection.execute(delete(t.subscription))
    connection.execute(delete(t.push))


def reopen(connection: Connection) -> bool:
    """Take back `retire`, but for subscriptions, which are made anew; False where it was not."""
    moved = facts.fact(connection, RETIRED) is not None
    _forget(connection, RETIRED, facts.APPLIED)
    if moved:  # whoever applies the configuration activates what is enabled in it
        connection.execute(t.source.update().values(config_hash=""))
    return moved


def unfinished(connection: Connection) -> str | None:
    """What a store is being filled from, while it is not whole."""
    return facts.fact(connection, UNFINISHED)


def begin(database: Database, source: str) -> None:
    """Mark a store as not whole yet; `source` names what it is filled from."""
    with database.write() as connection:
        facts.set_fact(connection, UNFINISHED, source)


def finish(connection: Connection) -> None:
    """Mark a store as whole, and as nobody's past."""
    _forget(connection, UNFINISHED, RETIRED, facts.APPLIED)


def _forget(connection: Connection, *names: str) -> None:
    connection.execute(delete(t.instance).where(t.instance.c.name.in_(names)))


def _pages(
    connection: Connection, query: Select[Any], table: Table
) -> Iterator[Sequence[Row[Any]]]:
    """All rows in batches, in the order of the primary key."""
    keys = list(table.primary_key.columns)
    ordered = query.order_by(*keys).limit(BATCH)
    rows = connection.execute(ordered).all()
    while rows:
        yield rows
        if len(rows) < BATCH:
            return
        last = [rows[-1]._mapping[key.name] for key in keys]
        after = keys[0] > last[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*last)
        rows = connection.execute(ordered.where(after)).all()


def _key(table: Table, row: Row[Any]) -> tuple[Any, ...]:
    return tuple(row._mapping[column.name] for column in table.primary_key.columns)


def _by_key(
    connection: Connection, table: Table, rows: Sequence[Row[Any]]
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    wanted = [_key(table, row) for row in rows]
    found = connection.execute(select(table).where(_among(table, wanted)))
    return {_key(table, row): tuple(row) for row in found}


def _among(table: Table, keys: Sequence[tuple[Any, ...]]) -> Any:
    columns = list(table.primary_key.columns)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _update(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> None:
    keys = [column.name for column in table.primary_key.columns]
    for row in rows:
        values = {name: value for name, value in row._mapping.items() if name not in keys}
        if values:
            where = [table.c[name] == row._mapping[name] for name in keys]
            connection.execute(table.update().where(*where).values(values))


def _plain(row: Row[Any]) -> list[object]:
    """A row's values in one form: drivers differ in what they give for bytes."""
    return [bytes(value) if isinstance(value, memoryview) else value for value in row]

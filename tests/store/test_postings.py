"""The packed index of fingerprints answers as a plain set of (hash, item) would."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text

from aggregator.store import schema as t
from aggregator.store.copies import index
from aggregator.store.copies.index import MOST, Postings, all_postings
from aggregator.store.database import Database
from aggregator.store.migrate import alembic_config, migrate

LOWEST, HIGHEST = -(1 << 31), (1 << 31) - 1
HASHES = st.one_of(st.sampled_from([LOWEST, -1, 0, 7, HIGHEST]), st.integers(LOWEST, HIGHEST))
PAIRS = st.lists(st.tuples(HASHES, st.integers(1, 40)), max_size=3 * MOST)


def add(database: Database, pairs: Sequence[tuple[int, int]]) -> None:
    with database.write() as connection:
        leaves = Postings.of(connection, [value for value, _ in pairs])
        for value, number in dict.fromkeys(pairs):
            if number not in leaves.holders(value):
                leaves.add(value, number)
        leaves.write(connection)


def stored(database: Database) -> list[tuple[int, int]]:
    with database.read() as connection:
        return list(all_postings(connection))


def holders(database: Database, values: Sequence[int]) -> dict[int, list[int]]:
    with database.read() as connection:
        leaves = Postings.of(connection, values)
        return {value: leaves.holders(value) for value in values}


@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=st.lists(PAIRS, max_size=4), gone=st.integers(1, 40), before=st.integers(0, 40))
def test_it_is_a_set_of_pairs(
    database: Database, batches: list[list[tuple[int, int]]], gone: int, before: int
) -> None:
    with database.write() as connection:
        connection.execute(delete(t.posting_list))
    expected: set[tuple[int, int]] = set()
    for pairs in batches:
        add(database, pairs)
        expected.update(pairs)
        assert stored(database) == sorted(expected)
    asked = sorted({value for value, _ in expected} | {LOWEST, 5, HIGHEST})
    assert holders(database, asked) == {
        value: sorted(number for other, number in expected if other == value) for value in asked
    }

    with database.write() as connection:
        index.remove(connection, [gone])
        for part in range(4):
            index.drop(connection, before, part, 4)
    expected = {pair for pair in expected if pair[1] != gone and pair[1] >= before}
    assert stored(database) == sorted(expected)
    add(database, [(value, 41) for value in asked])
    assert stored(database) == sorted(expected | {(value, 41) for value in asked})


def test_leaves_split_where_a_hash_ends_and_small_ones_are_joined_again(
    database: Database,
) -> None:
    step = (1 << 32) // 1000
    pairs = [(LOWEST + step * place, number) for place in range(1000) for number in range(1, 11)]
    for start in range(0, len(pairs), 500):
        add(database, pairs[start : start + 500])
    with database.read() as connection:
        leaves = connection.execute(select(t.posting_list.c.low, t.posting_list.c.postings)).all()
    assert all(len(leaf.postings) <= 8 * MOST for leaf in leaves)
    assert len(leaves) < 2.5 * len(pairs) / MOST
    assert stored(database) == pairs

    with database.write() as connection:
        for part in range(8):
            index.drop(connection, 10, part, 8)
    with database.read() as connection:
        left = connection.scalar(select(func.count()).select_from(t.posting_list)) or 0
    assert left < len(leaves) / 3
    assert stored(database) == [pair for pair in pairs if pair[1] == 10]

    with database.write() as connection:
        for part in range(8):
            index.drop(connection, None, part, 8)
    assert stored(database) == []


def test_one_hash_of_more_items_than_a_leaf_holds_stays_in_one(database: Database) -> None:
    many = [(12, number) for number in range(1, 3 * MOST)]
    add(database, [(11, 1), (13, 1)])
    add(database, many)
    assert stored(database) == [(11, 1), *many, (13, 1)]
    assert holders(database, [12])[12] == list(range(1, 3 * MOST))


@pytest.mark.parametrize("count", [0, 1, 500])
def test_an_index_of_single_rows_is_packed_by_the_migration(
    empty_database_url: str, count: int
) -> None:
    database = Database(empty_database_url)
    config = alembic_config()
    try:
        with database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0006")
            rows = [
                {"hash": (place * 2654435761) % (1 << 32) + LOWEST, "item_id": number}
                for place in range(count)
                for number in (1, 2, 900_000)
            ]
            if rows:
                insert = text("INSERT INTO fingerprint (hash, item_id) VALUES (:hash, :item_id)")
                connection.execute(insert, rows)
            connection.commit()
        migrate(database)
        assert stored(database) == sorted((row["hash"], row["item_id"]) for row in rows)
        add(database, [(LOWEST, 3), (HIGHEST, 3)])
        assert len(stored(database)) == len(rows) + 2
    finally:
        database.close()


def vacuum(database: Database) -> None:
    """Give the room of rows that are dead to those that come."""
    with database.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        alone.execute(text("VACUUM posting_list"))


def test_an_index_grown_by_small_batches_stays_small(database: Database) -> None:
    """Nineteen hashes an item, as a text of 177 words has: fewer than 300 bytes of index."""
    order = random.Random(5)
    items, batch, each = 10_000, 20, 19
    for first in range(0, items, batch):
        pairs = [
            (order.randint(LOWEST, HIGHEST), number)
            for number in range(first, first + batch)
            for _ in range(each)
        ]
        add(database, pairs)
        if not database.is_sqlite and first % 1000 == 0:
            vacuum(database)  # autovacuum comes when it may, late on a busy machine
    size = (
        "SELECT sum(pgsize) FROM dbstat WHERE name = 'posting_list'"
        if database.is_sqlite
        else "SELECT pg_total_relation_size('posting_list')"
    )
    with database.read() as connection:
        assert connection.scalar(text(size)) / items < 300

"""A stream of copies, templates and bulletins through the real program, killed in the middle.

`AGGREGATOR_STREAM_STORIES` sets the size: 600 stories are 3,000 items, of 40 sources then.
"""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import select

from aggregator.identity.agreement import texts_agree
from aggregator.identity.entries import Known, Reading, identify
from aggregator.identity.keys import key_entries
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import PreparedBody
from aggregator.store import schema as t
from aggregator.store.copies.boilerplate import known_boilerplate
from aggregator.store.copies.memory import Grouping
from aggregator.store.database import Database
from aggregator.store.items import writing
from aggregator.store.items.ingest import Ingest
from aggregator.store.migrate import migrate
from tests.e2e.program import Program, wait_until
from tests.e2e.stories import Piece, rss, stream
from tests.identity.shipped import prepare_text
from tests.origin import Handler, Origin, Wire, reply

STORIES = int(os.environ.get("AGGREGATOR_STREAM_STORIES", "30"))
SOURCES = 40 if STORIES >= 600 else 12
STEPS = 6  # times that every source publishes more


@pytest.mark.parametrize("workers", [1, 4])
def test_a_killed_stream_ends_with_every_item_once_and_no_template_merged(
    either_program: Program, origin: Origin, workers: int
) -> None:
    """Workers are whole processes that share the database and are cut off together."""
    pieces = stream(STORIES, SOURCES)
    published: dict[int, list[Piece]] = {number: [] for number in range(SOURCES)}
    for number in range(SOURCES):
        origin.route(f"/{number}", _handler(published, number))
    either_program.configure(
        [{"id": f"s{n}", "url": origin.url(f"/{n}"), "poll": "1s"} for n in range(SOURCES)],
        [origin.port],
        polling={"requests_per_second": 200, "concurrency": 8},
        fetching={"parse_workers": 2 if workers == 1 else 1},
        views=[{"id": "all", "title": "All", "mode": "articles"}],
    )
    crew = [either_program, *(either_program.beside() for _ in range(workers - 1))]
    with ExitStack() as running:
        for one in crew:
            running.enter_context(one)
        _publish(crew, pieces, published)
        wait_until(
            lambda: len(groups(either_program.database_url)) == len(pieces),
            "every item is stored",
        )
        assert [one.stop() for one in crew] == [0] * workers
    stored = groups(either_program.database_url)
    assert sorted(stored) == sorted(piece.link for piece in pieces)
    wrong, missed, expected = judge(pieces, stored)
    assert wrong == []
    assert missed <= 0.03 * expected
    commit_order = sorted(stored, key=lambda link: stored[link][0])
    assert partition(stored) == partition(replayed(either_program, commit_order))


def _publish(crew: list[Program], pieces: list[Piece], published: dict[int, list[Piece]]) -> None:
    """Every source publishes in steps; in the middle all processes are killed and start again."""
    moments = random.Random(len(crew))
    for one in crew:
        one.start()
    for step in range(STEPS):
        for piece in pieces[step::STEPS]:
            published[piece.source].append(piece)
        if step == STEPS // 2:
            time.sleep(moments.uniform(0.2, 1.5))
            for one in crew:
                one.kill()
            for one in crew:
                one.start()
        else:
            time.sleep(0.5)


def _handler(published: dict[int, list[Piece]], number: int) -> Handler:
    async def handler(wire: Wire) -> None:
        shown = list(published[number])
        tag = f'"{len(shown)}"'
        if wire.request.headers.get("if-none-match") == tag:
            await wire.send(reply(304, {"ETag": tag}))
        else:
            await wire.send(reply(200, {"ETag": tag}, rss(number, shown)))

    return handler


def groups(url: str) -> dict[str, tuple[int, int]]:
    """By link, the number and the copy group of each item."""
    database = Database(url)
    with database.read() as connection:
        rows = connection.execute(select(t.item.c.link, t.item.c.id, t.item.c.group_id)).all()
    database.close()
    return {row.link: (row.id, row.group_id) for row in rows}


def judge(
    pieces: list[Piece], stored: dict[str, tuple[int, int]]
) -> tuple[list[tuple[str, str]], int, int]:
    """Pairs that are wrongly one, the number of pairs missed, and of pairs there are."""
    members: defaultdict[int, list[Piece]] = defaultdict(list)
    truths: defaultdict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        members[stored[piece.link][1]].append(piece)
        truths[piece.truth].append(piece)
    wrong = [
        (a.link, b.link)
        for group in members.values()
        for a, b in combinations(group, 2)
        if a.truth != b.truth
    ]
    pairs = [pair for group in truths.values() for pair in combinations(group, 2)]
    missed = sum(1 for a, b in pairs if stored[a.link][1] != stored[b.link][1])
    return wrong, missed, len(pairs)


def partition(stored: dict[str, tuple[int, int]]) -> set[frozenset[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for link, (_, group) in stored.items():
        found[group].add(link)
    return {frozenset(links) for links in found.values()}


def replayed(program: Program, order: list[str]) -> dict[str, tuple[int, int]]:
    """The groups that one worker finds, given the program's items in its order of commits."""
    database, single = Database(program.database_url), program.folder / "single.db"
    with database.read() as connection:
        rows = connection.execute(
            select(
                t.item.c.link, t.item.c.id, t.item.c.source_id, t.item.c.first_seen,
                t.item.c.title, t.item_text.c.text,
            )
            .join(t.item_text, t.item_text.c.item_id == t.item.c.id)
            .order_by(t.item.c.id)
        ).all()  # fmt: skip
    database.close()
    assert [row.link for row in rows] == order
    url = f"sqlite:///{single}"
    other = Database(url)
    migrate(other)
    grouping = Grouping()
    batches: list[list[Any]] = []
    for row in rows:  # one poll is one source at one time
        if batches and _same_poll(batches[-1][-1], row):
            batches[-1].append(row)
        else:
            batches.append([row])
    for batch in batches:
        _store(other, grouping, batch)
    other.close()
    return groups(url)


def _same_poll(a: Any, b: Any) -> bool:
    return bool((a.source_id, a.first_seen) == (b.source_id, b.first_seen))


def _store(database: Database, grouping: Grouping, rows: list[Any]) -> None:
    source, now = rows[0].source_id, rows[0].first_seen
    with database.write() as connection:
        boilerplate = known_boilerplate(connection, source, grouping.settings.copies)
        entries = [ParsedEntry(row.link, row.link, row.title, summary=row.text) for row in rows]
        found = identify(
            key_entries(entries, "guid"), Known({}, {}, {}, None, empty=True), Reading(now, 1)
        )
        by_link = {intent.entry.link: intent for intent in found.intents}
        intents = []
        for row in rows:
            intent = by_link[row.link]
            body = PreparedBody("", row.text)
            prepared = prepare_text(row.text, boilerplate)
            intents.append(replace(intent, body=body, prepared=prepared, archived=False))
        ingest = Ingest(
            source, "", now, {"title": source, "feed_id": "tag:f", "updated": now.isoformat()},
            lambda intent: (f"tag:{source}:{intent.key}",) * 2, texts_agree,
            grouping=grouping, boilerplate=boilerplate,
        )  # fmt: skip
        writing.write_entries(connection, ingest, intents)

"""Full text: one table of queries finds the same items on both databases and in plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from aggregator.model.errors import SearchTooLong
from aggregator.queries.document import VERSION, Document, make_document
from aggregator.queries.matching import matches
from aggregator.queries.parse import parse
from aggregator.store import schema as t
from aggregator.store.database import Database
from aggregator.store.decisions import forgotten
from aggregator.store.migrate import migrate
from aggregator.store.search import index, records
from aggregator.store.search.condition import Query, condition, weighed
from aggregator.store.search.limit import at_most
from aggregator.store.views.selections import Selection, before, newest
from tests.patience import PATIENCE

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ITEMS: list[dict[str, Any]] = [
    {"title": "Climate summit opens", "text": "Leaders met in Berlin on Monday.", "language": "en",
     "author": "Ada Lovelace", "source": "world"},
    {"title": "Summit of climate science", "text": "A café, a self-hosted C++ server: 3.14, 1,000.",
     "language": "en-GB", "source": "tech"},
    {"title": "他在北京大学学习", "text": "北京的天气很好。", "language": "zh", "source": "asia"},
    {"title": "คำว่าสวัสดีครับ", "text": "東京タワー", "language": "th", "source": "asia"},
    {"title": "C# and F# news", "text": "See https://example.org/a_b?x=1 or a@b.org. Don’t stop.",
     "enclosures": [{"url": "https://example.org/a.mp3", "type": "audio/mpeg"}], "source": "tech"},
    {"title": "Followed piece", "text": None, "page": "climate words of a page", "depth": 1,
     "language": "pt_BR", "image": "https://example.org/i.png", "source": "world"},
    {"title": "Old", "text": "cafe noir", "published": NOON - timedelta(days=9), "source": "world",
     "language": "de-AT"},
]  # fmt: skip
FOUND = {
    "climate": "01", '"climate summit"': "0", "summit climate": "01", "CLIMATE Ｓｕｍｍｉｔ": "01",
    "title:berlin": "", "text:berlin": "0", "author:lovelace": "0", "lovelace": "0",
    "北京": "2", "北": "2", "北京大学": "2", "北学": "", "北京 東京": "", "สวัสดี": "3",
    "東京タワー": "3", "タ": "3", "café": "1", "cafe\N{COMBINING ACUTE ACCENT}": "1", "cafe": "6",
    "self-hosted": "1", '"self hosted"': "1", "hosted-self": "", "C++": "1", "c": "14", "f#": "4",
    "3.14": "1", "1,000": "1", "14.3": "", "example.org": "4", "https://example.org/a_b": "4",
    "a@b.org": "4", "don't": "4", "lang:en": "01", "lang:en-gb": "1", "lang:pt": "5",
    "since:5d": "012345", "since:2026-02-25": "012345", "-since:5d": "6", "since:10d cafe": "6",
    "has:audio": "4", "has:image": "5", "has:video": "", "followed:yes": "5",
    "source:tech": "14", "source:nowhere": "", "tag:news": "014", "tag:EAST or cafe": "236",
    "tag:more": "5", "-climate": "23456", "-tag:news -lang:zh": "356", "story:1": "02",
    "(climate or 北京) -lang:zh": "01", "source:world (berlin or -climate)": "056",
    "-(climate or source:asia)": "456", "climate or has:audio": "014",
}  # fmt: skip


def _query(written: str, **changes: Any) -> Query:
    names = {
        "tags": {"news": ("tech", "first"), "east": ("asia",)},
        "follow_tags": {"more": ("world",)},
        "sources": frozenset({"world", "tech", "asia"}),
    }
    return Query(parse(written), NOON, **{**names, **changes})


def _fill(connection: Connection) -> None:
    for number, one in enumerate(ITEMS, start=1):
        connection.execute(
            insert(t.item).values(
                id=number, public_id=f"urn:x:{number}", source_id=one["source"], entry_key="k",
                first_seen=NOON, sort_at=NOON, updated=NOON, changed_at=NOON, source_ref={},
                content_hash="h", group_id=number, story_id=1 if number == 3 else number,
                published=one.get("published"), title=one["title"], author=one.get("author"),
                language=one.get("language"), enclosures=one.get("enclosures", []),
                image=one.get("image"), depth=one.get("depth", 0),
            )
        )  # fmt: skip
        body = one.get("page") or one["text"]
        connection.execute(
            insert(t.item_text).values(
                item_id=number, html="", text=body, sanitizer_version=1, from_page="page" in one
            )
        )
        sources = [one["source"], "first"] if number == 1 else [one["source"]]
        for source in sources:
            connection.execute(
                insert(t.entry).values(
                    source_id=source, key=f"k{number}", item_id=number, content_hash="h",
                    first_seen=NOON, last_seen=NOON, sort_at=NOON,
                )
            )  # fmt: skip


def _index(database: Database) -> list[int]:
    with database.write() as connection:
        marks = index.pending(connection, 10_000)
        texts = index.texts_of(connection, list(marks))
        return index.put_documents(connection, _documents(texts), marks)


def _documents(texts: Sequence[index.Texts]) -> Mapping[int, Document | None]:
    return {
        one.item_id: make_document(one.title, one.author, one.text, one.page) if one.shown else None
        for one in texts
    }


def _found(connection: Connection, query: Query) -> str:
    rows = connection.scalars(select(t.item.c.id).where(condition(query)).order_by(t.item.c.id))
    return "".join(str(number - 1) for number in rows)


def _matching(connection: Connection, query: Query) -> str:
    found = records.records(connection, range(1, len(ITEMS) + 1), query)
    around = records.circumstances(connection, query)
    return "".join(str(n - 1) for n in sorted(found) if matches(query.node, found[n], around))


def test_a_query_finds_the_same_in_every_database_and_in_plain_data(database: Database) -> None:
    with database.write() as connection:
        _fill(connection)
    assert _index(database) == list(range(1, len(ITEMS) + 1))
    with database.read() as connection:
        found = {written: _found(connection, _query(written)) for written in FOUND}
        assert found == FOUND
        assert {written: _matching(connection, _query(written)) for written in FOUND} == FOUND
        light = {written: weighed(connection, _query(written)) for written in FOUND}
        assert {written: _found(connection, query) for written, query in light.items()} == FOUND
        if database.is_sqlite:
            assert light["tag:news"].rare == {("tech", "first")}
            assert light["source:nowhere"].rare == frozenset()
        page = _query("climate", page_text=True)
        assert _found(connection, page) == _matching(connection, page) == "015"


def _many(connection: Connection, count: int) -> None:
    """More items, of which each third is about storms and each fifth about the harbour."""
    same = {
        "source_id": "world", "entry_key": "k", "first_seen": NOON, "source_ref": {},
        "changed_at": NOON, "content_hash": "h", "group_id": 1, "story_id": 1, "enclosures": [],
    }  # fmt: skip
    rows = []
    for n in range(count):
        said = ("storm " if n % 3 == 0 else "") + ("harbour " if n % 5 == 0 else "") + "council"
        at = NOON - timedelta(minutes=n * 7 % count)  # numbers and places are not in one order
        own = {"id": 100 + n, "public_id": f"urn:m:{n}", "title": said, "sort_at": at}
        rows.append(same | own | {"updated": at})
    connection.execute(insert(t.item), rows)


@pytest.mark.parametrize(
    ("written", "common"),
    [
        ("council", True), ("storm", True), ("harbour", False), ("-storm", True),
        ("storm harbour", False), ("storm -harbour", True), ("storm or harbour", True),
        ("-harbour", False), ("lang:en", False), ("council lang:xx", True),
    ],
)  # fmt: skip
def test_pages_of_a_query_that_many_items_answer_are_those_of_a_walk_over_all(
    many: Connection, written: str, common: bool
) -> None:
    query = _query(written)
    assert weighed(many, query).common is common
    item = t.item.c
    walk = select(item.id).where(condition(query)).order_by(item.sort_at.desc(), item.id.desc())
    wanted = list(many.scalars(walk))
    selection = Selection(sources=None, query=query)
    found = newest(many, selection, 70)
    while len(found) < len(wanted) and (more := before(many, selection, found[-1], 700)):
        found += more
    assert [place.number for place in found] == wanted


def test_a_tag_begins_with_its_sources_only_where_all_that_have_it_brought_little(
    many: Connection,
) -> None:
    few = _query("council tag:news")
    assert not weighed(many, few).common
    followed = _query("council tag:news", follow_tags={"news": ("world", "crowd")})
    assert not weighed(many, followed).common
    entry = {"content_hash": "h", "first_seen": NOON, "last_seen": NOON, "sort_at": NOON}
    rows = [{"source_id": "crowd", "key": f"c{n}", "item_id": 100 + n} for n in range(2500)]
    many.execute(insert(t.entry), [entry | row for row in rows])
    assert weighed(many, followed).common
    many.rollback()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A store of 7,000 items, all of them indexed."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('many') / 'store.db'}")
    migrate(database)
    with database.write() as connection:
        _fill(connection)
        _many(connection, 7000)
    while _index(database):
        pass
    with database.read() as connection:
        yield connection
    database.close()


def test_what_changes_is_indexed_again_and_what_is_gone_leaves_the_index(
    database: Database,
) -> None:
    def changed(*numbers: int) -> None:
        assert _index(database) == list(numbers)
        with database.read() as connection:
            kept = set(connection.scalars(select(t.search_document.c.item_id)))
            assert kept == set(range(1, len(ITEMS) + 1)) - gone
            if database.is_sqlite:
                connection.execute(_CHECK)

    gone: set[int] = set()
    i = t.item.c
    with database.write() as connection:
        _fill(connection)
        assert (
            _found(connection, _query("-berlin")) == ""
        )  # of what is not indexed nothing is known
    _index(database)
    with database.write() as connection:
        connection.execute(update(t.item).where(i.id == 1).values(sort_at=NOON, image="x"))
        connection.execute(update(t.item).where(i.id == 2).values(title="Renamed"))
        connection.execute(
            insert(t.article).values(
                item_id=3, text="of its page", sanitizer_version=1, read_at=NOON
            )
        )
    changed(2, 3)
    with database.write() as connection:
        assert _found(connection, _query("renamed")) == "1"
        assert _found(connection, _query("science")) == ""
        assert _found(connection, _query("page", page_text=True)) == "25"
        connection.execute(update(t.item).where(i.id == 4).values(withdrawn_at=NOON))
        forgotten.forget(connection, [3, 5], NOON)
    gone |= {3, 4, 5}
    changed(4, 3, 5)
    with database.write() as connection:
        assert _found(connection, _query("東京 or 北京 or f#")) == ""
        connection.execute(update(t.item).where(i.id == 4).values(withdrawn_at=None))
        connection.execute(delete(t.search_pending).where(t.search_pending.c.item_id == 99))
    gone.remove(4)
    changed(4)


def test_an_item_that_another_process_indexed_in_a_newer_state_is_left_alone(
    database: Database,
) -> None:
    with database.write() as connection:
        _fill(connection)
        old = index.pending(connection, 10_000)
        documents = _documents(index.texts_of(connection, list(old)))
        connection.execute(update(t.item).where(t.item.c.id == 1).values(title="Newer"))
    assert 1 in _index(database)
    with database.write() as connection:
        assert index.put_documents(connection, documents, old) == []
        assert _found(connection, _query("newer")) == "0"


def test_what_was_stored_before_there_was_an_index_follows_in_slices(database: Database) -> None:
    with database.write() as connection:
        _fill(connection)
        connection.execute(delete(t.search_pending))
        waiting = []
        while index.mark_more(connection, VERSION, 3):
            waiting.append(list(index.pending(connection, 100)))
        assert waiting == [[7, 6, 5], [7, 6, 5, 4, 3, 2], [7, 6, 5, 4, 3, 2, 1]]
        assert not index.is_complete(connection, VERSION)
    _index(database)
    with database.write() as connection:
        assert index.is_complete(connection, VERSION)
        assert _found(connection, _query("climate")) == "01"
        assert index.mark_more(connection, VERSION + 1, 100)  # other tokens: all of it again


def test_a_search_that_takes_too_long_is_ended_and_the_connection_lives_on(
    database: Database,
) -> None:
    endless = text(
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000000) "
        "SELECT count(*) FROM n"
    )
    with pytest.raises(SearchTooLong), database.read() as connection:  # noqa: SIM117
        with at_most(connection, timedelta(milliseconds=50)):
            connection.execute(endless)
    with database.read() as connection, at_most(connection, timedelta(seconds=PATIENCE)):
        assert connection.scalar(text("SELECT 1")) == 1


_CHECK = text("INSERT INTO search_words (search_words, rank) VALUES ('integrity-check', 0)")

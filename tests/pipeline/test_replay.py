"""Documents are kept within their budget, and read again without anything becoming news."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, select, update

from aggregator.model.settings import SourceSettings
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.replay import Replayed, replay
from aggregator.pipeline.upkeep import maintain
from aggregator.pipeline.upkeep.forget import forget_items
from aggregator.store import schema as t
from aggregator.store.sources import documents
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss

BUDGET = 1024 * 1024


@pytest.fixture
def keeping(house: House) -> House:
    """With room for documents."""
    house.configure(storage=replace(house.settings.storage, keep_raw=BUDGET))
    return house


def again(house: House, *, apply: bool = False, new: bool = False) -> Replayed:
    source = house.settings.sources[0]

    async def work(parts: Parts) -> Replayed:
        return await replay(parts, source, apply=apply, new=new)

    return house.run(work)


def written(house: House, write: Callable[[Any], None]) -> None:
    async def work(parts: Parts) -> None:
        await parts.database.run_write(write)

    house.run(work)


def rows(house: House, *columns: Any) -> list[tuple[Any, ...]]:
    async def work(parts: Parts) -> list[tuple[Any, ...]]:
        return await parts.database.run_read(
            lambda c: [tuple(row) for row in c.execute(select(*columns))]
        )

    return house.run(work)


def kept(house: House) -> int:
    return rows(house, func.count(t.document.c.at))[0][0]  # type: ignore[no-any-return]


def test_nothing_is_kept_unless_it_is_asked_for(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")
    assert kept(house) == 0
    assert again(house) == Replayed("alpha")


def test_a_document_that_reads_as_before_changes_nothing(keeping: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1, 2))
    keeping.poll("alpha")
    before, served = rows(keeping, t.item), keeping.feed().body
    keeping.clock.move(hours=1)
    assert again(keeping, apply=True, new=True) == Replayed("alpha", documents=1)
    assert rows(keeping, t.item) == before
    assert keeping.feed().body == served


def test_what_is_read_otherwise_is_shown_and_applied_without_news(
    keeping: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1, 2))
    keeping.poll("alpha")
    texts = sorted(rows(keeping, t.item_text.c.html))

    def misread(connection: Any) -> None:
        connection.execute(
            update(t.item).where(t.item.c.title == "Bridge 1 opens").values(
                title="Misread", content_hash="misread"
            )
        )  # fmt: skip
        connection.execute(update(t.item_text).values(html="<p>Misread</p>"))
        connection.execute(update(t.entry).values(content_hash="misread", shown="misread"))

    written(keeping, misread)
    unmoved = (t.item.c.id, t.item.c.updated, t.item.c.revision, t.item.c.sort_at)
    before = sorted(rows(keeping, *unmoved))
    keeping.clock.move(hours=3)
    told = again(keeping)
    assert [set(change.fields) for change in told.changes] == [{"title", "html"}, {"html"}]
    assert told.changes[0].fields["title"] == ("Misread", "Bridge 1 opens")
    assert rows(keeping, t.item_text.c.html) == [("<p>Misread</p>",)] * 2  # nothing was written
    assert again(keeping, apply=True) == told
    assert sorted(rows(keeping, *unmoved)) == before
    assert sorted(rows(keeping, t.item.c.title)) == [("Bridge 1 opens",), ("Bridge 2 opens",)]
    assert sorted(rows(keeping, t.item_text.c.html)) == texts
    assert rows(keeping, t.revision.c.number) == []
    assert again(keeping).changes == ()  # once is enough
    assert keeping.poll("alpha")[0].changed_items == 0


def test_a_changed_setting_of_reading_is_no_change_of_the_publisher(
    keeping: House, origin: Origin
) -> None:
    day = b"<pubDate>Sun, 01 Mar 2026 00:01:00 GMT</pubDate>"
    origin.answer("/alpha", body=rss(1).replace(day, b"<pubDate>2026-03-01 09:00:00</pubDate>"))
    keeping.poll("alpha")
    (source, other) = keeping.settings.sources
    keeping.configure(sources=(replace(source, timezone=ZoneInfo("Asia/Tokyo")), other))
    (change,) = again(keeping, apply=True).changes
    before, after = change.fields["published"]
    assert (before - after).total_seconds() == 9 * 3600
    assert rows(keeping, t.item.c.revision) == [(0,)]


def test_what_a_later_document_changed_stays(keeping: House, origin: Origin) -> None:
    origin.script(
        "/alpha", reply(200, {}, rss(1)), reply(200, {}, rss(1, text="closed for good this time"))
    )
    keeping.poll("alpha")
    keeping.clock.move(hours=1)
    keeping.poll("alpha")
    assert kept(keeping) == 2
    assert again(keeping, apply=True).changes == ()
    newest = select(func.max(t.document.c.at)).scalar_subquery()
    written(keeping, lambda c: c.execute(delete(t.document).where(t.document.c.at == newest)))
    assert again(keeping, apply=True) == Replayed("alpha", documents=1)
    assert "closed for good" in rows(keeping, t.item_text.c.text)[0][0]


def test_missed_entries_are_told_and_added_by_their_dates_only_when_wanted(
    keeping: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    keeping.poll("alpha")
    body = documents.pack(rss(1, 2))  # as if a worse reader had missed the second entry
    written(keeping, lambda c: c.execute(update(t.document).values(body=body)))
    keeping.clock.move(days=10)
    for apply in (False, True):
        assert [m.title for m in again(keeping, apply=apply).missed] == ["Bridge 2 opens"]
        assert keeping.titles() == ["Bridge 1 opens"]
    again(keeping, apply=True, new=True)
    (item,) = [r for r in rows(keeping, t.item.c.title, t.item.c.sort_at) if "2" in r[0]]
    assert item[1] < keeping.clock.now()  # not on top
    assert again(keeping).missed == ()
    origin.answer("/alpha", body=rss(1, 2))
    assert keeping.poll("alpha")[0].new_items == 0


def test_the_last_document_of_each_source_stays_before_newer_ones_of_another(
    keeping: House, origin: Origin
) -> None:
    def put(connection: Any) -> int:
        for place in range(10):
            source = "beta" if place == 0 else "alpha"
            connection.execute(t.document.insert().values(_row(source, place, size=100)))
        return documents.trim(connection, 500)

    origin.answer("/alpha", body=rss(1))
    keeping.poll("alpha")
    written(keeping, lambda c: c.execute(delete(t.document)))
    written(keeping, put)  # type: ignore[arg-type]
    left = sorted(rows(keeping, t.document.c.source_id, t.document.c.body_hash))
    assert left == [("alpha", "7"), ("alpha", "8"), ("alpha", "9"), ("beta", "0")]


def _row(source: str, place: int, size: int) -> dict[str, Any]:
    from tests.pipeline.conftest import NOON

    return {
        "source_id": source, "body_hash": str(place), "at": NOON.replace(minute=place),
        "size": size, "part": False, "readable": True, "body": b"",
    }  # fmt: skip


def test_documents_never_take_more_than_their_budget(house: House, origin: Origin) -> None:
    house.configure(storage=replace(house.settings.storage, keep_raw=4096))
    origin.script("/alpha", *(reply(200, {}, rss(*range(n, n + 9))) for n in range(30)))
    for _ in range(30):
        house.poll("alpha")
        house.clock.move(minutes=5)
        assert rows(house, func.sum(t.document.c.size))[0][0] <= 4096
    assert kept(house) > 1


def test_of_unreadable_documents_the_last_is_kept_and_told(keeping: House, origin: Origin) -> None:
    origin.script(
        "/alpha", reply(200, {}, rss(1)), reply(200, {}, b"no feed"), reply(200, {}, b"nor this")
    )
    for _ in range(3):
        keeping.poll("alpha")
        keeping.clock.move(hours=30)
    told = again(keeping)
    assert (told.documents, len(told.unread)) == (1, 1)


def test_a_secret_address_is_not_kept_with_a_document(keeping: House, origin: Origin) -> None:
    url = origin.url("/alpha?token=s3cret-w0rd")
    secret = SourceSettings("alpha", url, url_is_secret=True, private=True)
    keeping.configure(sources=(secret,))
    origin.answer("/alpha", body=rss(1))
    keeping.poll("alpha")
    assert rows(keeping, t.document.c.url) == [(None,)]
    assert again(keeping).documents == 1


def test_what_is_forgotten_is_in_no_document_and_old_ones_go(
    keeping: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    origin.answer("/beta", body=rss(5, site="beta"))
    keeping.poll()
    (number,) = rows(keeping, t.entry.c.item_id)[0]

    async def forget(parts: Parts) -> int:
        return await forget_items(parts, [number])

    keeping.run(forget)
    assert kept(keeping) == 1
    keeping.clock.move(days=91)
    keeping.run(maintain.purge)
    assert kept(keeping) == 0

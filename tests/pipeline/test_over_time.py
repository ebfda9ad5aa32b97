"""What a source sends over days, and what readers are served: changes, editions, dates, order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from typing import Any

from sqlalchemy import select

from aggregator.feeds import version
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling.noticed import notes
from aggregator.pipeline.upkeep import maintain
from aggregator.store import schema as t
from tests.origin import Origin
from tests.pipeline.conftest import House

MORNING = (
    "The council met at nine and took up the harbour road, the ferry timetable and the new "
    "school roof. Rain is expected from the west by noon, with wind on the outer islands."
)
NEXT_DAY = (
    "A lorry lost its load of timber on the ring road before dawn; two lanes stay closed until "
    "evening. The library opens its reading room again and asks for volunteers on Saturdays."
)


def entry(number: str, at: datetime, **more: str) -> str:
    """An RSS item; what is given replaces its parts."""
    said = {
        "guid": f"<guid isPermaLink='false'>{number}</guid>",
        "title": f"<title>Report {number}</title>",
        "link": f"<link>https://alpha.example/{number}</link>",
        "date": f"<pubDate>{format_datetime(at)}</pubDate>",
        "text": f"<description>{escape('<p>' + MORNING + '</p>')}</description>",
    } | more
    return f"<item>{''.join(said.values())}</item>"


def publish(house: House, origin: Origin, *entries: str, hours: float = 1) -> Any:
    """Time passes, alpha publishes, alpha is polled."""
    house.clock.move(hours=hours)
    body = f"<rss version='2.0'><channel><title>alpha</title>{''.join(entries)}</channel></rss>"
    origin.answer("/alpha", body=body.encode())
    (record,) = house.poll("alpha")
    return record


def rows(house: House, *columns: Any) -> list[Any]:
    async def work(parts: Parts) -> Any:
        return await parts.database.run_read(lambda c: c.execute(select(*columns)).all())

    found: list[Any] = house.run(work)
    return found


def test_a_corrected_link_is_served_without_a_revision_and_without_another_updated(
    house: House, origin: Origin
) -> None:
    now = house.clock.now()
    publish(house, origin, entry("a", now))
    (before,) = house.articles()
    etag = house.feed("atom").etag
    record = publish(house, origin, entry("a", now, link="<link>https://alpha.example/b</link>"))
    (after,) = house.articles()
    assert record.changed_items == 0
    assert after["url"] == "https://alpha.example/b"
    assert after["id"] == before["id"]
    assert after["date_modified"] == before["date_modified"]
    assert house.feed("atom").etag != etag
    assert rows(house, t.revision.c.number) == []


def test_a_picture_with_a_mark_against_caches_moves_the_view_once_a_day(
    house: House, origin: Origin
) -> None:
    now = house.clock.now()
    etags = []
    for number in range(40):
        picture = f'<p><img src="https://cdn.example/a.jpg?v={number}" alt="quay"> {MORNING}</p>'
        text = f"<description>{escape(picture)}</description>"
        publish(house, origin, entry("a", now, text=text))
        house.run(maintain.show_waiting)
        etags.append(house.feed("atom").etag)
    # The first poll, the first other mark, and once for the day that passed.
    assert len(set(etags)) == 3


def test_a_new_edition_at_a_fixed_address_is_a_new_item(house: House, origin: Origin) -> None:
    page = "<link>https://alpha.example/bulletin</link>"
    title = "<title>Morning bulletin</title>"
    monday = house.clock.now()
    publish(house, origin, entry("mon", monday, link=page, title=title))
    tuesday = monday + timedelta(days=1)
    text = f"<description>{escape('<p>' + NEXT_DAY + '</p>')}</description>"
    record = publish(
        house, origin, entry("tue", tuesday, link=page, title=title, text=text), hours=24
    )
    assert (record.new_items, record.changed_items) == (1, 0)
    assert len(house.articles()) == 2
    assert any("new editions at a fixed address" in note for note in notes(house.state("alpha")))
    wednesday = monday + timedelta(days=2)
    record = publish(house, origin, entry("wed", wednesday, link=page, title=title), hours=24)
    assert record.new_items == 1  # though its text is Monday's: there only the id counts


def test_an_edited_text_under_a_new_id_at_its_address_is_an_update(
    house: House, origin: Origin
) -> None:
    page = "<link>https://alpha.example/harbour</link>"
    title = "<title>Harbour road</title>"
    now = house.clock.now()
    publish(house, origin, entry("a1", now, link=page, title=title))
    longer = f"<description>{escape(f'<p>{MORNING} The mayor was absent.</p>')}</description>"
    later = now + timedelta(hours=1)
    record = publish(house, origin, entry("a2", later, link=page, title=title, text=longer))
    assert record.new_items == 0
    (only,) = house.articles()
    assert "mayor" in only["content_html"]


def test_updated_is_the_publishers_until_a_material_change_is_seen(
    house: House, origin: Origin
) -> None:
    old = house.clock.now() - timedelta(days=30)
    publish(house, origin, entry("a", old))
    (first,) = house.articles()
    assert datetime.fromisoformat(first["date_modified"]) == old.replace(microsecond=0)
    publish(house, origin, entry("a", old + timedelta(days=3)))  # an edit of the date alone
    (second,) = house.articles()
    assert second["date_modified"] == first["date_modified"]
    text = f"<description>{escape('<p>' + NEXT_DAY + '</p>')}</description>"
    publish(house, origin, entry("a", old, text=text))
    (third,) = house.articles()
    assert datetime.fromisoformat(third["date_modified"]) == house.clock.now().replace(
        microsecond=0
    )


def test_what_a_first_document_brings_from_before_two_days_ago_stands_by_its_date(
    house: House, origin: Origin
) -> None:
    now = house.clock.now()
    days = {"week": 7, "day": 1, "hour": 1 / 24}
    publish(house, origin, *(entry(n, now - timedelta(days=d)) for n, d in days.items()))
    stands = {row.entry_key: row for row in rows(house, t.item)}
    on_top = [row.title for row in stands.values() if row.sort_at == row.first_seen]
    assert sorted(on_top) == ["Report day", "Report hour"]
    publish(house, origin, entry("backdated", now - timedelta(days=90)))
    assert house.articles()[0]["title"] == "Report backdated"


def test_what_a_new_release_reads_otherwise_is_mended_without_news(
    house: House, origin: Origin, monkeypatch: Any
) -> None:
    now = house.clock.now()
    publish(house, origin, entry("a", now))
    (before,) = house.articles()

    async def misread(parts: Parts) -> None:
        def write(connection: Any) -> None:
            wrong = {"content_hash": "misread", "shown": "misread", "reader": version.READER - 1}
            connection.execute(t.entry.update().values(wrong))
            connection.execute(t.item.update().values(title="Misread", content_hash="misread"))
            connection.execute(t.feed.update().values(extra={"reader": version.READER - 1}))

        await parts.database.run_write(write)

    house.run(misread)
    record = publish(house, origin, entry("a", now))
    (after,) = house.articles()
    assert (record.new_items, record.changed_items) == (0, 0)
    assert after["title"] == "Report a"
    assert after["date_modified"] == before["date_modified"]
    assert rows(house, t.revision.c.number) == []


def test_after_an_upgrade_dates_are_mended_and_changes_are_changes_again(
    house: House, origin: Origin
) -> None:
    day = house.clock.now().replace(microsecond=0) - timedelta(days=1)
    edited = entry("b", day, text="<description>Other words by the publisher.</description>")
    publish(house, origin, entry("a", day), entry("b", day))

    async def read_by_the_release_before(parts: Parts) -> None:
        def write(connection: Any) -> None:
            before = {"reader": version.READER - 1}
            connection.execute(t.entry.update().values(before))
            a = t.entry.c.title == "Report a"
            connection.execute(t.entry.update().where(a).values(published=None))
            connection.execute(
                t.item.update().where(t.item.c.title == "Report a").values(published=None)
            )
            connection.execute(t.feed.update().values(extra=before))

        await parts.database.run_write(write)

    house.run(read_by_the_release_before)
    record = publish(house, origin, entry("a", day), entry("b", day))
    assert (record.new_items, record.changed_items) == (0, 0)
    assert rows(house, t.item.c.published) == [(day,), (day,)]
    assert set(rows(house, t.entry.c.reader)) == {(version.READER,)}
    record = publish(house, origin, entry("a", day), edited)
    assert (record.new_items, record.changed_items) == (0, 1)
    assert len(rows(house, t.revision.c.number)) == 1


def purge(house: House) -> int:
    found: int = house.run(maintain.purge)
    return found


def test_what_a_source_still_lists_is_kept_and_what_it_dropped_goes(
    house: House, origin: Origin
) -> None:
    storage = replace(house.settings.storage, keep_text=timedelta(days=10))
    house.configure(storage=storage)
    now = house.clock.now()
    publish(house, origin, entry("listed", now), entry("dropped", now))
    publish(house, origin, entry("listed", now), hours=24)
    house.clock.move(hours=24 * 8)
    house.poll("alpha")  # the same bytes: the list is renewed
    house.clock.move(hours=24 * 3)
    assert purge(house) == 1
    assert [item["title"] for item in house.articles()] == ["Report listed"]
    house.clock.move(hours=24 * 11)  # a source that fails lists nothing any more
    assert purge(house) == 1


def test_a_tombstone_that_is_listed_with_other_words_comes_back_as_the_item_it_was(
    house: House, origin: Origin
) -> None:
    storage = replace(house.settings.storage, keep_text=timedelta(days=10))
    house.configure(storage=storage)
    now = house.clock.now()
    publish(house, origin, entry("a", now))
    (before,) = house.articles()
    other = entry("b", now + timedelta(hours=20), text="<description>Parking rules.</description>")
    publish(house, origin, other, hours=24)
    house.clock.move(hours=24 * 11)
    purge(house)
    publish(house, origin, entry("a", now), other)
    assert "a" not in {item["title"][-1] for item in house.articles()}
    text = f"<description>{escape('<p>' + NEXT_DAY + '</p>')}</description>"
    record = publish(house, origin, entry("a", now, text=text), other)
    assert (record.new_items, record.changed_items) == (0, 1)
    assert before["id"] in {item["id"] for item in house.articles()}

"""What an operator is told: the next polls, why a source is polled when it is, the chart."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aggregator.pipeline.parts import Parts
from aggregator.pipeline.showing import explain
from aggregator.pipeline.showing.pages import Condition, Pages
from aggregator.pipeline.showing.views import Publisher
from aggregator.server.pages.chart import draw_days
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss


def outlook(house: House) -> explain.Outlook:
    async def work(parts: Parts) -> explain.Outlook:
        return await parts.database.run_read(explain.outlook, parts.settings, 10, parts.clock.now())

    return house.run(work)


def why(house: House, name: str) -> explain.SourceReasons:
    async def work(parts: Parts) -> explain.SourceReasons:
        source = next(one for one in parts.settings.sources if one.id == name)
        found = await parts.database.run_read(
            explain.reasons, parts.settings, source, parts.clock.now(), 10
        )
        assert found is not None
        return found

    return house.run(work)


def source_page(house: House, name: str) -> Any:
    async def work(parts: Parts) -> Any:
        publisher = Publisher(parts.database, parts.clock, lambda: parts.settings)
        pages = Pages(parts.database, publisher, parts.clock, lambda: parts.settings, Condition())
        return await pages.source_page(name)

    return house.run(work)


def test_the_plan_lists_the_next_polls_and_what_they_add_up_to(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1), headers={"Cache-Control": "max-age=18000"})
    origin.answer("/beta", 429, headers={"Retry-After": "3600"})
    house.poll()
    found = outlook(house)
    assert {one.source_id for one in found.polls} == {"alpha", "beta"}
    assert [one.at for one in found.polls] == sorted(one.at for one in found.polls)
    waits = [(one.at - house.clock.now()).total_seconds() for one in found.polls]
    assert found.per_hour == sum(3600 / seconds for seconds in waits)
    assert [(host, reason) for host, _, reason in found.blocked] == [("127.0.0.1", "retry-after")]


def test_why_shows_polls_timings_the_floors_and_the_hint_that_won(
    house: House, origin: Origin
) -> None:
    headers = {"ETag": '"1"', "Cache-Control": "max-age=18000"}
    origin.script("/alpha", reply(200, headers, rss(1, 2)), reply(304))
    house.poll("alpha")
    house.clock.move(hours=6)
    house.poll("alpha")
    found = why(house, "alpha")
    assert [one.status for one in found.polls] == [304, 200]
    assert found.polls[1].timing.total is not None
    assert found.polls[1].wire_bytes > 0
    assert found.state.next_reason == "max-age"
    assert found.plan is not None
    assert "max-age" in [floor.name for floor in found.plan.floors]
    assert any("told apart" in note for note in found.notes)


def test_flips_of_ids_and_gaps_are_noted_in_words(house: House, origin: Origin) -> None:
    before = rss(*range(1, 9))
    flipped = re.sub(rb"\?p=(\d+)", rb"?page=\1", before)
    origin.script(
        "/alpha", reply(200, {}, before), reply(200, {}, flipped), reply(200, {}, rss(90))
    )
    for _ in range(3):
        house.poll("alpha")
        house.clock.move(hours=1)
    assert len(house.titles()) == 9
    notes = " ".join(why(house, "alpha").notes)
    assert "ids changed for known texts once" in notes
    assert "items may have gone by" in notes


def test_repeated_ids_renames_and_dates_put_right_are_noted_in_words(
    house: House, origin: Origin
) -> None:
    before = rss(*range(1, 9))
    renamed = before.replace(b"?p=8<", b"?page=8<")
    same_id = re.sub(rb"(<guid[^>]*>)[^<]*", rb"\1always", rss(*range(1, 9)))
    odd = re.sub(rb"<pubDate>[^<]*</pubDate>", b"", rss(91))
    future = re.sub(rb"<pubDate>[^<]*", b"<pubDate>Sat, 01 Jan 2039 00:00:00 GMT", rss(92))
    bodies = (before, renamed, same_id, odd, future)
    origin.script("/alpha", *(reply(200, {}, body) for body in bodies))
    for _ in bodies:
        house.poll("alpha")
        house.clock.move(hours=1)
    notes = " ".join(why(house, "alpha").notes)
    assert "An entry came back under another id once" in notes
    assert "Its entries are told apart by their addresses, since" in notes
    assert "by the ids that it gives them too many were alike or had none" in notes
    assert "It gave no date once" in notes
    assert "It gave a date in the future once" in notes


def test_an_ended_source_says_so(house: House, origin: Origin) -> None:
    origin.answer("/alpha", 410)
    for _ in range(3):
        house.poll("alpha")
        house.clock.move(hours=30)
    page = source_page(house, "alpha")
    assert page.source.health == "gone"
    assert any("ended" in note for note in page.notes)
    wait = house.state("alpha").next_poll_at - house.state("alpha").last_polled_at
    assert timedelta(days=6) < wait < timedelta(days=8)


def test_the_page_counts_two_weeks_and_the_chart_draws_them(house: House, origin: Origin) -> None:
    origin.script("/alpha", reply(200, {}, rss(1, 2)), reply(500), reply(200, {}, rss(1, 2, 3)))
    for _ in range(3):
        house.poll("alpha")
        house.clock.move(days=1)
    days = source_page(house, "alpha").days
    assert len(days) == 14
    assert [(d.polls, d.failed, d.new_items) for d in days[-4:]] == [
        (1, 0, 2), (1, 1, 0), (1, 0, 1), (0, 0, 0),
    ]  # fmt: skip
    chart = draw_days(days)
    assert chart is not None
    bars = [bar for column in chart.columns for bar in column.bars]
    assert all(bar.y >= 0 and bar.y + bar.height <= chart.height for bar in bars)
    assert [bar.kind for bar in bars].count("items") == 2
    assert [bar.kind for bar in bars].count("failed") == 1
    assert "3 new items in 3 polls" in chart.summary


def test_no_chart_is_drawn_without_a_poll() -> None:
    empty = explain.activity([], datetime(2026, 3, 1, tzinfo=UTC))
    assert draw_days(list(empty)) is None
    assert draw_days([replace(day, polls=1) for day in empty]) is not None

"""A poll end to end: the wire, the worker, the store and the plan, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import feedparser
import pytest

from aggregator.model.settings import Secret
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import document
from aggregator.pipeline.polling.refresh import refresh
from aggregator.store.sources import polls
from tests.origin import Origin, Wire, reply
from tests.pipeline.conftest import House, rss


def test_items_are_stored_once_and_the_second_poll_is_conditional(
    house: House, origin: Origin
) -> None:
    seen = {"ETag": 'W/"a-1"', "Last-Modified": "Sun, 01 Mar 2026 11:00:00 GMT"}
    origin.script("/alpha", reply(200, seen, rss(1, 2, 3)), reply(304, {"ETag": 'W/"a-1"'}))
    first = house.poll("alpha")[0]
    house.clock.move(hours=1)
    second = house.poll("alpha")[0]
    assert (first.outcome, first.new_items) == ("new", 3)
    assert (second.outcome, second.new_items) == ("not_modified", 0)
    asked = origin.requests("/alpha")[1].headers
    assert asked["if-none-match"] == 'W/"a-1"'
    assert asked["if-modified-since"] == "Sun, 01 Mar 2026 11:00:00 GMT"
    assert house.titles() == ["Bridge 3 opens", "Bridge 2 opens", "Bridge 1 opens"]


def test_the_same_body_is_not_read_again(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.answer("/alpha", body=rss(1))
    house.poll("alpha")
    monkeypatch.setattr(document, "read_document", None)  # reading it would fail
    house.clock.move(hours=1)
    assert house.poll("alpha")[0].outcome == "unchanged"


def test_a_poll_says_when_the_next_is_and_why(house: House, origin: Origin) -> None:
    origin.answer("/alpha", body=rss(1), headers={"Cache-Control": "max-age=18000"})
    record = house.poll("alpha")[0]
    state = house.state("alpha")
    assert record.next_at is not None
    assert record.next_at >= house.clock.now() + timedelta(hours=5)
    assert record.reason == "max-age"
    assert (state.next_poll_at, state.next_reason) == (record.next_at, "max-age")


def test_when_storing_fails_the_validators_stay_old_and_the_items_come_with_the_next_poll(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.answer("/alpha", body=rss(1, 2), headers={"ETag": '"2"'})
    with monkeypatch.context() as broken:
        broken.setattr(polls, "log_poll", _fail)
        with pytest.raises(RuntimeError):
            house.poll("alpha")
    assert house.titles() == []
    assert not house.state("alpha").validators
    house.poll("alpha")
    assert "if-none-match" not in origin.requests("/alpha")[1].headers
    assert len(house.titles()) == 2


def _fail(*_: object) -> None:
    raise RuntimeError("the disk is full")


def test_an_ambiguous_zone_is_read_in_the_source_s_own(house: House, origin: Origin) -> None:
    dated = rss(1).replace(b"00:01:00 GMT", b"18:00:00 CST")
    origin.answer("/alpha", body=dated)
    shanghai = replace(house.settings.sources[0], timezone=ZoneInfo("Asia/Shanghai"))
    house.configure(sources=(shanghai, house.settings.sources[1]))
    house.poll("alpha")
    (entry,) = feedparser.parse(house.feed().body).entries
    assert entry.published == "2026-03-01T10:00:00Z"


def test_an_entry_missing_from_the_feed_is_kept(house: House, origin: Origin) -> None:
    origin.script("/alpha", reply(200, {}, rss(1, 2, 3)), reply(200, {}, rss(3)))
    house.poll("alpha")
    house.clock.move(hours=1)
    house.poll("alpha")
    assert len(house.titles()) == 3


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (reply(500), "http"),
        (reply(404), "http"),
        (reply(200, {"Content-Type": "text/html"}, b"<html><body>Hello</body></html>"), "html"),
        (reply(200, {}, b""), "protocol"),
        (reply(200, {}, b"\x00\x01 nothing at all"), "not_a_feed"),
        (reply(302, {}), "redirect"),
        (reply(200, {"Content-Encoding": "br"}, b"xxxx"), "encoding"),
    ],
)
def test_a_failing_source_keeps_its_items_and_validators_and_is_tried_later(
    house: House, origin: Origin, answer: bytes, outcome: str
) -> None:
    origin.script("/alpha", reply(200, {"ETag": '"1"'}, rss(1, 2)), answer)
    house.poll("alpha")
    house.clock.move(hours=2)
    record = house.poll("alpha")[0]
    state = house.state("alpha")
    assert record.outcome == outcome
    assert (state.failures, state.validators.etag) == (1, '"1"')
    assert state.next_poll_at > house.clock.now()
    assert state.error
    assert len(house.titles()) == 2


def test_one_bad_source_never_touches_another(house: House, origin: Origin) -> None:
    async def cut(wire: Wire) -> None:
        wire.reset()

    origin.route("/alpha", cut)
    origin.answer("/beta", body=rss(1, site="beta"))
    records = {record.source_id: record for record in house.poll()}
    assert records["alpha"].error
    assert records["beta"].new_items == 1


def test_a_host_that_answers_429_is_left_alone_by_all_its_sources(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", 429, headers={"Retry-After": "7200"})
    origin.answer("/beta", body=rss(1))
    house.poll("alpha")
    house.clock.move(minutes=90)
    assert house.poll("beta")[0].outcome == "host_busy"
    assert origin.requests("/beta") == []
    house.clock.move(minutes=31)
    assert house.poll("beta")[0].new_items == 1


def test_a_person_s_refresh_skips_the_plan_but_stays_conditional_and_keeps_the_minimum(
    house: House, origin: Origin
) -> None:
    origin.script("/alpha", reply(200, {"ETag": '"1"'}, rss(1)), reply(304))
    house.configure(polling=replace(house.settings.polling, min_refresh=timedelta(seconds=60)))

    async def work(parts: Parts) -> list[str]:
        chosen = [source for source in parts.settings.sources if source.id == "alpha"]
        return [record.outcome for record in await refresh(parts, chosen)]

    assert house.run(work) == ["new"]
    house.clock.move(seconds=30)
    assert house.run(work) == ["skipped"]
    house.clock.move(seconds=31)
    assert house.run(work) == ["not_modified"]
    assert origin.requests("/alpha")[1].headers["if-none-match"] == '"1"'


def test_a_changed_address_keeps_the_history_and_asks_without_validators(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1, 2), headers={"ETag": '"1"'})
    house.poll("alpha")
    origin.answer("/new", body=rss(1, 2, 3), headers={"ETag": '"1"'})
    moved = replace(house.settings.sources[0], url=origin.url("/new"))
    house.configure(sources=(moved, house.settings.sources[1]))
    house.clock.move(hours=1)
    record = house.poll("alpha")[0]
    assert "if-none-match" not in origin.requests("/new")[0].headers
    assert record.new_items == 1
    assert len(house.titles()) == 3


def test_no_secret_of_a_source_shows_in_its_error_or_in_any_feed(
    house: House, origin: Origin
) -> None:
    secret = replace(
        house.settings.sources[0],
        url=origin.url("/alpha?key=HUSH1"),
        url_is_secret=True,
        private=True,
        headers={"X-Key": Secret("HUSH2")},
        auth=(Secret("reader"), Secret("HUSH3")),
    )
    house.configure(sources=(secret, house.settings.sources[1]))
    origin.script("/alpha", reply(500, {}, b"HUSH2"), reply(200, {}, rss(1)))
    origin.answer("/beta", body=rss(2, site="beta"))
    failed = house.poll("alpha")[0]
    house.clock.move(hours=1)
    house.poll()
    assert origin.requests("/alpha")[0].headers["x-key"] == "HUSH2"
    assert "HUSH" not in repr(failed)
    feeds = [house.feed(fmt).body for fmt in ("atom", "rss", "json")]
    assert not any(b"HUSH" in body or b"alpha" in body for body in feeds)


def test_a_feed_is_byte_identical_until_something_changes(house: House, origin: Origin) -> None:
    origin.script("/alpha", reply(200, {}, rss(1)), reply(200, {}, rss(1, 2)))
    house.poll("alpha")
    first = house.feed()
    house.clock.move(hours=5)
    assert house.feed() == first
    house.poll("alpha")
    second = house.feed()
    assert second.etag != first.etag
    assert second.last_modified > first.last_modified
    parsed = feedparser.parse(second.body)
    assert [entry.title for entry in parsed.entries] == ["Bridge 2 opens", "Bridge 1 opens"]


def test_two_changes_within_one_second_have_two_dates(house: House, origin: Origin) -> None:
    origin.script("/alpha", *(reply(200, {}, rss(*range(1, n + 2))) for n in range(4)))
    dates = []
    for _ in range(4):
        house.poll("alpha")
        dates.append(house.feed("rss").last_modified)
    assert len(set(dates)) == 4

"""Feeds that moved: when a permanent redirect is believed, and what then (rows 65-67, 70, 74)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from aggregator.model.http import FetchResult, Hop
from aggregator.model.settings import Secret
from aggregator.pipeline.parts import Parts
from aggregator.pipeline.polling import redirects
from aggregator.store.sources import states
from tests.origin import Origin, reply
from tests.pipeline.conftest import House, rss


def to(origin: Origin, path: str, status: int = 301) -> bytes:
    return reply(status, {"Location": origin.url(path)})


def poll_daily(house: House, times: int, *names: str) -> None:
    for _ in range(times):
        house.poll(*(names or ("alpha",)))
        house.clock.move(hours=25)


def test_a_permanent_redirect_is_adopted_after_three_sightings_over_three_days(
    house: House, origin: Origin
) -> None:
    origin.send("/alpha", to(origin, "/new"))
    origin.answer("/new", body=rss(1))
    poll_daily(house, 3)
    assert house.state("alpha").effective_url is None
    poll_daily(house, 1)
    assert house.state("alpha").effective_url == origin.url("/new")
    origin.forget()
    poll_daily(house, 1)
    assert [seen.path for seen in origin.requests()] == ["/new"]


def test_many_sightings_within_an_hour_are_one_mistake_of_a_server(
    house: House, origin: Origin
) -> None:
    origin.send("/alpha", to(origin, "/new", 308))
    origin.answer("/new", body=rss(1))
    for _ in range(6):
        house.poll("alpha")
        house.clock.move(minutes=10)
    assert house.state("alpha").effective_url is None


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_followed_and_never_stored(
    house: House, origin: Origin, status: int
) -> None:
    origin.send("/alpha", to(origin, "/new", status))
    origin.answer("/new", body=rss(1))
    poll_daily(house, 5)
    state = house.state("alpha")
    assert (state.effective_url, state.move_target) == (None, None)
    assert len(origin.requests("/alpha")) == 5


def test_permanence_ends_at_the_first_temporary_hop(house: House, origin: Origin) -> None:
    origin.send("/alpha", to(origin, "/moved"))
    origin.send("/moved", to(origin, "/today", 302))
    origin.answer("/today", body=rss(1))
    poll_daily(house, 5)
    assert house.state("alpha").effective_url == origin.url("/moved")


def test_a_redirect_to_a_page_that_is_no_feed_is_not_adopted(house: House, origin: Origin) -> None:
    origin.send("/alpha", to(origin, "/login"))
    origin.answer("/login", body=b"<html><body>Sign in</body></html>")
    poll_daily(house, 6)
    assert house.state("alpha").effective_url is None


def test_a_target_that_changes_starts_the_count_again(house: House, origin: Origin) -> None:
    origin.answer("/one", body=rss(1))
    origin.answer("/two", body=rss(1))
    for number in range(6):
        origin.send("/alpha", to(origin, "/one" if number % 2 else "/two"))
        poll_daily(house, 1)
    assert house.state("alpha").effective_url is None


def test_validators_go_to_the_new_address_as_they_came_from_it(
    house: House, origin: Origin
) -> None:
    origin.send("/alpha", to(origin, "/new"))
    origin.script("/new", reply(200, {"ETag": '"1"'}, rss(1)), reply(304))
    poll_daily(house, 6)
    asked = origin.requests("/new")
    assert all(seen.headers.get("if-none-match") == '"1"' for seen in asked[1:])


def test_an_adopted_address_that_keeps_failing_is_given_up_for_the_configured_one(
    house: House, origin: Origin
) -> None:
    origin.send("/alpha", to(origin, "/new"))
    origin.answer("/new", body=rss(1))
    poll_daily(house, 4)
    assert house.state("alpha").effective_url
    origin.answer("/new", 500)
    origin.answer("/alpha", body=rss(1, 2))
    poll_daily(house, 3)
    assert house.state("alpha").effective_url is None
    assert house.poll("alpha")[0].new_items == 1


def test_credentials_never_move_to_another_origin(house: House, origin: Origin) -> None:
    guarded = replace(house.settings.sources[0], auth=(Secret("me"), Secret("hush-hush")))
    house.configure(sources=(guarded,))
    with Origin() as elsewhere:
        house.settings = replace(
            house.settings,
            fetching=replace(house.settings.fetching, allow_ports=(origin.port, elsewhere.port)),
        )
        elsewhere.answer("/new", body=rss(1))
        origin.send("/alpha", reply(301, {"Location": elsewhere.url("/new")}))
        poll_daily(house, 6)
        assert house.state("alpha").effective_url is None
        assert not any("authorization" in seen.headers for seen in elsewhere.requests())


def test_two_sources_that_move_to_one_address_are_polled_once_and_flagged(
    house: House, origin: Origin
) -> None:
    origin.send("/alpha", to(origin, "/beta"))
    origin.answer("/beta", body=rss(1))
    poll_daily(house, 4, "alpha", "beta")
    state = house.state("alpha")
    assert state.noticed.duplicate_of == "beta"
    assert state.next_reason == "duplicate"
    assert state.next_poll_at - state.last_polled_at >= timedelta(days=7)
    assert house.state("beta").next_reason != "duplicate"


def listed(house: House) -> list[redirects.Move]:
    async def work(parts: Parts) -> Any:
        stored = await parts.database.run_read(states.feed_states)
        return redirects.moves(parts.settings.sources, stored)

    return house.run(work)


def test_the_patch_changes_the_address_in_the_file_and_nothing_else(
    house: House, origin: Origin
) -> None:
    origin.send("/alpha", to(origin, "/new"))
    origin.answer("/new", body=rss(1))
    poll_daily(house, 4)
    text = (
        f"sources:\n  - id: alpha\n    url: {origin.url('/alpha')}  # ours\n"
        f"  - id: other\n    url: {origin.url('/alpha/more')}\n"
    )
    diff = redirects.patch(listed(house), [("aggregator.yaml", text)])
    removed = [line for line in diff.splitlines() if line.startswith("-") and "---" not in line]
    added = [line for line in diff.splitlines() if line.startswith("+") and "+++" not in line]
    assert removed == [f"-    url: {origin.url('/alpha')}  # ours"]
    assert added == [f"+    url: {origin.url('/new')}  # ours"]


def test_https_is_adopted_at_once(house: House) -> None:
    source = replace(house.settings.sources[0], url="http://news.example/feed?a=1")
    hop = Hop(301, source.url, "https://news.example/feed?a=1")
    result = FetchResult(url=source.url, final_url=hop.location, status=200, hops=(hop,))
    house.poll("alpha")
    state = house.state("alpha")
    after = redirects.after_poll(state, source, result, house.clock.now(), fine=True, settled=True)
    assert after.effective_url == "https://news.example/feed?a=1"
    elsewhere = replace(hop, location="https://other.example/feed?a=1")
    other = replace(result, hops=(elsewhere,))
    later = redirects.after_poll(state, source, other, house.clock.now(), fine=True, settled=True)
    assert later.effective_url is None


def adopted(house: House, origin: Origin) -> None:
    """Alpha is polled at /new, as its configured address leads there for good."""
    origin.send("/alpha", to(origin, "/new"))
    origin.answer("/new", body=rss(1))
    poll_daily(house, 4)
    assert house.state("alpha").effective_url == origin.url("/new")
    origin.forget()


def test_the_configured_address_is_asked_once_a_week_and_the_move_stays_while_it_leads_there(
    house: House, origin: Origin
) -> None:
    adopted(house, origin)
    poll_daily(house, 21)
    assert len(origin.requests("/alpha")) == 3
    assert len(origin.requests("/new")) == 21
    assert house.state("alpha").effective_url == origin.url("/new")


def test_a_configured_address_that_answers_itself_is_polled_again_and_what_was_missed_is_told(
    house: House, origin: Origin
) -> None:
    adopted(house, origin)
    origin.answer("/alpha", body=rss(1, 2, 3, 4))
    records = []
    for _ in range(8):
        records += house.poll("alpha")
        house.clock.move(hours=25)
    told = [record for record in records if record.new_items]
    assert len(told) == 1
    assert "3 items there were missed since" in (told[0].reason_detail or "")
    assert house.state("alpha").effective_url is None
    assert listed(house) == []


@pytest.mark.parametrize("status", [404, 500, 200])
def test_a_configured_address_that_is_gone_is_no_failure_of_the_adopted_one(
    house: House, origin: Origin, status: int
) -> None:
    adopted(house, origin)
    origin.answer("/alpha", status, body=b"<html><body>This domain is for sale</body></html>")
    for _ in range(8):
        (record,) = house.poll("alpha")
        assert record.error is None
        house.clock.move(hours=25)
    assert len(origin.requests("/alpha")) == 1
    assert house.state("alpha").effective_url == origin.url("/new")


def test_a_configured_address_that_leads_elsewhere_by_now_ends_the_move(
    house: House, origin: Origin
) -> None:
    adopted(house, origin)
    origin.send("/alpha", to(origin, "/newest"))
    origin.answer("/newest", body=rss(1, 2))
    poll_daily(house, 8)
    assert house.state("alpha").effective_url is None
    assert house.state("alpha").move_target == origin.url("/newest")
    poll_daily(house, 4)
    assert house.state("alpha").effective_url == origin.url("/newest")


def withheld(old: str, new: str, status: int = 301) -> FetchResult:
    """A feed that answered at `new`, without the source's credentials."""
    hop = Hop(status, old, new)
    return FetchResult(url=old, final_url=new, status=200, hops=(hop,), withheld_from=new)


@pytest.mark.parametrize("status", [301, 302])
def test_a_source_with_credentials_is_not_moved_to_https_and_a_person_is_told(
    house: House, status: int
) -> None:
    guarded = replace(
        house.settings.sources[0], url="http://news.example/feed", auth=(Secret("a"), Secret("b"))
    )
    result = withheld(guarded.url, "https://news.example/feed", status)
    house.poll("alpha")
    state = house.state("alpha")
    for _ in range(6):
        house.clock.move(days=1)
        state = redirects.after_poll(
            state, guarded, result, house.clock.now(), fine=True, settled=True
        )
    assert state.effective_url is None
    assert redirects.advice(guarded, result) == ("moved to https://news.example/feed: change “url”")
    secret = replace(guarded, url_is_secret=True)
    assert redirects.advice(secret, result) == "moved to another address: change “url”"
    passing = withheld(guarded.url, "https://login.example/", 302)
    assert redirects.advice(guarded, passing) == ""


def test_the_poll_says_that_a_source_with_credentials_moved(house: House, origin: Origin) -> None:
    guarded = replace(house.settings.sources[0], auth=(Secret("me"), Secret("hush-hush")))
    house.configure(sources=(guarded,))
    with Origin() as elsewhere:
        house.settings = replace(
            house.settings,
            fetching=replace(house.settings.fetching, allow_ports=(origin.port, elsewhere.port)),
        )
        elsewhere.script("/new", reply(200, {}, rss(1)), reply(401))
        origin.send("/alpha", reply(301, {"Location": elsewhere.url("/new")}))
        (fine,) = house.poll("alpha")
        house.clock.move(days=1)
        (refused,) = house.poll("alpha")
    said = f"moved to {elsewhere.url('/new')}: change “url”"
    assert (fine.reason_detail or "").endswith(said)
    assert (refused.error or "").endswith(f"status 401; {said}")

"""The table of server behaviours (docs/design/fetching.md): what the origin saw, what was stored.

One test for each row that concerns the poller over time; requests go out when the plan says.
Rows of a single request are in `tests/fetch`, moves (65-74) in `test_moves`, hosts (100-105, 126)
in `test_hosts`, paging (120, 121) in `test_gaps`, WebSub (106-119) in `test_websub`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

import pytest

from aggregator.model.settings import PollWhen
from aggregator.pipeline.polling import document
from aggregator.schedule.state import PolicyState
from aggregator.store.sources import polls
from tests.origin import Origin, Wire, reply
from tests.pipeline.conftest import House, rss

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TAG = {"ETag": '"1"'}


@pytest.fixture
def database_url(sqlite_with_tables_url: str) -> str:
    """What is stored is specified on both databases elsewhere; time matters here."""
    return sqlite_with_tables_url


def on_time(house: House, times: int = 1, name: str = "alpha") -> list[Any]:
    """Poll a source so many times, each at the time its plan says; its states after each."""
    states: list[Any] = []
    for _ in range(times):
        state = house.state(name) if states else _planned(house, name)
        if state is not None and state.next_poll_at is not None:
            house.clock.at = max(house.clock.at, state.next_poll_at)
        house.poll(name)
        states.append(house.state(name))
    return states


def _planned(house: House, name: str) -> Any:
    """The state, after the configuration was applied for the first time."""
    house.run(_nothing)
    return house.state(name)


async def _nothing(parts: Any) -> None:
    return None


def wait(state: Any) -> timedelta:
    """From a poll to the next."""
    span: timedelta = state.next_poll_at - state.last_polled_at
    return span


def headers(origin: Origin, path: str = "/alpha") -> list[dict[str, str]]:
    return [dict(seen.headers) for seen in origin.requests(path)]


def dated(origin: Origin, **more: str) -> bytes:
    return reply(200, {**TAG, **{k.replace("_", "-"): v for k, v in more.items()}}, rss(1))


# -- B. Validators


def test_14_an_etag_is_echoed_with_its_quotes_and_its_weakness(
    house: House, origin: Origin
) -> None:
    for tag in ('W/"a b"', '"x-gzip"', "unquoted"):
        origin.script("/alpha", reply(200, {"ETag": tag}, rss(1)), reply(304))
        origin.forget()
        house.configure(sources=(replace(house.settings.sources[0], headers={}),))
        on_time(house, 2)
        assert headers(origin)[-1]["if-none-match"] == tag


def test_15_16_last_modified_is_echoed_verbatim_beside_the_etag(
    house: House, origin: Origin
) -> None:
    odd = "Sunday, 01-Mar-26 11:00:00 GMT"
    origin.script("/alpha", reply(200, {**TAG, "Last-Modified": odd}, rss(1)), reply(304))
    on_time(house, 3)
    for sent in headers(origin)[1:]:
        assert (sent["if-none-match"], sent["if-modified-since"]) == ('"1"', odd)


def test_17_without_validators_the_body_is_compared_and_the_floor_is_two_hours(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1))
    states = on_time(house, 3)
    assert states[-1].outcome == "unchanged"
    assert all(wait(state) >= 2 * HOUR for state in states)
    big = rss(1).replace(b"<description>d", b"<description>" + b"d" * 300_000)
    origin.answer("/alpha", body=big)
    assert wait(on_time(house, 1)[-1]) >= 5.5 * HOUR


def test_18_a_200_without_validators_drops_the_old_ones(house: House, origin: Origin) -> None:
    origin.script("/alpha", reply(200, TAG, rss(1)), reply(200, {}, rss(1, 2)))
    on_time(house, 3)
    assert "if-none-match" in headers(origin)[1]
    assert "if-none-match" not in headers(origin)[2]


def test_19_validators_are_not_committed_when_storing_fails(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    origin.script("/alpha", reply(200, TAG, rss(1)), reply(200, {"ETag": '"2"'}, rss(1, 2)))
    on_time(house, 1)
    with monkeypatch.context() as patched:
        patched.setattr(polls, "log_poll", broken)
        with pytest.raises(OSError, match="disk full"):
            on_time(house, 1)
    on_time(house, 1)
    assert headers(origin)[-1]["if-none-match"] == '"1"'
    assert len(house.titles()) == 2


def test_20_a_cut_body_changes_nothing_and_counts_as_a_failure(
    house: House, origin: Origin
) -> None:
    async def cut(wire: Wire) -> None:
        await wire.send(reply(200, {"ETag": '"2"', "Content-Length": "9999"}, rss(1, 2)[:200]))
        wire.close()

    origin.script("/alpha", reply(200, TAG, rss(1)), cut)
    state = on_time(house, 2)[-1]
    assert (state.outcome, state.failures, state.validators.etag) == ("protocol", 1, '"1"')


def test_21_a_304_renews_validators_and_freshness(house: House, origin: Origin) -> None:
    renewed = {"ETag": '"2"', "Cache-Control": "max-age=18000"}
    origin.script("/alpha", reply(200, TAG, rss(1)), reply(304, renewed))
    states = on_time(house, 2)
    assert states[-1].validators.etag == '"2"'
    assert wait(states[-1]) >= 5 * HOUR


def test_22_a_304_without_cache_control_keeps_the_200_s_max_age(
    house: House, origin: Origin
) -> None:
    origin.script("/alpha", dated(origin, Cache_Control="max-age=14400"), reply(304, TAG))
    assert all(wait(state) >= 4 * HOUR for state in on_time(house, 4))


def test_23_of_two_max_ages_the_shorter_counts(house: House, origin: Origin) -> None:
    longer = reply(304, {**TAG, "Cache-Control": "max-age=80000"})
    origin.script("/alpha", dated(origin, Cache_Control="max-age=14400"), longer)
    assert wait(on_time(house, 2)[-1]) < 7 * HOUR


def test_24_a_304_nobody_asked_for_is_an_error(house: House, origin: Origin) -> None:
    origin.answer("/alpha", 304)
    state = on_time(house, 1)[-1]
    assert (state.outcome, state.failures) == ("protocol", 1)


def test_25_26_an_identical_body_is_not_read_again_and_keeps_the_newest_validators(
    house: House, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.script("/alpha", *(reply(200, {"ETag": f'"{n}"'}, rss(1)) for n in range(3)))
    on_time(house, 1)
    monkeypatch.setattr(document, "read_document", None)
    state = on_time(house, 2)[-1]
    assert (state.outcome, state.validators.etag) == ("unchanged", '"2"')


def test_25_a_server_that_ignores_conditions_is_asked_no_oftener_than_the_gate(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(*range(1, 30)), headers=TAG)
    assert all(wait(state) >= HOUR for state in on_time(house, 5))


def test_30_a_changed_address_or_access_clears_what_was_learned(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", body=rss(1), headers=TAG)
    on_time(house, 2)
    changed = replace(house.settings.sources[0], url=origin.url("/alpha?v=2"))
    house.configure(sources=(changed,))
    on_time(house, 1)
    assert "if-none-match" not in headers(origin)[-1]


# -- C. Freshness and hints


def test_31_no_poll_before_max_age_less_age(house: House, origin: Origin) -> None:
    origin.send("/alpha", dated(origin, Cache_Control="max-age=18000", Age="3600"))
    state = on_time(house, 1)[-1]
    assert 4 * HOUR <= wait(state) < 4.2 * HOUR
    assert state.next_reason == "max-age"


def test_32_max_age_goes_before_expires(house: House, origin: Origin) -> None:
    far = format_datetime(house.clock.now() + 20 * HOUR, usegmt=True)
    origin.send("/alpha", dated(origin, Cache_Control="max-age=14400", Expires=far))
    assert wait(on_time(house, 1)[-1]) < 5 * HOUR


@pytest.mark.parametrize("expires", ["0", "-1", "yesterday", "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_33_an_invalid_or_past_expires_is_no_floor_and_no_error(
    house: House, origin: Origin, expires: str
) -> None:
    origin.send("/alpha", dated(origin, Expires=expires))
    state = on_time(house, 1)[-1]
    assert (state.failures, state.next_reason) == (0, "rate")


def test_34_no_cache_means_revalidate_not_wait(house: House, origin: Origin) -> None:
    origin.send("/alpha", dated(origin, Cache_Control="no-cache, max-age=80000"))
    assert wait(on_time(house, 1)[-1]) < 7 * HOUR


def test_35_no_store_is_polled_as_politely(house: House, origin: Origin) -> None:
    origin.script("/alpha", dated(origin, Cache_Control="no-store"), reply(304))
    states = on_time(house, 3)
    assert all(wait(state) >= HOUR for state in states)
    assert headers(origin)[-1]["if-none-match"] == '"1"'


def test_36_a_server_s_wrong_clock_does_not_matter(house: House, origin: Origin) -> None:
    theirs = house.clock.now() - 400 * DAY
    stamps = {"Date": theirs, "Expires": theirs + 5 * HOUR}
    origin.send(
        "/alpha", dated(origin, **{k: format_datetime(v, usegmt=True) for k, v in stamps.items()})
    )
    assert 5 * HOUR <= wait(on_time(house, 1)[-1]) < 5.5 * HOUR


def test_37_the_heuristic_is_no_floor(house: House, origin: Origin) -> None:
    old = format_datetime(house.clock.now() - 300 * DAY, usegmt=True)
    now = format_datetime(house.clock.now(), usegmt=True)
    origin.send("/alpha", dated(origin, Last_Modified=old, Date=now))
    assert wait(on_time(house, 1)[-1]) < 7 * HOUR


def hinted(hint: str) -> bytes:
    return rss(1).replace(
        b"<description>d</description>", b"<description>d</description>" + hint.encode(), 1
    )


@pytest.mark.parametrize("ttl", ["300", " 300 "])
def test_38_ttl_is_minutes_and_a_floor(house: House, origin: Origin, ttl: str) -> None:
    origin.answer("/alpha", body=hinted(f"<ttl>{ttl}</ttl>"), headers=TAG)
    state = on_time(house, 1)[-1]
    assert wait(state) >= 5 * HOUR
    assert state.next_reason == "ttl"


@pytest.mark.parametrize("ttl", ["soon", "-5", "", "9" * 40])
def test_38_a_junk_or_absurd_ttl_never_holds_beyond_a_day(
    house: House, origin: Origin, ttl: str
) -> None:
    origin.answer("/alpha", body=hinted(f"<ttl>{ttl}</ttl>"), headers=TAG)
    state = on_time(house, 1)[-1]
    assert state.failures == 0
    assert wait(state) <= DAY + 180 * timedelta(seconds=1)


def test_39_skipped_hours_are_skipped_in_gmt(house: House, origin: Origin) -> None:
    hours = "".join(f"<hour>{h}</hour>" for h in range(13, 20))
    origin.answer("/alpha", body=hinted(f"<skipHours>{hours}</skipHours>"), headers=TAG)
    state = on_time(house, 1)[-1]  # at noon
    assert state.next_poll_at.hour not in range(13, 20)
    assert state.next_reason == "skip-hours"


def test_39_a_list_of_all_hours_says_nothing(house: House, origin: Origin) -> None:
    hours = "".join(f"<hour>{h}</hour>" for h in range(1, 25))
    origin.answer("/alpha", body=hinted(f"<skipHours>{hours}</skipHours>"), headers=TAG)
    assert on_time(house, 1)[-1].next_reason != "skip-hours"


def test_40_skipped_days_are_skipped(house: House, origin: Origin) -> None:
    days = "".join(f"<day>{day}</day>" for day in ("Sunday", "Monday"))
    origin.answer("/alpha", body=hinted(f"<skipDays>{days}</skipDays>"), headers=TAG)
    assert on_time(house, 1)[-1].next_poll_at.strftime("%A") == "Tuesday"


def test_42_of_several_hints_the_longest_holds(house: House, origin: Origin) -> None:
    body = hinted("<ttl>5</ttl>")
    origin.answer("/alpha", body=body, headers={**TAG, "Cache-Control": "max-age=25200"})
    state = on_time(house, 1)[-1]
    assert wait(state) >= 7 * HOUR
    assert state.next_reason == "max-age"


def test_43_an_absurd_max_age_holds_for_a_day(house: House, origin: Origin) -> None:
    origin.send("/alpha", dated(origin, Cache_Control="max-age=31536000"))
    assert DAY <= wait(on_time(house, 1)[-1]) < DAY + timedelta(minutes=5)


def test_44_the_plan_is_in_the_database_and_a_restart_keeps_it(
    house: House, origin: Origin
) -> None:
    origin.send("/alpha", dated(origin, Cache_Control="max-age=18000"))
    state = on_time(house, 1)[-1]
    house.clock.move(hours=1)
    house.run(_nothing)  # a start of the program
    assert house.state("alpha").next_poll_at == state.next_poll_at


def test_45_sources_with_one_answer_are_not_planned_for_one_moment(
    house: House, origin: Origin
) -> None:
    first = house.settings.sources[0]
    chosen = tuple(replace(first, id=f"s{n}", url=origin.url(f"/{n}")) for n in range(12))
    house.configure(sources=chosen)
    for number in range(12):
        origin.send(f"/{number}", dated(origin, Cache_Control="max-age=7200"))
    house.poll()
    times = sorted(house.state(f"s{n}").next_poll_at for n in range(12))
    assert len(set(times)) == 12
    assert times[-1] - times[0] > timedelta(seconds=60)


# -- D. Status codes


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_48_50_retry_after_holds_for_the_whole_host(
    house: House, origin: Origin, status: int, form: str
) -> None:
    until = house.clock.now() + 3 * HOUR
    said = "10800" if form == "seconds" else format_datetime(until, usegmt=True)
    now = format_datetime(house.clock.now(), usegmt=True)
    origin.answer("/alpha", status, headers={"Retry-After": said, "Date": now})
    origin.answer("/beta", body=rss(1, site="beta"))
    state = on_time(house, 1)[-1]
    assert wait(state) >= 3 * HOUR
    house.clock.at = until - timedelta(minutes=1)
    house.poll("beta")
    assert origin.requests("/beta") == []
    house.clock.move(minutes=2)
    house.poll("beta")
    assert len(origin.requests("/beta")) == 1


def test_48_a_retry_after_of_a_year_is_believed_for_thirty_days(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", 429, headers={"Retry-After": "31536000"})
    assert 30 * DAY <= wait(on_time(house, 1)[-1]) < 30.1 * DAY


def test_49_a_429_without_a_time_doubles_the_interval_and_eases_after_three_good_polls(
    house: House, origin: Origin
) -> None:
    origin.script("/alpha", dated(origin), reply(429), *[reply(304)] * 20)
    states = on_time(house, 9)
    normal = wait(states[0])
    assert wait(states[1]) >= max(HOUR, 1.8 * normal)
    assert wait(states[-1]) < wait(states[2])


@pytest.mark.parametrize("failure", ["500", "502", "reset", "drip"])
def test_51_failures_double_the_interval_up_to_a_day_and_never_hurry(
    house: House, origin: Origin, failure: str
) -> None:
    async def reset(wire: Wire) -> None:
        wire.reset()

    async def drip(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
        await wire.silence()

    if failure == "drip":
        fetching = replace(house.settings.fetching, timeout=timedelta(seconds=1))
        house.configure(fetching=fetching)
    answers: dict[str, Any] = {"reset": reset, "drip": drip}
    broken = answers.get(failure) or reply(int(failure))
    origin.script("/alpha", dated(origin), broken)
    states = on_time(house, 7)
    waits = [wait(state) for state in states]
    assert all(later >= waits[0] * 0.85 for later in waits[1:])
    assert all(later >= earlier * 0.8 for earlier, later in pairwise(waits[1:]))
    assert waits[-1] <= 1.1 * DAY
    assert len(origin.requests("/alpha")) == 7  # no immediate retry


def test_52_a_404_is_kept_for_two_weeks_then_probed_weekly_and_may_come_back(
    house: House, origin: Origin
) -> None:
    origin.script("/alpha", dated(origin), reply(404))
    states = on_time(house, 24)
    alive = [state for state in states[1:] if not state.noticed.dead]
    assert alive[-1].last_polled_at - alive[0].last_polled_at >= 12 * DAY
    assert states[-1].noticed.dead
    assert 6 * DAY <= wait(states[-1]) <= 8 * DAY
    origin.answer("/alpha", body=rss(1, 2), headers=TAG)
    state = on_time(house, 1)[-1]
    assert (state.failures, state.noticed.dead) == (0, False)


def test_53_a_410_is_confirmed_a_day_later_then_probed_weekly(house: House, origin: Origin) -> None:
    origin.answer("/alpha", 410)
    states = on_time(house, 3)
    assert wait(states[0]) >= DAY
    assert not states[0].noticed.dead
    assert states[1].noticed.dead
    assert wait(states[2]) >= 6 * DAY


@pytest.mark.parametrize("status", [401, 407])
def test_54_missing_credentials_are_asked_for_once_a_day(
    house: House, origin: Origin, status: int
) -> None:
    origin.answer("/alpha", status)
    assert all(wait(state) >= 0.9 * DAY for state in on_time(house, 4))


def test_55_a_403_backs_off_and_changes_nothing_about_who_we_say_we_are(
    house: House, origin: Origin
) -> None:
    origin.answer("/alpha", 403)
    states = on_time(house, 6)
    assert wait(states[-1]) > wait(states[0])
    assert len({sent["user-agent"] for sent in headers(origin)}) == 1


def test_56_a_bot_challenge_has_a_word_of_its_own_and_a_day(house: House, origin: Origin) -> None:
    page = b"<html>Just a moment</html>"
    origin.answer("/alpha", 403, headers={"cf-mitigated": "challenge"}, body=page)
    state = on_time(house, 1)[-1]
    assert state.outcome == "bot_challenge"
    assert wait(state) >= 0.9 * DAY


@pytest.mark.parametrize(
    ("name", "answer", "word"),
    [
        ("57 HTML", reply(200, {"ETag": '"9"'}, b"<html><body>Hi</body></html>"), "html"),
        ("58 empty", reply(200, {"ETag": '"9"'}), "protocol"),
        ("59 206 unasked", reply(206, {"ETag": '"9"'}, rss(9)), "protocol"),
        ("64 a redirect without Location", reply(302), "http"),
    ],
)
def test_57_58_59_64_what_is_no_feed_changes_neither_items_nor_validators(
    house: House, origin: Origin, name: str, answer: bytes, word: str
) -> None:
    origin.script("/alpha", dated(origin), answer)
    state = on_time(house, 2)[-1]
    assert (state.failures, state.validators.etag) == (1, '"1"'), name
    assert state.outcome in (word, "redirect", "not_a_feed")
    assert len(house.titles()) == 1


@pytest.mark.parametrize("status", [204, 205])
def test_59_no_content_is_no_change_until_the_third(
    house: House, origin: Origin, status: int
) -> None:
    origin.script("/alpha", dated(origin), reply(status, length=status == 205))
    states = on_time(house, 4)
    assert states[1].outcome == "no_content"
    troubles = [PolicyState.from_json(state.policy).trouble.failures for state in states]
    assert troubles == [0, 0, 0, 1]


def test_60_61_a_delta_is_merged_and_absence_deletes_nothing(house: House, origin: Origin) -> None:
    delta = reply(226, {"IM": "feed", "ETag": '"2"'}, rss(3))
    origin.script("/alpha", reply(200, TAG, rss(1, 2)), delta, reply(200, {"ETag": '"3"'}, rss(3)))
    on_time(house, 3)
    assert headers(origin)[1]["a-im"] == "feed"
    assert len(house.titles()) == 3


def test_63_a_month_of_304s_from_an_active_source_is_checked_once_unconditionally(
    house: House, origin: Origin
) -> None:
    async def conditional(wire: Wire) -> None:
        held = "if-none-match" in wire.request.headers
        await wire.send(reply(304, TAG) if held else dated(origin))

    origin.route("/alpha", conditional)
    on_time(house, 1)
    house.clock.move(days=31)
    on_time(house, 3)
    sent = ["if-none-match" in one for one in headers(origin)]
    assert sent == [False, True, False, True]


@pytest.mark.parametrize(("tag", "kept"), [('"%d"', {"if-none-match"}), (None, set())])
def test_63_a_server_whose_304s_are_wrong_is_caught_and_asked_otherwise(
    house: House, origin: Origin, tag: str | None, kept: set[str]
) -> None:
    """It says 304 to every date, and compares entity tags rightly."""
    begun = house.clock.now()

    async def liar(wire: Wire) -> None:
        count = 1 + int((house.clock.now() - begun) / (2 * HOUR))
        seen, etag = wire.request.headers, tag and tag % count
        held = {"ETag": etag} if etag else {}
        if "if-modified-since" in seen or (etag and seen.get("if-none-match") == etag):
            await wire.send(reply(304, held))
        else:
            last = {"Last-Modified": "Sun, 01 Mar 2026 10:00:00 GMT"}
            await wire.send(
                reply(200, {**held, **last}, rss(*range(max(1, count - 30), count + 1)))
            )

    origin.route("/alpha", liar)
    while house.clock.now() - begun < timedelta(days=12):
        on_time(house)
    validators = {"if-none-match", "if-modified-since"}
    sent = [set(one) & validators for one in headers(origin)]
    assert sent[-1] == kept
    assert sum(not one for one in sent[1:]) >= 1 if kept else not sent[-2]
    assert {f"Bridge {n} opens" for n in range(110, 140)} <= set(house.titles())


@pytest.mark.parametrize(("validators", "least"), [(True, 3), (False, 6)])
def test_63_without_validators_the_least_interval_is_doubled(
    house: House, origin: Origin, validators: bool, least: int
) -> None:
    """`validators: off`: a source as busy as can be is asked half as often, never by condition."""
    begun = house.clock.now()
    polling = replace(house.settings.polling, min_interval=3 * HOUR)
    source = replace(house.settings.sources[0], validators=validators)
    house.configure(sources=(source,), polling=polling)

    async def busy(wire: Wire) -> None:
        last = 300 + int((house.clock.now() - begun) / timedelta(minutes=2))
        await wire.send(reply(200, TAG, rss(*range(last - 300, last))))

    origin.route("/alpha", busy)
    hours = [wait(state) / HOUR for state in on_time(house, 5)]
    assert all(least <= one <= least * 1.1 for one in hours)
    assert all(("if-none-match" in one) is validators for one in headers(origin)[1:])


def test_103_an_explicit_interval_waives_the_gate_and_no_hard_floor(
    house: House, origin: Origin
) -> None:
    often = replace(house.settings.sources[0], poll=PollWhen(interval=timedelta(minutes=15)))
    house.configure(sources=(often,))
    limited = reply(429, {"Retry-After": "7200"})
    origin.script("/alpha", dated(origin, Cache_Control="max-age=7200"), limited)
    states = on_time(house, 2)
    assert wait(states[0]) < timedelta(minutes=17)
    assert wait(states[1]) >= 2 * HOUR


def test_122_complete_feeds_delete_nothing(house: House, origin: Origin) -> None:
    fh = "<fh:complete xmlns:fh='http://purl.org/syndication/history/1.0'/>"
    origin.script("/alpha", reply(200, TAG, rss(1, 2)), reply(200, {}, hinted(fh)))
    on_time(house, 2)
    assert len(house.titles()) >= 2


def test_123_an_archive_document_is_never_polled_again(house: House, origin: Origin) -> None:
    archive = "<fh:archive xmlns:fh='http://purl.org/syndication/history/1.0'/>"
    origin.answer("/alpha", body=hinted(archive), headers=TAG)
    assert wait(on_time(house, 1)[-1]) > 300 * DAY


def test_125_every_poll_is_on_record(house: House, origin: Origin) -> None:
    origin.send("/alpha", dated(origin, Cache_Control="max-age=18000"))
    record = house.poll("alpha")[0]
    assert (record.status, record.new_items, record.reason) == (200, 1, "max-age")
    assert record.wire_bytes == record.decoded_bytes == len(rss(1))
    assert None not in (record.timing.connect, record.timing.first_byte, record.timing.total)
    assert record.next_at is not None

"""robots.txt before a link is followed (docs/design/fetching.md, rules R1–R8)."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from aggregator.fetch.robots import RobotsCache, RobotsVerdict
from aggregator.fetch.robots_txt import MAX_RULES, read_robots
from aggregator.model.http import HostBusy, RobotsOutcome, RobotsRecord
from aggregator.model.states import Held
from tests.fetch.conftest import Client, Names, Slots
from tests.origin import Origin, reply

T = TypeVar("T")
START = datetime(2026, 1, 1, tzinfo=UTC)


class HandClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def elapsed(self) -> float:
        """How far it was moved."""
        return (self.time - START).total_seconds()

    def pass_(self, **span: float) -> None:
        """Move on."""
        self.time += timedelta(**span)


class Kept:
    """A store in memory."""

    def __init__(self) -> None:
        self.records: dict[str, RobotsRecord] = {}

    async def load(self, authority: str) -> RobotsRecord | None:
        """What was saved last."""
        return self.records.get(authority)

    async def save(self, record: RobotsRecord) -> None:
        """Keep it."""
        self.records[record.authority] = record


class Elsewhere:
    """Runs a function as another process would: everything crosses as bytes."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, function: Callable[..., T], *arguments: object) -> T:
        """Pickle there and back."""
        self.calls += 1
        back = function(*pickle.loads(pickle.dumps(arguments)))
        return pickle.loads(pickle.dumps(back))  # type: ignore[no-any-return]


class Asker:
    """One cache with everything around it."""

    def __init__(self, client: Client, store: Kept | None = None) -> None:
        self.client = client
        self.clock = HandClock()
        self.store = store or Kept()
        self.run = Elsewhere()
        self.cache = RobotsCache(
            client.fetcher, self.store, self.run, token="aggregator", clock=self.clock
        )

    def ask(self, url: str) -> RobotsVerdict:
        """One verdict."""
        return self.client.run(self.cache.verdict(url))


@pytest.fixture
def asker(origin: Origin, clients: Callable[..., Client]) -> Asker:
    """A cache whose client may reach the origin in strict mode."""
    return Asker(clients(allow_ports=[origin.port]))


def serve(origin: Origin, text: str, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    origin.answer("/robots.txt", headers=named, body=text.encode())


def test_r2_robots_txt_is_asked_once_for_an_authority(origin: Origin, asker: Asker) -> None:
    serve(origin, "User-agent: *\nDisallow: /private")
    assert asker.ask(origin.url("/a")).allowed
    assert not asker.ask(origin.url("/private/b")).allowed
    assert asker.ask(origin.url("/c?d=e")).allowed
    assert [seen.target for seen in origin.requests()] == ["/robots.txt"]


def test_r2_many_questions_at_once_are_one_request(origin: Origin, asker: Asker) -> None:
    serve(origin, "")

    async def together() -> list[RobotsVerdict]:
        urls = [origin.url(f"/{number}") for number in range(20)]
        return list(await asyncio.gather(*map(asker.cache.verdict, urls)))

    assert all(verdict.allowed for verdict in asker.client.run(together()))
    assert len(origin.requests()) == 1


def test_r2_another_port_is_another_authority(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    with Origin("127.0.0.1") as other:
        asker = Asker(clients(allow_ports=[origin.port, other.port]))
        serve(origin, "User-agent: *\nDisallow: /")
        serve(other, "")
        assert not asker.ask(origin.url("/a")).allowed
        assert asker.ask(other.url("/a")).allowed


@pytest.mark.parametrize(
    ("control", "hours"),
    [("", 24), ("max-age=7200", 2), ("max-age=1", 1 / 6), ("max-age=999999", 24)],
)
def test_r2_it_is_kept_as_long_as_it_says_within_ten_minutes_and_a_day(
    origin: Origin, asker: Asker, control: str, hours: float
) -> None:
    serve(origin, "", Cache_Control=control)
    assert asker.ask(origin.url("/a")).expires_at == START + timedelta(hours=hours)
    asker.clock.pass_(hours=hours, seconds=-1)
    asker.ask(origin.url("/a"))
    assert len(origin.requests()) == 1
    asker.clock.pass_(seconds=1)
    asker.ask(origin.url("/a"))
    assert len(origin.requests()) == 2


def test_r2_it_survives_a_restart(origin: Origin, asker: Asker) -> None:
    serve(origin, "User-agent: *\nDisallow: /x")
    asker.ask(origin.url("/a"))
    again = Asker(asker.client, asker.store)
    assert not again.ask(origin.url("/x")).allowed
    assert len(origin.requests()) == 1


def test_r2_a_new_request_is_conditional_and_a_304_keeps_the_rules(
    origin: Origin, asker: Asker
) -> None:
    body = b"User-agent: *\nDisallow: /x"
    origin.script("/robots.txt", reply(200, {"ETag": '"1"'}, body), reply(304))
    asker.ask(origin.url("/a"))
    asker.clock.pass_(days=2)
    assert not asker.ask(origin.url("/x")).allowed
    assert origin.requests()[1].headers["if-none-match"] == '"1"'


def test_row_35_a_body_not_to_be_stored_is_not_stored(origin: Origin, asker: Asker) -> None:
    serve(origin, "User-agent: *\nDisallow: /x", Cache_Control="no-store")
    assert not asker.ask(origin.url("/x")).allowed
    assert [record.body for record in asker.store.records.values()] == [None]
    again = Asker(asker.client, asker.store)
    assert not again.ask(origin.url("/x")).allowed
    assert len(origin.requests()) == 2


def test_r3_redirects_are_followed_and_rule_the_first_authority(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    with Origin("127.0.0.1") as other:
        asker = Asker(clients(allow_ports=[origin.port, other.port]))
        origin.answer("/robots.txt", 301, {"Location": other.url("/moved")})
        other.answer("/moved", body=b"User-agent: *\nDisallow: /x")
        other.answer("/robots.txt", body=b"")
        assert not asker.ask(origin.url("/x")).allowed
        assert asker.ask(other.url("/x")).allowed


def test_r3_too_many_redirects_are_no_rules(origin: Origin, asker: Asker) -> None:
    origin.answer("/robots.txt", 302, {"Location": "/0"})
    for step in range(9):
        origin.answer(f"/{step}", 302, {"Location": f"/{step + 1}"})
    assert asker.ask(origin.url("/a")).allowed
    assert len(origin.requests()) == 6


@pytest.mark.parametrize("status", [400, 402, 404, 405, 410, 451])
def test_r4_a_4xx_is_no_rules(origin: Origin, asker: Asker, status: int) -> None:
    origin.answer("/robots.txt", status)
    verdict = asker.ask(origin.url("/a"))
    assert (verdict.allowed, verdict.reason) == (True, "no robots.txt")


@pytest.mark.parametrize("status", [401, 403])
def test_r4_but_a_closed_door_is_respected(origin: Origin, asker: Asker, status: int) -> None:
    origin.answer("/robots.txt", status)
    verdict = asker.ask(origin.url("/a"))
    assert (verdict.allowed, verdict.reason) == (False, f"robots.txt: status {status}")


@pytest.mark.parametrize("status", [429, 503])
def test_r4_a_host_that_asks_for_quiet_gets_it(origin: Origin, asker: Asker, status: int) -> None:
    origin.answer("/robots.txt", status, {"Retry-After": "1800"})
    verdict = asker.ask(origin.url("/a"))
    assert not verdict.allowed
    assert verdict.pause_until == verdict.expires_at == START + timedelta(minutes=30)


@pytest.mark.parametrize("fault", ["500", "reset", "refused"])
def test_r5_an_unreachable_robots_txt_forbids_everything(
    origin: Origin, clients: Callable[..., Client], fault: str
) -> None:
    asker = Asker(clients(allow_ports=[origin.port, 1]))
    origin.answer("/robots.txt", 500)
    if fault == "reset":
        origin.send("/robots.txt", b"", close=True)
    url = "http://127.0.0.1:1/a" if fault == "refused" else origin.url("/a")
    verdict = asker.ask(url)
    assert not verdict.allowed
    assert verdict.expires_at == START + timedelta(hours=1)


def test_r5_after_thirty_days_the_last_copy_counts_again(origin: Origin, asker: Asker) -> None:
    origin.script("/robots.txt", reply(200, body=b"User-agent: *\nDisallow: /x"), reply(500))
    assert asker.ask(origin.url("/a")).allowed
    asker.clock.pass_(days=2)
    assert not asker.ask(origin.url("/a")).allowed
    asker.clock.pass_(days=29)
    assert not asker.ask(origin.url("/a")).allowed
    asker.clock.pass_(days=2)
    assert asker.ask(origin.url("/a")).allowed
    assert not asker.ask(origin.url("/x")).allowed


def test_r5_without_a_copy_there_are_no_rules_after_thirty_days(
    origin: Origin, asker: Asker
) -> None:
    origin.answer("/robots.txt", 500)
    assert not asker.ask(origin.url("/a")).allowed
    asker.clock.pass_(days=31)
    assert asker.ask(origin.url("/a")).allowed


def test_r5_one_good_answer_forgets_the_failures(origin: Origin, asker: Asker) -> None:
    origin.script("/robots.txt", reply(500), reply(200, body=b""), reply(500))
    asker.ask(origin.url("/a"))
    asker.clock.pass_(days=31)
    assert asker.ask(origin.url("/a")).allowed
    asker.clock.pass_(days=2)
    assert not asker.ask(origin.url("/a")).allowed


def test_a_busy_host_is_asked_later_and_nothing_is_kept(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    until = START + timedelta(minutes=3)
    slots = Slots(HostBusy("127.0.0.1", until, Held.GAP))
    asker = Asker(clients(allow_ports=[origin.port], slots=slots))
    verdict = asker.ask(origin.url("/a"))
    assert (verdict.allowed, verdict.expires_at) == (False, until)
    assert asker.store.records == {}


def test_row_99_robots_txt_of_an_inner_host_is_not_asked(
    canary: Origin, clients: Callable[..., Client]
) -> None:
    asker = Asker(clients(allow_ports=[canary.port], resolver=Names(in_example=["127.0.0.2"])))
    assert not asker.ask(canary.url("/a", host="in.example")).allowed
    (record,) = asker.store.records.values()
    assert record.outcome is RobotsOutcome.REFUSED


@pytest.mark.parametrize("url", ["file:///x", "", "http://[::1/", "mailto:a@b"])
def test_what_is_no_url_is_not_allowed(asker: Asker, url: str) -> None:
    assert not asker.ask(url).allowed


def test_r6_parsing_happens_elsewhere_once(origin: Origin, asker: Asker) -> None:
    serve(origin, "User-agent: *\nDisallow: /x")
    for number in range(5):
        asker.ask(origin.url(f"/{number}"))
    assert asker.run.calls == 1


def test_r6_the_first_500_kib_count_and_the_rest_is_ignored(origin: Origin, asker: Asker) -> None:
    filler = "# " + "x" * 998 + "\n"
    text = filler * 500 + "User-agent: *\nDisallow: /x\n" + filler * 100 + "Disallow: /y\n"
    serve(origin, text)
    assert not asker.ask(origin.url("/x")).allowed
    assert asker.ask(origin.url("/y")).allowed


def test_r6_more_rules_than_can_be_read_keep_us_away(origin: Origin, asker: Asker) -> None:
    serve(origin, "User-agent: *\n" + "Disallow: /x\n" * (MAX_RULES + 1))
    verdict = asker.ask(origin.url("/a"))
    assert (verdict.allowed, verdict.reason) == (False, "robots.txt has too many rules")


def test_r6_rules_for_others_do_not_count_against_the_cap() -> None:
    crowd = "".join(f"User-agent: bot{n}\nDisallow: /{n}\n\n" for n in range(MAX_RULES + 1))
    found = read_robots(crowd.encode() + b"User-agent: *\nDisallow: /x\n", "aggregator")
    assert found.rules == "User-agent: *\nDisallow: /x"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nDisallow: /a/b\nAllow: /a", "/a/b/c", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", True),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /caf%C3%A9", "/caf\u00e9", False),
        ("\ufeffUser-agent: *\r\nDisallow: /x\r\n", "/x", False),
        ("user-agent : *\ndisallow : /x # why", "/x", False),
        ("User-agent: other\nDisallow: /x", "/x", True),
        ("User-agent: a\nDisallow: /", "/x", True),
        ("User-agent: aggregator2\nDisallow: /", "/x", True),
        ("User-agent: Aggregator/1.0\nDisallow: /x", "/x", False),
        ("User-agent: *\nDisallow: /x\n\nUser-agent: aggregator\nDisallow: /y", "/x", True),
        ("User-agent: aggregator\nDisallow:\n\nUser-agent: *\nDisallow: /", "/x", True),
        ("User-agent: aggregator\nDisallow: /x\nUser-agent: AGGREGATOR\nDisallow: /y", "/x", False),
        ("User-agent: aggregator\nDisallow: /x\nUser-agent: AGGREGATOR\nDisallow: /y", "/y", False),
        ("User-agent: a\nSitemap: http://s/\nUser-agent: aggregator\nDisallow: /x", "/x", False),
        ("Disallow: /x", "/x", True),
        ("<html><body>not found</body></html>", "/x", True),
    ],
)
def test_r7_rules_are_read_as_the_rfc_says(
    origin: Origin, asker: Asker, text: str, path: str, allowed: bool
) -> None:
    serve(origin, text)
    assert asker.ask(origin.url(path)).allowed is allowed


@pytest.mark.parametrize(
    ("line", "gap"),
    [
        ("", None),
        ("Crawl-delay: 10", 10),
        ("Crawl-delay: 0.5", 2),
        ("Crawl-delay: 60", 60),
        ("Crawl-delay: soon", None),
        ("Crawl-delay: 0", None),
        ("Request-rate: 1/5", 5),
        ("Request-rate: 10/1m", 6),
    ],
)
def test_r8_a_crawl_delay_becomes_the_hosts_gap(
    origin: Origin, asker: Asker, line: str, gap: float | None
) -> None:
    serve(origin, f"User-agent: *\nDisallow: /x\n{line}")
    verdict = asker.ask(origin.url("/a"))
    assert verdict.allowed
    assert verdict.crawl_delay == (None if gap is None else timedelta(seconds=gap))


def test_r8_a_longer_one_means_we_do_not_follow(origin: Origin, asker: Asker) -> None:
    serve(origin, "User-agent: *\nCrawl-delay: 61")
    verdict = asker.ask(origin.url("/a"))
    assert verdict.reason == "robots.txt asks for 61 s between requests"
    assert not verdict.allowed

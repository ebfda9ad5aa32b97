"""Sick feeds beside healthy ones, and a restart in a busy moment, seen from outside."""

from __future__ import annotations

import gzip
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Handler, Origin, Wire, reply

HEALTHY = 42
EACH = 12
ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghij"))
    + "]><rss version='2.0'><channel><title>B</title><item><guid>1</guid><title>&j;</title></item>"
    "</channel></rss>"
).encode()


async def silent(wire: Wire) -> None:
    await wire.silence()


async def drip(wire: Wire) -> None:
    await wire.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"<" * 9999, 0.1)


async def reset(wire: Wire) -> None:
    await wire.send(reply(200, {"Content-Length": "99999"}, rss("x", range(5))))
    wire.reset()


def packed(body: bytes, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    return reply(200, {"Content-Encoding": ", ".join(["gzip"] * times)}, body)


def faults(canary: Origin) -> dict[str, tuple[bytes | Handler, set[str]]]:
    """By name: what the server does, and the words that may stand for it."""
    bomb = reply(200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(64 << 20)))
    return {
        "silent": (silent, {"timeout"}),
        "drip": (drip, {"timeout"}),
        "429": (reply(429, {"Retry-After": "3600"}), {"http"}),
        "503": (reply(503, {"Retry-After": "3600"}), {"http"}),
        "500": (reply(500), {"http"}),
        "404": (reply(404), {"http"}),
        "410": (reply(410), {"http"}),
        "403": (reply(403), {"http"}),
        "loop": (reply(302, {"Location": "/feed"}), {"redirect"}),
        "into-loopback": (reply(302, {"Location": canary.url("/secret")}), {"blocked"}),
        "reset": (reset, {"protocol", "connect"}),
        "gzip-bomb": (bomb, {"encoding", "too_large"}),
        "triple-gzip": (packed(bytes(1 << 20), 3), {"encoding"}),
        "truncated": (reply(200, {}, rss("x", range(3))[:60]), {"malformed", "empty"}),
        "junk": (reply(200, {}, bytes(range(1, 200)) * 50), {"not_a_feed", "malformed"}),
        "broken-json": (
            reply(200, {}, b'{"version": "https://jsonfeed'),
            {"not_a_feed", "malformed"},
        ),
        "empty": (reply(200), {"protocol"}),
        "html": (
            reply(200, {}, b"<!doctype html><title>Hi</title><p>no feed"),
            {"html", "not_a_feed"},
        ),
        "entity-bomb": (reply(200, {}, ENTITIES), {"new"}),
    }


@pytest.fixture
def canary() -> Iterator[Origin]:
    """Something internal that nobody may reach."""
    with Origin("127.0.0.1") as made:
        yield made


def rows(program: Program) -> dict[str, sqlite3.Row]:
    """What the database says of every source."""
    with sqlite3.connect(program.database_url.removeprefix("sqlite:///")) as connection:
        connection.row_factory = sqlite3.Row
        return {row["source_id"]: row for row in connection.execute("SELECT * FROM feed")}


def test_nineteen_sick_feeds_cost_forty_two_healthy_ones_nothing(
    program: Program, canary: Origin, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        hosts = [stack.enter_context(Origin(f"127.0.1.{n}")) for n in range(1, 8)]
        healthy = []
        for number in range(HEALTHY):
            host = hosts[number % len(hosts)]
            host.answer(f"/{number}", body=rss(f"site{number}", range(EACH)), headers={"ETag": "1"})
            healthy.append({"id": f"ok{number}", "url": host.url(f"/{number}")})
        sick, words = [], {}
        for number, (name, (answer, expected)) in enumerate(faults(canary).items()):
            host = stack.enter_context(Origin(f"127.0.2.{number + 1}"))
            host.script("/feed", answer)
            sick.append({"id": name, "url": host.url("/feed")})
            hosts.append(host)
            words[name] = expected
        ports = [host.port for host in hosts] + [canary.port]
        polling = {"host_gap": "1s", "requests_per_second": 20}
        fetching = {"allow_networks": ["127.0.1.0/24", "127.0.2.0/24"], "timeout": "10s"}

        program.configure(healthy, ports, polling=polling, fetching=fetching)
        program.start()
        wait_until(lambda: len(program.items()) == HEALTHY * EACH, "the healthy ones are there")
        alone, _ = program.memory()
        program.stop()
        for path in tmp_path.glob("aggregator.db*"):
            path.unlink()

        program.configure([*sick, *healthy], ports, polling=polling, fetching=fetching)
        program.start()
        wait_until(lambda: len(program.items()) == HEALTHY * EACH + 1, "the healthy ones are there")
        wait_until(lambda: all(row["outcome"] for row in rows(program).values()), "all are polled")
        beside, _ = program.memory()
        found = rows(program)
        largest = max(len(item["title"]) for item in program.items())
        assert program.stop() == 0

    wrong = {
        name: found[name]["outcome"] for name in words if found[name]["outcome"] not in words[name]
    }
    assert not wrong
    harmless = "entity-bomb"  # read without a single entity of its own being expanded
    assert all(found[name]["failures"] == (name != harmless) for name in words)
    assert largest < 1000
    assert all(row["next_poll_at"] > row["last_polled_at"] for row in found.values())
    assert all(row["failures"] == 0 for name, row in found.items() if name not in words)
    assert canary.requests() == []
    assert beside <= 1.5 * alone
    print(f"\nmain process: {alone >> 20} MiB alone, {beside >> 20} MiB beside sick feeds")


def test_a_restart_in_a_busy_moment_brings_neither_a_burst_nor_an_early_request(
    program: Program,
) -> None:
    every = 6.0
    with ExitStack() as stack:
        hosts = [stack.enter_context(Origin(f"127.0.1.{n}")) for n in range(1, 5)]
        feeds = []
        for number in range(12):
            host = hosts[number % len(hosts)]
            host.answer(f"/{number}", body=rss(f"s{number}", range(3)), headers={"ETag": '"1"'})
            feeds.append(
                {"id": f"s{number}", "url": host.url(f"/{number}"), "poll": f"{every:.0f}s"}
            )
        program.configure(
            feeds,
            [host.port for host in hosts],
            polling={"host_gap": "1s"},
            fetching={"allow_networks": ["127.0.1.0/24"]},
        )

        def asked() -> int:
            return sum(len(host.requests()) for host in hosts)

        program.start()
        wait_until(lambda: asked() >= 30, "it is busy")
        program.kill()
        program.start()
        before = asked()
        wait_until(lambda: asked() >= before + 15, "it goes on")
        program.stop()
        program.start()
        time.sleep(3)
        program.stop()
        for host in hosts:
            times = [seen.at for seen in host.requests()]
            assert all(later - earlier >= 0.99 for earlier, later in pairwise(times))
            assert host.most_in_flight == 1
            by_feed = defaultdict(list)
            for seen in host.requests():
                by_feed[seen.path].append(seen)
            for visits in by_feed.values():
                early = [
                    (a.at, b.at)
                    for a, b in pairwise(visits)
                    # A poll cut off by the kill stored nothing: it alone may be repeated.
                    if b.at - a.at < every * 0.94
                ]
                assert len(early) <= 1
                assert all("if-none-match" in one.headers for one in visits[2:])

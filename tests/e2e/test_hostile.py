"""Sixty sources, eighteen faulty in every way: the others are on time, memory stays flat."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.e2e.feeds import rss
from tests.e2e.program import Program, wait_until
from tests.origin import Handler, Origin, Wire, reply

HEALTHY = 42
ITEMS = 10
MIB = 1024 * 1024


async def _silent(wire: Wire) -> None:
    await wire.silence()


async def _drip(wire: Wire) -> None:
    await wire.drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n" * 200, 0.25)


async def _reset(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<rss><channel>")
    wire.reset()


async def _cut(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n<rss><channel>")
    wire.close()


def _bomb() -> bytes:
    """128 MiB of blanks in about 128 KiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * MIB) for _ in range(128)) + packer.flush()


def _entities() -> bytes:
    levels = "".join(
        f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" if n else "<!ENTITY e0 'ha'>" for n in range(12)
    )
    return f"<!DOCTYPE rss [{levels}]><rss><channel><title>&e11;</title></channel></rss>".encode()


# What each fault is told as: `status` begins an error with its class, or says it in words.
FAULTS: dict[str, tuple[bytes | Handler, str]] = {
    "timeout": (_silent, "timeout"),
    "drip": (_drip, "timeout"),
    "throttled": (reply(429, {"Retry-After": "3600"}), "status 429"),
    "unavailable": (reply(503, {"Retry-After": "3600"}), "status 503"),
    "error": (reply(500), "status 500"),
    "missing": (reply(404), "status 404"),
    "gone": (reply(410), "status 410"),
    "forbidden": (reply(403), "status 403"),
    "loop": (reply(302, {"Location": "/loop"}), "redirect"),
    "loopback": (b"", "blocked"),  # its target is known when the canary runs
    "reset": (_reset, "protocol"),
    "cut": (_cut, "protocol"),
    "bomb": (reply(200, {"Content-Encoding": "gzip"}, _bomb()), "encoding"),
    "triple": (reply(200, {"Content-Encoding": "gzip, gzip, gzip"}, b"x" * 99), "encoding"),
    "page": (reply(200, {"Content-Type": "text/html"}, b"<html><h1>Hello</h1></html>"), "page"),
    "nothing": (reply(200, {}, b""), "protocol"),
    "noise": (reply(200, {}, bytes(range(256)) * 40), "feed"),
    "entities": (reply(200, {}, _entities()), ""),  # read without its entities: no entries
}


@contextmanager
def faulty_origins(canary: Origin) -> Iterator[dict[str, Origin]]:
    """Every fault at an address of its own: a host's trouble must not be another's."""
    with ExitStack() as stack:
        origins = {}
        for number, (name, (answer, _)) in enumerate(FAULTS.items(), 1):
            origins[name] = stack.enter_context(Origin(f"127.0.1.{number}"))
            away = reply(302, {"Location": canary.url("/internal")})
            origins[name].script(f"/{name}", away if name == "loopback" else answer)
        yield origins


def source(name: str, origin: Origin) -> dict[str, Any]:
    """A source that is asked every second."""
    return {"id": name, "url": origin.url(f"/{name}"), "poll": "1s"}


def peak(program: Program, done: Callable[[], bool]) -> tuple[int, int]:
    """The most resident bytes, of the main process and of the tree, until `done`."""
    most = [0, 0]

    def look() -> bool:
        own, tree = program.memory()
        most[0], most[1] = max(most[0], own), max(most[1], tree)
        return done()

    wait_until(look, "everything was asked")
    return most[0], most[1]


def test_eighteen_faulty_sources_of_sixty_harm_nobody(program: Program, origin: Origin) -> None:
    healthy = [f"good{n:02}" for n in range(HEALTHY)]
    for name in healthy:
        tag = {"ETag": f'"{name}"'}
        origin.script(f"/{name}", reply(200, tag, rss(name, range(ITEMS))), reply(304, tag))
    polling = {"requests_per_second": 50}
    fetching = {"timeout": "10s", "allow_networks": ["127.0.0.1/32", "127.0.1.0/24"]}
    good = [source(name, origin) for name in healthy]

    def asked(times: int) -> bool:
        return all(len(origin.requests(f"/{name}")) >= times for name in healthy)

    program.configure(good, [origin.port], polling=polling, fetching=fetching)
    program.start()
    alone, _ = peak(program, lambda: asked(4) and len(program.items()) == HEALTHY * ITEMS)
    assert program.stop() == 0

    with Origin("127.0.0.2") as canary, faulty_origins(canary) as origins:
        bad = [source(name, one) for name, one in origins.items()]
        ports = [origin.port, canary.port, *(one.port for one in origins.values())]
        origin.forget()
        program.configure([*good, *bad], ports, polling=polling, fetching=fetching)
        program.start()
        together, tree = peak(
            program,
            lambda: asked(4) and all(state["last_poll"] for state in program.status().values()),
        )
        states = program.status()
        assert canary.requests() == []
        page = program.get("/").text
        listed = {name: program.get(f"/sources?q={name}").text for name in FAULTS}
    assert len(program.items()) == HEALTHY * ITEMS
    assert together <= 1.5 * alone, f"{together / MIB:.0f} MiB against {alone / MIB:.0f}"
    assert tree <= together + 3 * 512 * MIB  # two workers and the server they are forked from
    for name in healthy:
        assert states[name]["state"] == "ok"
    for name, (_, told) in FAULTS.items():
        state = states[name]
        assert state["next_poll"] > state["last_poll"], name
        assert f'href="/sources/{name}"' in listed[name]
        if told:
            assert name in page  # of those that need a person
            assert state["state"] in ("failing", "gone"), state
            assert told in state["error"], state

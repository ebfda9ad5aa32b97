"""Names become addresses without holding anything up (docs/design/fetching.md, row 83)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from aggregator.fetch.failure import FetchFailed
from aggregator.fetch.resolve import SystemResolver, numeric_address
from aggregator.model.http import FetchError
from tests.patience import PATIENCE


@pytest.fixture
def hanging_dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A DNS server that does not answer until told."""
    answer = threading.Event()
    real = socket.getaddrinfo

    def hang(host: str, *args: object, **named: object) -> object:
        if named.get("flags"):
            return real(host, *args, **named)  # type: ignore[arg-type]
        answer.wait(PATIENCE)
        return real("127.0.0.1", *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield answer
    answer.set()


def test_a_dns_server_that_hangs_ends_at_its_limit(hanging_dns: threading.Event) -> None:
    resolver = SystemResolver(timedelta(seconds=0.1))
    with pytest.raises(FetchFailed) as caught:
        asyncio.run(resolver.resolve("slow.example", 80))
    assert caught.value.error is FetchError.DNS
    assert caught.value.own_network


@pytest.mark.parametrize(
    ("code", "ours"),
    [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False), (socket.EAI_FAIL, False)],
)
def test_a_silent_resolver_is_told_from_an_unknown_name(
    monkeypatch: pytest.MonkeyPatch, code: int, ours: bool
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise socket.gaierror(code, "as the system says")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(FetchFailed) as caught:
        asyncio.run(SystemResolver(timedelta(seconds=5)).resolve("some.example", 80))
    assert (caught.value.error, caught.value.own_network) == (FetchError.DNS, ours)


def test_hanging_questions_take_a_bounded_number_of_threads_and_give_them_back(
    hanging_dns: threading.Event,
) -> None:
    def asking() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("resolve ")]

    async def many() -> tuple[str, ...]:
        resolver = SystemResolver(timedelta(seconds=1))
        questions = [resolver.resolve(f"h{number}.example", 80) for number in range(40)]
        failed = await asyncio.gather(*questions, return_exceptions=True)
        assert all(isinstance(failure, FetchFailed) for failure in failed)
        assert 0 < len(asking()) <= 8
        assert all(thread.daemon for thread in asking())
        hanging_dns.set()
        for thread in asking():
            await asyncio.to_thread(thread.join, PATIENCE)
        return await resolver.resolve("awake.example", 80)

    assert asyncio.run(many()) == ("127.0.0.1",)


def test_the_systems_own_names_are_found() -> None:
    found = asyncio.run(SystemResolver(timedelta(seconds=PATIENCE)).resolve("localhost", 80))
    assert set(found) <= {"127.0.0.1", "::1"}
    assert found


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..b"])
def test_a_name_that_cannot_be_looked_up_is_a_dns_error(host: str) -> None:
    with pytest.raises(FetchFailed) as caught:
        asyncio.run(SystemResolver(timedelta(seconds=PATIENCE)).resolve(host, 80))
    assert caught.value.error is FetchError.DNS


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
        ("feeds.example", None),
        ("1.2.3.4.5", None),
    ],
)
def test_numeric_hosts_are_recognised_in_every_form(host: str, address: str | None) -> None:
    assert numeric_address(host) == address

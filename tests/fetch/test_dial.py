"""Many addresses: both families in turn, the first that answers, within one deadline (RFC 8305)."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch.dial import dial, interleaved
from aggregator.fetch.failure import FetchFailed
from aggregator.model.http import FetchError, RequestKind
from tests.fetch.conftest import Client, Names, limits
from tests.origin import Origin
from tests.patience import PATIENCE

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1")]


@pytest.fixture
def deaf() -> Iterator[Callable[[int], str]]:
    """Addresses that answer no connection: their queue of connections is full."""
    held: list[socket.socket] = []

    def make(port: int) -> str:
        address = f"127.0.1.{len(held) + 1}"
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.listen(0)
        held.append(server)
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((address, port))
            held.append(filler)
        return address

    yield make
    for one in held:
        one.close()


def test_the_families_take_turns_and_the_first_one_leads() -> None:
    four, six = [f"192.0.2.{n}" for n in range(4)], ["2001:db8::1", "2001:db8::2"]
    assert interleaved([*four, *six]) == [four[0], six[0], four[1], six[1], four[2], four[3]]
    assert interleaved([*six, *four])[:3] == [six[0], four[0], six[1]]
    assert interleaved([]) == []


@given(st.lists(st.ip_addresses().map(str), unique=True))
def test_no_address_is_lost_and_each_family_keeps_its_order(addresses: list[str]) -> None:
    turned = interleaved(addresses)
    for six in (True, False):
        assert [a for a in turned if (":" in a) == six] == [
            a for a in addresses if (":" in a) == six
        ]


def test_more_than_four_addresses_are_tried(origin: Origin, clients: Callable[..., Client]) -> None:
    origin.answer("/", body=b"x")
    refusing = [f"127.0.0.{n}" for n in range(10, 40)]
    client = clients(
        allow_networks=LOOPBACK,
        resolver=Names(many_example=[*refusing[:10], "::1", *refusing[10:], "127.0.0.1"]),
    )
    result = client.get(origin.url("/", host="many.example"))
    assert (result.body, result.address) == (b"x", "127.0.0.1")


def test_addresses_that_do_not_answer_hold_up_no_others(
    origin: Origin, clients: Callable[..., Client], deaf: Callable[[int], str]
) -> None:
    origin.answer("/", body=b"x")
    silent = [deaf(origin.port) for _ in range(5)]
    client = clients(
        allow_networks=LOOPBACK,
        limits=limits(connect=timedelta(seconds=PATIENCE)),
        resolver=Names(many_example=[*silent, "127.0.0.1"]),
    )
    result = client.get(origin.url("/", host="many.example"))
    assert (result.body, result.address) == (b"x", "127.0.0.1")
    assert origin.connections == 1


def test_the_second_family_is_tried_second_over_real_sockets(
    clients: Callable[..., Client], deaf: Callable[[int], str]
) -> None:
    """Ten silent addresses of one family would take longer than there is to connect."""
    with Origin("::1") as origin:
        origin.answer("/", body=b"x")
        client = clients(
            allow_networks=LOOPBACK,
            limits=limits(connect=timedelta(seconds=2)),
            resolver=Names(many_example=[*(deaf(origin.port) for _ in range(10)), "::1"]),
        )
        result = client.get(origin.url("/", host="many.example"))
    assert (result.body, result.address) == (b"x", "::1")


def test_where_none_answers_the_time_to_connect_ends_it(
    origin: Origin, clients: Callable[..., Client], deaf: Callable[[int], str]
) -> None:
    client = clients(
        allow_networks=LOOPBACK,
        limits=limits(connect=timedelta(seconds=0.4)),
        resolver=Names(many_example=[deaf(origin.port), deaf(origin.port)]),
    )
    result = client.get(origin.url("/", host="many.example"))
    assert (result.error, result.detail) == (
        FetchError.CONNECT,
        "many.example: connect timed out",
    )


def test_where_all_refuse_the_reason_is_told(clients: Callable[..., Client]) -> None:
    client = clients(
        allow_networks=LOOPBACK, resolver=Names(none_example=["127.0.0.8", "127.0.0.9"])
    )
    result = client.get("http://none.example:8080/", kind=RequestKind.FEED)
    assert (result.error, result.detail) == (
        FetchError.CONNECT,
        "none.example: connection refused",
    )


def test_an_attempt_that_comes_too_late_leaves_no_connection_behind(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    origin.answer("/", body=b"x")
    with Origin("127.0.0.2", port=origin.port) as twin:
        twin.answer("/", body=b"x")
        client = clients(
            allow_networks=LOOPBACK, resolver=Names(two_example=["127.0.0.2", "127.0.0.1"])
        )
        assert client.get(origin.url("/", host="two.example")).body == b"x"
        client.until(lambda: origin.open_connections + twin.open_connections == 1)


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ({"192.0.2.1": errno.ENETUNREACH}, True),
        ({"192.0.2.1": errno.ECONNREFUSED}, False),
        ({"2001:db8::1": errno.ENETUNREACH}, False),
        ({"192.0.2.1": errno.ECONNREFUSED, "2001:db8::1": errno.ENETUNREACH}, False),
        ({"192.0.2.1": errno.ENETUNREACH, "2001:db8::1": errno.ENETUNREACH}, True),
    ],
    ids=["no route", "refused", "no IPv6 here", "refused, and no IPv6 here", "no route at all"],
)
def test_no_route_is_told_from_a_host_that_refuses(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, int], ours: bool
) -> None:
    async def connect(address: str, *_: object) -> object:
        raise OSError(said[address], "as the system says")

    monkeypatch.setattr("aggregator.fetch.dial._connect", connect)
    ends = time.monotonic() + 5
    with pytest.raises(FetchFailed) as caught:
        asyncio.run(dial("some.example", list(said), 80, None, ends=ends, read_timeout=1))
    assert (caught.value.error, caught.value.own_network) == (FetchError.CONNECT, ours)

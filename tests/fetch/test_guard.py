"""No address inside is ever dialled (docs/design/fetching.md, rows 90–99)."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch.failure import Blocked
from aggregator.fetch.guard import check_address
from aggregator.model.http import CONTENT, Access, FetchError, RequestKind
from tests.fetch.conftest import OWN, Client, Names
from tests.origin import Origin

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
]

NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::10.0.0.1",
    "::8.8.8.8",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "2001::1",
    "2001:db8::1",
    "2001:10::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:a9fe:a9fe::",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "3fff::1",
    "5f00::1",
    "4000::1",
    "::ffff:0:8.8.8.8",
    "::ffff:169.254.169.254",
]

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", PRIVATE + NEVER)
def test_rows_90_and_94_addresses_that_are_not_public_are_refused(address: str) -> None:
    with pytest.raises(Blocked, match="not public"):
        check_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_row_90_allow_private_opens_private_networks(address: str) -> None:
    check_address(address, allow_private=True)
    if ":" not in address:
        check_address(f"::ffff:{address}", allow_private=True)


@pytest.mark.parametrize("address", NEVER)
def test_row_90_but_no_link_local_multicast_reserved_or_disguised_ones(address: str) -> None:
    with pytest.raises(Blocked):
        check_address(address, allow_private=True)


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER, "fe80::1%eth0"])
def test_row_90_a_listed_network_opens_itself_and_nothing_else(address: str) -> None:
    if "%" not in address:
        check_address(address, [ip_network(address)])
    with pytest.raises(Blocked):
        check_address(address, [ip_network("198.18.255.0/24")])


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_every_ipv6_form(address: IPv4Address) -> None:
    def passes(form: IPv4Address | IPv6Address) -> bool:
        try:
            check_address(form)
        except Blocked:
            return False
        return True

    number = int(address)
    forms = [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
    ]
    assert {passes(form) for form in forms} == {passes(address)}


@given(st.ip_addresses())
def test_whatever_passes_is_global_unicast(address: IPv4Address | IPv6Address) -> None:
    try:
        check_address(address)
    except Blocked:
        return
    assert not address.is_private or getattr(address, "ipv4_mapped", None)
    assert not address.is_multicast
    assert not address.is_link_local
    assert not address.is_loopback


LITERALS = [
    "127.0.0.2",
    "127.2",
    "127.0.2",
    "2130706434",
    "0x7f000002",
    "0x7f.2",
    "0x7f.0.0.2",
    "0177.0.0.2",
    "017700000002",
    "127.0.0.0x2",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[0:0:0:0:0:ffff:127.0.0.2]",
    "[::127.0.0.2]",
    "[64:ff9b::127.0.0.2]",
    "[2002:7f00:2::]",
]

# Octal with dots is no URL at all for httpx.
REFUSED = ((FetchError.BLOCKED, None), (FetchError.BAD_URL, None))


@pytest.mark.parametrize("literal", LITERALS)
def test_row_93_no_literal_form_reaches_an_inner_address(
    canary: Origin, client: Client, literal: str
) -> None:
    result = client.get(f"http://{literal}:{canary.port}/")
    assert (result.error, result.address) in REFUSED


@pytest.mark.parametrize("literal", LITERALS)
def test_row_96_nor_through_a_redirect(
    origin: Origin, canary: Origin, clients: Callable[..., Client], literal: str
) -> None:
    client = clients(allow_ports=[canary.port])
    origin.answer("/a", 302, {"Location": f"http://{literal}:{canary.port}/"})
    assert client.get(origin.url("/a")).error in (FetchError.BLOCKED, FetchError.REDIRECT)
    assert len(origin.requests()) == 1


@pytest.mark.parametrize("literal", ["0", "0.0.0.0", "[::]", "[::1]", "localhost", "0x0"])
@pytest.mark.parametrize("kind", list(RequestKind))
def test_row_93_no_form_of_this_machine_is_reached(
    clients: Callable[..., Client], literal: str, kind: RequestKind
) -> None:
    with Origin("127.0.0.1") as inner:
        client = clients(allow_networks=[])
        result = client.get(f"http://{literal}:{inner.port}/", kind=kind)
        assert result.error in (FetchError.BLOCKED, FetchError.DNS)
        assert inner.connections == 0


def test_row_91_a_name_that_rebinds_is_checked_where_it_is_dialled(
    canary: Origin, clients: Callable[..., Client]
) -> None:
    names = Names(rebind_example=[["127.0.0.1"], ["127.0.0.2"]])
    with Origin("127.0.0.1", port=canary.port) as outer:
        outer.send("/", b"HTTP/1.0 200 OK\r\n\r\nx", close=True)
        client = clients(resolver=names)
        assert client.get(canary.url("/", host="rebind.example")).body == b"x"
        second = client.get(canary.url("/", host="rebind.example"))
        assert second.error is FetchError.BLOCKED


def test_row_91_the_address_that_was_checked_is_the_one_dialled(
    canary: Origin, clients: Callable[..., Client]
) -> None:
    names = Names(rebind_example=[["127.0.0.1"], ["127.0.0.2"]])
    with Origin("127.0.0.1", port=canary.port) as outer:
        outer.answer("/", body=b"x")
        result = clients(resolver=names).get(canary.url("/", host="rebind.example"))
    assert (result.body, result.address) == (b"x", "127.0.0.1")
    assert names.asked == ["rebind.example"]
    assert outer.requests()[0].headers["host"] == f"rebind.example:{canary.port}"


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "fe80::1"]]
)
def test_row_92_one_inner_address_among_several_refuses_the_host(
    origin: Origin, canary: Origin, clients: Callable[..., Client], addresses: list[str]
) -> None:
    client = clients(resolver=Names(mixed_example=addresses))
    result = client.get(origin.url("/", host="mixed.example"))
    assert result.error is FetchError.BLOCKED
    assert origin.connections == 0


def test_row_90_allow_private_lets_a_source_reach_an_inner_host(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    origin.answer("/feed", body=b"x")
    client = clients(allow_networks=[])
    assert client.get(origin.url("/feed"), allow_private=True).body == b"x"
    assert client.get(origin.url("/feed")).error is FetchError.BLOCKED


def test_row_99_allow_private_never_applies_to_links_from_content(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    client = clients(allow_networks=[], allow_ports=[origin.port])
    result = client.get(origin.url("/feed"), access=CONTENT)
    assert result.error is FetchError.BLOCKED
    assert origin.connections == 0


def test_row_99_a_kept_connection_of_a_private_source_serves_no_strict_request(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    origin.answer("/feed", body=b"x")
    client = clients(allow_networks=[], allow_ports=[origin.port])
    assert client.get(origin.url("/feed"), allow_private=True).body == b"x"
    assert client.get(origin.url("/feed"), access=CONTENT).error is FetchError.BLOCKED
    assert len(origin.requests()) == 1


def test_row_97_links_from_content_keep_to_the_ports_of_the_web(
    origin: Origin, clients: Callable[..., Client]
) -> None:
    origin.answer("/", body=b"x")
    refused = clients().get(origin.url("/"), access=CONTENT)
    assert (refused.error, origin.connections) == (FetchError.BLOCKED, 0)
    assert clients(allow_ports=[origin.port]).get(origin.url("/"), access=CONTENT).body == b"x"
    configured = clients().get(origin.url("/"), access=Access(configured=origin.url("/elsewhere")))
    assert configured.body == b"x"


def test_row_98_a_proxy_must_be_trusted_explicitly(clients: Callable[..., Client]) -> None:
    with pytest.raises(ValueError, match="proxy_trusted"):
        clients(proxy="http://127.0.0.1:3128")
    with pytest.raises(ValueError, match="http and https"):
        clients(proxy="socks5://127.0.0.1:1080", proxy_trusted=True)


def test_row_98_a_trusted_proxy_gets_the_whole_url(clients: Callable[..., Client]) -> None:
    with Origin("127.0.0.2") as proxy:
        proxy.answer("http://feeds.example/a/../b", body=b"x")
        url = proxy.url("").replace("//", "//me:pass@")
        client = clients(proxy=url, proxy_trusted=True, allow_networks=[])
        assert client.get("http://feeds.example/a/../b").body == b"x"
        seen = proxy.requests()[0]
    assert seen.headers["host"] == "feeds.example"
    assert seen.headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize("literal", ["127.0.0.1", "2130706433", "[::1]", "169.254.169.254"])
def test_row_98_a_proxy_is_not_asked_for_inner_literals(
    clients: Callable[..., Client], literal: str
) -> None:
    with Origin("127.0.0.2") as proxy:
        client = clients(proxy=proxy.url(""), proxy_trusted=True, allow_networks=[])
        assert client.get(f"http://{literal}/").error is FetchError.BLOCKED
        assert proxy.connections == 0


def test_rows_90_to_99_the_ranges_of_the_tests_are_what_they_seem() -> None:
    assert ip_address("127.0.0.1") in OWN
    assert ip_address("127.0.0.2") not in OWN

"""Which addresses and ports may be dialled (server-side request forgery).

`ipaddress.is_global` alone is not the test: on Python 3.11 it is True for multicast, for NAT64
and 6to4 forms of private addresses, for `::127.0.0.1` and for site-local `fec0::1`. Registries:
IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from aggregator.fetch.failure import Blocked
from aggregator.model.settings import Network

Address = IPv4Address | IPv6Address

STANDARD_PORTS = frozenset({80, 443, 8080, 8443})

# What `allow_private` opens. Link-local is not in it: 169.254.169.254 answers with a cloud
# machine's credentials; who really serves feeds there lists it in `allow_networks`.
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "100.64.0.0/10",
        "fc00::/7",
        "::1/128",
    )
)
_REFUSED_V4 = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments; some are "global" for Python
    IPv4Network("192.88.99.0/24"),  # 6to4 relays (RFC 7526)
)
_REFUSED_V6 = (
    IPv6Network("2001::/23"),  # Teredo, ORCHID and other protocol assignments
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Whose addresses one request may reach besides public ones."""

    allow_networks: tuple[Network, ...] = ()
    allow_private: bool = False

    def __hash__(self) -> int:
        return hash((len(self.allow_networks), self.allow_private))  # networks hash slowly

    def check(self, address: Address) -> None:
        """Raise `Blocked` unless the address may be dialled."""
        check_address(address, self.allow_networks, allow_private=self.allow_private)


def check_address(
    address: Address | str,
    allow_networks: Collection[Network] = (),
    *,
    allow_private: bool = False,
) -> None:
    """Raise `Blocked` unless this very address may be dialled.

    `allow_networks` are the operator's exceptions and beat everything; `allow_private` opens
    private, shared, loopback and unique-local addresses, never link-local or multicast ones.
    Forms of IPv6 that carry an IPv4 address (mapped, NAT64, 6to4) are judged by what they carry.
    """
    given = ip_address(address) if isinstance(address, str) else address
    plain: Address = given
    if isinstance(plain, IPv6Address):
        if plain.scope_id is not None:
            raise Blocked(f"address {given} has a zone and is not public")
        plain = plain.ipv4_mapped or plain
    if any(plain in network or given in network for network in allow_networks):
        return
    if allow_private and any(plain in network for network in _PRIVATE):
        return
    if not _public(plain):
        setting = f"“fetching.allow_networks: [{plain}]”"
        if any(plain in network for network in _PRIVATE):
            setting += " (for one source, “allow_private: yes”)"
        raise Blocked(f"address {given} is not public", setting)


def check_port(port: int, allowed: Collection[int]) -> None:
    """Raise `Blocked` unless the port is a usual one of the web or in `allowed`."""
    if port not in STANDARD_PORTS and port not in allowed:
        raise Blocked(f"port {port} is not allowed here", f"“fetching.allow_ports: [{port}]”")


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        carried = _carried(address)
        if carried is not None:
            return _public(carried)
        if address not in _GLOBAL_UNICAST or any(address in net for net in _REFUSED_V6):
            return False
    elif any(address in net for net in _REFUSED_V4):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour

"""Which addresses a request to another system may go to. Pure: nothing is resolved or connected here.

An address is allowed when everything that it can lead to is allowed: an IPv6 address that carries an IPv4 address
(mapped, NAT64, 6to4, Teredo, ISATAP) is judged by that one too, whatever gateway would unwrap it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NOT_GLOBAL_4: Final = tuple(
    IPv4Network(text)
    for text in (
        # The IANA registry of special-purpose addresses; the standard library's `is_global` differs by its version.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # Not special by the registry: a cloud's own service answers there to each of its machines.
        "168.63.129.16/32",
    )
)

_UNICAST_6: Final = IPv6Network("2000::/3")
_NOT_GLOBAL_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",
        "3fff::/20",
    )
)

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a client may go.

    `hosts` are the names (in small letters, without port) it may speak to, None for any. Addresses that are not
    global (private, loopback, link-local, IPv6-mapped ones of those, …) are refused unless a network in `networks`
    holds them. Plain `http` is refused unless `plain_http` is set, or the address is in one of the `networks`.
    """

    hosts: frozenset[str] | None = None
    networks: tuple[Network, ...] = ()
    plain_http: bool = False


def address_of(text: str) -> Address | None:
    """The address that a text is, an IPv6-mapped IPv4 address as the latter; None for anything else or a scoped one."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    if address.scope_id is not None:
        return None
    return address.ipv4_mapped or address


def is_allowed(address: Address, reach: Reach) -> bool:
    """Whether a connection may go to this address."""
    return all(_is_global(face) or is_own(face, reach) for face in _faces(address))


def is_own(address: Address, reach: Reach) -> bool:
    """Whether one of the configured networks holds it."""
    return any(address.version == network.version and address in network for network in reach.networks)


def _faces(address: Address) -> Iterable[Address]:
    """What the address itself is, and every IPv4 address that lies in it."""
    if isinstance(address, IPv4Address):
        return (address,)
    number = int(address)
    last = IPv4Address(number & 0xFFFF_FFFF)
    if address in _MAPPED:
        return (last,)
    carried: list[Address] = []
    if address in _NAT64:
        return (last,)
    if address in _NAT64_LOCAL or (number >> 32) & 0xFFFF_FFFF in _ISATAP:
        carried.append(last)
    if address in _SIX_TO_FOUR:
        carried.append(IPv4Address((number >> 80) & 0xFFFF_FFFF))
    if address in _TEREDO:
        carried += [IPv4Address((number >> 64) & 0xFFFF_FFFF), IPv4Address(~number & 0xFFFF_FFFF)]
    return (address, *carried)


def _is_global(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_GLOBAL_4)
    return address in _UNICAST_6 and not any(address in network for network in _NOT_GLOBAL_6)

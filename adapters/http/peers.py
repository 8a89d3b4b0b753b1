"""Who is at the other end: the address, and the client certificate that a trusted proxy has checked.

Headers that anybody can write are believed from trusted proxies alone.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.requests import Request

from adapters.http.keys import fingerprint_bytes
from adapters.http.settings import HttpSettings, Network

Address = IPv4Address | IPv6Address

NOWHERE = ip_address("0.0.0.0")  # noqa: S104 -- stands for an unknown peer, nothing is bound to it
SITE_BITS = 64
"""One IPv6 site has as many addresses as it likes; limits count the site."""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether the address is in one of the networks."""
    return any(address in network for network in networks)


def peer_of(request: Request) -> Address:
    """The other end of the connection."""
    return (_parsed(request.client.host) if request.client else None) or NOWHERE


def address_of(request: Request, settings: HttpSettings) -> Address:
    """The sender's address: the peer's, or what the chain of trusted proxies says.

    Read from the right, where each proxy appends; the first address that is no trusted proxy's is the sender.
    """
    here = peer_of(request)
    if not settings.trusted_proxies:
        return here
    behind = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while behind and within(here, settings.trusted_proxies):
        further = _parsed(behind.pop())
        if further is None:
            break
        here = further
    return here


def counted_as(address: Address) -> str:
    """The name under which limits count an address."""
    if isinstance(address, IPv4Address):
        return str(address)
    site = int(address) >> (address.max_prefixlen - SITE_BITS)
    return f"{site:x}::/{SITE_BITS}"


def certificate_of(request: Request, settings: HttpSettings) -> bytes | None:
    """The SHA-256 of the client certificate, as told by a trusted proxy that this server is spoken to by."""
    if not within(peer_of(request), settings.trusted_proxies):
        return None
    told = request.headers.getlist(settings.certificate_header)
    return fingerprint_bytes(told[0]) if len(told) == 1 else None

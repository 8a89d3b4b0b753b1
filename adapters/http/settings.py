"""Every limit and name of the HTTP intake, as one frozen value. Nothing here reads the environment."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

MEBIBYTE: Final = 1024 * 1024

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: so many tokens a second, at most `burst` of them saved up."""

    per_second: float
    burst: float


def networks(*names: str) -> tuple[Network, ...]:
    """Networks or single addresses by their names.

    Raises:
        ValueError: one is neither.
    """
    return tuple(ip_network(name) for name in names)


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """How much the intake takes and whom it believes.

    `agency_rate` counts messages, `address_rate` counts requests; a refused credential costs an address
    `refused_key_cost` requests, so that guessing is slower than sending. `trusted_proxies` are the only peers whose
    `X-Forwarded-For` and `certificate_header` (the client certificate's SHA-256 in hex) are believed. `public_rate`
    counts an address's requests to the public routes, of which it may hold `streams_per_address` open as streams.
    `metrics_readers` are the addresses that may read `/metrics`. `max_connections` is for all together, so it must lie
    well above the number of public streams: the public must not keep an agency out. A peer that acknowledges nothing
    for `dead_peer_seconds` is gone.
    """

    max_body_bytes: int = 8 * MEBIBYTE
    body_seconds: float = 20.0
    max_messages: int = 1_000
    max_header_bytes: int = 32 * 1024
    header_seconds: float = 10.0
    keep_alive_seconds: int = 30
    max_connections: int = 20_000
    max_held_bytes: int = 256 * MEBIBYTE
    max_waiting_messages: int = 10_000
    agency_rate: Rate = Rate(per_second=100, burst=1_000)
    address_rate: Rate = Rate(per_second=200, burst=1_000)
    refused_key_cost: float = 20
    public_rate: Rate = Rate(per_second=100, burst=1_000)
    streams_per_address: int = 500
    max_addresses: int = 20_000
    trusted_proxies: tuple[Network, ...] = ()
    certificate_header: str = "x-client-certificate-sha256"
    metrics_readers: tuple[Network, ...] = field(default_factory=lambda: networks("127.0.0.0/8", "::1"))
    signature_tolerance_seconds: float = 300
    remembered_hours: float = 24
    dead_peer_seconds: int = 60

"""Reads the URL of a request to another system, so strictly that no two programs can read it differently.

A host is a name in ASCII, a plain dotted IPv4 address, or an IPv6 address in brackets. The other spellings that some
resolvers take for an address (`2130706433`, `0x7f.1`, `127.1`) are refused, and so is a name that ends in a dot.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from adapters.net.addresses import Address, address_of
from adapters.net.errors import OutboundCode, OutboundError

LONGEST_URL: Final = 4_096
PORTS: Final = {"http": 80, "https": 443}
MOST_PORT: Final = 65_535
LONGEST_NAME: Final = 253

_PRINTABLE: Final = re.compile(r"[!-\[\]-~]+")  # ASCII without controls, blanks and the backslash
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a URL leads. `address` is set where the host is an address already."""

    is_secure: bool
    host: str
    port: int
    target: str
    address: Address | None = None

    @property
    def authority(self) -> str:
        """The host as the `Host` header names it, with the port where it is not the usual one."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == PORTS["https" if self.is_secure else "http"] else f"{shown}:{self.port}"


def destination_of(url: str) -> Destination:
    """Read a URL; its fragment, which no server is sent, is left out.

    Raises:
        OutboundError: it is not an http or https URL with a host, or could be read in more than one way.
    """
    if len(url) > LONGEST_URL or not _PRINTABLE.fullmatch(url):
        raise _refused("a URL is at most 4,096 printable ASCII characters, without blanks and backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused("not a URL: its host or port cannot be read") from None
    if parts.scheme not in PORTS:
        raise _refused("a URL begins with https:// or http://")
    if "@" in parts.netloc:
        raise _refused("a URL holds no user name or password")
    host = (parts.hostname or "").lower()
    if port is None and parts.netloc.endswith(":"):
        raise _refused("the port is missing behind the colon")
    if port is not None and not 1 <= port <= MOST_PORT:
        raise _refused("a port is from 1 to 65535")
    return Destination(
        is_secure=parts.scheme == "https",
        host=host,
        port=port or PORTS[parts.scheme],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        address=_address(host, in_brackets=parts.netloc.startswith("[")),
    )


def _address(host: str, *, in_brackets: bool) -> Address | None:
    """The address that the host is; None for a name."""
    if in_brackets:
        address = address_of(host)
        if address is None or ":" not in host:
            raise _refused("what stands in brackets is no IPv6 address, or has a zone")
        return address
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        address = address_of(host)
        if address is None:
            raise _refused(f"{host} is no IPv4 address in its plain form, four numbers up to 255")
        return address
    if len(host) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("the host is no name: letters, digits and hyphens with dots between them (others as xn--…)")
    return None


def _refused(sentence: str) -> OutboundError:
    return OutboundError(OutboundCode.URL, sentence)

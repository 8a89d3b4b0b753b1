"""How this outlet serves HTTP, as its operator writes it down: the `[http]` part of `connections.toml`.

What is not written is as `HttpSettings` has it.
"""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from adapters.http.settings import HttpSettings, Rate
from domain.values import Value

PerSecond = Annotated[float, Field(gt=0)]


def _is_a_site(url: str) -> str:
    parts = urlsplit(url)
    is_site = parts.scheme in {"http", "https"} and parts.hostname and not parts.path.strip("/")
    is_plain = not parts.query and not parts.fragment and url.isascii() and url.isprintable()
    if not url or (is_site and is_plain):
        return url.rstrip("/")
    raise ValueError(f"{url!r} is not an address such as https://warnings.example, without a path")


BURST_SECONDS = 10
"""How many seconds' worth of requests may come at once."""


class HttpDefinition(Value):
    """Whom this server believes and how much it takes; all of it may be left out.

    `public_url` is where the public finds this server, without a path: links in messages and feeds begin with it.
    """

    public_url: Annotated[str, AfterValidator(_is_a_site)] = ""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_readers: tuple[IPv4Network | IPv6Network, ...] | None = None
    certificate_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]+$")
    agency_messages_per_second: PerSecond | None = None
    public_requests_per_second: PerSecond | None = None
    streams_per_address: int | None = Field(default=None, ge=1)
    max_body_bytes: int | None = Field(default=None, ge=1_000)
    max_connections: int | None = Field(default=None, ge=10)

    def settings(self) -> HttpSettings:
        """The settings that this makes."""
        usual = HttpSettings()
        return HttpSettings(
            trusted_proxies=self.trusted_proxies,
            metrics_readers=usual.metrics_readers if self.metrics_readers is None else self.metrics_readers,
            certificate_header=self.certificate_header or usual.certificate_header,
            agency_rate=_rate(self.agency_messages_per_second, usual.agency_rate),
            public_rate=_rate(self.public_requests_per_second, usual.public_rate),
            streams_per_address=self.streams_per_address or usual.streams_per_address,
            max_body_bytes=self.max_body_bytes or usual.max_body_bytes,
            max_connections=self.max_connections or usual.max_connections,
        )


def _rate(per_second: float | None, usual: Rate) -> Rate:
    return usual if per_second is None else Rate(per_second, max(1.0, per_second * BURST_SECONDS))

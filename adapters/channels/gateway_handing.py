"""What channels over HTTP do alike: read a route's files, make its client, and hand a letter over by one request."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from adapters.channels.gateway_answers import outcome_of, outcome_without_answer
from adapters.channels.gateway_client import GatewayClient
from adapters.channels.gateway_profile import AnswerRule
from adapters.channels.gateway_profiles import GatewaySetupError
from adapters.channels.port import Outcome
from adapters.net.client import OutboundError, Reach
from domain.ports import Clock


@dataclass(frozen=True, slots=True)
class Sending:
    """One request, ready to go."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hands:
    """Hands letters over to one system."""

    client: GatewayClient
    rule: AnswerRule
    seconds: float
    clock: Clock

    async def over(self, letter_id: str, sending: Sending) -> Outcome:
        """What became of a letter."""
        try:
            answer = await self.client.request(
                sending.method,
                sending.url,
                headers=sending.headers,
                body=sending.body,
                timeout_seconds=self.seconds,
            )
        except OutboundError as error:
            return outcome_without_answer(error)
        return outcome_of(answer, self.rule, letter_id, self.clock.now())


class UnderWay:
    """How many letters are under way: entered for each, and waited for at the end."""

    def __init__(self) -> None:
        """None."""
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def __enter__(self) -> Self:
        """One more."""
        self._count += 1
        self._idle.clear()
        return self

    def __exit__(self, *_: object) -> None:
        """One less."""
        self._count -= 1
        if not self._count:
            self._idle.set()

    async def ended(self) -> None:
        """Return when there are none."""
        await self._idle.wait()


def client_to(
    url: str, reach: Reach, *, connect_seconds: float, most_answer_bytes: int, tls: ssl.SSLContext | None
) -> GatewayClient:
    """A client that speaks to the host of this address alone; of `reach` the networks are used."""
    host = (urlsplit(url).hostname or "").lower()
    return GatewayClient(
        replace(reach, hosts=frozenset({host})),
        connect_seconds=connect_seconds,
        most_answer_bytes=most_answer_bytes,
        tls=tls,
    )


def secret_line(data_dir: Path, name: str, path: Path | None) -> bytes:
    """The first line of a file of visible ASCII; empty where none is named.

    Raises:
        GatewaySetupError: it cannot be read or holds something else; the words repeat nothing of it.
    """
    if path is None:
        return b""
    try:
        line = (data_dir / path).read_bytes().split(b"\n", 1)[0].strip()
    except OSError as error:
        raise GatewaySetupError([f"{name}: {path} cannot be read: {error.strerror}"]) from error
    if not line or not line.isascii() or not line.decode("ascii").isprintable():
        raise GatewaySetupError([f"{name}: the first line of {path} is no secret of visible ASCII characters"])
    return line


def tls_with(data_dir: Path, ca_file: Path | None) -> ssl.SSLContext | None:
    """TLS that trusts the authorities in this file; None for the system's.

    Raises:
        GatewaySetupError: it holds no certificate that can be used.
    """
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=data_dir / ca_file)
    except (OSError, ssl.SSLError) as error:
        raise GatewaySetupError([f"ca_file: {ca_file} holds no certificate that can be used"]) from error

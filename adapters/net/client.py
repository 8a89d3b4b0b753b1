"""An HTTP client that cannot be led astray: it speaks to the hosts and addresses it was allowed, and follows nobody.

A name is resolved once, every address of it is vetted, and the connection goes to the vetted address itself: a name
that answers differently the second time changes nothing. No redirect is followed, no proxy of the environment is
used, and an answer larger than the limit is cut off.
"""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.net.addresses import Address, Network, Reach, address_of, is_allowed, is_own
from adapters.net.connection import Connection
from adapters.net.errors import OutboundCode, OutboundError
from adapters.net.resolving import Resolve, SystemResolver
from adapters.net.urls import Destination, destination_of

__all__ = ["Answer", "Network", "OutboundClient", "OutboundCode", "OutboundError", "Reach"]

MEBIBYTE: Final = 1024 * 1024
KEPT_SECONDS: Final = 4.0
"""How long an unused connection is kept: shorter than servers do, which close theirs after five seconds and more."""

KEPT_PER_HOST: Final = 16
SECONDS_PER_ADDRESS: Final = 3.0
"""After this the next address of a name is tried, where it has several."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t -~]*")
_METHOD: Final = re.compile(r"[A-Z]+")
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_REPEATABLE: Final = frozenset({"GET", "HEAD"})

_Key = tuple[bool, str, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of any status. Header names are in small letters."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


class OutboundClient:
    """Requests to others, from one event loop. Connections are kept and used again."""

    def __init__(
        self,
        reach: Reach,
        *,
        most_answer_bytes: int = 8 * MEBIBYTE,
        user_agent: str = "single-outlet",
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is connected yet. `resolve` and `tls` stand in for the system's resolver and trusted authorities."""
        self._reach = reach
        self._most_answer_bytes = most_answer_bytes
        self._user_agent = user_agent
        self._system_resolver = SystemResolver() if resolve is None else None
        self._resolve = resolve or self._system_resolver
        self._tls = tls
        self._idle: dict[_Key, list[tuple[Connection, asyncio.TimerHandle]]] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_seconds: float = 10.0,
    ) -> Answer:
        """The answer, whatever its status. `timeout_seconds` is for the whole request, resolution included.

        Raises:
            OutboundError: there is no answer.
            ValueError: the method or a header cannot be sent.
        """
        destination = destination_of(url)
        content = self._written(method, destination, headers or {}, body)
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_seconds):
                connection = await self._exchanged(method, destination, content)
        except TimeoutError as error:
            raise OutboundError(
                OutboundCode.TIMEOUT, f"{destination.authority}: no answer within {timeout_seconds:g} seconds"
            ) from error
        answer = Answer(connection.status, connection.headers, connection.body, time.monotonic() - began)
        self._keep(_key(destination), connection)
        return answer

    async def vet(self, url: str, *, timeout_seconds: float = 10.0) -> Sequence[Address]:
        """The addresses that a request to this URL could go to now; nothing is connected.

        Raises:
            OutboundError: no request may go there.
        """
        destination = destination_of(url)
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._vetted(destination)
        except TimeoutError as error:
            raise OutboundError(OutboundCode.TIMEOUT, f"{destination.host}: the name is not resolved") from error

    async def close(self) -> None:
        """Close the connections."""
        for kept in self._idle.values():
            for connection, timer in kept:
                timer.cancel()
                connection.close()
        self._idle.clear()
        if self._system_resolver is not None:
            self._system_resolver.close()
        await asyncio.sleep(0)  # the transports' last callbacks run before the loop may be closed

    def _written(self, method: str, destination: Destination, headers: Mapping[str, str], body: bytes) -> bytes:
        if not _METHOD.fullmatch(method):
            raise ValueError(f"{method!r} is no method of HTTP")
        lines = [f"{method} {destination.target} HTTP/1.1", f"host: {destination.authority}"]
        if "user-agent" not in {name.lower() for name in headers}:
            lines.append(f"user-agent: {self._user_agent}")
        for name, value in headers.items():
            if name.lower() in _OURS or not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(f"the header {name!r} cannot be sent, or is not the caller's to set")
            lines.append(f"{name}: {value}")
        if body or method not in _REPEATABLE:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join((*lines, "", "")).encode("ascii") + body

    async def _exchanged(self, method: str, destination: Destination, content: bytes) -> Connection:
        """The connection that has read the answer."""
        is_head_only = method == "HEAD"
        kept = self._taken(_key(destination))
        if kept is not None:
            try:
                await kept.exchange(content, is_head_only=is_head_only)
                return kept
            except OutboundError as error:
                # The other side may have closed a kept connection in the moment that it was used again.
                if error.code is not OutboundCode.UNREACHABLE or kept.has_heard or method not in _REPEATABLE:
                    raise
        connection = await self._connected(destination)
        await connection.exchange(content, is_head_only=is_head_only)
        return connection

    async def _vetted(self, destination: Destination) -> Sequence[Address]:
        """Every address of the destination, all of them allowed."""
        host, reach = destination.host, self._reach
        if reach.hosts is not None and host not in reach.hosts:
            raise OutboundError(OutboundCode.FORBIDDEN_HOST, f"{host} is not among the configured hosts")
        if not destination.is_secure and not reach.plain_http and not reach.networks:
            raise OutboundError(OutboundCode.SCHEME, f"{host}: only https is allowed")
        if destination.address is not None:
            texts: Sequence[str] = [str(destination.address)]
        else:
            assert self._resolve is not None
            texts = await self._resolve(host, destination.port)
        addresses = [address_of(text) for text in texts]
        if not addresses:
            raise OutboundError(OutboundCode.UNRESOLVED, f"the name {host} leads nowhere")
        vetted = [one for one in addresses if one is not None and is_allowed(one, reach)]
        if len(vetted) < len(addresses):
            # Which address it is stays untold: a stranger's webhook must not become a map of the inner network.
            raise OutboundError(OutboundCode.FORBIDDEN_ADDRESS, f"{host} leads to an address that is not public")
        if not destination.is_secure and not reach.plain_http and not all(is_own(one, reach) for one in vetted):
            raise OutboundError(OutboundCode.SCHEME, f"{host}: only https is allowed outside the own networks")
        return vetted

    async def _connected(self, destination: Destination) -> Connection:
        addresses = await self._vetted(destination)
        last: OutboundError | None = None
        for address in addresses:
            seconds = None if address is addresses[-1] else SECONDS_PER_ADDRESS
            try:
                async with asyncio.timeout(seconds):
                    return await self._connected_to(address, destination)
            except OutboundError as error:
                last = error
            except TimeoutError:
                if seconds is None:
                    raise
        raise last or OutboundError(OutboundCode.UNREACHABLE, f"{destination.authority}: nobody accepts the connection")

    async def _connected_to(self, address: Address, destination: Destination) -> Connection:
        loop = asyncio.get_running_loop()
        name = destination.authority
        link = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)  # noqa: PLR2004 -- IPv4
        try:
            link.setblocking(False)  # noqa: FBT003 -- the library's own signature
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(link, (str(address), destination.port))
            assert address_of(link.getpeername()[0]) == address, "connected to what was vetted"
            _, connection = await loop.create_connection(
                lambda: Connection(name, self._most_answer_bytes),
                sock=link,
                ssl=self._tls_context() if destination.is_secure else None,
                server_hostname=destination.host if destination.is_secure else None,
            )
        except ssl.SSLError as error:
            link.close()
            reason = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
            raise OutboundError(OutboundCode.TLS, f"{name}: {reason}") from error
        except OSError as error:
            link.close()
            reason = error.strerror or "the connection broke"
            raise OutboundError(OutboundCode.UNREACHABLE, f"{name}: {reason}") from error
        except BaseException:
            link.close()
            raise
        return connection

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _taken(self, key: _Key) -> Connection | None:
        """A kept connection to this host that is still open."""
        kept = self._idle.get(key)
        while kept:
            connection, timer = kept.pop()
            timer.cancel()
            if connection.is_open:
                return connection
        self._idle.pop(key, None)
        return None

    def _keep(self, key: _Key, connection: Connection) -> None:
        """For the next request, for a while."""
        kept = self._idle.setdefault(key, [])
        if not connection.is_open or len(kept) >= KEPT_PER_HOST:
            connection.close()
            if not kept:
                del self._idle[key]
            return
        timer = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget, key, connection)
        kept.append((connection, timer))

    def _forget(self, key: _Key, connection: Connection) -> None:
        connection.close()
        kept = [pair for pair in self._idle.get(key, ()) if pair[0] is not connection]
        if kept:
            self._idle[key] = kept
        else:
            self._idle.pop(key, None)


def _key(destination: Destination) -> _Key:
    return destination.is_secure, destination.host, destination.port

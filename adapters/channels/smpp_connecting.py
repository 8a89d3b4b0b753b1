"""Opening and leaving a connection to an SMSC: TLS, `bind_transceiver`, `unbind`."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from adapters.channels.smpp_definition import SmppDefinition
from adapters.channels.smpp_pace import Pace
from adapters.channels.smpp_pdu import Command, bind_body
from adapters.channels.smpp_session import Handler, Session, Unanswered
from adapters.channels.smpp_statuses import OK, status_name


class NotBoundError(Exception):
    """The SMSC cannot be reached, or does not let us in."""


@dataclass(frozen=True, slots=True)
class Connector:
    """To one SMSC, always in the same way."""

    definition: SmppDefinition
    password: str = field(repr=False)
    tls: ssl.SSLContext | None = None

    async def connect(self, pace: Pace, deliver: Handler) -> Session:
        """A bound session.

        Raises:
            NotBoundError: with the reason.
        """
        definition = self.definition

        def make() -> Session:
            return Session(
                pace,
                response_seconds=definition.response_seconds,
                enquire_link_seconds=definition.enquire_link_seconds,
                deliver=deliver,
            )

        session: Session | None = None
        try:
            async with asyncio.timeout(definition.connect_seconds):
                session = await self._connected(make)
                answer = await session.request(Command.BIND_TRANSCEIVER, self._bind_body())
        except TimeoutError as error:
            _drop(session, "no answer to bind")
            raise NotBoundError(f"not bound within {definition.connect_seconds:g} s") from error
        except OSError as error:
            raise NotBoundError(f"no connection: {error.strerror or type(error).__name__}") from error
        except asyncio.CancelledError:
            _drop(session, "closed")
            raise
        if isinstance(answer, Unanswered):
            raise NotBoundError(answer.reason)
        if answer.status != OK:
            _drop(session, "bind refused")
            raise NotBoundError(f"bind refused: {status_name(answer.status)}")
        return session

    async def _connected(self, make: Callable[[], Session]) -> Session:
        definition = self.definition
        _, session = await asyncio.get_running_loop().create_connection(
            make,
            definition.host,
            definition.port_used,
            ssl=self.tls,
            server_hostname=definition.host if self.tls else None,
        )
        return session

    def _bind_body(self) -> bytes:
        return bind_body(
            system_id=self.definition.system_id,
            password=self.password,
            system_type=self.definition.system_type,
            address_range=self.definition.address_range,
        )

    @staticmethod
    async def leave(session: Session, seconds: float) -> None:
        """Unbind, and disconnect whether that is answered or not."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await session.request(Command.UNBIND)
        _drop(session, "closed")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(session.ended)


def _drop(session: Session | None, why: str) -> None:
    if session is not None:
        session.end(why)


class UnusableFileError(Exception):
    """A file that a route's description names cannot be used; its words hold nothing of its content."""


def connector_of(definition: SmppDefinition, folder: Path) -> Connector:
    """The connector of a described route, with its files below this folder read.

    Raises:
        UnusableFileError: the password or the certificates cannot be used.
    """
    path = folder / definition.password_file
    try:
        password = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableFileError(f"{definition.id}: the password in {path} cannot be read") from error
    if not password.isprintable():
        raise UnusableFileError(f"{definition.id}: the password in {path} is not printable ASCII")
    return Connector(definition, password, _tls_of(definition, folder))


def _tls_of(definition: SmppDefinition, folder: Path) -> ssl.SSLContext | None:
    if not definition.tls:
        return None
    authority = None if definition.ca_file is None else folder / definition.ca_file
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise UnusableFileError(f"{definition.id}: {authority} holds no certificate that can be used") from error

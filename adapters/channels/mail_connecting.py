"""Opening a connection to a mail server: TLS, EHLO, login (aiosmtplib), then handing it to a session."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError, SMTPResponseException

from adapters.channels.definition_mail import Security
from adapters.channels.mail_dialogue import Abilities
from adapters.channels.mail_session import MailSession, Pool


class NotConnectedError(Exception):
    """The server cannot be reached, or does not let us in."""


@dataclass(frozen=True, slots=True)
class Connector:
    """To one server, always in the same way."""

    host: str
    port: int
    security: Security
    tls: ssl.SSLContext | None
    timeout_seconds: float
    username: str = ""
    password: str = ""
    hostname: str = ""
    pipelining: bool = True

    async def connect(self, pool: Pool) -> MailSession:
        """An open session.

        Raises:
            NotConnectedError: with the reason.
        """
        client = SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.timeout_seconds,
            local_hostname=self.hostname or None,
            use_tls=self.security is Security.TLS,
            # Never "if the server has it": whoever is in between would only have to hide it.
            start_tls=self.security is Security.STARTTLS,
            tls_context=self.tls,
        )
        try:
            await client.connect()
            await self._introduce(client)
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise NotConnectedError(_why(error)) from error
        except asyncio.CancelledError:
            client.close()
            raise
        return self._handed_over(client, pool)

    async def _introduce(self, client: SMTP) -> None:
        if client.is_ehlo_or_helo_needed:
            try:
                await client.ehlo()
            except SMTPHeloError:
                await client.helo()
        if self.username:
            await client.login(self.username, self.password)

    def _handed_over(self, client: SMTP, pool: Pool) -> MailSession:
        # Every loop's transport can be written to; uvloop's says so by no base class.
        transport = cast("asyncio.Transport | None", client.transport)
        if transport is None or transport.is_closing():
            raise NotConnectedError("the server closed the connection")
        abilities = Abilities(
            pipelining=self.pipelining and client.supports_extension("pipelining"),
            smtputf8=client.supports_extension("smtputf8"),
        )
        session = MailSession(abilities, pool, self.timeout_seconds)
        # Nothing is awaited between the last reply and here, so that no byte falls between the two.
        transport.set_protocol(session)
        session.connection_made(transport)
        return session


def _why(error: Exception) -> str:
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__

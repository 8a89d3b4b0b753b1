"""Real SMTP servers on loopback: aiosmtpd, told how to answer; and a bare one that breaks the rules."""

import asyncio
import ssl
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Mailboxes:
    """An aiosmtpd handler. Answers may be given by recipient; each is given once, the others as for everybody."""

    pipelining: bool = True
    to_rcpt: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    to_data: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    connections: int = 0
    logins: list[bytes] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    received: list[Envelope] = field(default_factory=list)
    slow_seconds: float = 0.0

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_of(envelope.original_content or b"") for envelope in self.received]

    @property
    def recipients(self) -> list[str]:
        return [address for envelope in self.received for address in envelope.rcpt_tos]

    async def handle_EHLO(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(["250-PIPELINING"] if self.pipelining else []), *responses[-1:]]

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answers := self.to_rcpt[address]:
            return await self._said(server, answers.pop(0))
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- as above
        await asyncio.sleep(self.slow_seconds)
        if answers := self.to_data[envelope.rcpt_tos[0]]:
            answer = answers.pop(0)
            if answer != "take and drop":
                return await self._said(server, answer)
            self.received.append(envelope)
            return await self._said(server, "drop")
        self.over_tls.append(session.ssl is not None)
        self.received.append(envelope)
        return f"250 2.0.0 Ok: queued as Q{len(self.received)}"

    async def _said(self, server: SMTP, answer: str) -> str:
        if answer == "drop":
            transport: Any = server.transport
            transport.abort()
        if answer == "silence":
            await asyncio.sleep(3600)
        return answer

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=data.password == b"right", handled=False)


def message_of(content: bytes) -> EmailMessage:
    found = message_from_bytes(content, policy=policy.SMTPUTF8)
    assert isinstance(found, EmailMessage)
    return found


@asynccontextmanager
async def serving(
    boxes: Mailboxes, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, login: bool = False
) -> AsyncIterator[int]:
    """The port of an aiosmtpd server in this loop."""
    loop = asyncio.get_running_loop()
    made: list[SMTP] = []

    def protocol() -> SMTP:
        boxes.connections += 1
        with warnings.catch_warnings():
            # It does not know that a connection which begins with TLS is protected.
            warnings.simplefilter("ignore", UserWarning)
            server = SMTP(
                boxes,
                hostname="mx.people.example",
                enable_SMTPUTF8=True,
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=boxes.authenticate if login else None,
                auth_required=login,
                auth_require_tls=tls is None,
            )
        made.append(server)
        return server

    listening = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for server in made:
            transport: Any = server.transport
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)


Rule = Callable[[bytes, int], bytes | None]
"""The answer to a command line on the connection of this number; None drops the connection."""


@asynccontextmanager
async def bare_server(rule: Rule, greeting: bytes = b"220 mx\r\n") -> AsyncIterator[tuple[int, list[bytes]]]:
    """The port of a server that answers by a rule, and every line that it has got."""
    lines: list[bytes] = []
    count = 0
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        number = count
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            writer.write(greeting)
            while line := await reader.readline():
                lines.append(line)
                answer = rule(line, number)
                if answer is None:
                    break
                writer.write(answer)
        finally:
            tasks.discard(task)
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1], lines
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def well_behaved(line: bytes, number: int) -> bytes:
    """A server without extensions; the end of a content is the only line that is a dot."""
    if line.startswith(b"DATA"):
        return b"354 go on\r\n"
    commands = (b"HELO", b"EHLO", b"MAIL", b"RCPT", b"RSET", b"QUIT", b"NOOP", b".\r\n")
    return b"250 2.0.0 Ok\r\n" if line.startswith(commands) else b""

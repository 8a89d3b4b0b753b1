"""The server's protocol with limits that uvicorn does not have: the size of a head, and the time head and body take.

A route that reads its body answers a slow one itself, earlier; what ends here is a body that nobody reads.
"""

import asyncio
from typing import Any, ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.http.settings import HttpSettings

_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
UNREAD_BODY_SECONDS: Final = 10
"""How much longer a body may take that no route reads, such as one behind a refused key."""

_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class GuardedProtocol(HttpToolsProtocol):
    """Counts what comes before a head is complete, and cuts off what is too much or too slow."""

    limits: ClassVar[HttpSettings] = HttpSettings()

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- uvicorn's own
        super().__init__(*arguments, **named)
        self._head_bytes = 0
        self._due: asyncio.TimerHandle | None = None
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head is due now."""
        super().connection_made(transport)
        self._expect(self.limits.header_seconds, _TOO_SLOW)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._nothing_is_due()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count while no head is complete; the chunk that completes one may hold a body as well."""
        if self._in_head:
            if self._due is None:
                self._expect(self.limits.header_seconds, _TOO_SLOW)
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.max_header_bytes + len(data):
                self._end(_TOO_LARGE)
                return
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.max_header_bytes:
            self._end(_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """From here on the body is due."""
        self._in_head = False
        self._expect(self.limits.body_seconds + UNREAD_BODY_SECONDS, b"")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All has come; on a connection that is kept, the next head begins with its first byte."""
        self._nothing_is_due()
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def _expect(self, seconds: float, answer: bytes) -> None:
        self._nothing_is_due()
        self._due = self.loop.call_later(seconds, self._end, answer)

    def _nothing_is_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _end(self, answer: bytes) -> None:
        self._nothing_is_due()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


def guarded(settings: HttpSettings) -> type[asyncio.Protocol]:
    """The protocol with these limits; uvicorn makes its protocols itself, so they come by the class."""
    return type("LimitedProtocol", (GuardedProtocol,), {"limits": settings})

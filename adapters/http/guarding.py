"""The server's protocol with limits that uvicorn does not have, and its own refusals as problem documents.

Limited are the size of a head, the time that head and body take, and the number of connections. A route that reads its
body answers a slow one itself, earlier; what ends here is a body that nobody reads. What is answered here has passed
no route, so it is counted here as well.
"""

import asyncio
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from adapters.http.problems import MEDIA_TYPE, Kind, ProblemError, problem_content, problem_response
from adapters.http.settings import HttpSettings

UNREAD_BODY_SECONDS: Final = 10
"""How much longer a body may take that no route reads, such as one behind a refused key."""

RETRY_WHEN_FULL_SECONDS: Final = "5"

Count = Callable[[str, str], None]
"""Told the name of a problem and the peer's address."""


def _to_nobody(_problem: str, _address: str) -> None:
    """Nothing counts."""


class GuardedProtocol(HttpToolsProtocol):
    """Counts what comes before a head is complete, and cuts off what is too much or too slow."""

    limits: ClassVar[HttpSettings] = HttpSettings()
    count: Count = staticmethod(_to_nobody)

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 -- uvicorn's own
        super().__init__(*arguments, **named)
        self._head_bytes = 0
        self._due: asyncio.TimerHandle | None = None
        self._in_head = True
        self._open_app = self.app

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head is due now."""
        super().connection_made(transport)
        self._expect(self.limits.header_seconds, Kind.SLOW_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._nothing_is_due()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count while no head is complete; the chunk that completes one may hold a body as well."""
        if self._in_head:
            if self._due is None:
                self._expect(self.limits.header_seconds, Kind.SLOW_HEAD)
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.max_header_bytes + len(data):
                self._end(Kind.LARGE_HEAD)
                return
        super().data_received(data)
        if self._in_head and self._head_bytes > self.limits.max_header_bytes:
            self._end(Kind.LARGE_HEAD)

    def on_headers_complete(self) -> None:
        """From here on the body is due. Above the limit of connections the request is answered without the app."""
        self._in_head = False
        self._expect(self.limits.body_seconds + UNREAD_BODY_SECONDS, None)
        most = self.limits.max_connections
        is_full = len(self.connections) > most or len(self.tasks) >= most
        self.app = self._full if is_full else self._open_app
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All has come; on a connection that is kept, the next head begins with its first byte."""
        self._nothing_is_due()
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers to bytes that it cannot read."""
        self._end(Kind.NOT_HTTP, msg)

    async def _full(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._count(Kind.UNAVAILABLE)
        detail = "As many connections are open as this server keeps."
        headers = {"Retry-After": RETRY_WHEN_FULL_SECONDS, "Connection": "close", "Access-Control-Allow-Origin": "*"}
        request_id = secrets.token_hex(8)
        headers["X-Request-Id"] = request_id
        answer = problem_response(ProblemError(Kind.UNAVAILABLE, detail, headers=headers), request_id)
        await answer(scope, receive, send)

    def _expect(self, seconds: float, kind: Kind | None) -> None:
        self._nothing_is_due()
        self._due = self.loop.call_later(seconds, self._end, kind)

    def _nothing_is_due(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _end(self, kind: Kind | None, detail: str = "") -> None:
        """Close, with an answer where one is due: never in the middle of another answer on the same connection."""
        self._nothing_is_due()
        if self.transport.is_closing():
            return
        if kind is not None:
            self._count(kind)
            cycle: RequestResponseCycle | None = self.cycle  # none before the first request
            if cycle is None or cycle.response_complete:
                self.transport.write(_answer(kind, detail))
        self.transport.close()

    def _count(self, kind: Kind) -> None:
        self.count(kind.value.name, self.client[0] if self.client else "")


def _answer(kind: Kind, detail: str) -> bytes:
    """A whole answer as bytes."""
    status: HTTPStatus = kind.value.status
    request_id = secrets.token_hex(8)
    content = problem_content(ProblemError(kind, detail), request_id)
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(content)}\r\n"
        f"x-request-id: {request_id}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + content


def guarded(settings: HttpSettings, count: Count = _to_nobody) -> type[asyncio.Protocol]:
    """The protocol with these limits; uvicorn makes its protocols itself, so they come by the class."""
    return type("LimitedProtocol", (GuardedProtocol,), {"limits": settings, "count": staticmethod(count)})

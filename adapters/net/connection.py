"""One HTTP/1.1 connection to one vetted address: a request is written, its answer read, one at a time."""

import asyncio
from typing import Final, cast

import httptools

from adapters.net.errors import OutboundCode, OutboundError

MOST_HEAD_BYTES: Final = 64 * 1024
FIRST_FINAL_STATUS: Final = 200
WITHOUT_BODY: Final = frozenset({204, 304})


class Connection(asyncio.Protocol):
    """The connection, and the answer that is being read from it."""

    def __init__(self, name: str, most_answer_bytes: int) -> None:
        """`name` is what errors call the other side."""
        self._name = name
        self._most_answer_bytes = most_answer_bytes
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[None] | None = None
        self._begin_answer()
        self.is_open = False
        self.has_heard = False

    def _begin_answer(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = self._header_bytes = 0
        self._is_head_read = False
        self._is_without_body = False
        self._is_whole = False

    @property
    def body(self) -> bytes:
        """What was read of the answer's body."""
        return b"".join(self._body)

    async def exchange(self, request: bytes, *, is_head_only: bool) -> None:
        """Write a request and read its answer into `status`, `headers` and `body`.

        Raises:
            OutboundError: the answer is too large, no HTTP, or the connection broke.
        """
        assert self._transport is not None
        assert self._answered is None, "one request at a time"
        self._begin_answer()
        self._is_without_body = is_head_only
        self.has_heard = False
        self._answered = asyncio.get_running_loop().create_future()
        try:
            self._transport.write(request)
            await self._answered
        except BaseException:
            self.close()
            raise
        finally:
            self._answered = None

    def close(self) -> None:
        """Close without waiting for what is unsent."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods, not by its class
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer; without a request they are nobody's, and the connection is of no further use."""
        if self._answered is None or self._answered.done():
            self.close()
            return
        self.has_heard = True
        if not self._is_head_read:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(OutboundCode.PROTOCOL, "what came back is no HTTP that was asked for")
        if not self._is_head_read and self._head_bytes > MOST_HEAD_BYTES:
            self._fail(OutboundCode.PROTOCOL, "the head of the answer is larger than 64 KiB")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """The connection is gone; an answer without a stated length ends with it."""
        self.is_open = False
        stated = {"content-length", "transfer-encoding"} & self.headers.keys()
        if self._is_head_read and not stated:
            self._complete()
        else:
            self._fail(OutboundCode.UNREACHABLE, "the connection broke before the answer was whole")

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; several of one name are joined."""
        if self._is_whole:
            return
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MOST_HEAD_BYTES:
            self._fail(OutboundCode.PROTOCOL, "the head of the answer is larger than 64 KiB")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        """The head is read; one of an interim answer (1xx) is forgotten when it ends."""
        if self._is_whole:
            return
        self.status = self._parser.get_status_code()
        if self.status < FIRST_FINAL_STATUS:
            return
        self._is_head_read = True
        if self._is_without_body:
            # The parser does not know that this body never comes, so it cannot read another answer either.
            self.is_open = False
            self._complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._is_whole:
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._most_answer_bytes:
            self._fail(OutboundCode.TOO_LARGE, f"the answer is larger than {self._most_answer_bytes:,} bytes")
        else:
            self._body.append(body)

    def on_message_begin(self) -> None:
        """A second answer to one request is nobody's, and makes the connection worthless."""
        if self._is_whole:
            self.close()

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was an interim one."""
        if self._is_whole:
            return
        if self.status < FIRST_FINAL_STATUS:
            self.headers.clear()
            return
        if not self._parser.should_keep_alive():
            self.close()
        self._complete()

    def _complete(self) -> None:
        self._is_whole = True
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _fail(self, code: OutboundCode, sentence: str) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(OutboundError(code, f"{self._name}: {sentence}"))
        self.close()

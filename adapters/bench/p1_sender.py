"""The sending side of P1 and P2: ready HTTP requests over some connections, each kept busy, nothing pipelined."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, cast

import uvloop

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
TAKEN = (b"200", b"202")


class Request(NamedTuple):
    """A whole request as bytes, and the tokens of the messages in it."""

    content: bytes
    tokens: Sequence[str]


class Sent(NamedTuple):
    """When each token's request was written, and when the first was: monotonic nanoseconds."""

    at: dict[str, int]
    began: int


class RefusedRequestError(Exception):
    """The side under test did not take a request."""


class _Connection(asyncio.Protocol):
    """Takes the next request as soon as the one before was answered."""

    def __init__(self, waiting: deque[Request], at: dict[str, int]) -> None:
        self._waiting = waiting
        self._at = at
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclasses

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RefusedRequestError(f"the connection was closed: {exc}"))

    def next(self) -> None:
        """Send the next request, or be done."""
        assert self._transport is not None
        if not self._waiting:
            self.done.set_result(None)
            return
        request = self._waiting.popleft()
        now = time.monotonic_ns()
        for token in request.tokens:
            self._at[token] = now
        self._transport.write(request.content)

    def close(self) -> None:
        """Whatever is still to come is no matter any more."""
        self.done.cancel()
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(HEAD_END)
        if end < 0:
            return
        found = LENGTH.search(self._buffer, 0, end)
        length = int(found[1]) if found else 0
        if len(self._buffer) < end + len(HEAD_END) + length:
            return
        if self._buffer[9:12] not in TAKEN:
            if not self.done.done():
                self.done.set_exception(RefusedRequestError(bytes(self._buffer[:2_000]).decode(errors="replace")))
            return
        self._buffer.clear()
        self.next()


def send(requests: Sequence[Request], port: int, *, connections: int, seconds: float) -> Sent:
    """Send all of them to this port of the loopback interface; returns once all are answered.

    Raises:
        RefusedRequestError: one was not taken, or a connection was closed.
        TimeoutError: they were not all answered in time.
    """

    async def all_of_them() -> Sent:
        loop = asyncio.get_running_loop()
        waiting, at = deque(requests), dict[str, int]()
        opened = [
            (await loop.create_connection(lambda: _Connection(waiting, at), "127.0.0.1", port))[1]
            for _ in range(connections)
        ]
        began = time.monotonic_ns()
        try:
            for connection in opened:
                connection.next()
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(connection.done for connection in opened))
        finally:
            for connection in opened:
                connection.close()
            await asyncio.sleep(0)  # the transports' last callbacks run before the loop is closed
        return Sent(at, began)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(all_of_them())

"""The receiving side of P1 and P2, a process of its own: a bare HTTP receiver for both sides' notifications.

Takes whatever is POSTed, answers 200, and keeps for every token in a body when it came first (monotonic nanoseconds,
comparable with the sender's on one machine) and how often. Prints its port; then, for each line
`<count> <seconds>`, waits until so many tokens have come and prints what it has as JSON, and begins anew.
"""

import asyncio
import json
import re
import sys
import time
from typing import Any, cast

import uvloop

TOKEN = re.compile(rb"benchtoken(\d{7})")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Received:
    """What has come since the last word: each token's first time and number of notifications, and their bytes."""

    def __init__(self) -> None:
        """Nothing has."""
        self.first: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.size = 0
        self.notifications = 0
        self.news = asyncio.Event()

    def take(self, body: bytes) -> None:
        """One notification."""
        now = time.monotonic_ns()
        self.notifications += 1
        self.size += len(body)
        for token in set(TOKEN.findall(body)):
            name = token.decode()
            self.first.setdefault(name, now)
            self.times[name] = self.times.get(name, 0) + 1
        self.news.set()

    def report(self) -> dict[str, Any]:
        """As JSON takes it."""
        repeated = sum(count - 1 for count in self.times.values())
        return {
            "first": self.first,
            "repeated": repeated,
            "notifications": self.notifications,
            "bytes": self.size,
        }


class Connection(asyncio.Protocol):
    """One connection of a notifier, kept open as long as it likes."""

    def __init__(self, received: list[Received]) -> None:
        """The last of the list is the current one."""
        self._received = received
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclasses

    def data_received(self, data: bytes) -> None:
        """Take every whole request."""
        self._buffer += data
        while (end := self._buffer.find(HEAD_END)) >= 0:
            found = LENGTH.search(self._buffer, 0, end)
            length = int(found[1]) if found else 0
            begin = end + len(HEAD_END)
            if len(self._buffer) < begin + length:
                return
            body = bytes(self._buffer[begin : begin + length])
            del self._buffer[: begin + length]
            self._received[-1].take(body)
            assert self._transport is not None
            self._transport.write(ANSWER)


async def serve() -> None:
    """Receive until the input ends."""
    loop = asyncio.get_running_loop()
    received = [Received()]
    server = await loop.create_server(lambda: Connection(received), "127.0.0.1", 0, backlog=1024)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    while line := await reader.readline():
        count, seconds = line.split()
        await _arrived(received[-1], int(count), time.monotonic() + float(seconds))
        print(json.dumps(received[-1].report()), flush=True)  # noqa: T201
        received.append(Received())
    server.close()


async def _arrived(received: Received, count: int, until: float) -> None:
    while len(received.first) < count and time.monotonic() < until:
        received.news.clear()
        try:
            await asyncio.wait_for(received.news.wait(), max(0.0, until - time.monotonic()))
        except TimeoutError:
            return


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())

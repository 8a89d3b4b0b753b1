"""P10: one event to 5,000 clients of the stream, beside a bare asyncio.Protocol write loop.

Both sides run in one other process, on the same kind of event loop, and write as many bytes. The time is from the
word to go until the last client has the whole event. Ours begins with the release being appended to the log: fsync,
following, reading and rendering are within the time taken.
"""

import json
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from statistics import median
from tempfile import TemporaryDirectory

from adapters.bench.row import Row

CLIENTS = 5_000
GOAL = 0.5
SECONDS = 60.0
SPARE_FILES = 200
END = b"\n\n\r\n"
"""How an event, and the chunk of HTTP around it, end."""

REQUEST = b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Listeners:
    """Open connections to one of the servers, read as fast as this process can."""

    def __init__(self, port: int, count: int, request: bytes) -> None:
        """Connect, and wait until every one of them is known to the server."""
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
            self._sockets.append(client)
            if request:
                client.sendall(request)
            client.settimeout(0)
            self._selector.register(client, selectors.EVENT_READ, bytearray())
        self.size = self.hear(b"event: ready")

    def hear(self, what: bytes) -> int:
        """Read until every client has an event with these words to its end; return the bytes that one of them got.

        Raises:
            TimeoutError: some have not.
            ConnectionError: the server has closed one.
        """
        waiting = len(self._sockets)
        until = time.monotonic() + SECONDS
        size = 0
        while waiting:
            if time.monotonic() > until:
                raise TimeoutError(f"{waiting} clients have not been told")
            for key, _ in self._selector.select(1.0):
                received: bytearray = key.data
                client = key.fileobj
                assert isinstance(client, socket.socket)
                part = client.recv(65536)
                if not part:
                    raise ConnectionError("the server has closed a connection")
                received += part
                if received.endswith(END) and what in received:
                    waiting -= 1
                    size = len(received)
                    received.clear()
        return size

    def close(self) -> None:
        """Close all."""
        self._selector.close()
        for client in self._sockets:
            client.close()


def measure(rounds: int = 3, clients: int = CLIENTS) -> list[Row]:
    """The ratio bare time / our time for one event to all clients; with fewer clients where files are limited."""
    count = min(clients, _files_allowed())
    with TemporaryDirectory() as folder, ExitStack() as stack:
        ours, bare = [], []
        size = _size_of_an_event(folder)
        server = stack.enter_context(_server(f"{folder}/data", "x", str(size - len(END))))
        assert server.stdin is not None
        ports = json.loads(_line(server))
        listening = stack.enter_context(closing(Listeners(ports["ours"], count, REQUEST)))
        raw = stack.enter_context(closing(Listeners(ports["bare"], count, b"")))
        for _ in range(rounds + 1):
            bare.append(_seconds(server, "bare", raw, b"x"))
            ours.append(_seconds(server, "ours", listening, b"event: release"))
        # The first round fills caches on both sides.
        ratios = [beside / own for beside, own in zip(bare[1:], ours[1:], strict=True)]
    note = f"{count} clients, {size} bytes each, uvloop on both sides; ours from the append to the log"
    return [_row(ratios, note if count == clients else f"{note}; the limit of open files allows no more clients")]


def _size_of_an_event(folder: str) -> int:
    """How many bytes a client of ours gets for one release, so that the bare side writes as many."""
    with (
        _server(f"{folder}/size", "x", "1") as server,
        closing(Listeners(json.loads(_line(server))["ours"], 1, REQUEST)) as one,
    ):
        _say(server, "ours")
        return one.hear(b"event: release")


def _server(folder: str, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "adapters.bench.p10_server", folder, *words]
    return _Server(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


class _Server(subprocess.Popen[str]):
    """Ends with the block it is used in: its input ends, and it is not waited for longer than it may take."""

    def __exit__(self, *error: object) -> None:
        """End it."""
        assert self.stdin is not None
        self.stdin.close()
        try:
            self.wait(SECONDS / 6)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
        if self.stdout is not None:
            self.stdout.close()


def _line(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line:
        raise ChildProcessError("the serving process has ended")
    return line


def _say(server: "subprocess.Popen[str]", word: str) -> None:
    assert server.stdin is not None
    server.stdin.write(f"{word}\n")
    server.stdin.flush()


def _seconds(server: "subprocess.Popen[str]", word: str, listeners: Listeners, what: bytes) -> float:
    started = time.perf_counter()
    _say(server, word)
    listeners.hear(what)
    return time.perf_counter() - started


def _files_allowed() -> int:
    """How many connections to each of both servers this process may hold; the soft limit is raised to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return CLIENTS if hard == resource.RLIM_INFINITY else (hard - SPARE_FILES) // 2


def _row(ratios: Sequence[float], note: str) -> Row:
    return Row(
        id="P10",
        measure=f"one event to {CLIENTS:,} clients of the stream",
        beside="bare asyncio.Protocol write loop, seconds",
        ratio=median(ratios),
        goal=GOAL,
        rounds=tuple(ratios),
        note=note,
    )

"""A downstream system on loopback: takes requests, checks nothing, and behaves as it is told."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECONDS = 20.0


@dataclass(frozen=True)
class Taken:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def district(self) -> str:
        return str(self.document["data"]["code"])

    def is_signed_with(self, secret: str) -> bool:
        """As the specification says it, without a line of ours."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        due = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return due in self.headers["webhook-signature"].split(" ")


@dataclass(frozen=True)
class Reply:
    """What is answered; `raw` in place of HTTP, None closes without a word."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes | None = None
    closes: bool = False
    hangs_seconds: float = 0.0

    @property
    def is_acceptance(self) -> bool:
        return self.status in range(200, 300) and self == Reply(self.status)


class Receiver:
    """What it took, and how it answers: a function of the request and of how many came before."""

    def __init__(self, answer: Callable[[Taken, int], Reply]) -> None:
        self.answer = answer
        self.taken: list[Taken] = []
        self.accepted: list[Taken] = []
        self.connections = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self.url = ""

    def replied(self, request: Taken) -> Reply:
        with self._lock:
            count = len(self.taken)
            self.taken.append(request)
        reply = self.answer(request, count)
        if reply.is_acceptance:
            with self._lock:
                self.accepted.append(request)
        return reply

    def wait_for(self, count: int, *, accepted: bool = True) -> list[Taken]:
        """Until so many have come."""
        wait_until(lambda: len(self.accepted if accepted else self.taken) >= count)
        return list(self.accepted if accepted else self.taken)


def wait_until(holds: Callable[[], bool]) -> None:
    """Until it holds."""
    until = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < until, "it never came to hold"
        time.sleep(0.005)


def takes_all(_request: Taken, _count: int) -> Reply:
    return Reply()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 5
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.receiver.connections += 1

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = receiver.replied(Taken(self.path, headers, body))
        if reply.hangs_seconds:
            receiver.closing.wait(reply.hangs_seconds)
        if reply.closes or reply.raw is not None:
            self.close_connection = True
            self.wfile.write(reply.raw or b"")
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing is written to the terminal."""


class Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, receiver: Receiver, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.receiver = receiver
        self.links: list[socket.socket] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The other side has gone."""

    def get_request(self) -> tuple[socket.socket, Any]:
        link, address = super().get_request()
        self.links.append(link)
        return link, address


@contextmanager
def receiving(answer: Callable[[Taken, int], Reply] = takes_all, port: int = 0) -> Iterator[Receiver]:
    """A receiver on a free port, until the block ends."""
    receiver = Receiver(answer)
    server = Server(receiver, port)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?token=very-secret"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        for link in server.links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        server.server_close()
        thread.join()

"""A web site on loopback that serves what a test puts there, and remembers what it was asked for."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Page:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    has_etag: bool = True


@dataclass
class Asked:
    path: str
    headers: Mapping[str, str]
    status: int


class Site:
    """Pages by their path with query; what is not there is 404."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self.port = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def put(self, path: str, content: str | bytes) -> None:
        self.pages[path] = Page(content.encode() if isinstance(content, str) else content)

    def count(self, path: str) -> int:
        return sum(one.path == path for one in self.asked)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        page = self.pages.get(handler.path, Page(b"nothing here", 404))
        headers = dict(page.headers)
        status, body = page.status, page.body
        if status == 200 and page.has_etag:
            headers["ETag"] = f'"{sha256(body).hexdigest()[:16]}"'
            if handler.headers.get("If-None-Match") == headers["ETag"]:
                status, body = 304, b""
        self.asked.append(Asked(handler.path, {k.lower(): v for k, v in handler.headers.items()}, status))
        time.sleep(page.seconds)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self) -> None:
            try:
                site.answer(self)
            except OSError:  # whoever asked has gone
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

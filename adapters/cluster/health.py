"""How a process without HTTP of its own says that it is well: `/livez`, `/readyz` and `/metrics` on its own port."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, NamedTuple

import msgspec

from domain.ports import EventLog, LogUnavailableError

OK: Final = "ok"

Check = Callable[[], str]
"""`ok`, or what fails."""


class Sample(NamedTuple):
    """One figure for Prometheus."""

    name: str
    value: float
    labels: Mapping[str, str] = {}


class Health(NamedTuple):
    """What a process says of itself: checks by name, and figures."""

    checks: Mapping[str, Check]
    samples: Callable[[], Iterable[Sample]]


def text_of(samples: Iterable[Sample]) -> str:
    """Prometheus's text form; a name that ends in `_total` is a counter, every other one a gauge."""
    lines: list[str] = []
    told: set[str] = set()
    for name, value, labels in samples:
        if name not in told:
            told.add(name)
            lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
        within = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{within}}} {_figure(value)}" if within else f"{name} {_figure(value)}")
    return "".join(f"{line}\n" for line in lines)


def log_answers(log: EventLog) -> str:
    """`ok` while the log can be read, else why it cannot."""
    try:
        log.head()
    except LogUnavailableError as error:
        return str(error)
    return OK


@contextmanager
def said_at(where: tuple[str, int] | None, health: Health) -> Iterator[str]:
    """Answer there while this is entered; gives the address, port 0 takes a free one. Nowhere, where there is none.

    Raises:
        OSError: the address cannot be listened on.
    """
    if where is None:
        yield ""
        return
    server = ThreadingHTTPServer(where, _handler_of(health))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield f"http://{where[0]}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_of(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/livez":
                    self._answer(HTTPStatus.OK, "text/plain", OK.encode())
                case "/readyz":
                    # Of a copy: a process that gets on adds to them meanwhile.
                    checks = {name: check() for name, check in list(health.checks.items())}
                    is_well = all(found == OK for found in checks.values())
                    status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
                    self._answer(status, "application/json", msgspec.json.encode({"checks": checks}))
                case "/metrics":
                    self._answer(HTTPStatus.OK, "text/plain; version=0.0.4", text_of(health.samples()).encode())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")

        def _answer(self, status: HTTPStatus, media_type: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing: whoever asks every second fills no log."""

    return Handler


def _figure(value: float) -> str:
    """Whole, however large: positions are compared with each other."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

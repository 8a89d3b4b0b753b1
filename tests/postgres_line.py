"""A line between a client and PostgreSQL on loopback that is cut at a commit: before the server has it, or after.

What no server can be asked for: to store something and never to say so.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"COMMIT\x00"
"""In what a client asks, and in what the server answers when it is done."""


class Cut(Enum):
    """At which moment of the next commit the line breaks."""

    BEFORE = auto()
    AFTER = auto()


class Line:
    """Passes bytes on, until a cut that was ordered is due. `down` lets no new connection through."""

    def __init__(self, url: str) -> None:
        """Listen on a free port."""
        self._server: dict[str, Any] = conninfo_to_dict(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = make_conninfo(url, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        self.cut: Cut | None = None
        self.cut_and_stay_down = False
        self.down = False
        self.cuts = 0
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Cut everything and end."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        _end(*self._open)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                client.close()
                continue
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, self._connected() as server:
            self._open |= {client, server}
            answers = threading.Thread(target=self._pass_answers, args=(server, client))
            answers.start()
            self._pass_questions(client, server)
            answers.join()
            self._open -= {client, server}

    def _pass_questions(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while asked := client.recv(65_536):
                if self.cut is Cut.BEFORE and COMMIT in asked:
                    self._break()
                    break
                server.sendall(asked)
        _end(client, server)

    def _pass_answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while answered := server.recv(65_536):
                if self.cut is Cut.AFTER and COMMIT in answered:
                    self._break()
                    break
                client.sendall(answered)
        _end(client, server)

    def _break(self) -> None:
        self.cut = None
        self.cuts += 1
        if self.cut_and_stay_down:
            self.down = True
            _end(*self._open)

    def _connected(self) -> socket.socket:
        host, port = str(self._server.get("host") or "127.0.0.1"), int(self._server.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(f"{host}/.s.PGSQL.{port}")
        return connected


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    """A line to this server."""
    line = Line(url)
    try:
        yield line
    finally:
        line.close()


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)

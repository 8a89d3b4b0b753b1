"""Runs the app: uvicorn on uvloop in a thread of its own, beside the loop that acts on deadlines."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn
import uvloop
from fastapi import FastAPI

from adapters.http.app import OutletApp, create_app
from adapters.http.guarding import guarded
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.settings import HttpSettings
from adapters.wiring import Platform, rare_full_collections

GRACE_SECONDS: Final = 10

SWITCH_SECONDS: Final = 0.001
"""How long a busy thread keeps Python from the server's: the usual 5 ms, several times in each request, are most of
its time while the stages work."""
START_SECONDS: Final = 30.0


class ServerDidNotStartError(Exception):
    """The address cannot be listened on, or the server ended while it started."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where a running server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Its address, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@contextmanager
def serving(app: FastAPI, host: str, port: int, settings: HttpSettings) -> Iterator[Serving]:
    """A running server, listening when this yields; port 0 takes a free one. Requests in work are finished at the end.

    Raises:
        ServerDidNotStartError: nothing listens.
    """
    listening = _bound(host, port, settings.dead_peer_seconds)
    server = uvicorn.Server(_config(app, settings))
    switching = sys.getswitchinterval()
    sys.setswitchinterval(min(switching, SWITCH_SECONDS))
    # Signals belong to the process that runs us; a thread could not take them anyway.
    thread = threading.Thread(target=_run, args=(server, listening), name="http-server", daemon=True)
    thread.start()
    try:
        waited = threading.Event()
        for _ in range(int(START_SECONDS * 100)):
            if server.started or not thread.is_alive():
                break
            waited.wait(0.01)
        if not server.started:
            raise ServerDidNotStartError(f"the server on {host}:{port} did not start")
        yield Serving(host, listening.getsockname()[1])
    finally:
        if isinstance(app, OutletApp):
            app.end_streams()
        server.should_exit = True
        thread.join(GRACE_SECONDS + START_SECONDS)
        sys.setswitchinterval(switching)
        listening.close()


def serve(
    platform: Platform,
    host: str,
    port: int,
    stop: threading.Event,
    *,
    settings: HttpSettings | None = None,
) -> None:
    """Serve a platform until told to stop: messages come in over HTTP, and deadlines are acted on.

    Raises:
        ServerDidNotStartError: nothing listens.
    """
    limits = settings or HttpSettings()
    with rare_full_collections(), AgencyKeys(platform.settings.data_dir / FILE_NAME) as keys:
        app = create_app(platform, keys, settings=limits)
        try:
            with serving(app, host, port, limits):
                platform.runner.run(stop)
        finally:
            app.shut()


def _bound(host: str, port: int, dead_peer_seconds: int) -> socket.socket:
    """Bound before the server starts, so that an address in use is an error here and a free port is known."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _let_dead_peers_go(listening, dead_peer_seconds)
        listening.bind((host, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ServerDidNotStartError(f"cannot listen on {host}:{port}: {why}") from error
    return listening


def _let_dead_peers_go(listening: socket.socket, seconds: int) -> None:
    """Connections inherit this: a peer that vanished without a word is noticed, with or without data on the way."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {
        "TCP_KEEPIDLE": seconds // 2,
        "TCP_KEEPINTVL": max(1, seconds // 6),
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": seconds * 1000,
    }
    for name, value in wanted.items():
        option = getattr(socket, name, None)  # not every system has them all
        if option is not None:
            listening.setsockopt(socket.IPPROTO_TCP, option, max(1, value))


def _config(app: FastAPI, settings: HttpSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=guarded(settings, app.count_turned_away) if isinstance(app, OutletApp) else guarded(settings),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",  # what strangers send is counted, and must not fill the log
        access_log=False,
        proxy_headers=False,  # whom to believe is told by our own settings
        server_header=False,
        backlog=1024,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server.serve(sockets=[listening]))

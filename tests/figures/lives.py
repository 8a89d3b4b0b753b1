"""Server processes that are killed and started anew: real ones, on loopback, each at a free port.

Most come from a fork server that has everything imported, so that a life begins in a fraction of a second; `cold` ones
start Python from nothing, as a service manager does. Both run what `outlet run --http` runs.
"""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from adapters.cli.app import main
from adapters.http.app import create_app
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.http.server import serving
from adapters.http.settings import HttpSettings
from adapters.settings import Settings
from adapters.wiring import build
from tests.conftest import PROJECT

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__])

LONGEST_LIFE_SECONDS = 1_800
START_SECONDS = 60.0
POLL_SECONDS = 0.005
_SERVING = re.compile(r"serving (http://\S+)")


class Life:
    """One process that serves. It ends by SIGKILL, or by itself after half an hour whatever becomes of its starter."""

    def __init__(self, output: Path, process: "multiprocessing.process.BaseProcess | subprocess.Popen[bytes]") -> None:
        """`output` is where the process writes what it says."""
        self._output = output
        self._process = process

    @property
    def url(self) -> str | None:
        """Where it serves, once it does."""
        found = _SERVING.search(self.said())
        return found.group(1) if found else None

    def said(self) -> str:
        """Everything that it wrote to standard output and standard error."""
        return self._output.read_text(encoding="utf-8", errors="replace") if self._output.is_file() else ""

    def is_over(self) -> bool:
        """Whether it has ended."""
        if isinstance(self._process, subprocess.Popen):
            return self._process.poll() is not None
        return not self._process.is_alive()

    def wait_until_it_serves(self) -> str:
        """Its address.

        Raises:
            AssertionError: it ended, or took a minute.
        """
        deadline = time.monotonic() + START_SECONDS
        while (url := self.url) is None:
            assert not self.is_over(), f"a server ended while it started: {self.said()[-2000:]}"
            assert time.monotonic() < deadline, f"a server did not start: {self.said()[-2000:]}"
            time.sleep(POLL_SECONDS)
        return url

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it is doing; returns when it has ended."""
        self._process.kill()
        if isinstance(self._process, subprocess.Popen):
            self._process.wait()
        else:
            self._process.join()
            self._process.close()


def warm(output: Path, target: Callable[..., None], *arguments: object) -> Life:
    """A life from the fork server: `target` is called with the output's path and the arguments."""
    output.unlink(missing_ok=True)
    process = CONTEXT.Process(target=target, args=(output, *arguments), daemon=True)
    process.start()
    return Life(output, process)


def cold(output: Path, folder: Path) -> Life:
    """A life that starts Python from nothing: `outlet run --http` as an operator types it."""
    command = [sys.executable, "-m", "adapters.cli", "--data", str(folder), "run", "--http", "127.0.0.1:0"]
    with output.open("wb") as told:
        process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
    return Life(output, process)


@contextmanager
def living(life: Life) -> Iterator[str]:
    """The address of a life that is killed at the end."""
    try:
        yield life.wait_until_it_serves()
    finally:
        life.kill()


def outlet_run(output: Path, folder: Path) -> None:
    """What a forked life does: the command `outlet run --http 127.0.0.1:0` on this folder."""
    _live_apart(output)
    sys.argv = ["outlet", "--data", str(folder), "run", "--http", "127.0.0.1:0"]
    main()


def outlet_command(output: Path, errors: Path, arguments: Sequence[str]) -> int:
    """A command of the outlet in a process from the fork server; its exit code."""
    process = CONTEXT.Process(target=_command, args=(output, errors, arguments), daemon=True)
    process.start()
    process.join()
    code = process.exitcode
    process.close()
    assert code is not None, "it has ended"
    return code


def _command(output: Path, errors: Path, arguments: Sequence[str]) -> None:
    _live_apart(output, errors)
    sys.argv = ["outlet", *arguments]
    main()


def limited_server(output: Path, folder: Path, settings: HttpSettings) -> None:
    """The same under limits that the command has no options for."""
    _live_apart(output)
    with build(Settings(data_dir=folder)) as platform, AgencyKeys(folder / FILE_NAME) as keys:
        app = create_app(platform, keys, settings=settings)
        with serving(app, "127.0.0.1", 0, settings) as at:
            sys.stdout.write(f"serving {at.url}\n")
            sys.stdout.flush()
            platform.runner.run(threading.Event())


def _live_apart(output: Path, errors: Path | None = None) -> None:
    """Say everything into files of its own, or into one, and end after a while without being asked."""
    signal.alarm(LONGEST_LIFE_SECONDS)
    for stream, path in ((1, output), (2, errors or output)):
        told = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(told, stream)
        os.close(told)

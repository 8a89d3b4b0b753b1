"""What a cluster is made of: processes that are started until they are ready, stopped, killed, and asked how they are.

Which of them there are, and how they find each other, is the cluster's business.
"""

import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.kafka.keeper import Keeper

READY_SECONDS = 120.0
LOOK_SECONDS = 0.1
PROBE_SECONDS = 5.0
TAIL = 3_000


class NotReadyError(Exception):
    """A part ended, or did not get ready; with the end of what it said."""


class Part(Protocol):
    """One process. `id` is the operating system's, `log` where it writes what it says."""

    id: int

    @property
    def log(self) -> Path:
        """The file."""
        ...

    def start(self) -> None:
        """Start it, and return when it is ready, or has done what it has to do once."""
        ...

    def stop(self) -> None:
        """End it in order."""
        ...

    def kill(self) -> None:
        """SIGKILL."""
        ...

    def code(self) -> int | None:
        """Its exit code, if it has ended."""
        ...


@dataclass
class Program:
    """A process of ours. `ready` None: it does something once, and is ready when it has ended with 0."""

    keeper: Keeper
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], bool] | None
    log: Path
    user: int | None = None
    end_signal: signal.Signals = signal.SIGTERM
    id: int = field(default=0, init=False)

    def begin(self) -> None:
        """Start it without waiting."""
        self.id = self.keeper.start(self.name, self.command, log=self.log, environment=self.environment, user=self.user)

    def start(self) -> None:
        """Start it, and wait.

        Raises:
            NotReadyError: it ended before, or takes two minutes.
        """
        self.begin()
        self.wait()

    def wait(self) -> None:
        """Return when it is ready.

        Raises:
            NotReadyError: it ended before, or takes two minutes.
        """
        deadline = time.monotonic() + READY_SECONDS
        while True:
            code = self.code()
            if self.ready is None and code == 0:
                return
            if code is not None:
                raise NotReadyError(f"{self.name} ended with {code}: {self.said()}")
            if self.ready is not None and self.ready():
                return
            if time.monotonic() > deadline:
                raise NotReadyError(f"{self.name} is not ready: {self.said()}")
            time.sleep(LOOK_SECONDS)

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-TAIL:]

    def stop(self) -> None:
        """End it in order; returns when it has ended."""
        self.keeper.end(self.name, self.end_signal)

    def kill(self) -> None:
        """SIGKILL; returns when it has ended."""
        self.keeper.end(self.name, signal.SIGKILL)

    def code(self) -> int | None:
        """Its exit code, if it has ended."""
        return self.keeper.code(self.name)


def answers(url: str) -> bool:
    """Whether a request is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False

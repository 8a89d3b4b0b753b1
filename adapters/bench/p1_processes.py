"""The processes of P1 and P2 that are ours: begun by the bench, ended with it, spoken to in lines."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 120.0
"""For everything that is owed to arrive."""

ENDING_SECONDS = 20.0


class Receiver:
    """The receiving process, which both sides notify."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.port = int(line_of(process))

    def first(self, count: int) -> dict[str, int]:
        """When each of so many tokens came first, once all have come.

        Raises:
            AssertionError: one is missing or came more than once.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count} {SECONDS}\n")
        self._process.stdin.flush()
        report: dict[str, Any] = json.loads(line_of(self._process))
        first: dict[str, int] = report["first"]
        if len(first) != count or report["repeated"] or report["notifications"] != count:
            raise AssertionError(f"{len(first)} of {count} notified, {report['repeated']} repeated")
        return first


@contextmanager
def receiver_process() -> Iterator[Receiver]:
    """The receiver, running."""
    with child("adapters.bench.p1_receiver") as process:
        yield Receiver(process)


@contextmanager
def server_process(folder: Path, policy: Path, receiver: int, database: str | None = None) -> Iterator[tuple[int, str]]:
    """Our side, running, on SQLite or in that PostgreSQL; yields its port and a key."""
    folder.mkdir(parents=True)
    words = [str(folder), str(policy), str(receiver), *([database] if database else [])]
    with child("adapters.bench.p1_server", *words) as process:
        told = json.loads(line_of(process))
        yield told["port"], told["key"]


@contextmanager
def child(module: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A process of ours that ends when its input does, and is not waited for longer than it may take."""
    command = [sys.executable, "-m", module, *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def line_of(process: "subprocess.Popen[str]") -> str:
    """What it says next.

    Raises:
        ChildProcessError: it has ended.
    """
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise ChildProcessError("the process under test has ended")
    return line

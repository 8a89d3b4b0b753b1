"""Processes that end with the tests, whatever ends the tests: a kill ends them too, and takes their folder away.

`Keeper` is what tests hold. Run as a program, this file is the process behind it: it starts what it is told to, and
ends everything when the tests' end of its standard input is closed. What the processes are is not its business.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from pwd import getpwuid
from types import TracebackType
from typing import Any, Self

END_SECONDS = 30.0
"""How long a process that is asked to end is waited for before it is killed."""


class Keeper:
    """Processes by name, and the folder that they work in. Several threads may use it."""

    def __init__(self, folder: Path) -> None:
        """The folder is there; it goes when the keeper does."""
        self.folder = folder
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # A Ctrl-C at the terminal is for the tests, which then end what they started.
            start_new_session=True,
        )

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> int:
        """Start a process in the folder, as a user with nothing of root's, what it says added to the log; its id.

        Raises:
            OSError: there is no such program.
        """
        whole = dict(os.environ if environment is None else environment)
        answer = self._ask(order="start", name=name, command=list(command), log=str(log), environment=whole, user=user)
        if "error" in answer:
            raise OSError(answer["error"])
        return int(answer["id"])

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a process a signal by which it ends; its exit code, as soon as it has."""
        return int(self._ask(order="end", name=name, signal=number)["code"])

    def code(self, name: str) -> int | None:
        """The exit code of a process that has ended; None while it runs."""
        answer = self._ask(order="code", name=name)["code"]
        return None if answer is None else int(answer)

    def close(self) -> None:
        """Kill what still runs, and remove the folder."""
        with self._lock, self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _ask(self, **order: Any) -> dict[str, Any]:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            return answer

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing runs any more."""
        self.close()


def keep(folder: Path) -> None:
    """Carry out orders, one JSON object a line, until there are no more; then end everything."""
    kept: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(_carry_out(json.loads(line), kept, folder)) + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        pass  # the tests were killed between an order and its answer
    finally:
        for process in kept.values():
            _signal(process, signal.SIGKILL)
        for process in kept.values():
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _carry_out(order: dict[str, Any], kept: dict[str, subprocess.Popen[bytes]], folder: Path) -> dict[str, Any]:
    if order["order"] == "start":
        try:
            kept[order["name"]] = process = _started(order, folder)
        except OSError as error:
            return {"error": str(error)}
        return {"id": process.pid}
    process = kept[order["name"]]
    if order["order"] == "end":
        _signal(process, order["signal"])
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
    return {"code": process.poll()}


def _started(order: dict[str, Any], folder: Path) -> "subprocess.Popen[bytes]":
    user = order["user"]
    # Nothing of root's, its groups neither.
    as_user: dict[str, Any] = {} if user is None else {"user": user, "group": getpwuid(user).pw_gid, "extra_groups": []}
    with Path(order["log"]).open("ab") as log:
        return subprocess.Popen(
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=order["environment"],
            cwd=folder,
            # A group of its own: what it has started ends with it.
            process_group=0,
            **as_user,
        )


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


if __name__ == "__main__":
    keep(Path(sys.argv[1]))

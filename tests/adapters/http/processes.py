"""`outlet run` as a process of its own on a free port, as an operator starts it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import PROJECT

PATIENCE_SECONDS = 60.0


@dataclass
class Running:
    """The process, its address, and every line it has printed."""

    process: subprocess.Popen[str]
    url: str = ""
    lines: list[str] = field(default_factory=list)
    told: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        """Keep what is printed; the address is on the line `serving URL`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if line.startswith("serving "):
                self.url = line.split()[1]
                self.told.set()
        self.told.set()

    def stop(self) -> None:
        """As a service manager does; it must end with 0."""
        self.process.terminate()
        assert self.process.wait(PATIENCE_SECONDS) == 0, "".join(self.lines)


@contextmanager
def outlet_run(data: Path, *more: str, address: str = "127.0.0.1:0") -> Iterator[Running]:
    """A running outlet on this data directory, under the default policy."""
    command = [sys.executable, "-u", "-m", "adapters.cli", "--data", str(data), "run", "--http", address, *more]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running = Running(process)
    reading = threading.Thread(target=running.read, daemon=True)
    reading.start()
    try:
        assert running.told.wait(PATIENCE_SECONDS), "no address was told"
        assert running.url, "".join(running.lines)
        yield running
        if process.poll() is None:
            running.stop()
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reading.join()
        assert process.stdout is not None
        process.stdout.close()

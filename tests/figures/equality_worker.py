"""A worker of the product whose clock is a file: all that is decided carries the moment that the test has set."""

import os
import sys
from datetime import datetime
from pathlib import Path

from adapters.cluster.working import work_of
from adapters.settings import from_environment
from adapters.wiring import Part, build
from streams.kafka_worker import run_worker, worker_app


class FileClock:
    """Stands where the file says; only its owner sets it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        return datetime.fromisoformat(self._path.read_text(encoding="ascii"))

    def set(self, moment: datetime) -> None:
        part = self._path.with_suffix(".part")
        part.write_text(moment.isoformat(), encoding="ascii")
        part.replace(self._path)


def main() -> None:
    """Run until a signal comes; the only argument is the clock's file."""
    settings = from_environment()
    assert settings.kafka is not None
    with build(settings, clock=FileClock(Path(sys.argv[1])), part=Part.EDGE) as platform:
        run_worker(worker_app(work_of(platform, settings.kafka), on_stall=lambda: os._exit(75)))


if __name__ == "__main__":
    main()

"""A sending worker in a process of its own, to be killed: each hand-over is a line in a file, before it is recorded.

python -m tests.adapters.sending.killed FOLDER EPOCH [DATABASE]
"""

import asyncio
import os
import random
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from adapters.channels.port import Accepted, Letter, Outcome
from adapters.sending.lane import Pace
from tests.adapters.sending.house import START, Desk, town_in

WINDOW = 8
PACE = Pace(alive_seconds=0.5, beat_seconds=0.1, look_seconds=0.02, first_wait_seconds=0.05)


class RunningClock:
    """Runs from the start of the tests' time, in every process alike."""

    def __init__(self, epoch: float) -> None:
        self._epoch = epoch

    def now(self) -> datetime:
        return START + timedelta(seconds=time.time() - self._epoch)


class Ledger(Desk):
    """Writes each letter down as handed over, and answers a little later."""

    path: Path

    async def send(self, letter: Letter) -> Outcome:
        line = f"{letter.number} {letter.id} {'repeated' if letter.repeated else 'first'}\n"
        with self.path.open("ab", buffering=0) as file:
            file.write(line.encode())
        await asyncio.sleep(random.random() * 0.02)
        return Accepted(letter.id)


def ledger(folder: Path) -> Ledger:
    made = Ledger(window=WINDOW)
    made.path = folder / "handed.txt"
    return made


def main(folder: str, epoch: str, url: str | None = None) -> None:
    clock = RunningClock(float(epoch))
    with town_in(Path(folder), clock, url) as town, town.worker(ledger(Path(folder)), pace=PACE):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while os.getppid() != 1:
            time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])

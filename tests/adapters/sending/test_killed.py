"""A worker is killed between hand-over and record: nobody is missed, and what may be a repetition is marked as one."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.adapters.sending.house import town_in, until
from tests.adapters.sending.killed import PACE, WINDOW, RunningClock, ledger
from tests.conftest import PROJECT
from tests.streams.messages import cap

LONG_SECONDS = 600.0


def handed(folder: Path) -> list[list[str]]:
    path = folder / "handed.txt"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [line.split() for line in lines]


def kill_and_go_on(folder: Path, url: str | None, people: int, kills: int) -> None:
    folder.mkdir()
    epoch = time.time()
    with town_in(folder, RunningClock(epoch), url) as town:
        numbers = town.people(people)
        town.deliver(cap("r1", level="red"))
    command = [sys.executable, "-m", "tests.adapters.sending.killed", str(folder), str(epoch), *([url] if url else [])]
    for _ in range(kills):
        before = len(handed(folder))
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            try:
                until(lambda before=before: len(handed(folder)) > before)  # type: ignore[misc]
                time.sleep(random.random() * 0.05)
            finally:
                child.kill()
    with town_in(folder, RunningClock(epoch), url) as town:
        with town.worker(ledger(folder), pace=PACE):
            # Looked at seldom: reading it all takes the worker's time away.
            until(lambda: {int(line[0]) for line in handed(folder)} == set(numbers), LONG_SECONDS, people / 10_000)
            until(
                lambda: sum(one.state == "accepted" for one in town.outcomes()) == people, LONG_SECONDS, people / 10_000
            )
        assert len(town.outcomes()) == len({(one.number, one.state, one.at) for one in town.outcomes()})
    seen: Counter[str] = Counter()
    for number, _, mark in handed(folder):
        assert mark == "repeated" or seen[number] == 0, "a repetition without its mark"
        seen[number] += 1
    assert sum(seen.values()) - people <= kills * WINDOW


def test_nobody_is_missed_and_every_repetition_is_marked_when_a_worker_is_killed(
    tmp_path: Path, url: str | None
) -> None:
    kill_and_go_on(tmp_path / "data", url, people=400, kills=6)


@pytest.mark.slow
def test_nobody_is_missed_in_two_hundred_kills(tmp_path: Path, url: str | None) -> None:
    kill_and_go_on(tmp_path / "data", url, people=20_000, kills=200)

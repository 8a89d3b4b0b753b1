"""R1 over HTTP: SIGKILL at random points while agencies post 10,000 messages; nothing answered is lost or doubled.

Eight partners send at once and repeat what was not answered. The server is killed after a random number of answers,
or while it starts; every tenth process is a cold `outlet run`, the others are the same command from a fork server.
A second outlet is fed the same without kills, and both must have come to the same.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random

from adapters.http.keys import FILE_NAME, AgencyKeys
from tests.figures.figure import Figure, Progress, unseen
from tests.figures.lives import POLL_SECONDS, Life, cold, outlet_run, warm
from tests.figures.r1_clients import Address, Answers, Partner
from tests.figures.r1_ends import End, end_of
from tests.figures.r1_feed import Letter, feed, for_clients

PROMISE = "no message that was answered is lost or doubled by SIGKILL, and the end is that of a run without kills"
CLIENTS = 8
COLD_EVERY = 10
KILLED_WHILE_STARTING = 0.1
QUIET_SECONDS = 120.0
"""A server that answers nothing for so long has failed."""


@dataclass(frozen=True)
class Size:
    """How large a run is."""

    messages: int
    kills: int
    seed: int = 1


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Feed both outlets below this folder, and hold them against each other."""
    figure = Figure("R1", PROMISE)
    conversations = feed(size.seed, size.messages)
    began = time.monotonic()
    clean, _ = _fed(folder / "clean", conversations, 0, size.seed, figure, progress)
    figure.counts["seconds without kills"] = round(time.monotonic() - began, 1)
    began = time.monotonic()
    killed, answers = _fed(folder / "killed", conversations, size.kills, size.seed, figure, progress)
    figure.counts["seconds with kills"] = round(time.monotonic() - began, 1)
    figure.counts |= {
        "messages": size.messages,
        "requests repeated": answers.retried,
        "accepted": killed.accepted,
        "refused": killed.rejected,
        "sections in force at the end": killed.sections,
        "state without kills": clean.state,
        "state with kills": killed.state,
    }
    lost = [digest for digest in answers.by_digest if digest not in killed.kept]
    figure.counts["answered messages lost"] = len(lost)
    figure.must(not lost, f"{len(lost)} answered messages are not in the log")
    _judge(figure, "killed", killed)
    _judge(figure, "clean", clean)
    figure.must(killed.taken == clean.taken, "what was accepted and refused differs from the run without kills")
    figure.must(killed.state == clean.state, "what is in force differs from the run without kills")
    return figure


def _judge(figure: Figure, name: str, end: End) -> None:
    figure.counts[f"doubled ({name})"] = len(end.doubled)
    figure.must(not end.doubled, f"happened twice in the {name} run: {end.doubled[:3]}")
    figure.must(not end.parked, f"{end.parked} events were parked in the {name} run")
    figure.must(end.rebuilt_equal, f"rebuilt from the log, the {name} run's board differs")


def _fed(
    folder: Path, conversations: Sequence[Sequence[Letter]], kills: int, seed: int, figure: Figure, progress: Progress
) -> tuple[End, Answers]:
    """An outlet that was sent everything, killed so many times on the way."""
    folder.mkdir(parents=True)
    letters = for_clients(conversations, CLIENTS)
    with AgencyKeys(folder / FILE_NAME) as store:
        agencies = {letter.agency for mine in letters for letter in mine}
        keys = {agency: store.add_key(agency, datetime.now(UTC)).secret for agency in agencies}
    address, answers = Address(), Answers()
    partners = [Partner(mine, keys, address, answers) for mine in letters]
    for partner in partners:
        partner.start()
    lives = _Lives(folder, address, answers, total=sum(map(len, letters)), random=Random(seed), figure=figure)
    lives.all(kills, partners, progress)
    faults = [str(partner.error) for partner in partners if partner.error is not None]
    figure.must(not faults, f"partners gave up: {faults}")
    figure.must(not answers.strange, f"{len(answers.strange)} strange answers, such as {answers.strange[:2]}")
    digests = {sha256(letter.content).hexdigest() for mine in letters for letter in mine}
    figure.must(faults != [] or digests == set(answers.by_digest), "a message was never answered")
    return end_of(folder, digests), answers


class _Lives:
    """One process after the other."""

    def __init__(
        self, folder: Path, address: Address, answers: Answers, *, total: int, random: Random, figure: Figure
    ) -> None:
        self._folder = folder
        self._address = address
        self._answers = answers
        self._total = total
        self._random = random
        self._figure = figure

    def all(self, kills: int, partners: Sequence[Partner], progress: Progress) -> None:
        """Kill so many, and let the last one live until everything is sent."""
        for number in range(kills):
            progress(number, kills, f"kills; {self._answers.count} of {self._total} messages answered")
            self._one(number, kills - number)
        life = self._begin(kills)
        self._address.put(life.wait_until_it_serves())
        try:
            self._wait_for_answers(self._total, progress)
            for partner in partners:
                partner.join(QUIET_SECONDS)
        finally:
            self._address.put(None)
            life.kill()

    def _begin(self, number: int) -> Life:
        output = self._folder / f"life-{number}.txt"
        if number % COLD_EVERY == COLD_EVERY - 1:
            return cold(output, self._folder)
        return warm(output, outlet_run, self._folder)

    def _one(self, number: int, kills_left: int) -> None:
        """One life: killed while it starts, or after a random number of answers and some milliseconds."""
        life = self._begin(number)
        try:
            if self._random.random() < KILLED_WHILE_STARTING:
                time.sleep(self._random.uniform(0, 1.0))
                self._figure.count("killed while starting")
                return
            self._address.put(life.wait_until_it_serves())
            share = max(1, 2 * (self._total - self._answers.count) // (kills_left + 1))
            self._wait_for_answers(min(self._total, self._answers.count + self._random.randint(1, share)))
            time.sleep(self._random.uniform(0, 0.03))
            self._figure.count("killed while serving" if self._answers.count < self._total else "killed when idle")
        finally:
            # The connections break before the partners are told: some find out in the middle of a request.
            life.kill()
            self._address.put(None)

    def _wait_for_answers(self, wanted: int, progress: Progress = unseen) -> None:
        """Until so many messages have been answered in all.

        Raises:
            AssertionError: for two minutes there was no answer.
        """
        before, since = -1, time.monotonic()
        while (count := self._answers.count) < wanted:
            if count != before:
                before, since = count, time.monotonic()
                progress(count, self._total, "messages answered")
            assert time.monotonic() - since < QUIET_SECONDS, f"nothing was answered after {count} messages"
            time.sleep(POLL_SECONDS)

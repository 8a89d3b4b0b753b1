"""P1: from an agency's message over HTTP to the notification a webhook receives, beside Alertmanager.

Both sides are processes of their own, begun anew for every round; the receiver is one program for both, the sender
is this process. A message's time is from its request being written to its notification having been received, a
side's rate is its messages by the time until the last one is notified. Each message is for another county, so both
sides owe exactly one notification for each; one that is missing or repeated makes the round worthless.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from adapters.bench.p1_alertmanager import alertmanager, found
from adapters.bench.p1_messages import alertmanagers, ours
from adapters.bench.p1_processes import Receiver, receiver_process, server_process
from adapters.bench.p1_sender import Request, send
from adapters.bench.row import Row
from adapters.gazetteer.china import divisions
from adapters.gazetteer.from_policy import counties_of
from adapters.policies import shipped_policies

CONNECTIONS = 8
MESSAGES, WARM_UP = 2_000, 300
PROVINCE_DIGITS = 2
GOAL = 1.0
SECONDS = 120.0
"""For the requests of one round to be answered."""

NOTE = (
    "each message for another county, one notification each; ours: key, CAP as JSON read with XSD, remit, kept with "
    "fsync, merged, released with its CAP document, read tables, signed webhook from the durable log, progress on the "
    "disk; Alertmanager: group_by ['...'], group_wait 0, everything in memory, nothing kept before it answers"
)

Database = Callable[[], AbstractContextManager[str | None]]
"""Gives an empty PostgreSQL for one round; None stands for files of its own."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one side did in one round."""

    per_second: float
    p99_seconds: float


def measure(rounds: int = 5, messages: int = MESSAGES) -> list[Row]:
    """Both figures of P1.

    Raises:
        PeerMissingError: Alertmanager is not installed.
    """
    pairs = both_sides(rounds, messages, size=1)
    what = f"message over HTTP to notification, batch 1, {CONNECTIONS} connections"
    return rows_of("P1", what, pairs, goal=GOAL)


def rows_of(
    row_id: str, what: str, pairs: Sequence[tuple[Figures, Figures]], *, goal: float, note: str = NOTE
) -> list[Row]:
    """The rate's row, and the 99th percentile's."""
    rates = tuple(own.per_second / beside.per_second for own, beside in pairs)
    tails = tuple(beside.p99_seconds / own.p99_seconds for own, beside in pairs)
    return [
        Row(row_id, what, "Alertmanager, messages/s", median(rates), goal, rates, note),
        Row(row_id, f"{what}: p99", "Alertmanager, seconds", median(tails), 1.0, tails),
    ]


def both_sides(
    rounds: int, messages: int, *, size: int, database: Database = nullcontext
) -> list[tuple[Figures, Figures]]:
    """(ours, Alertmanager) in each round, taking turns in going first."""
    found()
    counties = every_county()
    pairs: list[tuple[Figures, Figures]] = []
    with TemporaryDirectory() as name, receiver_process() as receiver:
        folder = Path(name)
        policy = write_policy(folder)
        for number in range(rounds):
            bench = _Round(folder / str(number), policy, receiver, counties, messages, size, database)
            if number % 2:
                beside, own = bench.alertmanager(), bench.ours()
            else:
                own, beside = bench.ours(), bench.alertmanager()
            pairs.append((own, beside))
    return pairs


@dataclass(slots=True)
class _Round:
    folder: Path
    policy: Path
    receiver: Receiver
    counties: list[tuple[str, str]]
    messages: int
    size: int
    database: Database

    def ours(self) -> Figures:
        with ExitStack() as stack:
            url = stack.enter_context(self.database())
            server = server_process(self.folder / "ours", self.policy, self.receiver.port, url)
            port, key = stack.enter_context(server)
            return self._figures(port, lambda numbers, now: ours(numbers, self.counties, now, size=self.size, key=key))

    def alertmanager(self) -> Figures:
        self.folder.mkdir(exist_ok=True)
        with alertmanager(self.folder / "beside", self.receiver.port) as port:
            return self._figures(port, lambda numbers, now: alertmanagers(numbers, self.counties, now, size=self.size))

    def _figures(self, port: int, requests: Callable[[range, datetime], list[Request]]) -> Figures:
        now = datetime.now(UTC).replace(microsecond=0)
        warm = min(WARM_UP, self.messages)
        self._sent(port, requests(range(warm), now))
        return self._sent(port, requests(range(warm, warm + self.messages), now))

    def _sent(self, port: int, requests: list[Request]) -> Figures:
        sent = send(requests, port, connections=CONNECTIONS, seconds=SECONDS)
        first = self.receiver.first(len(sent.at))
        taken = sorted((first[token] - at) / 1e9 for token, at in sent.at.items())
        return Figures(
            per_second=len(taken) / ((max(first.values()) - sent.began) / 1e9),
            p99_seconds=taken[int(len(taken) * 0.99)],
        )


def every_county() -> list[tuple[str, str]]:
    """Code and name of every county of the country, in the order of their codes."""
    known = divisions()
    return [(code, known[code]) for code in counties_of(_provinces())]


def _provinces() -> list[str]:
    return [code for code in divisions() if len(code) == PROVINCE_DIGITS]


def write_policy(folder: Path) -> Path:
    """The shipped policy of Shaoxing with every county of the country for its districts, nothing grouped."""
    text = shipped_policies()["shaoxing"]
    lines = [
        f"districts = {json.dumps(_provinces())}"
        if line.startswith("districts = ")
        else "group_wait_seconds = 0"
        if line.startswith("group_wait_seconds = ")
        else line
        for line in text.splitlines()
    ]
    path = folder / "bench.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path

"""An outlet as its operators have it: a data directory, the command line, `outlet run`, messages over HTTP.

Nothing here knows how the outlet works inside.
"""

import csv
import http.client
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapters.connections import connections_in
from adapters.http.keys import FILE_NAME, AgencyKeys
from adapters.sending.routes import routes_of
from tests.figures.lives import Life, cold, outlet_command
from tests.figures.servers import Servers
from tests.streams.messages import START

REQUEST_SECONDS = 60.0
LOOK_SECONDS = 0.05
ASK_SECONDS = 0.5
"""Between two commands that are asked the same."""

MAIL_ROUTE, SMS_ROUTE = "post", "carrier"

CONNECTIONS = """
[[channels]]
id = "{mail_route}"
kind = "mail"
host = "127.0.0.1"
port = {mail_port}
security = "none"
sender = "outlet@shaoxing.example"

[[channels]]
id = "{sms_route}"
kind = "smpp"
host = "127.0.0.1"
port = {sms_port}
system_id = "outlet"
password_file = "smsc-password"
source = "10690000"
"""

UNDER_WAY = frozenset({"waiting", "leased"})
HANDED = frozenset({"accepted", "delivered"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A person on a list."""

    phone: str = ""
    email: str = ""
    area: str = "330604"
    name: str = ""

    @property
    def address(self) -> str:
        """As the servers know them."""
        return self.email or self.phone.removeprefix("+")


@dataclass(frozen=True, slots=True)
class Sum:
    """What `outlet deliveries` counts of one plan."""

    planned: int
    district: str
    people: int
    not_filled_in: int
    by_state: Mapping[str, int]
    by_reason: Mapping[str, int]

    @property
    def counted(self) -> int:
        """Messages in any state."""
        return sum(self.by_state.values())

    @property
    def open(self) -> int:
        """Messages that are still to go."""
        return self.not_filled_in + sum(self.by_state.get(state, 0) for state in UNDER_WAY)


class CommandError(Exception):
    """A command of the outlet ended with another exit code than was expected; with what it said."""


class Outlet:
    """One data directory, and at most one process that runs on it."""

    def __init__(self, folder: Path) -> None:
        """The data directory is made below this folder; beside it lie what processes say and the lists."""
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        self._folder = folder
        self._key = ""
        self._lives = 0
        self._life: Life | None = None
        self.said: list[Path] = []

    def settle(self, servers: Servers, agency: str = "meteorology") -> None:
        """Write the settings for these servers, and give the agency a key."""
        (self.data / "smsc-password").write_text("secret\n")
        (self.data / "connections.toml").write_text(
            CONNECTIONS.format(
                mail_route=MAIL_ROUTE,
                sms_route=SMS_ROUTE,
                mail_port=servers.mail.port,
                sms_port=servers.sms.port,
            )
        )
        self.give_key(agency)

    def windows(self) -> Mapping[str, int]:
        """How many messages may be under way at once, by route."""
        routes = routes_of(connections_in(self.data).channels, self.data)
        return {route.channel.name: route.channel.window for route in routes}

    def give_key(self, agency: str = "meteorology") -> None:
        """Let the agency send."""
        with AgencyKeys(self.data / FILE_NAME) as store:
            self._key = store.add_key(agency, datetime.now(UTC)).secret

    def wait_for_nothing(self) -> None:
        """Adopt the usual policy without its waits for what may come together."""
        self.call("policy", "adopt", str(at_once_policy(self._folder)))

    def call(self, *arguments: str, code: int = 0) -> str:
        """What a command of the outlet writes to standard output; everything it says is kept.

        Raises:
            CommandError: its exit code is another one.
        """
        kept = self._folder / f"command-{len(self.said)}.txt"
        errors = kept.with_suffix(".errors")
        ended = outlet_command(kept, errors, ["--data", str(self.data), *arguments])
        self.said += [kept, errors]
        if ended != code:
            raise CommandError(f"outlet {arguments[0]} ended with {ended}: {errors.read_text()[-1000:]}")
        return kept.read_text()

    def enlist(self, people: Iterable[Listed], roster: str = "all", mode: str = "live") -> None:
        """Take a list in."""
        path = self._folder / f"{roster}.csv"
        write_list(path, people)
        self.call("roster", "import", str(path), "--roster", roster, "--mode", mode)

    def begin(self) -> None:
        """`outlet run` from nothing."""
        output = self._folder / f"life-{self._lives}.txt"
        self._lives += 1
        self.said.append(output)
        self._life = cold(output, self.data)
        self._life.wait_until_it_serves()

    def kill(self) -> None:
        """SIGKILL."""
        if self._life is not None:
            self._life.kill()
            self._life = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run for the length of a block, whatever is killed in it."""
        self.begin()
        try:
            yield
        finally:
            self.kill()

    @property
    def url(self) -> str:
        """Where it serves."""
        assert self._life is not None
        return self._life.url or ""

    def post(self, content: bytes, agency: str = "meteorology") -> None:
        """One message by HTTP, which is taken.

        Raises:
            CommandError: it is not.
        """
        where = urlsplit(self.url)
        line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=REQUEST_SECONDS)
        try:
            line.request("POST", f"/v1/agencies/{agency}/messages", content, {"X-Api-Key": self._key})
            answer = line.getresponse()
            said = answer.read().decode(errors="replace")
        finally:
            line.close()
        if answer.status != 202:
            raise CommandError(f"a message was answered {answer.status}: {said[:500]}")

    def deliveries(self) -> tuple[list[Sum], int]:
        """What became of every plan, oldest first, and how many outcomes the log has not heard of."""
        document = json.loads(self.call("deliveries", "--json"))
        for _ in range(2):  # thousands of these would say the same
            self.said.pop().unlink()
        sums = [_sum(plan) for plan in document["plans"]]
        return sorted(sums, key=lambda one: one.planned), document["not_in_the_log_yet"]


def at_once_policy(folder: Path) -> Path:
    """A file with the usual policy, without its waits for what may come together."""
    text = resources.files("adapters.policies").joinpath("shaoxing.toml").read_text(encoding="utf-8")
    path = folder / "at-once.toml"
    path.write_text(re.sub(r"^(group_wait_seconds) = \d+$", r"\1 = 0", text, flags=re.MULTILINE), encoding="utf-8")
    return path


def _sum(plan: Mapping[str, Any]) -> Sum:
    states: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for count in plan["counts"]:
        states[count["state"]] = states.get(count["state"], 0) + count["messages"]
        if count["reason"]:
            reasons[count["reason"]] = reasons.get(count["reason"], 0) + count["messages"]
    return Sum(plan["planned"], plan["district"], plan["people"], plan["not_filled_in"], states, reasons)


def write_list(path: Path, people: Iterable[Listed]) -> None:
    """A list as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("姓名", "手机", "邮箱", "区域"))
        writer.writerows((one.name, one.phone, one.email, one.area) for one in people)


def hours_until(moment: datetime) -> float:
    """How long after the start of the tests' time that is."""
    return (moment - START).total_seconds() / 3600


def wait_for(holds: Callable[[], bool], seconds: float, what: str, pause_seconds: float = LOOK_SECONDS) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it took longer, which is far beyond what it takes.
    """
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"it did not come to pass: {what}"
        time.sleep(pause_seconds)

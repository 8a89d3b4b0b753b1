"""R3 over the real thing: 100,000 people are told by mail and SMS while servers and the outlet itself are killed.

A real `outlet run` with a roster taken in by its command, a mail server and the npm package's SMSC in processes of
their own that write down what they take before they answer. An alert for two districts comes in over HTTP, is raised
while it is being told, and is lifted in one district while it is still being told. Meanwhile both servers, and the
outlet, are ended by SIGKILL again and again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.figures.figure import Figure, Progress
from tests.figures.outlets import ASK_SECONDS, Listed, Outlet, Sum, wait_for
from tests.figures.r1_feed import LASTING_HOURS
from tests.figures.servers import Servers
from tests.figures.telling_ends import End, judge
from tests.streams.messages import cap

PROMISE = (
    "people told by mail and SMS while servers and outlet are killed: nobody missed, repeats at most what was in "
    "flight at the kills, each marked; no alert after its all-clear, and no all-clear to whom no alert was handed over"
)
STAYS, LIFTED = "330604", "330602"
"""The district whose warning stays, and the one whose warning is lifted in the middle."""

FIRST, SECOND = "初报", "续报"
TEXT = "未来三小时雨量将达一百毫米以上，请立即转移避险。" * 3
LAST_STEP = 1.2
"""For each person so many messages have come when the last thing happens: more than so many always come."""

UPDATE_AT, ALL_CLEAR_AT = 0.3, 0.55
PATIENCE_SECONDS = 1_800.0
LONGEST_OUTAGE_SECONDS = 1.5
STRETCH_SECONDS = 5.0


@dataclass(frozen=True)
class Size:
    """How many people, and how often both servers and the outlet are killed."""

    people: int
    server_kills: int
    outlet_kills: int
    seed: int = 1


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Tell everybody, and look at what the servers and the outlet say of it."""
    figure = Figure("R3", PROMISE)
    people = {one.address: one for one in listed(size.people)}
    with Servers(folder / "servers") as servers:
        outlet = Outlet(folder)
        outlet.settle(servers)
        outlet.wait_for_nothing()
        progress(0, size.people, "the roster is taken in")
        outlet.enlist(people.values())
        with outlet.running():
            run = _Run(outlet, servers, size, figure, progress)
            run.all()
            run.wait_for_the_end()
        sums, _ = outlet.deliveries()
    figure.counts |= {"people": size.people, "kills of both servers": size.server_kills}
    figure.counts["kills of the outlet"] = size.outlet_kills
    judge(figure, End(outlet.data, people, servers, sums, run.in_flight, lifted=LIFTED, newest=SECOND))
    run.tell_pace()
    return figure


def listed(people: int) -> Iterator[Listed]:
    """So many, half of them by mail and half by SMS, half of each in either district."""
    for number in range(people):
        area = STAYS if number % 4 < 2 else LIFTED
        if number % 2:
            yield Listed(phone=f"+86138{number:08d}", area=area)
        else:
            yield Listed(email=f"p{number}@people.example", area=area)


class _Run:
    """What happens, by how many messages have come."""

    def __init__(self, outlet: Outlet, servers: Servers, size: Size, figure: Figure, progress: Progress) -> None:
        self._outlet = outlet
        self._servers = servers
        self._size = size
        self._figure = figure
        self._progress = progress
        self._random = Random(size.seed)
        self._samples: list[tuple[float, int]] = []
        self._quiet = {server: _Quiet() for server in servers.both}
        self._window = sum(outlet.windows().values())
        self.in_flight = 0

    def all(self) -> None:
        """Everything but the end."""
        self._alert()
        for share, step in sorted(self._steps(), key=lambda one: one[0]):
            self._wait_for_messages(share)
            step()

    def _steps(self) -> Iterator[tuple[float, Callable[[], None]]]:
        yield UPDATE_AT, self._update
        yield ALL_CLEAR_AT, self._all_clear
        for kills, kill in (
            (self._size.server_kills, self._kill_servers),
            (self._size.outlet_kills, self._kill_outlet),
        ):
            for number in range(kills):
                yield LAST_STEP * (number + self._random.random()) / kills, kill

    def _alert(self) -> None:
        for area in (LIFTED, STAYS):
            text = f"{FIRST} {TEXT}"
            self._outlet.post(cap(area, level="orange", codes=(area,), hours=LASTING_HOURS, text=text))

    def _update(self) -> None:
        for area in (LIFTED, STAYS):
            self._outlet.post(
                cap(
                    f"{area}-update",
                    level="red",
                    kind="Update",
                    minutes=1,
                    references=((area, 0),),
                    codes=(area,),
                    hours=LASTING_HOURS,
                    text=f"{SECOND} {TEXT}",
                )
            )

    def _all_clear(self) -> None:
        references = ((LIFTED, 0), (f"{LIFTED}-update", 1))
        self._outlet.post(cap("all-clear", kind="Cancel", minutes=2, references=references))

    def _kill_servers(self) -> None:
        for server in self._servers.both:
            server.kill()
        self.in_flight += self._window
        time.sleep(self._random.uniform(0, LONGEST_OUTAGE_SECONDS))
        for server in self._servers.both:
            server.begin()

    def _kill_outlet(self) -> None:
        self._outlet.kill()
        sums, _ = self._outlet.deliveries()
        self.in_flight += sum(one.by_state.get("leased", 0) for one in sums)
        self._figure.count("killed with messages still to go", int(any(one.open for one in sums)))
        self._outlet.begin()

    def _messages(self) -> int:
        now = time.monotonic()
        for server, quiet in self._quiet.items():
            quiet.see(now, len(server.told.read().arrivals))
        count = sum(quiet.count for quiet in self._quiet.values())
        self._samples.append((now, count))
        self._progress(min(count, self._size.people), self._size.people, f"{count} messages have come")
        return count

    def _wait_for_messages(self, share: float) -> None:
        wanted = int(share * self._size.people)
        wait_for(lambda: self._messages() >= wanted, PATIENCE_SECONDS, f"{wanted} messages come")

    def wait_for_the_end(self) -> None:
        """Until nothing is to go any more, and the log has heard of everything."""

        def is_over() -> bool:
            self._messages()
            sums, unheard = self._outlet.deliveries()
            return not unheard and not any(one.open for one in sums) and _knows_the_end(sums)

        wait_for(is_over, PATIENCE_SECONDS, "everything ends", ASK_SECONDS)

    def tell_pace(self) -> None:
        """The best pace in the last third of the messages beside that in the first: does it fall as rows grow?

        And of all the time the longest in which one of the servers got nothing before its last message.
        """
        total = self._samples[-1][1]
        lasted = self._samples[-1][0] - self._samples[0][0]
        longest = max(quiet.longest for quiet in self._quiet.values())
        self._figure.counts["share of the run in which a server got nothing, at one time"] = round(longest / lasted, 2)
        first, last = (self._best(0, total / 3), self._best(2 * total / 3, total))
        if first and last:
            self._figure.counts["pace in the last third beside the first"] = round(last / first, 2)

    def _best(self, low: float, high: float) -> float:
        some = [sample for sample in self._samples if low <= sample[1] <= high]
        paces = [0.0]
        start = 0
        for at, count in some:
            while at - some[start][0] > STRETCH_SECONDS:
                start += 1
            since, before = some[start]
            if at - since > STRETCH_SECONDS / 2:
                paces.append((count - before) / (at - since))
        return max(paces)


@dataclass
class _Quiet:
    """How long nothing came to one server between two messages."""

    count: int = 0
    since: float | None = None
    longest: float = 0.0

    def see(self, now: float, count: int) -> None:
        """So many have come by now."""
        if count > self.count:
            if self.since is not None:
                self.longest = max(self.longest, now - self.since)
            self.count, self.since = count, now


def _knows_the_end(sums: list[Sum]) -> bool:
    """Whether the newest plans have been entered: alert and update in both districts, the all-clear in one."""
    plans = Counter(one.district for one in sums)
    return plans[STAYS] >= 2 and plans[LIFTED] >= 3

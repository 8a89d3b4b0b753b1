"""R5: a mail server and an SMSC refuse, answer late, drop connections and are gone; afterwards everything goes out.

While they do, warnings of four levels and one that will have ended wait for people by mail and SMS. After both are
back everything is handed over within 120 s, the most urgent first on each route, and nothing that has expired.
QUALITY.md asks the same of PostgreSQL stopped for 30 s: `r5_cluster.py` measures it on the distributed outlet.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.levels import Level
from tests.figures.figure import Figure, Progress
from tests.figures.outlets import ASK_SECONDS, MAIL_ROUTE, SMS_ROUTE, Listed, Outlet, hours_until, wait_for
from tests.figures.r1_feed import LASTING_HOURS
from tests.figures.servers import Servers
from tests.figures.telling_ends import LIFTING
from tests.figures.told import Arrival
from tests.streams.messages import cap

PROMISE = (
    "mail server and SMSC refusing, slow, dropping connections and gone: drained within 120 s of return, in order of "
    "priority; nothing expired is sent"
)
AREAS = {"330602": Level.RED, "330603": Level.ORANGE, "330604": Level.YELLOW, "330624": Level.BLUE}
EXPIRING = "330681"
MOST_SECONDS = 120.0
PATIENCE_SECONDS = 900.0
TIMED = "it took "
"""So begins the one shortfall that is a time."""


@dataclass(frozen=True)
class Size:
    """People in each district; how long each trouble lasts; how late the slow servers answer; how long none is there.

    `dropped_each` is how many messages a connection is dropped after.
    """

    people: int
    trouble_seconds: float
    slow_seconds: float
    down_seconds: float
    dropped_each: int = 7


def measure(folder: Path, size: Size, progress: Progress) -> Figure:
    """Trouble, return, and what came of it."""
    figure = Figure("R5", PROMISE)
    people = {one.address: one for one in listed(size.people)}
    with Servers(folder / "servers") as servers:
        outlet = Outlet(folder)
        outlet.settle(servers)
        outlet.wait_for_nothing()
        outlet.enlist(people.values())
        with outlet.running():
            go_through(Run(outlet, servers, size, people, figure), progress)
    return figure


def go_through(run: "Run", progress: Progress) -> None:
    """Everything in its order."""
    expires = run.plan_everything()
    for number, trouble in enumerate((run.refuse, run.answer_late, run.drop)):
        progress(number, 5, trouble.__name__)
        trouble()
    progress(3, 5, "down")
    run.be_down(expires)
    progress(4, 5, "back")
    run.come_back()
    run.judge()


def listed(people: int, areas: Sequence[str] = (*AREAS, EXPIRING)) -> Iterator[Listed]:
    """So many in each district, half of them by mail and half by SMS."""
    for place, area in enumerate(areas):
        for number in range(people):
            own = place * people + number
            if number % 2:
                yield Listed(phone=f"+86138{own:08d}", area=area)
            else:
                yield Listed(email=f"p{own}@people.example", area=area)


class Run:
    """One outlet between two servers in trouble. `wanted` are the districts whose people must all be reached."""

    slack_seconds = 0.0
    """How much longer the warning that will have ended lasts, where planning takes its time."""

    def __init__(self, outlet: Outlet, servers: Servers, size: Size, people: dict[str, Listed], figure: Figure) -> None:
        self._outlet = outlet
        self._servers = servers
        self._size = size
        self._people = people
        self._figure = figure
        self._windows = outlet.windows()
        self._at_return = [0, 0]
        self.wanted = frozenset(AREAS)
        self._tell_refusing()

    def _tell_refusing(self) -> None:
        self._servers.mail.tell(refuse="451 4.7.1 Come again later")
        self._servers.sms.tell(perSecond=1)

    def plan_everything(self) -> datetime:
        """The least urgent first; returns when the one that will expire does."""
        lasting = 3 * self._size.trouble_seconds + self._size.down_seconds / 2 + self.slack_seconds
        expires = datetime.now(UTC) + timedelta(seconds=lasting)
        hours = hours_until(expires)
        self._outlet.post(cap("ends", level="blue", codes=(EXPIRING,), hours=hours, text="很快结束的预警。"))
        for area, level in reversed(AREAS.items()):
            text = f"{level.value} 级预警，请注意防范。"
            self._outlet.post(cap(area, level=level.value, codes=(area,), hours=LASTING_HOURS, text=text))

        def all_planned() -> bool:
            sums, _ = self._outlet.deliveries()
            districts = {one.district for one in sums if not one.not_filled_in}
            return districts >= {*AREAS, EXPIRING}

        wait_for(all_planned, PATIENCE_SECONDS, "everything is planned", ASK_SECONDS)
        return expires

    def refuse(self) -> None:
        """4xx for every recipient; the SMSC throttles."""
        self._last()

    def answer_late(self) -> None:
        """Every answer is late."""
        late = int(self._size.slow_seconds * 1000)
        self._servers.mail.tell(refuse="", delay_ms=late)
        self._servers.sms.tell(perSecond=0, delayMs=late)
        self._last()

    def drop(self) -> None:
        """Connections break in the middle, with and without what was being handed over."""
        late = int(self._size.slow_seconds * 500)
        self._servers.mail.tell(delay_ms=late, drop_each=self._size.dropped_each)
        self._servers.sms.tell(delayMs=late, dropAfter=self._size.dropped_each)
        self._last()

    def _last(self) -> None:
        time.sleep(self._size.trouble_seconds)
        self._figure.counts["people reached during the trouble"] = self._servers.reached()

    def be_down(self, expires: datetime) -> None:
        """Both are gone for a while, and until the one warning has ended."""
        began = time.monotonic()
        self.take_away()
        while datetime.now(UTC) <= expires + timedelta(seconds=1):
            time.sleep(0.05)
        time.sleep(max(0.0, self._size.down_seconds - (time.monotonic() - began)))
        self._at_return = [len(server.told.read().arrivals) for server in self._servers.both]

    def take_away(self) -> None:
        """What is gone for a while."""
        for server in self._servers.both:
            server.kill()

    def bring_back(self) -> None:
        """All of it is there again and well."""
        for server in self._servers.both:
            server.begin()

    def come_back(self) -> None:
        """Until everybody has what is theirs."""
        wanted = {address for address, one in self._people.items() if one.area in self.wanted}
        began = time.monotonic()
        self.bring_back()
        left = len(wanted - self._reached())

        def all_reached() -> bool:
            return wanted <= self._reached()

        wait_for(all_reached, PATIENCE_SECONDS, "everybody is reached")
        seconds = time.monotonic() - began

        def all_ended() -> bool:
            sums, unheard = self._outlet.deliveries()
            return not unheard and not any(one.open for one in sums)

        wait_for(all_ended, PATIENCE_SECONDS, "everything has ended", ASK_SECONDS)
        self._figure.counts |= {"people waiting at the return": left, "share of the 120 s": round(seconds / 120, 2)}
        self._figure.must(left > 0, "nobody waited at the return")
        self._figure.must(seconds <= MOST_SECONDS, f"{TIMED}{seconds:.0f} s to drain")

    def _reached(self) -> set[str]:
        return {address for server in self._servers.both for address in server.told.read().reached}

    def judge(self) -> None:
        """Order, what expired, and what the outlet says."""
        for server, route, since in zip(self._servers.both, (MAIL_ROUTE, SMS_ROUTE), self._at_return, strict=True):
            arrivals = server.told.read().arrivals
            after = [one for one in arrivals[since:] if one.copy == 1 and self._people[one.to].area in AREAS]
            late = overtaken([AREAS[self._people[one.to].area] for one in after], self._windows[route])
            self._figure.counts[f"overtaken by what is less urgent ({route})"] = late
            self._figure.must(late == 0, f"{late} messages on {route} came after less urgent ones")
            expired = [one for one in arrivals[since:] if self._is_of_the_expired(one)]
            self._figure.must(not expired, f"{len(expired)} messages on {route} had expired")
            self._figure.count("messages that came twice", len(server.told.repeated))
        sums, _ = self._outlet.deliveries()
        states: Counter[str] = Counter()
        for one in sums:
            states.update(one.by_state)
        self._figure.counts["deliveries by state"] = dict(sorted(states.items()))
        expired_plans = sum(one.by_state.get("withdrawn", 0) for one in sums if one.district == EXPIRING)
        self._figure.counts["withdrawn as the warning had ended"] = expired_plans
        self._figure.must(expired_plans > 0, "nothing expired while it waited")
        self._figure.must(not states["failed"], f"{states['failed']} deliveries failed")

    def _is_of_the_expired(self, one: Arrival) -> bool:
        return self._people[one.to].area == EXPIRING and LIFTING not in one.words


def overtaken(levels: Sequence[Level], window: int) -> int:
    """How many came after something less urgent that is further back than what may be under way at once."""
    late = 0
    least = Level.RED
    for place, level in enumerate(levels):
        if place >= window:
            least = min(least, levels[place - window])
        late += least < level
    return late

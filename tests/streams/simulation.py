"""A world in which everything happens to a platform that can: drawn from a seed, so that each run can be had again.

Messages late, early and twice; a clock that leaps forward and back; lives that end without warning; a second
platform at work on the same folder; people who approve, refuse and settle. `watch.py` says what must hold.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random

from adapters.clocks import ManualClock
from adapters.policies import shipped_policies
from adapters.settings import Settings
from adapters.wiring import Platform, build
from domain.messages import Mode
from domain.outlet import SettleConflict
from domain.release import Approve, Refuse, ReleaseError
from streams.intake import Delivery
from tests.streams.messages import START
from tests.streams.outcomes import Sections, sections_of
from tests.streams.traffic import DISTRICTS, Sent, disturbed, traffic
from tests.streams.watch import Watch

MESSAGES = 16
MOST_STEPS = 400


def settings_of(folder: Path) -> Settings:
    """A folder whose policy asks one person for orange and two for red, and lets a deadline release."""
    folder.mkdir(parents=True, exist_ok=True)
    policy = folder / "policy.toml"
    asked = "approvals = { orange = 1, red = 2 }\napproval_deadline_seconds = 300\ndeadline_action = 'release'"
    text = shipped_policies()["shaoxing"]
    assert text.count("\napprovals = {}") == 1
    policy.write_text(text.replace("\napprovals = {}", f"\n{asked}"), encoding="utf-8")
    return Settings(data_dir=folder, policy=str(policy))


class World:
    """One seed's world. `first` and `second` are platforms on one folder; each decides on what it has in memory."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Begin with two platforms and nothing delivered."""
        self.random = Random(seed)
        self.settings = settings_of(folder / "world")
        self.clock = ManualClock(START)
        self.latest = START
        self.all: list[Platform] = []
        self.first, self.second = self.started(), self.started()
        self.delivered: list[Sent] = []
        self.waiting = disturbed(traffic(seed, MESSAGES), seed, repeated=0.2, moved=0.2, window=6)
        self.watch = Watch(self.first)

    def started(self) -> Platform:
        """A platform with nothing in memory. Those before it are left as a crash leaves them: unclosed."""
        platform = build(self.settings, clock=self.clock)
        self.all.append(platform)
        return platform

    def close(self) -> None:
        """Release the files of every life."""
        for platform in self.all:
            platform.close()

    def run(self) -> None:
        """Let things happen until everything has been delivered, then let time settle what is open."""
        steps: dict[Callable[[], None], int] = {
            self.deliver: 10,
            self.repeat: 2,
            self.pump: 6,
            self.let_time_pass: 4,
            self.clock_leaps: 2,
            self.crash: 1,
            self.somebody_decides: 3,
        }
        for _ in range(MOST_STEPS):
            if not self.waiting:
                break
            self.random.choices(list(steps), list(steps.values()))[0]()
            self.latest = max(self.latest, self.clock.now())
            self.watch.look()
        self.settle()

    def settle(self) -> None:
        """Beyond every moment that any clock has shown, and every wait and approval."""
        self.clock.set(self.latest)
        self.first.advance(self.latest + timedelta(minutes=10))
        self.first.runner.pump()
        self.watch.look()
        self.watch.at_rest(self.first)

    def either(self) -> Platform:
        """One of the two platforms."""
        return self.random.choice((self.first, self.second))

    def deliver(self) -> None:
        """The next messages reach one of the platforms."""
        some = [self.waiting.pop(0) for _ in range(min(self.random.randint(1, 4), len(self.waiting)))]
        self.delivered += some
        self._submit(some)

    def repeat(self) -> None:
        """Something that was delivered before comes again."""
        if self.delivered:
            self._submit([self.random.choice(self.delivered)])

    def _submit(self, some: list[Sent]) -> None:
        receipts = self.either().runner.submit([Delivery(one.content, None, "world") for one in some])
        self.watch.answered(some, receipts)

    def pump(self) -> None:
        """One of the platforms works through the log."""
        platform = self.either()
        platform.runner.pump()
        self.watch.board_is_the_ledger(platform)

    def let_time_pass(self) -> None:
        """Time passes as it should, with every deadline on the way."""
        self.either().advance(self.clock.now() + timedelta(minutes=self.random.choice((0.5, 3, 20))))

    def clock_leaps(self) -> None:
        """The clock is set, forward or back, and nobody is told."""
        self.clock.set(self.clock.now() + timedelta(minutes=self.random.choice((-60, -5, -0.1, 5, 60))))

    def crash(self) -> None:
        """A platform is gone, with whatever it had in memory; another starts."""
        if self.random.random() < 0.5:
            self.first = self.started()
        else:
            self.second = self.started()
        self.watch.platform = self.first

    def somebody_decides(self) -> None:
        """A person approves, refuses or settles something, fitting or not."""
        platform = self.either()
        district, mode = self.random.choice(DISTRICTS), self.random.choice((Mode.LIVE, Mode.LIVE, Mode.DRILL))
        state = platform.house.ledger.outlet(district, mode)
        hazard = self.random.choice([*state.holds, *(section.hazard for section in state.sections), "11B01"])
        by = self.random.choice(("Wang", "Li", "Zhao"))
        command = self.random.choice((Approve(hazard, by), Approve(hazard, by), Refuse(hazard, by, "no")))
        with suppress(ReleaseError):
            platform.runner.command(
                district, mode, self.random.choice((command, command, SettleConflict(hazard, by, "agreed")))
            )


def run(folder: Path, seed: int) -> None:
    """One seed: the world must keep every promise, and end as a world does in which nothing went wrong."""
    world = World(folder, seed)
    try:
        world.run()
        with build(settings_of(folder / "clean"), clock=ManualClock(START)) as clean:
            in_order = dict.fromkeys(sorted(world.delivered, key=lambda one: one.minutes))
            clean.runner.submit([Delivery(one.content, None, "world") for one in in_order])
            clean.runner.pump()
            clean.advance(world.clock.now())
            clean.runner.pump()
            assert without_settlements(sections_of(world.first)) == without_settlements(sections_of(clean))
    finally:
        world.close()


def without_settlements(sections: Sections) -> object:
    """The content that agencies made; what people settled is theirs."""
    return {
        key: [section.model_dump(exclude={"conflict": {"settled_by", "settled_reason"}}) for section in found]
        for key, found in sections.items()
    }

"""One route as the worker sees it: what it may carry, how many letters are under way, how fast, and when it is down."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from adapters.channels.port import Channel
from adapters.sending.letters import Lease
from domain.back_off import back_off
from domain.messages import Mode


@dataclass(frozen=True, slots=True)
class Route:
    """A channel and what it may be used for. `per_second` limits its rate; without it the window alone does."""

    channel: Channel
    modes: frozenset[Mode] = frozenset({Mode.LIVE})
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of the worker, in seconds unless said otherwise.

    A worker that has not said for `alive_seconds` that it lives is taken for dead, and hands nothing over any more.
    `blind_seconds` is how long it goes on while it cannot read the log, where an emergency stop would stand.
    A route that is down is tried again after `longest_down_seconds` at the latest, unless it asks for more itself.
    `forward_seconds` lies at least between two times that letters are brought forward on the word of letters alone.
    """

    alive_seconds: float = 10.0
    beat_seconds: float = 2.0
    blind_seconds: float = 4.0
    look_seconds: float = 0.25
    stop_grace_seconds: float = 2.0
    close_seconds: float = 5.0
    longest_hand_over_seconds: float = 60.0
    most_attempts: int = 30
    longest_seconds: float = 24 * 3600.0
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 300.0
    longest_down_seconds: float = 30.0
    forward_seconds: float = 30.0
    same_words_seconds: float = 3600.0


SHARE_OF_A_SECOND: Final = 0.5
"""Of a route with a rate, so much is leased at once: what is more urgent waits no longer behind it."""


@dataclass(eq=False, slots=True)
class Lane:
    """A route at work. All times are the event loop's."""

    route: Route
    pace: Pace
    chance: Callable[[], float]
    under_way: dict[asyncio.Task[None], Lease] = field(default_factory=dict)
    begun: set[asyncio.Task[None]] = field(default_factory=set)
    waiting: list[tuple[int, int, Lease, str]] = field(default_factory=list)
    started: set[tuple[int, int, int]] = field(default_factory=set)
    leased: int = 0
    count: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    down_until: float = 0.0
    next_slot: float = 0.0
    put_off_in_a_row: int = 0
    is_in_trouble: bool = False
    is_back: bool = False
    trusts_letters_from: float = 0.0

    @property
    def window(self) -> int:
        """How many may be handed over before what became of them is stored: so many a crash may leave in doubt."""
        most = self.route.channel.window
        if self.route.per_second is not None:
            most = min(most, max(1, int(self.route.per_second * SHARE_OF_A_SECOND)))
        if self.failures:  # one letter finds out whether the route is back
            most = 1
        return most

    @property
    def room(self) -> int:
        """How many more may be leased: as many again as may be under way, so that no channel waits for the database.

        A letter counts until what became of it is stored.
        """
        is_quick = self.route.per_second is None and not self.failures
        return self.window * (1 + is_quick) - self.leased

    def add(self, lease: Lease, address: str) -> None:
        """Keep a leased letter until its turn."""
        self.count += 1
        heappush(self.waiting, (-lease.level.rank, self.count, lease, address))

    def take(self) -> tuple[Lease, str] | None:
        """The most urgent of those that wait; None while the window is full or nothing waits."""
        if not self.waiting or len(self.started) >= self.window:
            return None
        _, _, lease, address = heappop(self.waiting)
        self.started.add((lease.lease, lease.warning, lease.number))
        return lease, address

    def given_back(self) -> list[Lease]:
        """Those that wait, and wait no longer."""
        leases = [lease for _, _, lease, _ in self.waiting]
        self.waiting.clear()
        return leases

    def settled(self, lease: Lease) -> None:
        """What became of it is stored."""
        self.leased -= 1
        self.started.discard((lease.lease, lease.warning, lease.number))

    def slot(self, now: float) -> float:
        """How long this letter waits for its turn under the route's rate."""
        if self.route.per_second is None:
            return 0.0
        at = max(now, self.next_slot)
        self.next_slot = at + 1 / self.route.per_second
        return at - now

    def went_down(self, now: float, at_least_seconds: float) -> None:
        """The route did not serve; it is tried again after a wait that grows."""
        if now < self.down_until:  # those that were under way with the first
            return
        self.failures += 1
        self.is_in_trouble = True
        wait = back_off(
            self.failures,
            chance=self.chance(),
            at_least_seconds=at_least_seconds,
            first_seconds=self.pace.first_wait_seconds,
            longest_seconds=self.pace.longest_down_seconds,
        )
        self.down_until = now + wait.total_seconds()

    def put_off(self, now: float, *, is_asked: bool) -> None:
        """The route answered that this letter is to come again; `is_asked` when it said when.

        As many of these in a row as may be under way say that the trouble is the route's. Some people are put off
        for good, so that is believed only from time to time.
        """
        self.failures, self.down_until = 0, 0.0
        if is_asked:
            return
        self.put_off_in_a_row += 1
        if self.put_off_in_a_row >= self.route.channel.window and now >= self.trusts_letters_from:
            self.is_in_trouble = True
            self.trusts_letters_from = now + self.pace.forward_seconds

    def served(self) -> None:
        """The route works. After trouble it is back: those who were put off meanwhile need not wait on."""
        self.failures, self.down_until, self.put_off_in_a_row = 0, 0.0, 0
        self.is_back = self.is_back or self.is_in_trouble
        self.is_in_trouble = False

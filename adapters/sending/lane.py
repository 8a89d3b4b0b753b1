"""One route as the worker sees it: what it may carry, how many letters are under way, how fast, and when it is down."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
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
    unsettled: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    failures: int = 0
    down_until: float = 0.0
    next_slot: float = 0.0

    @property
    def room(self) -> int:
        """How many more may be leased: a letter counts until what became of it is stored."""
        most = self.route.channel.window
        if self.route.per_second is not None:
            most = min(most, max(1, int(self.route.per_second * SHARE_OF_A_SECOND)))
        if self.failures:  # one letter finds out whether the route is back
            most = 1
        return most - self.unsettled

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
        wait = back_off(
            self.failures,
            chance=self.chance(),
            at_least_seconds=at_least_seconds,
            first_seconds=self.pace.first_wait_seconds,
            longest_seconds=self.pace.longest_wait_seconds,
        )
        self.down_until = now + wait.total_seconds()

    def served(self) -> None:
        """The route works."""
        self.failures = 0
        self.down_until = 0.0

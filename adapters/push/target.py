"""What the courier asks of a system that releases are handed to, and what it may answer.

A release is handed over until the target says that it is done with it: at least once, in the order of the log within
each district, several districts at a time. `Parcel.key` stays the same over repetitions and restarts.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from domain.events import WarningReleased


class Parcel(NamedTuple):
    """A release on its way: its place in the log, and the release."""

    position: int
    release: WarningReleased

    @property
    def key(self) -> str:
        """What a receiver tells repetitions by."""
        return f"release-{self.position}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The target has it."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Not now; the courier backs off, at least for `after_seconds`, and tries again until its patience ends."""

    reason: str
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The target will never take this release; the courier goes on with the next, the reason is recorded."""

    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The target wants nothing any more, for good."""

    reason: str


Outcome = Delivered | TryAgain | GivenUp | Gone


class Target(Protocol):
    """A system that releases are handed to."""

    @property
    def id(self) -> str:
        """Under which its position is kept; never used again for another one."""
        ...

    def wants(self, release: WarningReleased) -> bool:
        """Whether this release is for it; live and drill are its own to tell apart."""
        ...

    async def hand_over(self, parcel: Parcel) -> Outcome:
        """Hand one release over. Raises nothing: what goes wrong is an outcome."""
        ...


class TargetEvents(Protocol):
    """Told when something is to be recorded; called from the courier's thread."""

    def failing_too_long(self, target: Target, parcel: Parcel, reason: str) -> None:
        """The courier's patience has ended; it stops serving the target."""
        ...

    def given_up(self, target: Target, parcel: Parcel, reason: str) -> None:
        """One release will not reach the target."""
        ...

    def gone(self, target: Target, reason: str) -> None:
        """The target wants nothing any more."""
        ...

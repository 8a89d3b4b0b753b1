"""The way from a poller to the stages: what it hands over is durable when this returns, or the look has failed.

The stages behind wake by themselves on what was stored; nothing is pumped here.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

from adapters.pollers.looks import FeedCode, FeedError
from domain.ports import Clock, LogUnavailableError, VersionConflictError
from streams.intake import Delivery, ListedMessage, Receipt, RefusedItem
from streams.park import Failed, attempt

T = TypeVar("T")


class Runner(Protocol):
    """What is asked of the runner of the stages."""

    def submit(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        """Take deliveries in; what is returned is durable."""
        ...

    def submit_listing(
        self,
        name: str,
        listed: Sequence[ListedMessage],
        refused: Sequence[RefusedItem] = (),
        *,
        complete: bool = True,
        standing: Collection[str] = (),
    ) -> list[Receipt]:
        """Take in what a list shows now; what is returned is durable."""
        ...


class Intake:
    """The runner, with its failures as those of a look. To be called from a thread that may wait."""

    def __init__(self, runner: Runner, clock: Clock, policy_sha256: str) -> None:
        """`policy_sha256` tells refusals under one policy from those under another."""
        self._runner = runner
        self._clock = clock
        self.policy_sha256 = policy_sha256

    def now(self) -> float:
        """The clock's time in seconds since 1970."""
        return self._clock.now().timestamp()

    def submit(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        """Take deliveries in.

        Raises:
            FeedError: OUTLET; nothing was taken.
        """
        return _done(lambda: self._runner.submit(deliveries)) if deliveries else []

    def submit_listing(
        self,
        name: str,
        listed: Sequence[ListedMessage],
        refused: Sequence[RefusedItem],
        *,
        complete: bool,
        standing: Collection[str],
    ) -> list[Receipt]:
        """Take a list in.

        Raises:
            FeedError: OUTLET; nothing was taken.
        """
        return _done(lambda: self._runner.submit_listing(name, listed, refused, complete=complete, standing=standing))


def _done(action: Callable[[], T]) -> T:
    try:
        result = attempt(action)
    except (LogUnavailableError, VersionConflictError) as error:
        raise FeedError(FeedCode.OUTLET, f"this outlet could not store what came: {error}") from error
    if isinstance(result, Failed):
        defect = result.error
        raise FeedError(FeedCode.OUTLET, f"a defect of this outlet: {type(defect).__name__}: {defect}") from defect
    return result

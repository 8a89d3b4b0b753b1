"""The outbox: one person's message of one warning is planned, waits, is leased, and ends, whatever is killed when.

    plan in the log -> waiting -> leased -> accepted -> delivered
                                         -> waiting again (not now; or its worker died: then it is in doubt)
                                         -> failed (no channel of theirs takes it)
                    -> withdrawn (superseded, expired, never told, needless, ...: never handed over)

Here the parts are put together; each does one step. One outbox may be opened by several workers at the same time.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import uuid4

from sqlalchemy import Engine

from adapters.channels.port import DeliveryReceipt
from adapters.links import Links
from adapters.sending.contents import Contents
from adapters.sending.filling import SLICE, Filling, Preferences
from adapters.sending.gone import GoneRecipients
from adapters.sending.leasing import Leasing
from adapters.sending.letters import Lease, Result, Standing
from adapters.sending.rows import queue_of
from adapters.sending.saying import Speaking
from adapters.sending.settling import Settling
from domain.messages import Mode
from domain.policy import Policy
from domain.ports import EventLog
from domain.recipients import ChannelKind


class Outbox:
    """One worker's access to the outbox. Safe to use from many threads: one step is taken at a time."""

    def __init__(
        self, engine: Engine, events: EventLog, policy: Policy, place: Callable[[str], str], links: Links
    ) -> None:
        """`place` gives a district's name. The engine is closed with the outbox."""
        self.worker = uuid4().hex
        self._engine = engine
        self._events = events
        self._lock = threading.Lock()
        self._reporting = threading.Lock()
        contents = Contents(events, lambda: policy, place)
        self._filling = Filling(engine, events, policy, contents)
        self._leasing = Leasing(engine, self._filling, Speaking(contents, links), self.worker)
        self._settling = Settling(engine, self._filling.identity)
        self._gone = GoneRecipients(engine)

    @property
    def standing(self) -> Standing:
        """What the log said last: whether sending is stopped, and which plans are new."""
        return self._filling.standing

    def follow(self) -> bool:
        """Enter what the log says up to its head; True when there was something new.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        with self._lock:
            return self._filling.follow()

    def fill(self, preferences: Preferences, people: int = SLICE) -> int:
        """Fill in the next slice of the most urgent plan; how many people it had, 0 when all are filled in.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        with self._lock:
            return self._filling.fill(preferences, people)

    def lease(self, mode: Mode, kind: ChannelKind, most: int, now: datetime) -> list[Lease]:
        """Up to so many messages for this kind of channel, the most urgent first; none while sending is stopped.

        Raises:
            LogUnavailableError: the log cannot be read now.
        """
        with self._lock:
            return self._leasing.lease(mode, kind, most, now)

    def bring_forward(self, modes: Sequence[Mode], kind: ChannelKind, now: datetime) -> None:
        """A route for this kind of channel is back: those who were put off come up now, the most urgent first."""
        with self._lock:
            self._leasing.bring_forward([queue_of(mode, kind.value) for mode in modes], now.timestamp())

    def is_first_with_these_words(self, lease: Lease, first_number: int, now: datetime, window_seconds: float) -> bool:
        """Whether, of several numbers with one address, this one gets these words."""
        with self._lock:
            return self._settling.first_with_these_words(lease, first_number, now, window_seconds)

    def settle(self, results: Sequence[tuple[Lease, Result]]) -> None:
        """Store what became of leases."""
        with self._lock:
            self._settling.settle(results)

    def received(self, route: str, receipts: Sequence[DeliveryReceipt], now: datetime) -> None:
        """Match receipts with what was handed over, whenever they come."""
        with self._lock:
            self._settling.received(route, receipts, now)

    def report(self, now: datetime) -> int:
        """Bring a batch of outcomes to the log; how many, 0 when all are there.

        Raises:
            LogUnavailableError: the log cannot be written now.
        """
        with self._reporting:  # of its own: nobody who leases waits for the log
            with self._lock:  # SQLite would let a writer that waits sleep for longer than it takes
                self._filling.look_for_another()
                if self.standing.is_recovering:  # the log may have what a restored outbox still wants to tell it
                    return 0
                rows = self._settling.named_batch()
            if rows:
                self._settling.append(self._events, rows, now)
                with self._lock:
                    self._settling.forget(rows)
            return len(rows)

    def report_gone(self, now: datetime) -> None:
        """End the subscriptions of recipients whom no channel reaches any more; see `gone`.

        Raises:
            LogUnavailableError: the log cannot be written now.
        """
        with self._reporting:
            for number, refused_at in self._gone.found():
                if self._gone.append(self._events, number, refused_at, now):
                    with self._lock:
                        self._gone.forget(number)

    def beat(self, now: datetime, alive_seconds: float) -> int:
        """Say that this worker lives; put back what dead ones had, and say how many messages that were."""
        with self._lock:
            return self._leasing.beat(now.timestamp(), alive_seconds)

    def leave(self) -> None:
        """This worker hands nothing over any more."""
        with self._lock:
            self._leasing.leave()

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """The outbox itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

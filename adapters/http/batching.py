"""Concurrent requests become one transaction: what waits is taken together, and answered once it is durable.

One thread works: it takes all that waits, submits it, has it answered, and then takes it through the stages. While
it does, the next requests gather. Nobody sleeps to let a batch grow, so a lone message waits for its own write only.

Stages follow every batch rather than when nothing waits: under a steady load something always waits, and a warning
that is accepted and not released is worse than an answer that comes some milliseconds later. Read models may be
PUMP_SECONDS behind while something waits.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from adapters.http.metrics import Metrics
from adapters.http.replays import AnsweredRequests, SignedId
from domain.ports import Clock, LogUnavailableError, VersionConflictError
from streams.intake import Delivery, Receipt
from streams.park import Failed, attempt

log = logging.getLogger(__name__)

MOST_MESSAGES: Final = 1_000
"""In one batch, so that the first of them is not kept for the last. One request is never divided."""

RETRY_SECONDS: Final = 1.0
"""How long until stages that could not go on are tried again."""

PUMP_SECONDS: Final = 0.05
"""How far read models and deadlines may fall behind under a steady load: bringing them up costs more than a batch."""


class Runner(Protocol):
    """What is asked of the runner of the stages."""

    def submit(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        """Take deliveries in; what is returned is durable."""
        ...

    def take_through(self) -> None:
        """Take everything in the log through all stages."""
        ...

    def pump(self) -> None:
        """The same, and bring up the read models and act on deadlines."""
        ...


class IntakeFullError(Exception):
    """More waits already than may, or the intake is closing; nothing was taken."""


class IntakeFailedError(Exception):
    """The messages could not be stored; nothing of them was taken."""


@dataclass(slots=True)
class _Request:
    deliveries: Sequence[Delivery]
    signed: SignedId | None
    answer: Callable[[list[Receipt] | Exception], None]


@dataclass(slots=True)
class WorkerHealth:
    """What `/readyz` asks: whether the worker is there, and why the stages behind cannot go on."""

    is_alive: bool = True
    trouble: str = ""
    pumped_at: float = field(default_factory=time.monotonic)


class IntakeWorker:
    """The one thread that submits and pumps. `take` is called from event loops, any number of them."""

    def __init__(
        self,
        runner: Runner,
        clock: Clock,
        *,
        answered: AnsweredRequests,
        metrics: Metrics,
        most_waiting: int = 10_000,
    ) -> None:
        """Start the thread."""
        self._runner = runner
        self._clock = clock
        self._answered = answered
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._waiting: deque[_Request] = deque()
        self._waiting_messages = 0
        self._news = threading.Condition()
        self._closing = False
        self.health = WorkerHealth()
        # A daemon: a process that ends without closing loses only what was not yet answered.
        self._thread = threading.Thread(target=self._run, name="http-intake", daemon=True)
        self._thread.start()

    @property
    def waiting_messages(self) -> int:
        """How many messages wait for the next batch."""
        return self._waiting_messages

    async def take(self, deliveries: Sequence[Delivery], *, signed: SignedId | None = None) -> list[list[Receipt]]:
        """The receipts of each delivery, once they are durable. Each delivery's `source` must be its own.

        A caller that is cancelled leaves its messages to be taken in all the same.

        Raises:
            IntakeFullError, IntakeFailedError: nothing was taken.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Receipt]] = loop.create_future()

        def answer(outcome: list[Receipt] | Exception) -> None:
            try:
                loop.call_soon_threadsafe(_settle, future, outcome)
            except RuntimeError:  # the loop has ended, and whoever asked with it
                log.warning("an answer found nobody waiting for it")

        self._enqueue(_Request(deliveries, signed, answer))
        receipts = await future
        by_source: dict[str, list[Receipt]] = {delivery.source: [] for delivery in deliveries}
        for receipt in receipts:
            by_source[receipt.source].append(receipt)
        return list(by_source.values())

    def close(self) -> None:
        """Finish what waits, then end the thread. Later messages are refused; closing twice is allowed."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join()

    def _enqueue(self, request: _Request) -> None:
        with self._news:
            if self._closing or not self.health.is_alive:
                raise IntakeFullError("the intake is closing")
            if self._waiting and self._waiting_messages + len(request.deliveries) > self._most_waiting:
                raise IntakeFullError(f"{self._waiting_messages} messages wait already")
            self._waiting.append(request)
            self._waiting_messages += len(request.deliveries)
            self._news.notify()

    def _run(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                if batch:
                    self._serve(batch)
                self._pump()
        finally:
            self._leave()

    def _next_batch(self) -> list[_Request] | None:
        """Wait for requests; an empty batch when stages are to be tried again, None at the end."""
        with self._news:
            while not self._waiting:
                if self._closing:
                    return None
                if not self._news.wait(RETRY_SECONDS if self.health.trouble else None):
                    return []
            batch: list[_Request] = []
            size = 0
            while self._waiting and (not batch or size + len(self._waiting[0].deliveries) <= MOST_MESSAGES):
                size += len(self._waiting[0].deliveries)
                batch.append(self._waiting.popleft())
            self._waiting_messages -= size
        self._metrics.batch(size)
        return batch

    def _serve(self, batch: Sequence[_Request]) -> None:
        began = time.perf_counter()
        outcome = _submitted(self._runner, [one for request in batch for one in request.deliveries])
        self._metrics.submitted(time.perf_counter() - began)
        if isinstance(outcome, Exception):
            log.error("a batch of %d requests was not taken: %s", len(batch), outcome)
            for request in batch:
                if request.signed is not None:
                    self._answered.abandon(request.signed)
                request.answer(outcome)
            return
        self._remember([request.signed for request in batch if request.signed is not None])
        owners = {one.source: place for place, request in enumerate(batch) for one in request.deliveries}
        shares: list[list[Receipt]] = [[] for _ in batch]
        for receipt in outcome:
            shares[owners[receipt.source]].append(receipt)
            self._metrics.taken(receipt)
        for request, share in zip(batch, shares, strict=True):
            request.answer(share)

    def _remember(self, signed: Sequence[SignedId]) -> None:
        if not signed:
            return
        try:
            self._answered.remember(signed, self._clock.now())
        except sqlite3.Error as error:
            # The messages are taken in, and saying otherwise would be wrong. A repetition finds duplicates.
            log.error("the ids of %d signed requests could not be remembered: %s", len(signed), error)  # noqa: TRY400

    def _pump(self) -> None:
        began = time.perf_counter()
        is_late = time.monotonic() - self.health.pumped_at >= PUMP_SECONDS
        is_whole = is_late or not self._waiting or bool(self.health.trouble)
        try:
            pumped = attempt(self._runner.pump if is_whole else self._runner.take_through)
        except (LogUnavailableError, VersionConflictError) as error:
            pumped = Failed(error)
        if isinstance(pumped, Failed):
            self.health.trouble = f"{type(pumped.error).__name__}: {pumped.error}"
            log.error("the stages could not go on and are tried again", exc_info=pumped.error)
            return
        self.health.trouble = ""
        if is_whole:
            self.health.pumped_at = time.monotonic()
        self._metrics.pumped(time.perf_counter() - began)

    def _leave(self) -> None:
        """Leave nobody waiting."""
        with self._news:
            self.health.is_alive = False
            left = list(self._waiting)
            self._waiting.clear()
            self._waiting_messages = 0
        for request in left:
            if request.signed is not None:
                self._answered.abandon(request.signed)
            request.answer(IntakeFailedError("the intake has ended"))


def _submitted(runner: Runner, deliveries: Sequence[Delivery]) -> list[Receipt] | Exception:
    try:
        taken = attempt(partial(runner.submit, deliveries))
    except (LogUnavailableError, VersionConflictError) as error:
        return IntakeFailedError(str(error))
    return IntakeFailedError(str(taken.error)) if isinstance(taken, Failed) else taken


def _settle(future: "asyncio.Future[list[Receipt]]", outcome: list[Receipt] | Exception) -> None:
    if future.done():  # its caller has gone
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)

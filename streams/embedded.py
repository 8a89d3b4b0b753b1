"""Runs the stages in one process over the local event log: no broker, no other service.

`submit` answers when the messages are durable; `pump` takes everything through the stages and keeps the read
models current; `run` does so for ever, waking on new events and on the next deadline.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from domain.deadlines import Due
from domain.event import Event
from domain.messages import Mode
from domain.outlet import Command
from domain.policy import Policy
from domain.ports import (
    Clock,
    Deadlines,
    EventLog,
    MessageReader,
    RecordedEvent,
    SettableClock,
    VersionConflictError,
)
from domain.release import ReleaseCommand
from streams.adoption import adopt
from streams.district import act
from streams.house import House
from streams.intake import (
    Delivery,
    ListedMessage,
    Receipt,
    RefusedItem,
    refuse_for_a_defect,
    refused_for_a_defect,
    take_in,
    take_listing,
)
from streams.park import NOT_THE_EVENTS_FAULT, Failed, attempt, park_due, run_step
from streams.pipeline import CLOCK_STAGE, STAGES, Stage

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH: Final = 500
"""How many events a stage takes through one transaction at most."""

LONGEST_SLEEP_SECONDS: Final = 1.0

BREATH_SECONDS: Final = 0.05
"""How long `run` leaves what is new to whoever brought it, who as a rule takes it through the stages at once."""


class EmbeddedRunner:
    """The main path in one process. All methods may be called from several threads; one decides at a time.

    What is decided and stored together is done under one lock, and nothing else is: whoever submits waits for one
    batch of one stage at most, never for the read models.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        house: House,
        reader: MessageReader,
        clock: Clock,
        deadlines: Deadlines,
        project: Callable[[], int],
        elsewhere: Callable[[], None] | None = None,
    ) -> None:
        """`project` brings the read models up to the head of the log and returns their position.

        With `elsewhere` the stages behind the intake are other processes' business; it is called where they would run.
        """
        self._log = log
        self._house = house
        self._reader = reader
        self._clock = clock
        self._deadlines = deadlines
        self._project = project
        self._elsewhere = elsewhere
        self._lock = threading.RLock()
        # Held by whoever projects and acts on deadlines; taken before the other one, never while holding it.
        self._projecting = threading.Lock()
        self._positions: dict[str, int] = {}
        self.trouble = ""

    def submit(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
        """Take deliveries in; what is returned is durable. The stages behind follow by `pump`.

        All of them are one transaction; when a defect of ours meets one, they are taken one by one and that one is
        refused.
        """

        def decide() -> list[Receipt]:
            now = self._clock.now()
            return [receipt for delivery in deliveries for receipt in take_in(self._house, self._reader, delivery, now)]

        taken = attempt(lambda: self._decided(decide))
        if not isinstance(taken, Failed):
            return taken
        if len(deliveries) > 1:
            return [receipt for delivery in deliveries for receipt in self.submit([delivery])]
        [delivery] = deliveries
        log.error("a defect refused a delivery of %s", delivery.source, exc_info=taken.error)
        return self._decided(lambda: [refuse_for_a_defect(self._house, delivery, taken.error, self._clock.now())])

    def submit_listing(
        self,
        name: str,
        listed: Sequence[ListedMessage],
        refused: Sequence[RefusedItem] = (),
        *,
        complete: bool = True,
        standing: Collection[str] = (),
    ) -> list[Receipt]:
        """Take in what a list shows now; what is returned is durable. See `take_listing` for the last two.

        When a defect of ours meets an item, the items are taken one by one first, and that one counts as refused.
        """

        def take(items: Sequence[ListedMessage], others: Sequence[RefusedItem], *, whole: bool) -> list[Receipt]:
            return self._decided(
                lambda: take_listing(
                    self._house, name, items, others, self._clock.now(), complete=whole, standing=standing
                )
            )

        taken = attempt(lambda: take(listed, refused, whole=complete))
        if not isinstance(taken, Failed):
            return taken
        receipts: list[Receipt] = []
        sound, met = list[ListedMessage](), list(refused)
        for item in listed:
            alone = attempt(partial(take, [item], (), whole=False))
            if isinstance(alone, Failed):
                log.error("a defect refused item %s of %s", item.item, name, exc_info=alone.error)
                met.append(refused_for_a_defect(item, alone.error))
            else:
                receipts += alone
                sound.append(item)
        return [*receipts, *take(sound, met, whole=complete)]

    def command(self, district: str, mode: Mode, command: Command | ReleaseCommand) -> list[Event]:
        """Carry out a person's decision on a district.

        Raises:
            ReleaseError: the decision does not fit what is held.
        """
        return self._decided(lambda: act(self._house, district, mode, command, self._clock.now()))

    def act(self, action: Callable[[House, datetime], T]) -> T:
        """Carry out a decision of another kind on the house as it stands; what it adds to the ledger is durable then.

        The action may be called again when another process was faster; what it raises goes to the caller, with
        nothing stored.
        """
        return self._decided(lambda: action(self._house, self._clock.now()))

    def record(self, stream: UUID, event: Event, contents: Sequence[bytes] = ()) -> None:
        """Store something that happened at an edge of the house, in a stream that no state is folded from.

        `contents` are bytes that the event names by their SHA-256.
        """

        def decide() -> None:
            for content in contents:
                self._house.ledger.attach(content)
            self._house.ledger.add_to_stream(stream, event)

        self._decided(decide)

    def _decided(self, decide: Callable[[], T]) -> T:
        """Decide and store; decide again on fresh state while another process is faster."""

        def stored() -> T:
            self._house.ledger.refresh()
            result = decide()
            self._house.ledger.commit()
            return result

        with self._lock:
            return self._house.ledger.again_on_conflict(stored)

    def pump(self) -> None:
        """Take everything in the log through all stages, act on every deadline that has passed, project."""
        while True:
            self.take_through()
            with self._projecting:
                self._project()
                if not self._act_on_deadlines():
                    return

    def take_through(self) -> None:
        """Take everything in the log through all stages; read models and deadlines wait for the next `pump`."""
        if self._elsewhere is not None:
            self._elsewhere()
        for stage in self._stages():
            while self._step(stage):
                pass

    def _stages(self) -> Sequence[Stage]:
        return STAGES if self._elsewhere is None else ()

    def _step(self, stage: Stage) -> bool:
        """Take the next batch of events through a stage; False when there was none up to the log's head."""
        with self._lock:
            position = self._positions.get(stage.name)
            if position is None:
                position = self._house.ledger.follow(stage.name)
            # Looked up first: whatever is read behind it, nothing up to the head was left out.
            head = self._log.head()
            batch: list[RecordedEvent] = []
            if position < head:
                batch = list(islice(self._log.read(after=position, limit=BATCH, topics=stage.topics), BATCH))
            try:
                if batch:
                    self._house.ledger.expect(stream for one in batch for stream in stage.asks_for(one.event))
                    run_step(self._house, stage.name, stage.step, batch, self._clock.now())
                position = batch[-1].position if len(batch) == BATCH else max(head, position)
            except VersionConflictError:  # another process runs the same stage: go on from where it is
                position = self._house.ledger.follow(stage.name)
            except BaseException:
                self._house.ledger.undo()
                self._positions.pop(stage.name, None)  # how far the log came is for the log to say
                raise
            self._positions[stage.name] = position
            return bool(batch)

    def _act_on_deadlines(self) -> bool:
        now = self._clock.now()
        dues = self._deadlines.due(now)
        for start in range(0, len(dues), BATCH):
            self._act_on(dues[start : start + BATCH], now)
        return bool(dues)

    def _act_on(self, dues: Sequence[Due], now: datetime) -> None:
        """Act on deadlines in one transaction; when one fails, on each alone. A failing one is parked and settled."""

        def decide() -> None:
            for due in dues:
                CLOCK_STAGE(self._house, due, now)

        acted = attempt(lambda: self._decided(decide))
        if isinstance(acted, Failed) and len(dues) > 1:
            for due in dues:
                self._act_on([due], now)
            return
        if isinstance(acted, Failed):
            error = acted.error
            self._decided(lambda: park_due(self._house, dues[0], error, now))
        self._deadlines.settled(dues)

    def adopt(self, policy: Policy, text: str, in_force: Sequence[tuple[str, Mode]]) -> None:
        """Adopt a policy: every warning in force is merged again under it."""
        self._decided(lambda: adopt(self._house, policy, text, in_force, self._clock.now()))

    def advance(self, moment: datetime) -> None:
        """Move a settable clock forward, acting on each deadline on the way at its own time.

        Raises:
            TypeError: the clock is not one that can be set.
        """
        if not isinstance(self._clock, SettableClock):
            message = "only a clock that can be set can be moved forward"
            raise TypeError(message)
        self.pump()
        while (due := self.next_due()) is not None and due <= moment:
            self._clock.set(max(due, self._clock.now()))
            self.pump()
        self._clock.set(moment)

    def next_due(self) -> datetime | None:
        """When the clock has to act next."""
        return self._deadlines.next_due()

    def run(self, stop: threading.Event, *, between: Callable[[], None] | None = None) -> None:
        """Pump until told to stop; `between` is called in every round, for a watched folder or a poller.

        While the log or the read models are out of reach, `trouble` says why, and the round is tried again.
        """
        while not stop.is_set():
            try:
                has_news = self._round(between)
            except NOT_THE_EVENTS_FAULT as error:
                if str(error) != self.trouble:
                    log.error("the stages cannot go on, and try again: %s", error)  # noqa: TRY400 -- nothing of ours
                self.trouble = str(error)
                stop.wait(LONGEST_SLEEP_SECONDS)
                continue
            self.trouble = ""
            if has_news:
                stop.wait(BREATH_SECONDS)

    def _round(self, between: Callable[[], None] | None) -> bool:
        """One round, and then a sleep until something is new, which is said, or the clock has to act."""
        if between is not None:
            between()
        head = self._log.head()
        self.pump()
        due = self.next_due()
        seconds = LONGEST_SLEEP_SECONDS
        if due is not None:
            seconds = min(seconds, max(0.0, (due - self._clock.now()).total_seconds()))
        # From where the stages have read to: what came since the pump must not wait for the next round.
        return self._log.wait(after=self._read_to(head), timeout_seconds=seconds)

    def _read_to(self, head: int) -> int:
        """How far this process has dealt with the log, whose head was here before the round."""
        with self._lock:
            return min((self._positions[stage.name] for stage in self._stages()), default=head)

"""Where a stage's failure ends: the event is parked with its reason, nothing is lost, and the stage goes on.

This is the outer boundary of every stage, and the only module that may catch `Exception`.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from domain.deadlines import Due
from domain.events import EventParked, WarningReleased
from domain.outlet import stream_id_of
from domain.ports import LogUnavailableError, RecordedEvent, VersionConflictError
from domain.values import Moment
from streams.house import House

log = logging.getLogger(__name__)

T = TypeVar("T")

Step = Callable[[House, RecordedEvent, Moment], None]

NOT_THE_EVENTS_FAULT = (VersionConflictError, LogUnavailableError)
"""Another process was faster, or the log is out of reach: to be tried again, never parked."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What `attempt` gives in place of a result."""

    error: Exception


def attempt(action: Callable[[], T]) -> T | Failed:
    """The action's result, or its failure for the caller to park or refuse.

    Raises:
        VersionConflictError, LogUnavailableError: nothing is wrong with what was acted on.
    """
    try:
        return action()
    except NOT_THE_EVENTS_FAULT:
        raise
    except Exception as error:  # the boundary: see the module's head
        return Failed(error)


def run_step(
    house: House,
    name: str,
    step: Step,
    batch: Sequence[RecordedEvent],
    now: Moment,
    *,
    follower_of: Callable[[RecordedEvent], str] | None = None,
) -> None:
    """Take a batch of events through a stage and store what it caused with the position of whoever follows.

    That is the stage, unless `follower_of` says for each event whose position it moves. The whole batch is one
    transaction; when an event of it fails, the batch is taken again one by one and only the failing event is parked.

    Raises:
        VersionConflictError: another process has moved the same stage on; the caller reads its position again.
        LogUnavailableError: the log cannot be read or written; what is not stored yet is taken again later.
    """
    reached = {follower_of(one) if follower_of else name: one.position for one in batch}
    try:
        house.ledger.refresh()
        for recorded in batch:
            step(house, recorded, now)
        house.ledger.commit(reached)
    except NOT_THE_EVENTS_FAULT:
        house.ledger.undo()
        raise
    except Exception as error:  # the boundary: see the module's head
        house.ledger.undo()
        if len(batch) > 1:
            for recorded in batch:
                run_step(house, name, step, [recorded], now, follower_of=follower_of)
            return
        park(house, name, batch[0], error, now)
        house.ledger.commit(reached)


def park(house: House, stage: str, recorded: RecordedEvent, error: Exception, now: Moment) -> None:
    """Record that a stage could not process an event."""
    log.error("stage %s parked position %d", stage, recorded.position, exc_info=error)
    event = EventParked(
        at=now,
        stage=stage,
        position=recorded.position,
        topic=recorded.event.TOPIC,
        reason=type(error).__name__,
        detail=str(error),
    )
    house.ledger.add_to_stream(stream_id_of("parked", stage, str(recorded.position)), event)


def park_record(house: House, stage: str, stream: UUID, content: bytes, detail: str, now: Moment) -> None:
    """Record that what came to a stage from outside the log cannot be taken; the bytes are kept."""
    log.error("stage %s parked a record: %s", stage, detail)
    digest = house.ledger.attach(content)
    event = EventParked(
        at=now,
        stage=stage,
        position=0,
        topic="",
        reason="RecordError",
        detail=f"{detail} (bytes kept as {digest})",
    )
    house.ledger.add_newest(stream, event)


def park_due(house: House, due: Due, error: Exception, now: Moment) -> None:
    """Record that a deadline could not be acted on; there is no event in the log that asked for it."""
    named = f"{due.kind.value} of {due.owner} ({due.mode.value}) {due.key} at {due.at.isoformat()}"
    log.error("the clock parked %s", named, exc_info=error)
    event = EventParked(
        at=now,
        stage="clock",
        position=0,
        topic="",
        reason=type(error).__name__,
        detail=f"{named}: {error}",
    )
    house.ledger.add_to_stream(stream_id_of("parked", "clock", named), event)


def frozen(house: House, release: WarningReleased) -> WarningReleased:
    """The release with its CAP document.

    A writer's defect must not keep a warning from the public: it goes out without the document, and the defect is
    parked.
    """
    try:
        return release.model_copy(update={"cap": house.writer.document(release)})
    except Exception as error:  # the boundary: see the module's head
        log.exception("no document for %s", release.identifier)
        event = EventParked(
            at=release.at,
            stage="release-document",
            position=0,
            topic=release.TOPIC,
            reason=type(error).__name__,
            detail=f"{release.identifier}: {error}",
        )
        house.ledger.add_to_stream(stream_id_of("parked", "release-document", release.identifier), event)
        return release

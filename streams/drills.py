"""Drills on the log: starting one, taking exercises in while it runs, and ending all of it with it.

What is taken in here goes the way of every message, on drill streams. Exercises that partners send without a drill of
ours are none of this module's business: they are processed as drills too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.drill_events import DrillStarted, DrillStopped
from domain.drills import (
    a_running_drill_is_stopped_with_a_reason,
    everything_that_stands_ends,
    nothing_is_waited_for_any_more,
    only_exercises_take_part,
    only_one_drill_runs_at_a_time,
    the_running_drill,
)
from domain.events import WarningReleased
from domain.findings import RefusedMessageError
from domain.messages import AgencyMessage, Mode
from domain.outlet import stream_id_of
from domain.ports import EventLog, MessageReader
from domain.release import Consider
from streams.callup import stop_call_ups
from streams.district import act
from streams.house import House
from streams.intake import Delivery, Receipt, take_in

STREAM: Final = stream_id_of("drills")
"""Where starts and stops are recorded, of all drills: its newest event says whether one runs."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chain of an agency that waits for its first message."""

    agency: str
    chain: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A drill that was stopped, and the releases by which what stood in it was lifted."""

    stopped: DrillStopped
    releases: tuple[WarningReleased, ...]


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill, from its start to its end."""

    started: DrillStarted
    stopped: DrillStopped | None = None

    @property
    def newest(self) -> DrillStarted | DrillStopped:
        """What was recorded of it last."""
        return self.stopped or self.started


def start_drill(house: House, *, title: str, by: str, now: datetime) -> DrillStarted:
    """Record the start of a drill.

    Raises:
        DrillError: another one runs, or title or name cannot be used.
    """
    newest = house.ledger.newest(STREAM)
    started = only_one_drill_runs_at_a_time(newest, title=title, by=by, zone=house.policy.zone, now=now)
    house.ledger.add_newest(STREAM, started)
    return started


def take_exercise(house: House, reader: MessageReader, delivery: Delivery, now: datetime) -> list[Receipt]:
    """Take a delivery in while a drill runs; one that holds a live message is refused whole, and kept.

    Raises:
        DrillError: no drill runs; nothing is recorded.
    """
    the_running_drill(house.ledger.newest(STREAM))
    return take_in(house, _Exercises(reader), delivery, now)


class _Exercises:
    """A reader that refuses what is live."""

    def __init__(self, reader: MessageReader) -> None:
        self._reader = reader

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        messages = self._reader.read(content)
        if findings := only_exercises_take_part(messages):
            raise RefusedMessageError(findings)
        return messages


def stop_drill(
    house: House, districts: Iterable[str], waiting: Iterable[Waiting], *, by: str, reason: str, now: datetime
) -> Ended:
    """Record the end of the drill that runs, and end all that stands in drill mode in these districts.

    One release for each district lifts everything at once, and nobody is called up any more. `waiting` are the chains
    of drills that wait for their first message: none of them speaks later.

    Raises:
        DrillError: no drill runs, or name or reason are missing.
    """
    ledger = house.ledger
    stopped = a_running_drill_is_stopped_with_a_reason(ledger.newest(STREAM), by=by, reason=reason, now=now)
    for one in waiting:
        book = ledger.book(one.agency, Mode.DRILL)
        events = nothing_is_waited_for_any_more(book, agency=one.agency, chain_name=one.chain, now=now)
        ledger.add_to_agency(one.agency, Mode.DRILL, events)
    releases: list[WarningReleased] = []
    for district in districts:
        state = ledger.outlet(district, Mode.DRILL)
        stop_call_ups(house, Mode.DRILL, state.warning_id, now)
        ledger.add_to_district(district, Mode.DRILL, everything_that_stands_ends(state, policy=house.policy, now=now))
        # A clean district has nothing to release; one whose lifting was never released has.
        public = act(house, district, Mode.DRILL, Consider(), now)
        releases += [event for event in public if isinstance(event, WarningReleased)]
    ledger.add_newest(STREAM, stopped)
    return Ended(stopped, tuple(releases))


def newest_in(log: EventLog) -> DrillStarted | DrillStopped | None:
    """What was recorded last of any drill."""
    return next((drill.newest for drill in drills_in(log)), None)


def drills_in(log: EventLog) -> list[Drill]:
    """Every drill, the newest first."""
    drills: list[Drill] = []
    for recorded in log.stream(STREAM):
        match recorded.event:
            case DrillStarted() as started:
                drills.append(Drill(started))
            case DrillStopped() as stopped:
                drills[-1] = Drill(drills[-1].started, stopped)
            case _:
                message = f"{recorded.event.TOPIC} is none of a drill's"
                raise TypeError(message)
    return drills[::-1]

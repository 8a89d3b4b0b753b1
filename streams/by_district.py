"""What of an event concerns one district: the unit in which several processes share the work.

A district's events are processed in the order of the log, by one worker at a time; different districts do not wait for
each other. How far each has come is kept by a follower of its own, so it does not matter who processes what, how often
something is delivered, or how many processes there are.
"""

from collections.abc import Iterator

from domain.event import Event
from domain.events import ContributionsChanged, WarningReleased
from domain.messages import Mode
from domain.ports import EventLog, RecordedEvent
from streams.pipeline import Stage


def slices(recorded: RecordedEvent) -> Iterator[tuple[str, RecordedEvent]]:
    """The districts that an event concerns, each with what it says of that one and of no other."""
    event: Event = recorded.event
    match event:
        case ContributionsChanged():
            for district in sorted(event.districts):
                entered = tuple(one for one in event.entered if one.district == district)
                ended = tuple(one for one in event.ended if one.district == district)
                sliced = event.model_copy(update={"entered": entered, "ended": ended})
                yield district, recorded._replace(event=sliced)
        case WarningReleased():
            yield event.district, recorded
        case _:
            return


def mode_of(event: Event) -> Mode:
    """The mode of an event; what has none is live."""
    return getattr(event, "mode", Mode.LIVE)


def district_of(event: Event) -> str:
    """The district that a slice concerns.

    Raises:
        ValueError: it concerns none, or several.
    """
    match event:
        case ContributionsChanged():
            found = event.districts
            if len(found) != 1:
                raise ValueError(f"{event.TOPIC} concerns {len(found)} districts, where one was expected")
            return found.pop()
        case WarningReleased():
            return event.district
        case _:
            raise ValueError(f"{event.TOPIC} concerns no district")


def follower_of(stage: Stage, mode: Mode, district: str) -> str:
    """The name under which a stage's position in a district is kept."""
    return f"{stage.name}/{mode.value}/{district}"


def missed(log: EventLog, stage: Stage, mode: Mode, district: str, after: int, before: int) -> Iterator[RecordedEvent]:
    """What a stage has to see of a district between two positions, both left out, read from the log itself."""
    for recorded in log.read(after=after, topics=stage.topics):
        if recorded.position >= before:
            return
        if mode_of(recorded.event) is mode:
            yield from (one for place, one in slices(recorded) if place == district)

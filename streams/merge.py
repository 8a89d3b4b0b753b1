"""The second stage: what a chain says now enters the outlet warnings of the districts it touches."""

from collections.abc import Iterator
from uuid import UUID

from domain.event import Event
from domain.events import ContributionsChanged
from domain.outlet import End, Record
from domain.ports import RecordedEvent
from domain.values import Moment
from streams.district import act
from streams.house import House
from streams.ledger import district_stream


def merge_contributions(house: House, recorded: RecordedEvent, now: Moment) -> None:
    """Bring every touched district in line with the changed contributions of one chain.

    Raises:
        TypeError: the event is none that this stage reads.
    """
    event: Event = recorded.event
    if not isinstance(event, ContributionsChanged):
        message = f"merge does not read {event.TOPIC}"
        raise TypeError(message)
    for contribution in event.entered:
        act(house, contribution.district, event.mode, Record(contribution), now)
    for ended in event.ended:
        act(house, ended.district, event.mode, End(event.chain, ended.reason, event.message), now)


def districts_touched(event: Event) -> Iterator[UUID]:
    """The streams of the districts that an event brings in line."""
    if isinstance(event, ContributionsChanged):
        for district in event.districts:
            yield district_stream(district, event.mode)

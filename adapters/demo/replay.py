"""Drives a platform through the story in simulated time and yields what happened, step by step.

Anything that does not come out as the story says is an error: a demonstration that is wrong must not look right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from adapters.demo.story import Arrival, Story, list_profile
from adapters.feeds.list_reader import ListReader
from adapters.wiring import Platform
from domain.event import Event
from domain.events import EventParked, PolicyAdopted
from streams.intake import Delivery, ListedMessage, Receipt, RefusedItem


class DemoError(Exception):
    """The demonstration cannot run, or something came out otherwise than the story says."""


@dataclass(frozen=True, slots=True)
class Step:
    """One moment: what arrived (None where the clock alone acted), the answers, and every event recorded."""

    at: datetime
    arrival: Arrival | None
    receipts: tuple[Receipt, ...]
    events: tuple[Event, ...]


def replay(platform: Platform, story: Story) -> Iterator[Step]:
    """Let everything arrive at its own time; deadlines on the way are acted on at theirs.

    Raises:
        DemoError: the platform holds events already or runs another outlet's policy, an answer is not the story's,
            or an event was parked.
        TypeError: the platform runs on the machine's clock.
    """
    _refuse_what_is_not_fresh(platform)
    position = platform.log.head()
    for arrival in story.arrivals:
        platform.advance(arrival.at)
        events, position = _recorded(platform, position)
        yield from _steps_of_the_clock(events)
        receipts = _submitted(platform, arrival)
        platform.runner.pump()
        events, position = _recorded(platform, position)
        _compare(arrival, receipts)
        yield Step(at=arrival.at, arrival=arrival, receipts=tuple(receipts), events=tuple(events))
    platform.advance(story.ends)
    events, position = _recorded(platform, position)
    yield from _steps_of_the_clock(events)


def _refuse_what_is_not_fresh(platform: Platform) -> None:
    if any(not isinstance(recorded.event, PolicyAdopted) for recorded in platform.log.read()):
        raise DemoError("the demonstration needs a data directory of its own; this one holds events already")
    if platform.policy.outlet.id != "shaoxing":
        raise DemoError(f"the demonstration plays in Shaoxing; the policy is that of {platform.policy.outlet.id}")


def _recorded(platform: Platform, after: int) -> tuple[list[Event], int]:
    """The events behind a position, and the position of the last."""
    found = list(platform.log.read(after=after))
    for recorded in found:
        if isinstance(recorded.event, EventParked):
            parked = recorded.event
            raise DemoError(f"stage {parked.stage} parked event {parked.position}: {parked.reason}: {parked.detail}")
    return [recorded.event for recorded in found], found[-1].position if found else after


def _steps_of_the_clock(events: Sequence[Event]) -> Iterator[Step]:
    for at, group in groupby(events, key=lambda event: event.at):
        yield Step(at=at, arrival=None, receipts=(), events=tuple(group))


def _submitted(platform: Platform, arrival: Arrival) -> Sequence[Receipt]:
    if not arrival.is_list:
        delivery = Delivery(content=arrival.content(), agency=arrival.agency, source=arrival.file)
        return platform.runner.submit([delivery])
    profile = list_profile()
    reading = ListReader(profile).read_list(arrival.content())
    listed = [
        ListedMessage(
            agency=item.agency,
            item=item.message.identifier,
            message=item.message,
            content=item.message.model_dump_json().encode(),
        )
        for item in reading.listed
    ]
    refused = [RefusedItem(item.identifier, item.raw.encode(), item.findings) for item in reading.refused]
    return platform.runner.submit_listing(profile.name, listed, refused)


def _compare(arrival: Arrival, receipts: Sequence[Receipt]) -> None:
    if not receipts:
        raise DemoError(f"{arrival.file}: nothing was answered")
    for receipt in receipts:
        if receipt.outcome is not arrival.expect or receipt.effect != arrival.effect:
            came = " ".join(filter(None, (receipt.outcome.value, receipt.effect)))
            said = " ".join(filter(None, (arrival.expect.value, arrival.effect)))
            reasons = "; ".join(finding.sentence for finding in receipt.findings)
            raise DemoError(f"{arrival.file}: {came}, where the story says {said}. {reasons}".rstrip())

"""Drives a platform through the story in simulated time and yields what happened, step by step.

Anything that does not come out as the story says is an error: a demonstration that is wrong must not look right.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from adapters.demo.letters import Postman, postman_of
from adapters.demo.people import reply, take_in_rosters
from adapters.demo.story import Arrival, Reply, Story, list_profile
from adapters.feeds.list_reader import ListReader
from adapters.vault.vault import ContactVault, vault_of
from adapters.wiring import Platform
from domain.event import Event
from domain.events import EventParked, PolicyAdopted
from domain.telling_events import TellingPlanned
from streams.intake import Delivery, ListedMessage, Receipt, RefusedItem


class DemoError(Exception):
    """The demonstration cannot run, or something came out otherwise than the story says."""


@dataclass(frozen=True, slots=True)
class Step:
    """One moment: what came from outside (None where the clock alone acted), the answers, and every event recorded."""

    at: datetime
    arrival: Arrival | None
    receipts: tuple[Receipt, ...]
    events: tuple[Event, ...]
    reply: Reply | None = None


def replay(platform: Platform, story: Story) -> Iterator[Step]:
    """Take the rosters in, then let everything come at its own time; what falls due on the way happens at its own.

    Letters go to the spool in the platform's data directory.

    Raises:
        DemoError: the platform holds events already or runs another outlet's policy, an answer is not the story's,
            or an event was parked.
        RosterProblemError: a roster of the story cannot be taken in.
        TypeError: the platform runs on the machine's clock.
    """
    _refuse_what_is_not_fresh(platform)
    with vault_of(platform.settings) as vault, postman_of(platform, vault) as postman:
        course = _Course(platform, postman)
        take_in_rosters(platform, vault, story)
        yield from _steps_of_the_clock(course.news())
        for happening in story.happenings():
            yield from course.until(happening.at)
            yield (
                _reply(platform, vault, happening, course)
                if isinstance(happening, Reply)
                else _arrival(platform, happening, course)
            )
        yield from course.until(story.ends)


def _arrival(platform: Platform, arrival: Arrival, course: "_Course") -> Step:
    receipts = _submitted(platform, arrival)
    events = course.news()
    _compare(arrival, receipts)
    return Step(arrival.at, arrival, tuple(receipts), events)


def _reply(platform: Platform, vault: ContactVault, said: Reply, course: "_Course") -> Step:
    if not reply(platform, vault, said):
        raise DemoError(f"no call-up waits for the reply at {said.at}")
    return Step(said.at, None, (), course.news(), reply=said)


class _Course:
    """The platform in simulated time, with whoever carries its letters."""

    def __init__(self, platform: Platform, postman: Postman) -> None:
        self._platform = platform
        self._postman = postman
        self._position = platform.log.head()
        self._grouped = timedelta(seconds=platform.policy.telling.group_wait_seconds)
        self._letters_due: datetime | None = None

    def news(self) -> tuple[Event, ...]:
        """What has been recorded since the last time; letters that may go now go."""
        self._platform.runner.pump()
        self._postman.round()
        events, self._position = _recorded(self._platform, self._position)
        if any(isinstance(event, TellingPlanned) and not event.at_once for event in events):
            self._letters_due = self._platform.clock.now() + self._grouped
        return tuple(events)

    def until(self, moment: datetime) -> Iterator[Step]:
        """Move the clock forward, stopping wherever something falls due or letters have waited long enough."""
        while (now := self._platform.clock.now()) < moment:
            stops = (self._platform.runner.next_due(), self._letters_due)
            self._platform.advance(min((stop for stop in stops if stop and now < stop < moment), default=moment))
            yield from _steps_of_the_clock(self.news())


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

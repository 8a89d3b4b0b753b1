"""How much came from each agency in windows of five minutes, and what became of it: accepted, refused, or come again.

One fold for every place that counts: the read side folds what is recorded, the watcher what Kafka brings, at least
once. So a window remembers the position in the log up to which it has counted, and what lies at or below it changes
nothing. That asks for one agency's arrivals in the order of the log within each window, and for no order between
agencies.

What a feed's poller found does not belong here: that is `feed_health.py`.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, assert_never

from domain.events import ConflictingCopyArrived, DuplicateArrived, MessageAccepted, MessageRejected
from domain.values import Moment, Value

WINDOW_SECONDS: Final = 300

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WINDOW: Final = timedelta(seconds=WINDOW_SECONDS)


class Outcome(StrEnum):
    """What became of a message. A copy of one that was there before counts as repeated, with other content too."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REPEATED = "repeated"


OUTCOMES: Final[Mapping[str, Outcome]] = {
    MessageAccepted.TOPIC: Outcome.ACCEPTED,
    MessageRejected.TOPIC: Outcome.REFUSED,
    DuplicateArrived.TOPIC: Outcome.REPEATED,
    ConflictingCopyArrived.TOPIC: Outcome.REPEATED,
}
"""By the topic of the event that records the arrival. No other event is one."""


class Arrived(NamedTuple):
    """A message that came, as its event at `position` of the log says. `agency` is empty where nobody knows whose."""

    agency: str
    outcome: Outcome
    at: datetime
    position: int


class Window(Value):
    """What came from an agency from `begin` on for WINDOW_SECONDS: counts, the last moment, the last position."""

    agency: str
    begin: Moment
    accepted: int = 0
    refused: int = 0
    repeated: int = 0
    last: Moment
    position: int

    def of(self, outcome: Outcome) -> int:
        """How many of them had this outcome."""
        match outcome:
            case Outcome.ACCEPTED:
                return self.accepted
            case Outcome.REFUSED:
                return self.refused
            case Outcome.REPEATED:
                return self.repeated
            case _:
                assert_never(outcome)

    @property
    def end(self) -> datetime:
        """The first moment behind it."""
        return self.begin + _WINDOW


def begin_of(moment: datetime) -> datetime:
    """When the window began in which a moment lies, in UTC. Windows begin at whole multiples since 1970."""
    return moment.astimezone(UTC) - (moment - _EPOCH) % _WINDOW


def folded(window: Window | None, arrived: Arrived) -> Window:
    """The window with an arrival counted; as it was, where that has been counted before. None: the first of it."""
    if window is None:
        begin = begin_of(arrived.at)
        window = Window(agency=arrived.agency, begin=begin, last=begin, position=0)
    if arrived.position <= window.position:
        return window
    return window.model_copy(
        update={
            arrived.outcome.value: window.of(arrived.outcome) + 1,
            "last": max(window.last, arrived.at.astimezone(UTC)),
            "position": arrived.position,
        }
    )


def windows_of(arrivals: Iterable[Arrived]) -> list[Window]:
    """The windows of arrivals, by begin and agency; one in which nothing came is not there."""
    found: dict[tuple[datetime, str], Window] = {}
    for arrived in arrivals:
        key = begin_of(arrived.at), arrived.agency
        found[key] = folded(found.get(key), arrived)
    return [found[key] for key in sorted(found)]


def together(parts: Iterable[Window]) -> list[Window]:
    """Windows that were counted in parts, each arrival in one of them, brought together; in the order of `windows_of`.

    What nobody is known to have sent has no key of its own, so several partitions of Kafka bring it.
    """
    found: dict[tuple[datetime, str], Window] = {}
    for part in parts:
        key = part.begin, part.agency
        found[key] = _sum(found[key], part) if key in found else part
    return [found[key] for key in sorted(found)]


def _sum(one: Window, other: Window) -> Window:
    return Window(
        agency=one.agency,
        begin=one.begin,
        accepted=one.accepted + other.accepted,
        refused=one.refused + other.refused,
        repeated=one.repeated + other.repeated,
        last=max(one.last, other.last),
        position=max(one.position, other.position),
    )

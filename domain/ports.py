"""What the stages and projections ask of the outside, as Protocols. Adapters keep these promises.

One contract suite per port in `tests/contracts/` runs against every adapter.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID

from domain.areas import Area, AreaClaim, Point, Resolution
from domain.deadlines import Due
from domain.event import Event
from domain.messages import AgencyMessage


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The current moment, with its zone."""
        ...


@runtime_checkable
class SettableClock(Protocol):
    """A clock for replays: it stands still until it is set."""

    def now(self) -> datetime:
        """The moment it was set to."""
        ...

    def set(self, moment: datetime) -> None:
        """Move to this moment."""
        ...


class Gazetteer(Protocol):
    """Knows places: their codes, names, nesting and boundaries."""

    def resolve(self, claim: AreaClaim, *, threshold: float) -> Resolution:
        """What a claim means among our districts, largest areas first and without repeats.

        Geocodes win over place names, place names over shapes. A shape becomes every district of which it covers
        at least `threshold` (a share of the district's surface, 0 to 1), or in which at least that share of the
        shape itself lies. A code or name above a district (a province, a whole city) becomes all of our districts
        within it. What is not known is listed, never widened.
        """
        ...

    def area(self, code: str) -> Area | None:
        """The area with this code, or None when it is not within our districts."""
        ...

    def districts(self) -> Sequence[Area]:
        """Our districts in code order."""
        ...

    def boundary(self, code: str) -> tuple[tuple[Point, ...], ...]:
        """The outer rings of an area's boundary, closed; empty when it has none."""
        ...

    def geocodes(self, code: str) -> tuple[tuple[str, str], ...]:
        """(code system, code) pairs under which this area is published in CAP."""
        ...


class NewEvent(NamedTuple):
    """An event to be appended: its stream and the version it must become (1 for a stream's first)."""

    stream_id: UUID
    version: int
    event: Event


class RecordedEvent(NamedTuple):
    """An event in the log: `position` counts from 1 through the whole log without a reader ever missing one."""

    position: int
    stream_id: UUID
    version: int
    event: Event


class Attachment(NamedTuple):
    """Raw bytes that belong to appended events, kept once by their SHA-256 (hex)."""

    sha256: str
    content: bytes


class Move(NamedTuple):
    """The named follower has dealt with the log up to `position`, which is above its last one.

    With `after`, it must stand there now: then nobody else has moved it since it was looked up.
    """

    follower: str
    position: int
    after: int | None = None


class VersionConflictError(Exception):
    """Another writer has appended to one of the streams; nothing of this append was stored."""


class LogUnavailableError(Exception):
    """The log itself cannot be read or written now; it says nothing about the events, so none may be parked for it."""


class EventLog(Protocol):
    """The append-only log. What append has returned for survives power loss."""

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        attachments: Sequence[Attachment] = (),
        moves: Sequence[Move] = (),
    ) -> Sequence[int]:
        """Store all of it in one transaction and return the events' log positions.

        `moves` record how far followers have dealt with what they follow: stored with the events it caused. A follower
        of the log counts its positions, a follower of something else that is in order may count that.

        Raises:
            VersionConflictError: a stream has another version than expected, or a follower cannot move so.
        """
        ...

    def stream(self, stream_id: UUID, *, after_version: int = 0) -> Iterator[RecordedEvent]:
        """One stream's events in order."""
        ...

    def streams(self, stream_ids: Collection[UUID]) -> Mapping[UUID, Sequence[RecordedEvent]]:
        """As many of these streams, each whole, as are read in one go, all as they were at one moment.

        A stream without events is given as an empty one. Those that are not given are to be read one by one.
        """
        ...

    def read(
        self, *, after: int = 0, limit: int | None = None, topics: frozenset[str] | None = None
    ) -> Iterator[RecordedEvent]:
        """The log in order of position, from the one behind `after`.

        With `topics`, only the events of these, and `limit` counts only them. An event of a topic that this program
        does not know is an error, asked for or not.
        """
        ...

    def head(self) -> int:
        """The last position, 0 for an empty log."""
        ...

    def follower_position(self, name: str) -> int:
        """How far the named follower has come, 0 if it never began."""
        ...

    def follower_positions(self, names: Collection[str]) -> Mapping[str, int]:
        """The same for each of these, all as they were at one moment."""
        ...

    def versions_since(self, position: int) -> Iterator[tuple[int, UUID, int]]:
        """Position, stream and version of every event behind this position, without the events themselves."""
        ...

    def attachment(self, sha256: str) -> bytes | None:
        """The bytes kept under this digest."""
        ...

    def wait(self, *, after: int, timeout_seconds: float) -> bool:
        """Block until the head is above `after` or the time is over; True when there is something new."""
        ...

    def close(self) -> None:
        """Finish pending writes and release the files."""
        ...


class Deadlines(Protocol):
    """Knows what falls due when; a read model of the log."""

    def due(self, until: datetime) -> Sequence[Due]:
        """All deadlines at or before this moment, earliest first."""
        ...

    def next_due(self) -> datetime | None:
        """The earliest deadline that has not been settled."""
        ...

    def settled(self, dues: Sequence[Due]) -> None:
        """These have been acted on and must not come up again."""
        ...


class MessageReader(Protocol):
    """Turns bytes into messages."""

    def read(self, content: bytes) -> Sequence[AgencyMessage]:
        """The messages in these bytes (several for an envelope or list).

        Raises:
            RefusedMessageError: with every finding; the only error that this may raise.
        """
        ...


class WarningWriter(Protocol):
    """Writes a release in a public format."""

    def write(self, release: Event) -> Collection[tuple[str, bytes]]:
        """(file name, bytes) of each document that the release becomes."""
        ...

"""One call of `EventLog.append` as rows: what is refused before the database sees it, and what of a group may stand.

The same for every database. What does not belong here: SQL, connections, and how events become bytes (`codec`).
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent, Tracking

from adapters.store.codec import EventCodec
from adapters.store.errors import TooLargeError, WrongDigestError
from domain.ports import Attachment, Move, NewEvent, VersionConflictError

MAXIMUM_BYTES = 64 * 1024 * 1024
"""Of one event or attachment. The databases refuse only at 1 GB, and would refuse the whole group with it."""

MAXIMUM_POSITION = 2**63 - 1
"""What the databases' integers hold."""

LIBRARY_FOLLOWER = "__migration__"
"""A row of the library's own in the table of follower positions."""


class StoredAttachment(NamedTuple):
    """An attachment as its row holds it. `compressed` says whether `content` is a zlib stream."""

    sha256: str
    compressed: bool
    content: bytes


class Append(NamedTuple):
    """One call of `EventLog.append`, as rows."""

    events: Sequence[StoredEvent]
    attachments: Sequence[StoredAttachment]
    moves: Sequence[Move]


class Standing(NamedTuple):
    """What a log held when a group came to be written: its last position, and what the group builds on.

    `versions` has every stream of the group, at 0 when it is new; `followers` those that have begun.
    """

    position: int
    versions: Mapping[UUID | str, int]
    followers: Mapping[str, int]


class Plan(NamedTuple):
    """What of a group is to be written, behind `position`, and what each of its appends is answered."""

    position: int
    events: Sequence[StoredEvent]
    attachments: Sequence[StoredAttachment]
    trackings: Sequence[Tracking]
    outcomes: Sequence[Sequence[int] | VersionConflictError]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.events or self.attachments or self.trackings)


def append_of(
    codec: EventCodec,
    events: Sequence[NewEvent],
    attachments: Sequence[Attachment],
    moves: Sequence[Move],
) -> Append:
    """The rows of one append.

    Everything that costs time happens here, in the caller's thread, for the one writer is to write only; and what
    must be refused without hurting the appends beside it is refused here.

    Raises:
        WrongDigestError: an attachment's bytes do not have its SHA-256.
        CodecError: an event is of no registered class.
        TooLargeError: an event or attachment exceeds MAXIMUM_BYTES.
        ValueError: no possible follower or position, or a follower that is moved twice.
    """
    if len({move.follower for move in moves}) != len(moves):
        raise ValueError("a follower is moved once by one append")
    return Append(
        events=[_bounded(codec.stored(new)) for new in events],
        attachments=[_packed(attachment) for attachment in attachments],
        moves=[_possible(move) for move in moves],
    )


def planned(appends: Sequence[Append], standing: Standing) -> Plan:
    """What each append comes to, one after the other; one that is refused leaves those beside it untouched."""
    versions, followers = dict(standing.versions), dict(standing.followers)
    position = standing.position
    accepted: list[Append] = []
    moved: dict[str, Tracking] = {}
    outcomes: list[Sequence[int] | VersionConflictError] = []
    for append in appends:
        try:
            advanced = _advanced(versions, append.events)
            for move in append.moves:
                _must_be_new(followers, move)
        except VersionConflictError as conflict:
            outcomes.append(conflict)
            continue
        versions.update(advanced)
        for move in append.moves:
            moved[move.follower] = Tracking(move.follower, move.position)
            followers[move.follower] = move.position
        accepted.append(append)
        outcomes.append(range(position + 1, position + 1 + len(append.events)))
        position += len(append.events)
    return Plan(
        position=standing.position,
        events=[event for append in accepted for event in append.events],
        attachments=list({one.sha256: one for append in accepted for one in append.attachments}.values()),
        trackings=list(moved.values()),
        outcomes=outcomes,
    )


def streams_of(appends: Sequence[Append]) -> set[UUID | str]:
    """The streams that a group's events belong to."""
    return {event.originator_id for append in appends for event in append.events}


def followers_of(appends: Sequence[Append]) -> set[str]:
    """The followers whose positions a group moves."""
    return {move.follower for append in appends for move in append.moves}


def unpacked(stored: StoredAttachment) -> bytes:
    """The attachment's bytes.

    Raises:
        WrongDigestError: the stored bytes are damaged.
    """
    try:
        content = zlib.decompress(stored.content) if stored.compressed else stored.content
    except zlib.error as error:
        raise WrongDigestError(f"the attachment {stored.sha256} is damaged: {error}") from error
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise WrongDigestError(f"the attachment {stored.sha256} is damaged")
    return content


def _advanced(versions: Mapping[UUID | str, int], events: Sequence[StoredEvent]) -> Mapping[UUID | str, int]:
    """The streams' versions after these events.

    The library's primary key refuses a version that is taken, but lets one be skipped; this refuses both.

    Raises:
        VersionConflictError: an event is not the next of its stream.
    """
    advanced: dict[UUID | str, int] = {}
    for event in events:
        stream = event.originator_id
        latest = advanced[stream] if stream in advanced else versions[stream]
        if event.originator_version != latest + 1:
            raise VersionConflictError(
                f"stream {stream} is at version {latest}; version {event.originator_version} cannot be appended"
            )
        advanced[stream] = event.originator_version
    return advanced


def _must_be_new(followers: Mapping[str, int], move: Move) -> None:
    """The library takes any first position, 0 and below included; this takes none that is not above the last.

    Raises:
        VersionConflictError: the follower has dealt with the position, cannot have come to it, or stands elsewhere.
    """
    name, position, after = move
    if position < 1:
        raise VersionConflictError(f"follower {name} cannot have come to position {position}")
    found = followers.get(name, 0)
    if position <= found:
        raise VersionConflictError(f"follower {name} has already dealt with position {position}")
    if after is not None and after != found:
        raise VersionConflictError(f"follower {name} is at {found}; this step began at {after}")


def _possible(move: Move) -> Move:
    name = move.follower
    if name == LIBRARY_FOLLOWER or not name.isprintable() or not name:
        raise ValueError(f"{name!a} cannot be a follower's name")
    if move.position > MAXIMUM_POSITION:
        raise ValueError(f"{move.position} cannot be a position")
    return move


def _bounded(stored: StoredEvent) -> StoredEvent:
    if len(stored.state) > MAXIMUM_BYTES:
        raise TooLargeError(f"an event {stored.topic} of {len(stored.state)} bytes; {MAXIMUM_BYTES} are allowed")
    return stored


def _packed(attachment: Attachment) -> StoredAttachment:
    if len(attachment.content) > MAXIMUM_BYTES:
        raise TooLargeError(f"an attachment of {len(attachment.content)} bytes; {MAXIMUM_BYTES} are allowed")
    if hashlib.sha256(attachment.content).hexdigest() != attachment.sha256:
        raise WrongDigestError(f"the attachment's bytes do not have the SHA-256 {attachment.sha256}")
    compressed = zlib.compress(attachment.content, level=1)
    if len(compressed) < len(attachment.content):
        return StoredAttachment(attachment.sha256, compressed=True, content=compressed)
    return StoredAttachment(attachment.sha256, compressed=False, content=attachment.content)

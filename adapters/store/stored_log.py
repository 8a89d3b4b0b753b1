"""The EventLog port over a database: reading in pages, one writer for all who append, waking, closing.

The same for every database; each gives its connections and a recorder, which knows its tables and statements.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar
from uuid import UUID

from adapters.store.appends import Append, StoredAttachment, append_of, unpacked
from adapters.store.codec import EventCodec
from adapters.store.errors import EventLogClosedError
from adapters.store.group_commit import GroupCommit
from adapters.store.read_raw import RawRow, passed_over, present_states
from domain.ports import Attachment, Move, NewEvent, RecordedEvent, VersionConflictError

PAGE_SIZE = 2_000
"""Events that a reader fetches at once. No lock and no connection is held between pages."""

POLL_SECONDS = 0.1
"""How often a waiting reader looks for what other processes have appended. Our own appends wake it at once."""

ReaderT = TypeVar("ReaderT")
ReaderT_contra = TypeVar("ReaderT_contra", contravariant=True)
Answer = TypeVar("Answer")
P = ParamSpec("P")

StoredRow = tuple[int, Any, int, str, bytes]
"""An event as its row holds it: position, stream id in the database's form, version, stored topic, state."""


class Recorder(Protocol[ReaderT_contra]):
    """What a database is asked, each question in one statement on the connection given."""

    def select_page(
        self, reader: ReaderT_contra, after: int, limit: int, passed: Sequence[str] = ()
    ) -> Sequence[StoredRow]:
        """The log's rows in order of position, without those of the stored topics that are `passed` over."""
        ...

    def select_stream_page(
        self, reader: ReaderT_contra, stream_id: UUID, after_version: int, limit: int
    ) -> Sequence[StoredRow]:
        """One stream's rows in order of version."""
        ...

    def select_streams(self, reader: ReaderT_contra, stream_ids: Sequence[UUID], limit: int) -> Sequence[StoredRow]:
        """The rows of several streams in order of stream id and version."""
        ...

    def select_states(self, reader: ReaderT_contra, after: int, until: int, passed: Sequence[str]) -> Sequence[RawRow]:
        """Position, topic and state of the rows above `after` up to `until`, without the topics `passed` over."""
        ...

    def select_attachment(self, reader: ReaderT_contra, sha256: str) -> StoredAttachment | None:
        """The attachment's row, or None."""
        ...

    def last_position(self, reader: ReaderT_contra) -> int:
        """The position of the last committed event, 0 for an empty log."""
        ...

    def follower_positions(self, reader: ReaderT_contra, names: Sequence[str]) -> Mapping[str, int]:
        """The position that was recorded last for each of these followers that has begun."""
        ...

    def select_versions(self, reader: ReaderT_contra, after: int, limit: int) -> Sequence[tuple[int, Any, int]]:
        """Position, stream id and version of the log's rows in order of position."""
        ...


class StoredEventLog(ABC, Generic[ReaderT]):
    """Keeps the promises of `domain.ports.EventLog`; safe to use from many threads, and from several processes.

    Appends that wait at the same moment share one transaction and one fsync; one that conflicts fails alone.
    """

    def __init__(self, codec: EventCodec, recorder: Recorder[ReaderT]) -> None:
        """Nothing is written before `_open`."""
        self._codec = codec
        self._reads = recorder
        self._news = threading.Condition()
        self._commits = 0
        self._gate = threading.Condition()
        self._closed = False
        self._readers = 0

    def _open(self) -> None:
        """Take appends from now on; the tables are there."""
        self._group_commit: GroupCommit[Append, Sequence[int]] = GroupCommit(self._write, name="event-log-writer")

    @abstractmethod
    def _write_group(self, appends: Sequence[Append]) -> Sequence[Sequence[int] | VersionConflictError]:
        """Write a group in one transaction; return each append's positions, or the conflict it met."""

    @abstractmethod
    def _answer(self, question: Callable[[ReaderT], Answer]) -> Answer:
        """Ask on a connection that nobody else has; the database's errors come as EventLogUnavailableError."""

    @abstractmethod
    def _release(self) -> None:
        """Close every connection; nobody reads or writes any more."""

    @staticmethod
    @abstractmethod
    def _stream_id(stored: Any) -> UUID:  # noqa: ANN401 -- in the database's own form
        """A stream's id from the form in which rows hold it."""

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        attachments: Sequence[Attachment] = (),
        moves: Sequence[Move] = (),
    ) -> Sequence[int]:
        """Store all of it in one transaction and return the events' log positions; see `EventLog.append`.

        Raises:
            VersionConflictError: as promised by the port.
            WrongDigestError: an attachment's bytes do not have its SHA-256.
            CodecError: an event is of no registered class.
            TooLargeError: an event or attachment exceeds MAXIMUM_BYTES.
            ValueError: no possible follower or position, or a follower that is moved twice.
            EventLogClosedError: the log is closed.
            EventLogUnavailableError: the database refused; nothing was stored.
        """
        return self._group_commit.do(append_of(self._codec, events, attachments, moves))

    def stream(self, stream_id: UUID, *, after_version: int = 0) -> Iterator[RecordedEvent]:
        """One stream's events in order."""
        while True:
            page = self._ask(self._reads.select_stream_page, stream_id, after_version, PAGE_SIZE)
            for position, _, version, topic, state in page:
                yield RecordedEvent(
                    position=position,
                    stream_id=stream_id,
                    version=version,
                    event=self._codec.event(topic, state),
                )
                after_version = version
            if len(page) < PAGE_SIZE:
                return

    def streams(self, stream_ids: Collection[UUID]) -> Mapping[UUID, Sequence[RecordedEvent]]:
        """As many of these streams, each whole, as fit into one page."""
        found: dict[UUID, list[RecordedEvent]] = {stream_id: [] for stream_id in stream_ids}
        page = self._ask(self._reads.select_streams, list(found), PAGE_SIZE)
        for position, stored, version, topic, state in page:
            stream_id = self._stream_id(stored)
            event = self._codec.event(topic, state)
            found[stream_id].append(RecordedEvent(position, stream_id, version, event))
        if len(page) < PAGE_SIZE:
            return found
        cut = self._stream_id(page[-1][1])  # what comes behind it was not looked for
        return {stream_id: events for stream_id, events in found.items() if stream_id < cut}

    def read(
        self, *, after: int = 0, limit: int | None = None, topics: frozenset[str] | None = None
    ) -> Iterator[RecordedEvent]:
        """The log in order of position, from the one behind `after`, up to its head at the time of reading."""
        passed = () if topics is None else self._codec.others(topics)
        remaining = limit
        while remaining is None or remaining > 0:
            size = PAGE_SIZE if remaining is None else min(PAGE_SIZE, remaining)
            page = self._ask(self._reads.select_page, after, size, passed)
            for position, stream_id, version, topic, state in page:
                yield RecordedEvent(
                    position=position,
                    stream_id=self._stream_id(stream_id),
                    version=version,
                    event=self._codec.event(topic, state),
                )
                after = position
            if len(page) < size:
                return
            if remaining is not None:
                remaining -= size

    def read_raw(self, *, after: int, until: int, topics: frozenset[str]) -> Sequence[tuple[int, str, bytes]]:
        """The events of these topics above `after` up to `until`, as they are stored; see `present_states`."""
        rows = self._ask(self._reads.select_states, after, until, passed_over(topics))
        return present_states(rows, self._codec, topics)

    def head(self) -> int:
        """The last position, 0 for an empty log."""
        return self._ask(self._reads.last_position)

    def follower_position(self, name: str) -> int:
        """How far the named follower has come, 0 if it never began."""
        return self.follower_positions([name])[name]

    def follower_positions(self, names: Collection[str]) -> Mapping[str, int]:
        """How far each of these has come, 0 if it never began."""
        found = self._ask(self._reads.follower_positions, list(names))
        return {name: found.get(name, 0) for name in names}

    def versions_since(self, position: int) -> Iterator[tuple[int, UUID, int]]:
        """Position, stream and version of every event behind this position; nothing is decoded."""
        while True:
            page = self._ask(self._reads.select_versions, position, PAGE_SIZE)
            for found, stream_id, version in page:
                yield found, self._stream_id(stream_id), version
            if len(page) < PAGE_SIZE:
                return
            position = page[-1][0]

    def attachment(self, sha256: str) -> bytes | None:
        """The bytes kept under this digest.

        Raises:
            WrongDigestError: the stored bytes are damaged.
        """
        stored = self._ask(self._reads.select_attachment, sha256)
        return None if stored is None else unpacked(stored)

    def wait(self, *, after: int, timeout_seconds: float) -> bool:
        """Block until the head is above `after` or the time is over; True when there is something new.

        Raises:
            EventLogClosedError: the log was closed before or while waiting.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            # Noted before the look at the head, so that no commit can slip in between the look and the wait.
            seen = self._commits
            if self.head() > after:
                return True
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            with self._news:
                if self._commits == seen:
                    self._news.wait(min(remaining, self._poll_seconds()))

    def close(self) -> None:
        """Finish pending writes, let readers finish their page, and release the files. Closing twice is allowed."""
        self._group_commit.close()
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._gate.wait_for(lambda: self._readers == 0)
        self._release()

    def _poll_seconds(self) -> float:
        """How long a waiting reader may go without a look of its own."""
        return POLL_SECONDS

    def _announce(self) -> None:
        """Wake whoever waits: something has been committed, here or elsewhere."""
        with self._news:
            self._commits += 1
            self._news.notify_all()

    def _write(self, appends: Sequence[Append]) -> Sequence[Sequence[int] | VersionConflictError]:
        outcomes = self._write_group(appends)
        self._announce()
        return outcomes

    def _ask(
        self, question: Callable[Concatenate[ReaderT, P], Answer], *arguments: P.args, **named: P.kwargs
    ) -> Answer:
        """Keeps `close` from taking the connections away while a page is being read."""
        with self._gate:
            if self._closed:
                raise EventLogClosedError("the event log is closed")
            self._readers += 1
        try:
            return self._answer(lambda reader: question(reader, *arguments, **named))
        finally:
            with self._gate:
                self._readers -= 1
                if self._readers == 0:
                    self._gate.notify_all()

"""The event log in one SQLite file: what append has returned for survives power loss.

Here: the EventLog port, who writes when, and who is woken. Tables and statements are in `sqlite_recorder`.
"""

import hashlib
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from eventsourcing.persistence import PersistenceError, StoredEvent, Tracking

from adapters.store.codec import EventCodec
from adapters.store.errors import EventLogClosedError, EventLogUnavailableError, TooLargeError, WrongDigestError
from adapters.store.group_commit import GroupCommit
from adapters.store.read_raw import read_raw
from adapters.store.sqlite_datastore import DurableDatastore, immediate
from adapters.store.sqlite_recorder import Append, SqliteRecorder, StoredAttachment
from domain.ports import Attachment, NewEvent, RecordedEvent, VersionConflictError

PAGE_SIZE = 2_000
"""Events that a reader fetches at once. No lock and no connection is held between pages."""

POLL_SECONDS = 0.1
"""How often a waiting reader looks for what other processes have appended. Our own appends wake it at once."""

MAXIMUM_BYTES = 64 * 1024 * 1024
"""Of one event or attachment. SQLite refuses only at 1 GB, and would refuse the whole group with it."""

MAXIMUM_POSITION = 2**63 - 1
"""What SQLite's integers hold."""

LIBRARY_FOLLOWER = "__migration__"
"""A row of the library's own in the table of follower positions."""


class SqliteEventLog:
    """Keeps the promises of `domain.ports.EventLog`; safe to use from many threads, and from several processes.

    Appends that wait at the same moment share one transaction and one fsync; one that conflicts fails alone.

    Args:
        path: the file; made, with its tables, if it is not there. Its folder must exist, on a local disk.
        codec: what turns events into bytes and back.
        busy_timeout_seconds: how long an append waits for a transaction of another process.

    Raises:
        EventLogUnavailableError: the file cannot be opened, or is no SQLite file.
        NewerSchemaError: a newer version of the platform wrote it.
    """

    def __init__(self, path: Path, *, codec: EventCodec | None = None, busy_timeout_seconds: float = 10.0) -> None:
        self._codec = codec or EventCodec()
        self._datastore = DurableDatastore(path, busy_timeout_seconds=busy_timeout_seconds)
        self._recorder = SqliteRecorder(self._datastore)
        self._news = threading.Condition()
        self._commits = 0
        self._gate = threading.Condition()
        self._closed = False
        self._readers = 0
        with _errors_named():
            self._recorder.create_table()
            # The writer's own for as long as the log is open.
            self._connection = self._datastore.pool.get_connection(is_writer=True)
        self._group_commit: GroupCommit[Append, Sequence[int]] = GroupCommit(self._write_group, name="event-log-writer")

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        attachments: Sequence[Attachment] = (),
        position_of: str | None = None,
        position: int | None = None,
    ) -> Sequence[int]:
        """Store all of it in one transaction and return the events' log positions; see `EventLog.append`.

        Raises:
            VersionConflictError: as promised by the port.
            WrongDigestError: an attachment's bytes do not have its SHA-256.
            CodecError: an event is of no registered class.
            TooLargeError: an event or attachment exceeds MAXIMUM_BYTES.
            ValueError: a follower without a position, a position without a follower, or no possible follower.
            EventLogClosedError: the log is closed.
            EventLogUnavailableError: the database refused; nothing was stored.
        """
        # Everything that costs time happens here, in the caller's thread; the one writer only writes.
        append = Append(
            events=[_bounded(self._codec.stored(new)) for new in events],
            attachments=[_packed(attachment) for attachment in attachments],
            tracking=_tracking(position_of, position),
        )
        return self._group_commit.do(append)

    def stream(self, stream_id: UUID, *, after_version: int = 0) -> Iterator[RecordedEvent]:
        """One stream's events in order."""
        while True:
            with self._reading() as reader:
                page = self._recorder.select_stream_page(reader, stream_id, after_version, PAGE_SIZE)
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

    def read(
        self, *, after: int = 0, limit: int | None = None, topics: frozenset[str] | None = None
    ) -> Iterator[RecordedEvent]:
        """The log in order of position, from the one behind `after`, up to its head at the time of reading."""
        passed = () if topics is None else self._codec.others(topics)
        remaining = limit
        while remaining is None or remaining > 0:
            size = PAGE_SIZE if remaining is None else min(PAGE_SIZE, remaining)
            with self._reading() as reader:
                page = self._recorder.select_page(reader, after, size, passed)
            for position, stream_id, version, topic, state in page:
                yield RecordedEvent(
                    position=position,
                    stream_id=_stream_id(stream_id),
                    version=version,
                    event=self._codec.event(topic, state),
                )
                after = position
            if len(page) < size:
                return
            if remaining is not None:
                remaining -= size

    def read_raw(self, *, after: int, until: int, topics: frozenset[str]) -> Sequence[tuple[int, str, bytes]]:
        """The events of these topics above `after` up to `until`, as they are stored; see `read_raw`."""
        with self._reading() as reader:
            return read_raw(reader, self._codec, after=after, until=until, topics=topics)

    def head(self) -> int:
        """The last position, 0 for an empty log."""
        with self._reading() as reader:
            return self._recorder.last_position(reader)

    def follower_position(self, name: str) -> int:
        """How far the named follower has come, 0 if it never began."""
        with self._reading() as reader:
            return self._recorder.follower_position(reader, name)

    def attachment(self, sha256: str) -> bytes | None:
        """The bytes kept under this digest.

        Raises:
            WrongDigestError: the stored bytes are damaged.
        """
        with self._reading() as reader:
            stored = self._recorder.select_attachment(reader, sha256)
        return None if stored is None else _unpacked(stored)

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
                    self._news.wait(min(remaining, POLL_SECONDS))

    def close(self) -> None:
        """Finish pending writes, let readers finish their page, and release the files. Closing twice is allowed."""
        self._group_commit.close()
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._gate.wait_for(lambda: self._readers == 0)
        self._datastore.pool.put_connection(self._connection)
        self._datastore.close()

    def _write_group(self, appends: Sequence[Append]) -> Sequence[Sequence[int] | VersionConflictError]:
        """Write a group in one transaction; return each append's positions, or the conflict it met."""
        with _errors_named(), immediate(self._connection) as cursor:
            outcomes = self._recorder.append_group(cursor, appends)
        with self._news:
            self._commits += 1
            self._news.notify_all()
        return outcomes

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Keeps `close` from taking the connections away while a page is being read."""
        with self._gate:
            if self._closed:
                raise EventLogClosedError("the event log is closed")
            self._readers += 1
        try:
            with _errors_named(), self._datastore.reading() as reader:
                yield reader
        finally:
            with self._gate:
                self._readers -= 1
                if self._readers == 0:
                    self._gate.notify_all()


@lru_cache(maxsize=65_536)
def _stream_id(hexadecimal: str) -> UUID:
    """Streams recur all along the log, and making a UUID costs half as much as reading its event."""
    return UUID(hexadecimal)


@contextmanager
def _errors_named() -> Iterator[None]:
    """The database's errors, of SQLite and of the library, as EventLogUnavailableError."""
    try:
        yield
    except (sqlite3.Error, PersistenceError) as error:
        raise EventLogUnavailableError(f"the event log's database refused: {error}") from error


def _tracking(name: str | None, position: int | None) -> Tracking | None:
    """What must be refused here, in the caller's thread, lest it end the writer, is refused here."""
    if name is None and position is None:
        return None
    if name is None or position is None:
        raise ValueError("a follower's position needs both the follower and the position")
    if name == LIBRARY_FOLLOWER or not name.isprintable() or not name:
        raise ValueError(f"{name!a} cannot be a follower's name")
    if position > MAXIMUM_POSITION:
        raise ValueError(f"{position} cannot be a position")
    return Tracking(name, position)


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


def _unpacked(stored: StoredAttachment) -> bytes:
    try:
        content = zlib.decompress(stored.content) if stored.compressed else stored.content
    except zlib.error as error:
        raise WrongDigestError(f"the attachment {stored.sha256} is damaged: {error}") from error
    if hashlib.sha256(content).hexdigest() != stored.sha256:
        raise WrongDigestError(f"the attachment {stored.sha256} is damaged")
    return content

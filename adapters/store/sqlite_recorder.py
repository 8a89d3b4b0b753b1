"""`eventsourcing`'s SQLite recorder with attachments, groups of appends and complete version checks.

The library's own statements and tables are kept where they serve; every departure gives its reason.
What does not belong here: connections (`sqlite_datastore`), threads and waiting (`group_commit`, `sqlite_log`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Connection
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore, SQLiteProcessRecorder

from adapters.store.errors import NewerSchemaError
from adapters.store.sqlite_datastore import immediate
from domain.ports import VersionConflictError

SCHEMA_VERSION = 1

OUR_TABLES = (
    # The library leaves the rowid implicit, and VACUUM may number implicit rowids anew.
    """
    CREATE TABLE IF NOT EXISTS stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS attachments (
        sha256 TEXT PRIMARY KEY,
        compressed INTEGER NOT NULL,
        content BLOB NOT NULL
    )
    """,
)

ROWS_PER_STATEMENT = (256, 64, 16, 4, 1)
"""Sizes of the prepared inserts, largest first: 1,000 rows take nine statements, and five texts stay prepared."""

INSERT_ROWS = {
    size: ",".join(["INSERT INTO stored_events VALUES (?,?,?,?,?)", *["(?,?,?,?,?)"] * (size - 1)])
    for size in ROWS_PER_STATEMENT
}

SELECT_OTHERS = (
    "SELECT * FROM stored_events WHERE rowid>? AND topic NOT IN (SELECT value FROM json_each(?)) ORDER BY rowid LIMIT ?"
)
SELECT_STREAM = (
    "SELECT * FROM stored_events WHERE originator_id=? AND originator_version>? ORDER BY originator_version LIMIT ?"
)

StoredRow = tuple[int, str, int, str, bytes]
"""An event as its row holds it: position, stream id in hex, version, stored topic, state."""


class StoredAttachment(NamedTuple):
    """An attachment as its row holds it; `compressed` says whether `content` is a zlib stream."""

    sha256: str
    compressed: bool
    content: bytes


class Append(NamedTuple):
    """One call of `EventLog.append`, as rows."""

    events: Sequence[StoredEvent]
    attachments: Sequence[StoredAttachment]
    tracking: Tracking | None


class SqliteRecorder(SQLiteProcessRecorder):
    """Events, attachments and follower positions in one file. Positions count from 1 without a gap."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        # The library counts on a table of four columns.
        self.insert_events_statement = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """The library's table of follower positions, and our own for events and attachments."""
        library = super().construct_create_table_statements()
        return [*(statement for statement in library if " tracking " in statement), *OUR_TABLES]

    def create_table(self) -> None:
        """Create what is missing, once, however many processes start together.

        The library looks first and locks afterwards, so of two processes that start together one fails.

        Raises:
            NewerSchemaError: a newer version of the platform wrote the file.
        """
        with self.datastore.get_connection(commit=True) as connection, immediate(connection) as cursor:
            cursor.execute("PRAGMA user_version")
            found = int(cursor.fetchone()[0])
            if found > SCHEMA_VERSION:
                raise NewerSchemaError(f"the event log has schema {found}; this version knows {SCHEMA_VERSION}")
            if found < SCHEMA_VERSION:
                self._create_table(cursor)
                # A pragma takes no parameters; the figure is our own constant.
                cursor.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def append_group(
        self, cursor: SQLiteCursor, appends: Sequence[Append]
    ) -> Sequence[Sequence[int] | VersionConflictError]:
        """Write a group within the caller's transaction; return each append's positions or the conflict it met.

        The caller's transaction must hold the write lock: then what was looked up here stays true until the commit.
        Every append is checked before anything of it is written, so one that is refused leaves nothing behind and
        its neighbours untouched. The whole group takes a handful of statements, because between statements (and
        between rows of one) Python lets other threads run and the writer has to win its turn back.
        """
        versions = self._versions(cursor, {event.originator_id for append in appends for event in append.events})
        position = self._last_position(cursor)
        outcomes: list[Sequence[int] | VersionConflictError] = []
        accepted: list[Append] = []
        for append in appends:
            try:
                advanced = _advanced(versions, append.events)
                if append.tracking is not None:
                    self._insert_tracking(cursor, append.tracking)
            except VersionConflictError as conflict:
                outcomes.append(conflict)
                continue
            versions.update(advanced)
            accepted.append(append)
            outcomes.append(range(position + 1, position + 1 + len(append.events)))
            position += len(append.events)
        events = [event for append in accepted for event in append.events]
        _insert_rows(cursor, position - len(events), events)
        for append in accepted:
            for attachment in append.attachments:
                cursor.execute("INSERT OR IGNORE INTO attachments VALUES (?,?,?)", attachment)
        return outcomes

    def _versions(self, c: SQLiteCursor, streams: Iterable[UUID | str]) -> dict[UUID | str, int]:
        """The last version of each stream, 0 for a new one; one row, found by one seek in the index per stream."""
        by_hex = {_hex(stream): stream for stream in streams}
        c.execute(
            "SELECT json_group_object(value, (SELECT MAX(originator_version) FROM stored_events "
            "WHERE originator_id=value)) FROM json_each(?)",
            (json.dumps(list(by_hex)),),
        )
        found: Mapping[str, int | None] = json.loads(c.fetchone()[0])
        return {stream: found[name] or 0 for name, stream in by_hex.items()}

    def _insert_tracking(self, c: SQLiteCursor, tracking: Tracking) -> None:
        name, position = tracking.application_name, tracking.notification_id
        # The library takes any first position, 0 and below included.
        if position < 1:
            raise VersionConflictError(f"follower {name} cannot have come to position {position}")
        try:
            super()._insert_tracking(c, tracking)
        except IntegrityError as error:
            raise VersionConflictError(f"follower {name} has already dealt with position {position}") from error

    def _last_position(self, c: SQLiteCursor) -> int:
        # The library's statement gives NULL for an empty log.
        c.execute(self.select_max_notification_id_statement)
        return int(c.fetchone()[0] or 0)

    def last_position(self, reader: Connection) -> int:
        """The position of the last committed event, 0 for an empty log."""
        found: int | None = reader.execute("SELECT MAX(rowid) FROM stored_events").fetchone()[0]
        return found or 0

    def follower_position(self, reader: Connection, name: str) -> int:
        """The position that was recorded last for this follower, 0 if none was."""
        found: int | None = reader.execute(self.select_max_tracking_id_statement, (name,)).fetchone()[0]
        return found or 0

    def select_page(
        self, reader: Connection, after: int, limit: int, passed: Sequence[str] = ()
    ) -> Sequence[StoredRow]:
        """The log's rows in order of position, without those of the stored topics that are `passed` over.

        The library's `select_notifications` gives the same, after building a frozen object for every row.
        """
        if passed:
            return reader.execute(SELECT_OTHERS, (after, json.dumps(passed), limit)).fetchall()
        return reader.execute(
            "SELECT * FROM stored_events WHERE rowid>? ORDER BY rowid LIMIT ?", (after, limit)
        ).fetchall()

    def select_stream_page(
        self, reader: Connection, stream_id: UUID, after_version: int, limit: int
    ) -> Sequence[StoredRow]:
        """One stream's rows in order of version; `select_events` of the library leaves out the positions."""
        return reader.execute(SELECT_STREAM, (stream_id.hex, after_version, limit)).fetchall()

    def select_attachment(self, reader: Connection, sha256: str) -> StoredAttachment | None:
        """The attachment's row, or None."""
        found = reader.execute("SELECT compressed, content FROM attachments WHERE sha256=?", (sha256,)).fetchone()
        return None if found is None else StoredAttachment(sha256, bool(found[0]), found[1])


def _hex(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


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


def _insert_rows(cursor: SQLiteCursor, last_position: int, events: Sequence[StoredEvent]) -> None:
    """Insert the events behind `last_position`, as many rows per statement as ROWS_PER_STATEMENT allows."""
    start = 0
    for size in ROWS_PER_STATEMENT:
        while len(events) - start >= size:
            parameters: list[object] = []
            for position, event in enumerate(events[start : start + size], last_position + start + 1):
                parameters += (
                    position,
                    _hex(event.originator_id),
                    event.originator_version,
                    event.topic,
                    event.state,
                )
            cursor.execute(INSERT_ROWS[size], parameters)
            start += size

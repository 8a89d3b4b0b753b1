"""`eventsourcing`'s SQLite recorder with attachments and groups of appends.

The library's own statements and tables are kept where they serve; every departure gives its reason.
What does not belong here: connections (`sqlite_datastore`), threads and waiting (`group_commit`, `sqlite_log`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Connection
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore, SQLiteProcessRecorder

from adapters.store.appends import Append, Standing, StoredAttachment, followers_of, planned, streams_of
from adapters.store.errors import NewerSchemaError
from adapters.store.read_raw import RawRow
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
SELECT_STREAMS = (
    "SELECT * FROM stored_events WHERE originator_id IN (SELECT value FROM json_each(?)) "
    "ORDER BY originator_id, originator_version LIMIT ?"
)

SELECT_STATES = """
    SELECT rowid, topic, state FROM stored_events
    WHERE rowid > ? AND rowid <= ? AND topic NOT IN (SELECT value FROM json_each(?)) ORDER BY rowid
"""
SELECT_VERSIONS = (
    "SELECT rowid, originator_id, originator_version FROM stored_events WHERE rowid>? ORDER BY rowid LIMIT ?"
)
SELECT_FOLLOWERS = (
    "SELECT application_name, notification_id FROM tracking WHERE application_name IN (SELECT value FROM json_each(?))"
)

StoredRow = tuple[int, str, int, str, bytes]
"""An event as its row holds it: position, stream id in hex, version, stored topic, state."""


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
        The whole group takes a handful of statements, because between statements (and between rows of one) Python
        lets other threads run and the writer has to win its turn back.
        """
        standing = Standing(
            position=self._last_position(cursor),
            versions=self._versions(cursor, streams_of(appends)),
            followers=self._followers(cursor, followers_of(appends)),
        )
        plan = planned(appends, standing)
        _insert_rows(cursor, plan.position, plan.events)
        for tracking in plan.trackings:
            self._insert_tracking(cursor, tracking)
        for attachment in plan.attachments:
            cursor.execute("INSERT OR IGNORE INTO attachments VALUES (?,?,?)", attachment)
        return plan.outcomes

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

    def _followers(self, c: SQLiteCursor, names: Iterable[str]) -> dict[str, int]:
        """The last position of each of these followers that has begun."""
        found = list(names)
        if not found:
            return {}
        c.execute(SELECT_FOLLOWERS, (json.dumps(found),))
        return {row[0]: row[1] for row in c.fetchall()}

    def _last_position(self, c: SQLiteCursor) -> int:
        # The library's statement gives NULL for an empty log.
        c.execute(self.select_max_notification_id_statement)
        return int(c.fetchone()[0] or 0)

    def last_position(self, reader: Connection) -> int:
        """The position of the last committed event, 0 for an empty log."""
        found: int | None = reader.execute("SELECT MAX(rowid) FROM stored_events").fetchone()[0]
        return found or 0

    def follower_positions(self, reader: Connection, names: Sequence[str]) -> Mapping[str, int]:
        """The position that was recorded last for each of these followers that has begun."""
        return dict(reader.execute(SELECT_FOLLOWERS, (json.dumps(names),)).fetchall())

    def select_versions(self, reader: Connection, after: int, limit: int) -> Sequence[tuple[int, str, int]]:
        """Position, stream id in hex and version of the log's rows in order of position."""
        return reader.execute(SELECT_VERSIONS, (after, limit)).fetchall()

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

    def select_streams(self, reader: Connection, stream_ids: Sequence[UUID], limit: int) -> Sequence[StoredRow]:
        """The rows of several streams in order of stream id and version."""
        named = json.dumps([stream_id.hex for stream_id in stream_ids])
        return reader.execute(SELECT_STREAMS, (named, limit)).fetchall()

    def select_states(self, reader: Connection, after: int, until: int, passed: Sequence[str]) -> Sequence[RawRow]:
        """The rows above `after` up to `until`, without those of the stored topics that are `passed` over."""
        return reader.execute(SELECT_STATES, (after, until, json.dumps(passed))).fetchall()

    def select_attachment(self, reader: Connection, sha256: str) -> StoredAttachment | None:
        """The attachment's row, or None."""
        found = reader.execute("SELECT compressed, content FROM attachments WHERE sha256=?", (sha256,)).fetchone()
        return None if found is None else StoredAttachment(sha256, bool(found[0]), found[1])


def _hex(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


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

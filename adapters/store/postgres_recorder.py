"""`eventsourcing`'s PostgreSQL recorder with attachments, groups of appends and positions without gaps.

The library's statements are kept where they serve; every departure gives its reason.
What does not belong here: connections (`postgres_datastore`), waiting and finding out (`postgres_log`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresProcessRecorder
from psycopg import Connection, Cursor
from psycopg import Error as PsycopgError
from psycopg.rows import DictRow, TupleRow, tuple_row
from psycopg.sql import SQL, Composed

from adapters.store.appends import Append, Plan, Standing, StoredAttachment, followers_of, planned, streams_of
from adapters.store.errors import NewerSchemaError, NoSchemaError
from adapters.store.postgres_datastore import LastingDatastore
from adapters.store.read_raw import RawRow

SCHEMA_VERSION = 1

SCHEMA_LOCK = 0x6F75746C65740001
"""The advisory lock of whoever makes the tables: `outlet` and a number."""

CHUNK_BYTES = 16 * 1024 * 1024
"""Of the events in one statement, more or less: PostgreSQL takes 1 GB, all of it in memory."""

OUR_TABLES = (
    # No sequence gives the positions: one would leave gaps, and would let the library's function, which takes no
    # lock, give them out of order. Whoever inserts has to hold the lock, and so knows the last one.
    """
    CREATE TABLE stored_events (
        notification_id bigint PRIMARY KEY,
        originator_id uuid NOT NULL,
        originator_version bigint NOT NULL,
        topic text NOT NULL,
        state bytea NOT NULL,
        UNIQUE (originator_id, originator_version)
    )
    """,
    """
    CREATE TABLE attachments (
        sha256 text PRIMARY KEY,
        compressed boolean NOT NULL,
        content bytea NOT NULL
    )
    """,
    # What zlib could make smaller already is; the rest would only be tried again.
    "ALTER TABLE attachments ALTER COLUMN content SET STORAGE EXTERNAL",
    "CREATE TABLE event_log_schema (version integer NOT NULL)",
)

SELECT_SCHEMA_TABLE = """
    SELECT FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'event_log_schema'
"""
SELECT_STANDING = """
    SELECT pg_current_xact_id()::text, (SELECT MAX(notification_id) FROM stored_events)
"""
SELECT_VERSIONS = """
    SELECT asked, (SELECT MAX(originator_version) FROM stored_events WHERE originator_id = asked)
    FROM unnest(%s::uuid[]) AS asked
"""
SELECT_FOLLOWERS = """
    SELECT application_name, notification_id FROM notification_tracking WHERE application_name = ANY(%s)
"""
INSERT_EVENTS = """
    INSERT INTO stored_events (notification_id, originator_id, originator_version, topic, state)
    SELECT * FROM unnest(%b::bigint[], %b::uuid[], %b::bigint[], %b::text[], %b::bytea[])
"""
MOVE_FOLLOWERS = """
    INSERT INTO notification_tracking (application_name, notification_id)
    SELECT * FROM unnest(%b::text[], %b::bigint[])
    ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
"""
INSERT_ATTACHMENT = "INSERT INTO attachments VALUES (%b, %b, %b) ON CONFLICT (sha256) DO NOTHING"

# A transaction that the server does not know yet is of a server that has lost some since.
SELECT_COMMITTED = """
    SELECT CASE WHEN %(transaction)s::xid8 < pg_snapshot_xmax(pg_current_snapshot())
        THEN pg_xact_status(%(transaction)s::xid8) = 'committed' END
"""
SELECT_LAST = "SELECT originator_id, originator_version FROM stored_events WHERE notification_id = %s"

SELECT_VERSIONS_SINCE = """
    SELECT notification_id, originator_id, originator_version FROM stored_events
    WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
SELECT_PAGE = """
    SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events
    WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
SELECT_OTHERS = """
    SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events
    WHERE notification_id > %s AND topic <> ALL(%s) ORDER BY notification_id LIMIT %s
"""
SELECT_STREAM = """
    SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events
    WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s
"""
SELECT_STREAMS = """
    SELECT notification_id, originator_id, originator_version, topic, state FROM stored_events
    WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version LIMIT %s
"""
SELECT_STATES = """
    SELECT notification_id, topic, state FROM stored_events
    WHERE notification_id > %s AND notification_id <= %s AND topic <> ALL(%s) ORDER BY notification_id
"""

StoredRow = tuple[int, UUID, int, str, bytes]
"""An event as its row holds it: position, stream id, version, stored topic, state."""


class Attempt(NamedTuple):
    """A group in an open transaction that holds the log's lock, and the number by which the server knows it."""

    transaction: str
    plan: Plan


class PostgresLogRecorder(PostgresProcessRecorder):
    """Events, attachments and follower positions in one schema. Positions count from 1 without a gap."""

    def __init__(self, datastore: LastingDatastore) -> None:
        super().__init__(datastore)
        tracking = [made for made in self.sql_create_statements if self.tracking_table_name in made.as_string()]
        self.sql_create_statements = [*tracking, *(Composed([SQL(table)]) for table in OUR_TABLES)]

    def create_table(self, *, may_create: bool = True) -> None:
        """Create the tables where they are missing, once, however many processes start together.

        The library makes types and tables without a lock, so of processes that start together some fail. Where the
        tables are there, nothing is asked for that a user without the right to make any may not do.

        Raises:
            NewerSchemaError: a newer version of the platform made them.
            NoSchemaError: they are missing, and this process may not create them.
        """
        with self.datastore.transaction(commit=True) as cursor:
            if self._found_version(cursor):
                return
            if not may_create:
                raise NoSchemaError(f"the schema {self.datastore.schema} holds no event log")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
            if not self._found_version(cursor):
                self._create_table(cursor)
                cursor.execute("INSERT INTO event_log_schema VALUES (%s)", (SCHEMA_VERSION,))

    def _found_version(self, cursor: Cursor[DictRow]) -> bool:
        # Not to_regclass: it may answer from before the lock, out of the connection's own cache.
        cursor.execute(SELECT_SCHEMA_TABLE)
        if cursor.fetchone() is None:
            return False
        cursor.execute("SELECT MAX(version) AS version FROM event_log_schema")
        [row] = cursor.fetchall()
        if row["version"] > SCHEMA_VERSION:
            raise NewerSchemaError(f"the event log has schema {row['version']}; this version knows {SCHEMA_VERSION}")
        return True

    def begin(self, connection: Connection[DictRow], appends: Sequence[Append]) -> Attempt:
        """Begin a transaction, take the log's lock, and say what the group comes to; one journey to the server.

        What was looked up behind the lock stays true until the commit. The default isolation of the database may be
        another; a snapshot from before the lock would not show what others have written.
        """
        with connection.pipeline():
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            with connection.cursor() as cursor:
                self._lock_table(cursor)
            standing = _asked(connection, SELECT_STANDING, ())
            versions = _asked(connection, SELECT_VERSIONS, (list(streams_of(appends)),))
            followers = _asked(connection, SELECT_FOLLOWERS, (list(followers_of(appends)),))
        [(transaction, position)] = standing.fetchall()
        found = Standing(
            position=position or 0,
            versions={stream: version or 0 for stream, version in versions.fetchall()},
            followers=dict(followers.fetchall()),
        )
        return Attempt(transaction, planned(appends, found))

    def finish(self, connection: Connection[DictRow], plan: Plan) -> None:
        """Write what was planned and commit; one journey to the server. Whoever listens is told with the commit."""
        with connection.pipeline():
            first = plan.position + 1
            for events in _chunks(plan.events):
                connection.execute(INSERT_EVENTS, _event_columns(first, events))
                first += len(events)
            if plan.trackings:
                connection.execute(MOVE_FOLLOWERS, _tracking_columns(plan.trackings))
            for attachment in plan.attachments:
                connection.execute(INSERT_ATTACHMENT, attachment)
            if plan.events:
                with connection.cursor() as cursor:
                    self._notify_channel(cursor)
            connection.execute("COMMIT")

    def has_committed(self, connection: Connection[DictRow], attempt: Attempt) -> bool:
        """Whether the attempt, whose commit was never answered, is in the log.

        The lock is taken first: as long as a server still has the old transaction open, that holds it, and what has
        been found could change. The transaction's own status is asked, for the same events can have been stored by
        another process meanwhile; and the last event, for a standby that took over may have given its number anew.
        """
        plan = attempt.plan
        with connection.pipeline():
            connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
            with connection.cursor() as cursor:
                self._lock_table(cursor)
            status = _asked(connection, SELECT_COMMITTED, {"transaction": attempt.transaction})
            last = _asked(connection, SELECT_LAST, (plan.position + len(plan.events),))
            connection.execute("ROLLBACK")
        [(committed,)] = status.fetchall()
        expected = [(event.originator_id, event.originator_version) for event in plan.events[-1:]]
        return bool(committed) and (not expected or last.fetchall() == expected)

    def last_position(self, reader: Cursor[TupleRow]) -> int:
        """The position of the last committed event, 0 for an empty log."""
        [(found,)] = reader.execute(self.max_notification_id_statement).fetchall()
        return found or 0

    def follower_positions(self, reader: Cursor[TupleRow], names: Sequence[str]) -> Mapping[str, int]:
        """The position that was recorded last for each of these followers that has begun."""
        return dict(reader.execute(SELECT_FOLLOWERS, (list(names),)).fetchall())

    def select_versions(self, reader: Cursor[TupleRow], after: int, limit: int) -> Sequence[tuple[int, UUID, int]]:
        """Position, stream id and version of the log's rows in order of position."""
        return reader.execute(SELECT_VERSIONS_SINCE, (after, limit)).fetchall()

    def select_page(
        self, reader: Cursor[TupleRow], after: int, limit: int, passed: Sequence[str] = ()
    ) -> Sequence[StoredRow]:
        """The log's rows in order of position, without those of the stored topics that are `passed` over."""
        if passed:
            return reader.execute(SELECT_OTHERS, (after, list(passed), limit)).fetchall()
        return reader.execute(SELECT_PAGE, (after, limit)).fetchall()

    def select_stream_page(
        self, reader: Cursor[TupleRow], stream_id: UUID, after_version: int, limit: int
    ) -> Sequence[StoredRow]:
        """One stream's rows in order of version."""
        return reader.execute(SELECT_STREAM, (stream_id, after_version, limit)).fetchall()

    def select_streams(self, reader: Cursor[TupleRow], stream_ids: Sequence[UUID], limit: int) -> Sequence[StoredRow]:
        """The rows of several streams in order of stream id and version."""
        return reader.execute(SELECT_STREAMS, (list(stream_ids), limit)).fetchall()

    def select_states(
        self, reader: Cursor[TupleRow], after: int, until: int, passed: Sequence[str]
    ) -> Sequence[RawRow]:
        """The rows above `after` up to `until`, without those of the stored topics that are `passed` over."""
        return reader.execute(SELECT_STATES, (after, until, list(passed))).fetchall()

    def select_attachment(self, reader: Cursor[TupleRow], sha256: str) -> StoredAttachment | None:
        """The attachment's row, or None."""
        found = reader.execute("SELECT compressed, content FROM attachments WHERE sha256 = %s", (sha256,)).fetchone()
        return None if found is None else StoredAttachment(sha256, found[0], found[1])


def undo(connection: Connection[DictRow]) -> None:
    """End the open transaction without storing; a connection that cannot do it is closed, which does the same."""
    try:
        connection.execute("ROLLBACK")
    except PsycopgError:
        connection.close()


def _asked(
    connection: Connection[DictRow], statement: str, parameters: Sequence[Any] | Mapping[str, Any]
) -> Cursor[TupleRow]:
    return connection.cursor(binary=True, row_factory=tuple_row).execute(statement, parameters)


def _chunks(events: Sequence[StoredEvent]) -> Iterator[Sequence[StoredEvent]]:
    """The events in their order, cut where CHUNK_BYTES are reached."""
    chunk: list[StoredEvent] = []
    size = 0
    for event in events:
        chunk.append(event)
        size += len(event.state)
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _event_columns(first: int, events: Sequence[StoredEvent]) -> Sequence[Sequence[object]]:
    return (
        list(range(first, first + len(events))),
        [event.originator_id for event in events],
        [event.originator_version for event in events],
        [event.topic for event in events],
        [event.state for event in events],
    )


def _tracking_columns(trackings: Iterable[Tracking]) -> Sequence[Sequence[object]]:
    pairs = [(tracking.application_name, tracking.notification_id) for tracking in trackings]
    return [name for name, _ in pairs], [position for _, position in pairs]
